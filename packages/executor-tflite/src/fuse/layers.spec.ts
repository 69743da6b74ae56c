import { attr, Tensor, type Attr, type Value } from '@floe/export-core';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { intConstant } from './edit';
import { shareConstants } from './share-constants';
import { GraphBuilder, operators } from '../testing/graphs';

const NCHW = attr.string('NCHW');
const SAME = attr.string('SAME');
const VALID = attr.string('VALID');
const SHAPED = { Tshape: attr.type('int32') };
/** float32 sums of some hundred products. */
const CLOSE = 1e-5;

function conv(b: GraphBuilder, x: Value, filter: number[], more: Record<string, Attr> = {}): Value {
  return b.op('conv', 'Conv2D', [x, b.weights('filter', filter, 3)], {
    strides: attr.ints([1, 1, 1, 1]),
    padding: SAME,
    ...more,
  });
}

const reshape = (b: GraphBuilder, name: string, x: Value, sizes: number[]) =>
  b.op(name, 'Reshape', [x, b.ints(`${name}/sizes`, sizes)], SHAPED);

function padded(b: GraphBuilder, x: Value, pads: number[]): Value {
  const sizes = b.constant('pads', Tensor.fromNumbers('int32', [4, 2], pads));
  return b.op('pad', 'Pad', [x, sizes], { Tpaddings: attr.type('int32') });
}

