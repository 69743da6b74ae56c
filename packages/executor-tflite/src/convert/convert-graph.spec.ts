import { attr, Tensor, type Value } from '@floe/export-core';
import { GraphBuilder, numbers, operators } from '../testing/graphs';

const NHWC = attr.string('NHWC');
const NCHW = attr.string('NCHW');
const SAME = attr.string('SAME');
const VALID = attr.string('VALID');
/** float32 sums of some hundred products. */
const CLOSE = 1e-5;

function conv(
  b: GraphBuilder,
  x: Value,
  filter: number[],
  more: Record<string, ReturnType<typeof attr.ints>> = {},
): Value {
  return b.op('conv', 'Conv2D', [x, b.weights('filter', filter, 3)], {
    strides: attr.ints([1, 1, 1, 1]),
    padding: SAME,
    ...more,
  });
}

function batchNorm(b: GraphBuilder, x: Value, channels: number, format = NHWC): Value {
  const positive = Tensor.fromNumbers(
    'float32',
    [channels],
    numbers(channels, 7).map((n) => n * n + 0.1),
  );
  const stats = [
    b.weights('gamma', [channels], 4),
    b.weights('beta', [channels], 5),
    b.weights('mean', [channels], 6),
    b.constant('variance', positive),
  ];
  return b.op('bn', 'FusedBatchNormV3', [x, ...stats], {
    is_training: attr.bool(false),
    epsilon: attr.float(0.001),
    data_format: format,
    U: attr.type('float32'),
  });
}