describe('what stands before and behind a layer goes into it', () => {
  test('a bias and an activation behind a reshape', async () => {
    const b = new GraphBuilder();
    const flat = reshape(b, 'flat', conv(b, b.input('x', [2, 1, 6, 3]), [1, 3, 3, 4]), [2, 6, 4]);
    const y = b.op('y', 'Relu', [b.op('a', 'AddV2', [flat, b.weights('bias', [4])])]);
    const { ops, error } = await b.compare([y], { x: [2, 1, 6, 3] });
    expect(ops).toEqual(['CONV_2D+RELU', 'RESHAPE']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a bias of several axes behind a dense layer', async () => {
    const b = new GraphBuilder();
    const product = b.op('m', 'MatMul', [b.input('x', [3, 6]), b.weights('w', [6, 8])]);
    const y = b.op('y', 'AddV2', [reshape(b, 'heads', product, [3, 2, 4]), b.weights('bias', [2, 4])]);
    const { ops, error } = await b.compare([y], { x: [3, 6] });
    expect(ops).toEqual(['FULLY_CONNECTED', 'RESHAPE']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('an activation behind what moves the values of a sum', async () => {
    const b = new GraphBuilder();
    const sum = b.op('a', 'AddV2', [b.input('x', [2, 6, 4]), b.input('z', [2, 6, 4])]);
    const turned = b.op('t', 'Transpose', [reshape(b, 'r', sum, [2, 3, 2, 4]), b.ints('p', [2, 1, 0, 3])]);
    const { ops, error } = await b.compare([b.op('y', 'Relu6', [turned])], { x: [2, 6, 4], z: [2, 6, 4] });
    expect(ops).toEqual(['ADD+RELU6', 'RESHAPE', 'TRANSPOSE']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('not an activation where the sum is read too', async () => {
    const b = new GraphBuilder();
    const sum = b.op('a', 'AddV2', [b.input('x', [2, 6]), b.input('z', [2, 6])]);
    const y = b.op('y', 'Relu', [reshape(b, 'r', sum, [3, 4])]);
    const { ops, error } = await b.compare([y, b.op('n', 'Neg', [sum])], { x: [2, 6], z: [2, 6] });
    expect(ops).toEqual(['ADD', 'RESHAPE', 'RELU', 'NEG']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('the axes behind a dense layer, by the reshape before it', async () => {
    const b = new GraphBuilder();
    const rows = reshape(b, 'rows', b.input('x', [2, 6, 2, 4]), [12, 8]);
    const product = b.op('m', 'MatMul', [rows, b.weights('w', [8, 5])]);
    const y = reshape(b, 'y', b.op('s', 'BiasAdd', [product, b.weights('bias', [5])]), [2, 3, 2, 5]);
    const { ops, error } = await b.compare([y], { x: [2, 6, 2, 4] });
    expect(ops).toEqual(['RESHAPE', 'FULLY_CONNECTED']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('the axes of a dense layer whose result a gate reads twice', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [1, 6, 4]);
    const product = b.op('m', 'MatMul', [reshape(b, 'rows', x, [6, 4]), b.weights('w', [4, 5])]);
    const dense = reshape(b, 'dense', product, [1, 6, 5]);
    const y = b.op('y', 'Mul', [dense, b.op('gate', 'Sigmoid', [dense])]);
    const { ops, error } = await b.compare([y], { x: [1, 6, 4] });
    expect(ops).toEqual(['FULLY_CONNECTED', 'LOGISTIC', 'MUL']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('not one that varies along another axis', async () => {
    const b = new GraphBuilder();
    const flat = reshape(b, 'flat', conv(b, b.input('x', [1, 1, 4, 3]), [1, 3, 3, 4]), [4, 4]);
    const y = b.op('y', 'AddV2', [flat, b.weights('bias', [4, 1])]);
    const { ops, error } = await b.compare([y], { x: [1, 1, 4, 3] });
    expect(ops).toEqual(['CONV_2D', 'RESHAPE', 'ADD']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a bias behind a convolution whose filter is computed', async () => {
    const b = new GraphBuilder();
    const product = b.op('c', 'Conv2D', [b.input('x', [1, 5, 5, 2]), b.input('w', [3, 3, 2, 4])], {
      strides: attr.ints([1, 1, 1, 1]),
      padding: SAME,
    });
    const y = b.op('y', 'Relu', [b.op('a', 'AddV2', [product, b.weights('bias', [4])])]);
    const { ops, error } = await b.compare([y], { x: [1, 5, 5, 2], w: [3, 3, 2, 4] });
    expect(ops).toEqual(['TRANSPOSE', 'CONV_2D+RELU']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a scale before a convolution', async () => {
    const b = new GraphBuilder();
    const scaled = b.op('s', 'Mul', [b.input('x', [1, 5, 5, 3]), b.weights('m', [3])]);
    const { ops, error } = await b.compare([conv(b, scaled, [3, 3, 3, 4])], { x: [1, 5, 5, 3] });
    expect(ops).toEqual(['CONV_2D']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a scale before a depthwise convolution with a multiplier', async () => {
    const b = new GraphBuilder();
    const scaled = b.op('s', 'RealDiv', [b.input('x', [1, 5, 5, 3]), b.weights('m', [3])]);
    const y = b.op('y', 'DepthwiseConv2dNative', [scaled, b.weights('filter', [3, 3, 3, 2], 5)], {
      strides: attr.ints([1, 1, 1, 1]),
      padding: SAME,
    });
    const { ops, error } = await b.compare([y], { x: [1, 5, 5, 3] });
    expect(ops).toEqual(['DEPTHWISE_CONV_2D']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a batch norm before a dense layer, but no shift before a convolution', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [2, 5]);
    const shifted = b.op('a', 'AddV2', [b.op('s', 'Mul', [x, b.weights('m', [5])]), b.weights('c', [5], 2)]);
    const dense = b.op('y', 'MatMul', [shifted, b.weights('w', [5, 3], 6)]);
    const { ops, error } = await b.compare([dense], { x: [2, 5] });
    expect(ops).toEqual(['FULLY_CONNECTED']);
    expect(error).toBeLessThan(CLOSE);
    const c = new GraphBuilder();
    const before = c.op('a', 'AddV2', [c.input('x', [1, 4, 4, 2]), c.weights('c', [2])]);
    const other = await c.compare([conv(c, before, [3, 3, 2, 2])], { x: [1, 4, 4, 2] });
    expect(other.ops).toEqual(['ADD', 'CONV_2D']);
    expect(other.error).toBeLessThan(CLOSE);
  });

  test('a bias and an activation behind a transposed convolution', async () => {
    const b = new GraphBuilder();
    const sizes = b.ints('sizes', [1, 8, 8, 3]);
    const inputs = [sizes, b.weights('filter', [3, 3, 3, 2], 4), b.input('x', [1, 4, 4, 2])];
    const up = b.op('up', 'Conv2DBackpropInput', inputs, { strides: attr.ints([1, 2, 2, 1]), padding: SAME });
    const y = b.op('y', 'Relu', [b.op('b', 'BiasAdd', [up, b.weights('bias', [3])])]);
    const { ops, error } = await b.compare([y], { x: [1, 4, 4, 2] });
    expect(ops).toEqual(['TRANSPOSE_CONV+RELU']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('additions of zero are none', async () => {
    const b = new GraphBuilder();
    const zeros = b.constant('zeros', Tensor.fromNumbers('float32', [3], [0, 0, 0]));
    const y = b.op('y', 'MatMul', [b.input('x', [2, 4]), b.weights('w', [4, 3])]);
    const { ops, error, model } = await b.compare([b.op('z', 'BiasAdd', [y, zeros])], { x: [2, 4] });
    expect(ops).toEqual(['FULLY_CONNECTED']);
    expect(model.subgraphs[0].ops[0].inputs[2]).toBeUndefined();
    expect(error).toBeLessThan(CLOSE);
  });
});

describe('padding before a convolution', () => {
  test.each([
    ['that SAME adds', [0, 0, 1, 1, 1, 1, 0, 0], 1, ['CONV_2D']],
    ['that SAME adds to a stride', [0, 0, 0, 1, 0, 1, 0, 0], 2, ['CONV_2D']],
    ['more of it than the last window reaches', [0, 0, 0, 2, 0, 2, 0, 0], 2, ['CONV_2D']],
    ['for one more window', [0, 0, 0, 3, 0, 3, 0, 0], 2, ['PAD', 'CONV_2D']],
    ['on the other side', [0, 0, 1, 0, 1, 0, 0, 0], 2, ['PAD', 'CONV_2D']],
    ['of the channels', [0, 0, 1, 1, 1, 1, 0, 1], 1, ['PAD', 'CONV_2D']],
  ])('%s', async (_, pads, stride, expected) => {
    const b = new GraphBuilder();
    const x = padded(b, b.input('x', [1, 6, 6, 2]), pads);
    const channels = 2 + pads[7];
    const y = conv(b, x, [3, 3, channels, 4], { strides: attr.ints([1, stride, stride, 1]), padding: VALID });
    const { ops, error } = await b.compare([y], { x: [1, 6, 6, 2] });
    expect(ops).toEqual(expected);
    expect(error).toBeLessThan(CLOSE);
  });
});

describe('shapes', () => {
  test('a reduction keeps its axes instead of getting them back', async () => {
    const b = new GraphBuilder();
    const mean = b.op('m', 'Mean', [b.input('x', [2, 4, 4, 3]), b.ints('axes', [1, 2])], {
      Tidx: attr.type('int32'),
    });
    const { ops, error } = await b.compare([reshape(b, 'y', mean, [2, 1, 1, 3])], { x: [2, 4, 4, 3] });
    expect(ops).toEqual(['MEAN']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a dense layer over rows needs no reshapes around it', async () => {
    const b = new GraphBuilder();
    const rows = reshape(b, 'rows', b.input('x', [2, 3, 4]), [6, 4]);
    const y = reshape(b, 'y', b.op('m', 'MatMul', [rows, b.weights('w', [4, 5])]), [2, 3, 5]);
    const { ops, error } = await b.compare([y], { x: [2, 3, 4] });
    expect(ops).toEqual(['FULLY_CONNECTED']);
    expect(error).toBeLessThan(CLOSE);
  });

  test('a reshape to the own shape is none, also of an unknown size', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [null, 3]);
    const types = { Tshape: attr.type('int32') };
    const same = b.op('same', 'Reshape', [b.op('n', 'Neg', [x]), b.ints('sizes', [-1, 3])], types);
    expect(operators(b.convert([b.op('y', 'Exp', [same])]))).toEqual(['NEG', 'EXP']);
  });

  test('a constant matrix times one column is a dense layer', async () => {
    const b = new GraphBuilder();
    const column = reshape(b, 'column', b.input('x', [4]), [4, 1]);
    const product = b.op('m', 'BatchMatMulV2', [b.weights('w', [3, 4]), column]);
    const { ops, error } = await b.compare([reshape(b, 'y', product, [3])], { x: [4] });
    expect(ops).toEqual(['FULLY_CONNECTED']);
    expect(error).toBeLessThan(CLOSE);
  });
});

describe('layouts', () => {
  test('a transpose stays where its kernel has the type', async () => {
    const b = new GraphBuilder();
    const turned = b.op('t', 'Transpose', [b.input('x', [2, 3]), b.ints('perm', [1, 0])], {
      Tperm: attr.type('int32'),
    });
    const y = b.op('y', 'Cast', [turned], { SrcT: attr.type('float32'), DstT: attr.type('float16') });
    y.dtype = 'float16';
    expect(operators(b.convert([y]))).toEqual(['TRANSPOSE', 'CAST']);
  });

  test('a residual block with channels first has transposes at its edges only', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [1, 4, 6, 6]);
    const strides = attr.ints([1, 1, 1, 1]);
    const layer = (name: string, input: Value) =>
      b.op(name, 'Conv2D', [input, b.weights(`${name}/filter`, [3, 3, 4, 4], 3)], {
        strides,
        padding: SAME,
        data_format: NCHW,
      });
    const first = b.op('r1', 'Relu', [layer('c1', x)]);
    const second = b.op('r2', 'Relu', [b.op('sum', 'AddV2', [layer('c2', first), first])]);
    const mean = b.op('y', 'Mean', [second, b.ints('axes', [2, 3])], { Tidx: attr.type('int32') });
    const model = b.convert([mean]);
    expect(operators(model)).toEqual(['TRANSPOSE', 'CONV_2D+RELU', 'CONV_2D', 'ADD+RELU', 'MEAN']);
  });

  test('constants and joined axes follow', async () => {
    const b = new GraphBuilder();
    const types = { Tperm: attr.type('int32') };
    const turned = (name: string, value: Value) =>
      b.op(name, 'Transpose', [value, b.ints(`${name}/perm`, [0, 2, 1])], types);
    const scaled = b.op('m', 'Mul', [turned('t', b.input('x', [2, 3, 4])), b.weights('c', [4, 1])]);
    const other = b.op('e', 'Exp', [turned('u', b.input('z', [2, 3, 4]))]);
    const joined = b.op('j', 'ConcatV2', [scaled, other, b.ints('axis', 1)], {
      N: attr.int(2),
      Tidx: attr.type('int32'),
    });
    const y = b.op('y', 'Neg', [turned('back', joined)]);
    const { ops, error } = await b.compare([y], { x: [2, 3, 4], z: [2, 3, 4] });
    expect(ops.sort()).toEqual(['CONCATENATION', 'EXP', 'MUL', 'NEG']);
    expect(error).toBeLessThan(CLOSE);
  });
});

test.each([
  ['last', 'NHWC', [1, 4, 4, 3]],
  ['first', 'NCHW', [1, 3, 4, 4]],
])('statistics that a batch norm passes on are outputs as they came, channels %s', (_, format, shape) => {
  const b = new GraphBuilder();
  const positive = Tensor.fromNumbers('float32', [3], [0.5, 1, 2]);
  const inputs = [b.weights('gamma', [3]), b.weights('beta', [3], 2), b.weights('mean', [3], 3)];
  const y = b.op(
    'y',
    'FusedBatchNormV3',
    [b.input('x', shape), ...inputs, b.constant('variance', positive)],
    {
      is_training: attr.bool(false),
      U: attr.type('float32'),
      data_format: attr.string(format),
    },
  );
  const model = b.convert([y, y.node.output(1), b.op('v', 'Sqrt', [y.node.output(2)])]);
  const [whole, mean, root] = model.subgraphs[0].outputs;
  expect([whole.shape, mean.shape, root.shape]).toEqual([shape, [3], [3]]);
  expect(operators(model)).toEqual(expect.arrayContaining(['MUL', 'ADD']));
});

test('equal constants become one tensor', () => {
  const model = new TfliteModel();
  const graph = new TfliteSubgraph('main');
  model.subgraphs.push(graph);
  const tensor = (name: string) => new TfliteTensor(name, 'FLOAT32', [2, 2]);
  graph.ops = [[1], [1], [0]].map(
    (axes, i) => new TfliteOp('SUM', [tensor(`x${i}`), intConstant(`axes${i}`, axes)], [tensor(`y${i}`)]),
  );
  shareConstants(model);
  const [first, second, third] = graph.ops.map((op) => op.inputs[1]);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

describe('constants', () => {
  test.each([
    [4, [2, 3, 1, 3]],
    [5, [2, 3, 1, 3, 2]],
  ])('of one number everywhere: kernels compare %s dimensions with it', async (_, shape) => {
    const b = new GraphBuilder();
    const half = Tensor.fromNumbers('float32', shape, new Array<number>(product(shape)).fill(0.5));
    const { ops, error } = await b.compare(
      [b.op('y', 'Less', [b.input('x', shape), b.constant('half', half)])],
      {
        x: shape,
      },
    );
    expect(ops).toEqual(['LESS']);
    expect(error).toBe(0);
  });
});

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