describe('convolutions', () => {
  test('convolution, batch norm, activation and bias become one operator', async () => {
    const b = new GraphBuilder();
    const y = b.op('y', 'Relu6', [batchNorm(b, conv(b, b.input('x', [1, 6, 5, 3]), [3, 3, 3, 4]), 4)]);
    const { ops, error, model } = await b.compare([y], { x: [1, 6, 5, 3] });
    expect(ops).toEqual(['CONV_2D+RELU6']);
    expect(error).toBeLessThan(CLOSE);
    // A fused operator has the name of its last node.
    expect(model.subgraphs[0].outputs[0].name).toBe('y');
  });

  test.each([
    ['stride and VALID', { strides: attr.ints([1, 2, 2, 1]), padding: VALID }],
    ['dilation', { dilations: attr.ints([1, 2, 2, 1]) }],
  ])('convolution with %s', async (_, more) => {
    const b = new GraphBuilder();
    const { ops, error } = await b.compare([conv(b, b.input('x', [2, 9, 8, 3]), [3, 2, 3, 5], more)], {
      x: [2, 9, 8, 3],
    });
    expect(ops).toEqual(['CONV_2D']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('explicit padding is a PAD before a VALID convolution', async () => {
    const b = new GraphBuilder();
    const y = conv(b, b.input('x', [1, 6, 6, 2]), [3, 3, 2, 4], {
      padding: attr.string('EXPLICIT'),
      explicit_paddings: attr.ints([0, 0, 2, 0, 1, 3, 0, 0]),
    });
    const { ops, error } = await b.compare([y], { x: [1, 6, 6, 2] });
    expect(ops).toEqual(['PAD', 'CONV_2D']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('depthwise with a multiplier, batch norm and bias', async () => {
    const b = new GraphBuilder();
    const depthwise = b.op(
      'dw',
      'DepthwiseConv2dNative',
      [b.input('x', [1, 7, 7, 3]), b.weights('filter', [3, 3, 3, 2])],
      { strides: attr.ints([1, 2, 2, 1]), padding: SAME },
    );
    const y = b.op('y', 'Relu', [batchNorm(b, depthwise, 6)]);
    const { ops, error } = await b.compare([y], { x: [1, 7, 7, 3] });
    expect(ops).toEqual(['DEPTHWISE_CONV_2D+RELU']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('two convolutions that share a filter keep one copy of it', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [1, 5, 5, 3]);
    const filter = b.weights('filter', [3, 3, 3, 40]);
    const attrs = { strides: attr.ints([1, 1, 1, 1]), padding: SAME };
    const one = b.op('one', 'Conv2D', [x, filter], attrs);
    const two = b.op('two', 'Conv2D', [b.op('neg', 'Neg', [x]), filter], attrs);
    const { error, model } = await b.compare([one, two], { x: [1, 5, 5, 3] });
    expect(error).toBeLessThan(CLOSE);
    const filters = new Set(
      model.subgraphs[0].ops.filter((op) => op.code === 'CONV_2D').map((op) => op.inputs[1]!.buffer),
    );
    expect(filters.size).toBe(1);
  });

  test('a scale that varies along another axis than channels is not folded', async () => {
    const b = new GraphBuilder();
    const y = b.op('y', 'Mul', [conv(b, b.input('x', [1, 4, 4, 2]), [1, 1, 2, 4]), b.weights('m', [4, 1])]);
    const { ops, error } = await b.compare([y], { x: [1, 4, 4, 2] });
    expect(ops).toEqual(['CONV_2D', 'MUL']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a convolution that an output shows is not folded away', async () => {
    const b = new GraphBuilder();
    const inner = conv(b, b.input('x', [1, 4, 4, 2]), [1, 1, 2, 4]);
    const y = b.op('y', 'Relu', [inner]);
    const { ops, error } = await b.compare([inner, y], { x: [1, 4, 4, 2] });
    expect(ops).toEqual(['CONV_2D', 'RELU']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a subtraction from a constant is no bias', async () => {
    const b = new GraphBuilder();
    const y = b.op('y', 'Sub', [b.weights('a', [4]), conv(b, b.input('x', [1, 4, 4, 2]), [1, 1, 2, 4])]);
    const { ops, error } = await b.compare([y], { x: [1, 4, 4, 2] });
    expect(ops).toEqual(['CONV_2D', 'SUB']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('MatMul, bias and activation become one FULLY_CONNECTED', async () => {
    const b = new GraphBuilder();
    const product = b.op('m', 'MatMul', [b.input('x', [3, 6]), b.weights('w', [6, 4])]);
    const y = b.op('y', 'Relu', [b.op('a', 'BiasAdd', [product, b.weights('bias', [4], 2)])]);
    const { ops, error } = await b.compare([y], { x: [3, 6] });
    expect(ops).toEqual(['FULLY_CONNECTED+RELU']);
    expect(error).toBeLessThan(CLOSE);
  });
});

describe('atrous convolutions as old TensorFlow wrote them', () => {
  function atrous(pads: number[], crops: number[]): GraphBuilder & { y?: Value } {
    const b: GraphBuilder & { y?: Value } = new GraphBuilder();
    const pairs = (name: string, values: number[]) =>
      b.constant(name, Tensor.fromNumbers('int32', [2, 2], values));
    const types = {
      Tblock_shape: attr.type('int32'),
      Tpaddings: attr.type('int32'),
      Tcrops: attr.type('int32'),
    };
    const forth = b.op(
      'forth',
      'SpaceToBatchND',
      [b.input('x', [1, 8, 8, 2]), b.ints('block', [2, 2]), pairs('pads', pads)],
      types,
    );
    const inner = conv(b, forth, [3, 3, 2, 4], { padding: VALID });
    b.y = b.op('y', 'BatchToSpaceND', [inner, b.ints('block_1', [2, 2]), pairs('crops', crops)], types);
    return b;
  }

  test.each([
    ['SAME', [2, 2, 2, 2], [0, 0, 0, 0], ['CONV_2D']],
    ['VALID', [0, 0, 0, 0], [0, 0, 0, 0], ['CONV_2D']],
    ['neither: a PAD stays', [4, 2, 2, 2], [0, 0, 0, 0], ['PAD', 'CONV_2D']],
  ])('padding %s', async (_, pads, crops, expected) => {
    const b = atrous(pads, crops);
    const { ops, error } = await b.compare([b.y!], { x: [1, 8, 8, 2] });
    expect(ops).toEqual(expected);
    expect(error).toBeLessThan(CLOSE);
  });
});

describe('layouts', () => {
  test('a channels-first network ends as channels-last with the transposes at its edges', async () => {
    const b = new GraphBuilder();
    const strides = attr.ints([1, 1, 2, 2]);
    const x = b.input('x', [1, 3, 12, 12]);
    const first = b.op('c', 'Conv2D', [x, b.weights('filter', [3, 3, 3, 4])], {
      strides,
      padding: VALID,
      data_format: NCHW,
    });
    const biased = b.op('b', 'BiasAdd', [first, b.weights('bias', [4])], { data_format: NCHW });
    const y = b.op('y', 'MaxPool', [biased], {
      ksize: attr.ints([1, 1, 2, 2]),
      strides,
      padding: VALID,
      data_format: NCHW,
    });
    expect(operators(b.convert([y]))).toEqual(['TRANSPOSE', 'CONV_2D', 'MAX_POOL_2D', 'TRANSPOSE']);
  });

  test('reshapes in a row are one, and none where nothing changes', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [2, 1, 1, 6]);
    const shaped = { Tshape: attr.type('int32') };
    const squeezed = b.op('s', 'Squeeze', [x], { squeeze_dims: attr.ints([1, 2]) });
    const flat = b.op('r', 'Reshape', [squeezed, b.ints('flat', [12])], shaped);
    const back = b.op('back', 'Reshape', [b.op('neg', 'Neg', [flat]), b.ints('same', [12])], shaped);
    const { ops, error } = await b.compare([back], { x: [2, 1, 1, 6] });
    expect(ops).toEqual(['RESHAPE', 'NEG']);
    expect(error).toBe(0);
  });

  test('transposes that cancel are gone', async () => {
    const b = new GraphBuilder();
    const types = { Tperm: attr.type('int32') };
    const there = b.op('t', 'Transpose', [b.input('x', [2, 3, 4]), b.ints('p', [2, 0, 1])], types);
    const y = b.op('y', 'Neg', [b.op('u', 'Transpose', [there, b.ints('q', [1, 2, 0])], types)]);
    const { ops, error } = await b.compare([y], { x: [2, 3, 4] });
    expect(ops).toEqual(['NEG']);
    expect(error).toBe(0);
  });
});

test('a batch norm of computed statistics is arithmetic', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [1, 4, 4, 3]);
  const scale = b.input('scale', [3]);
  const variance = b.constant('variance', Tensor.fromNumbers('float32', [3], [0.5, 1, 2]));
  const y = b.op(
    'y',
    'FusedBatchNormV3',
    [x, scale, b.weights('beta', [3]), b.weights('mean', [3], 2), variance],
    { is_training: attr.bool(false), U: attr.type('float32') },
  );
  const { error } = await b.compare([y], { x: [1, 4, 4, 3], scale: [3] });
  expect(error).toBeLessThan(CLOSE);
});

test('the same graph gives the same bytes', () => {
  const make = () => {
    const b = new GraphBuilder();
    return JSON.stringify(
      b
        .convert([batchNorm(b, conv(b, b.input('x', [1, 6, 5, 3]), [3, 3, 3, 4]), 4)])
        .subgraphs[0].ops.map((o) => [o.code, o.inputs.map((t) => t?.name)]),
    );
  };
  expect(make()).toBe(make());
});

describe('identities', () => {
  test.each([
    ['EnsureShape', { shape: attr.shape([2, 3]) }],
    ['CheckNumerics', { message: attr.string('not a number') }],
    ['DeepCopy', {}],
    ['StopGradient', {}],
  ])('%s as an output is a value like another', async (op, settings) => {
    const b = new GraphBuilder();
    const y = b.op('y', op, [b.op('n', 'Neg', [b.input('x', [2, 3])])], { ...settings });
    const { ops, error } = await b.compare([y], { x: [2, 3] });
    expect(ops).toEqual(['NEG']);
    expect(error).toBe(0);
  });
});
