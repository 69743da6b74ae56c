import { Diagnostics } from '@floe/export-core';
import { applyPlan } from './apply';
import { planModel, type QuantizeSettings } from './quantize-model';
import { quantizableOperators } from './policy';
import { matchesPattern } from './rules';
import { builtinOperators } from '../tflite/schema';
import type { TfliteModel } from '../tflite/model';
import { anyRange, Builder, describeOps, ranges, tensorNamed } from './testing/models';

function quantized(model: TfliteModel, settings: QuantizeSettings, known = anyRange): Diagnostics {
  const diagnostics = new Diagnostics();
  applyPlan(model, planModel(model, settings, known, diagnostics));
  return diagnostics;
}

const dense = (b: Builder, inner: number, outer: number) => {
  const x = b.input('x', [1, inner]);
  return b.op(
    'FULLY_CONNECTED',
    [x, b.weights('w', [outer, inner]), b.weights('b', [outer])],
    'y',
    [1, outer],
    {
      type: 'FullyConnectedOptions',
    },
  );
};

describe('dynamic', () => {
  it('quantises weights of 1024 elements, per channel, and asks for asymmetric inputs', () => {
    const b = new Builder();
    const model = b.finish(dense(b, 32, 32));
    quantized(model, { quantization: 'dynamic' });
    expect(describeOps(model)).toEqual(['FULLY_CONNECTED FLOAT32,INT8,FLOAT32>FLOAT32']);
    expect(tensorNamed(model, 'w').quantization?.scale).toHaveLength(32);
    expect(model.subgraphs[0].ops[0].options?.asymmetric_quantize_inputs).toBe(true);
  });

  it('leaves smaller weights, and those with NaN in them', () => {
    const b = new Builder();
    const small = b.finish(dense(b, 32, 31));
    quantized(small, { quantization: 'dynamic' });
    expect(describeOps(small)).toEqual(['FULLY_CONNECTED FLOAT32,FLOAT32,FLOAT32>FLOAT32']);
    const c = new Builder();
    const x = c.input('x', [1, 32]);
    const broken = c.floats('w', [32, 32], [NaN, ...c.values(1023)]);
    const model = c.finish(c.op('FULLY_CONNECTED', [x, broken, undefined], 'y', [1, 32]));
    quantized(model, { quantization: 'dynamic' });
    expect(describeOps(model)).toEqual(['FULLY_CONNECTED FLOAT32,FLOAT32,->FLOAT32']);
  });

  it('stores a table as int8 and reads its rows back', () => {
    const b = new Builder();
    const ids = b.input('ids', [4], 'INT32');
    const model = b.finish(b.op('GATHER', [b.weights('table', [64, 16]), ids], 'y', [4, 16]));
    quantized(model, { quantization: 'dynamic' });
    expect(describeOps(model)).toEqual(['GATHER INT8,INT32>INT8', 'DEQUANTIZE INT8>FLOAT32']);
    expect(model.subgraphs[0].outputs[0].name).toBe('y');
  });

  it('gives a constant that several operators share to each as it wants it', () => {
    const b = new Builder();
    const x = b.input('x', [32, 32]);
    const w = b.weights('w', [32, 32]);
    const y = b.op('FULLY_CONNECTED', [x, w, undefined], 'y', [32, 32]);
    const model = b.finish(y, b.op('ADD', [x, w], 'z', [32, 32]));
    quantized(model, { quantization: 'dynamic' });
    expect(describeOps(model)).toEqual([
      'FULLY_CONNECTED FLOAT32,INT8,->FLOAT32',
      'ADD FLOAT32,FLOAT32>FLOAT32',
    ]);
  });
});

describe('float16 and weight-only', () => {
  it('stores large constants as float16, but none that it cannot hold', () => {
    const b = new Builder();
    const x = b.input('x', [1, 64]);
    const sum = b.op('ADD', [x, b.weights('a', [1, 64])], 'sum', [1, 64]);
    const mask = b.floats('mask', [1, 64], new Array(64).fill(-1e9));
    const model = b.finish(
      b.op('ADD', [b.op('ADD', [sum, mask], 'masked', [1, 64]), b.weights('s', [1])], 'y', [1, 64]),
    );
    quantized(model, { quantization: 'float16' });
    expect(describeOps(model)).toEqual([
      'DEQUANTIZE FLOAT16>FLOAT32',
      'ADD FLOAT32,FLOAT32>FLOAT32',
      'ADD FLOAT32,FLOAT32>FLOAT32',
      'ADD FLOAT32,FLOAT32>FLOAT32',
    ]);
  });

  it.each([
    ['weight-only-int8', 'INT8'],
    ['weight-only-int4', 'INT4'],
  ] as const)('%s reads its weights back before they are used', (quantization, type) => {
    const b = new Builder();
    const model = b.finish(dense(b, 32, 32));
    quantized(model, { quantization });
    expect(describeOps(model)).toEqual([
      `DEQUANTIZE ${type}>FLOAT32`,
      'FULLY_CONNECTED FLOAT32,FLOAT32,FLOAT32>FLOAT32',
    ]);
  });
});

describe('int8', () => {
  it('has weights a channel, a 32-bit bias in units of input · weights, float outside', () => {
    const b = new Builder();
    const model = b.finish(b.conv(b.input('x', [1, 4, 4, 2]), 'y', 3));
    quantized(model, { quantization: 'int8' }, ranges({ x: [-1, 1], y: [0, 6] }));
    expect(describeOps(model)).toEqual([
      'QUANTIZE FLOAT32>INT8',
      'CONV_2D INT8,INT8,INT32>INT8',
      'DEQUANTIZE INT8>FLOAT32',
    ]);
    const [input, weights, bias] = model.subgraphs[0].ops[1].inputs.map((t) => t!.quantization!);
    expect(weights.scale).toHaveLength(3);
    expect(bias.scale).toEqual(weights.scale.map((s) => Math.fround(input.scale[0] * s)));
    expect(model.subgraphs[0].ops[1].outputs[0].quantization).toMatchObject({
      scale: [Math.fround(6 / 255)],
      zeroPoint: [-128],
    });
    expect(model.subgraphs[0].inputs[0].name).toBe('x');
    expect(model.signatures[0].outputs[0].tensor).toBe(model.subgraphs[0].outputs[0]);
  });

  it('shares one scale through what moves values, the widest range', () => {
    const b = new Builder();
    const x = b.input('x', [1, 4, 4, 2]);
    const left = b.conv(x, 'left', 2);
    const right = b.conv(x, 'right', 2);
    const both = b.op('CONCATENATION', [left, right], 'both', [1, 4, 4, 4], {
      type: 'ConcatenationOptions',
      axis: 3,
    });
    const flat = b.op('RESHAPE', [both, b.ints('shape', [1, 64])], 'flat', [1, 64]);
    const model = b.finish(flat);
    quantized(
      model,
      { quantization: 'int8' },
      ranges({ x: [-1, 1], left: [-1, 1], right: [-2, 3], both: [-2, 3], flat: [-2, 3] }),
    );
    const scales = ['left', 'right', 'both', 'flat/int8'].map(
      (n) => tensorNamed(model, n).quantization?.scale[0],
    );
    expect(new Set(scales)).toEqual(new Set([Math.fround(5 / 255)]));
    expect(describeOps(model).filter((o) => o.startsWith('QUANTIZE'))).toHaveLength(1);
  });

  it.each([
    ['takes constant elements of a product', true, [-2, 3]],
    ['takes elements that a run chooses', false, [-900, 900]],
  ])('where GATHER %s', (_, isFixed, range) => {
    const b = new Builder();
    const products = b.conv(b.input('x', [1, 4, 4, 2]), 'products', 2);
    const all = b.op('RESHAPE', [products, b.ints('shape', [32])], 'all', [32]);
    const indices = isFixed ? b.ints('indices', [1, 5, 9]) : b.input('indices', [3], 'INT32');
    const picked = b.op('GATHER', [all, indices], 'picked', [3], { type: 'GatherOptions', axis: 0 });
    const model = b.finish(picked);
    quantized(
      model,
      { quantization: 'int8' },
      ranges({ x: [-1, 1], products: [-900, 900], all: [-900, 900], picked: [-2, 3] }),
    );
    const scale = Math.fround((range[1] - range[0]) / 255);
    expect(tensorNamed(model, 'products').quantization?.scale).toEqual([scale]);
    expect(tensorNamed(model, 'picked/int8').quantization?.scale).toEqual([scale]);
  });

  it('keeps what a kernel gives, and converts before an operator that wants another scale', () => {
    const b = new Builder();
    const x = b.input('x', [1, 8]);
    const soft = b.op('SOFTMAX', [x], 'soft', [1, 8], { type: 'SoftmaxOptions', beta: 1 });
    const sum = b.op('ADD', [x, x], 'sum', [1, 8], { type: 'AddOptions' });
    const model = b.finish(
      b.op('CONCATENATION', [soft, sum], 'y', [1, 16], { type: 'ConcatenationOptions', axis: 1 }),
    );
    quantized(model, { quantization: 'int8' });
    const softmax = model.subgraphs[0].ops.find((o) => o.code === 'SOFTMAX')!;
    expect(softmax.outputs[0].quantization).toMatchObject({ scale: [1 / 256], zeroPoint: [-128] });
    expect(describeOps(model)).toContain('QUANTIZE INT8>INT8');
  });

  it('keeps a kernel’s scale behind what only moves the values', () => {
    const b = new Builder();
    const soft = b.op('SOFTMAX', [b.input('x', [1, 8])], 'soft', [1, 8], { type: 'SoftmaxOptions', beta: 1 });
    const model = b.finish(b.op('RESHAPE', [soft, b.ints('s', [8])], 'y', [8]));
    quantized(model, { quantization: 'int8' }, ranges({ x: [-1, 1], soft: [0.01, 0.7], y: [0.01, 0.7] }));
    expect(tensorNamed(model, 'y/int8').quantization).toMatchObject({ scale: [1 / 256], zeroPoint: [-128] });
  });

  it('leaves float operators float, what moves values between them too', () => {
    const b = new Builder();
    const x = b.input('x', [1, 8]);
    const y = b.op('ELU', [x], 'elu', [1, 8]);
    const z = b.op('RESHAPE', [y, b.ints('s', [8])], 'flat', [8]);
    const model = b.finish(b.op('ELU', [z], 'y', [8]));
    const diagnostics = quantized(model, { quantization: 'int8' });
    expect(describeOps(model)).toEqual([
      'ELU FLOAT32>FLOAT32',
      'RESHAPE FLOAT32,INT32>FLOAT32',
      'ELU FLOAT32>FLOAT32',
    ]);
    expect(diagnostics.list).toMatchObject([{ code: 'Q003', severity: 'note' }]);
  });

  it('names each operator that cannot be quantised where that is an error', () => {
    const b = new Builder();
    const model = b.finish(b.op('ELU', [b.input('x', [8])], 'head/elu', [8]));
    const diagnostics = new Diagnostics();
    planModel(model, { quantization: 'int8', onUnsupported: 'error' }, anyRange, diagnostics);
    expect(diagnostics.list).toMatchObject([{ code: 'Q003', severity: 'error', node: 'head/elu' }]);
  });

  it('leaves an operator float whose range was not measured', () => {
    const b = new Builder();
    const model = b.finish(b.conv(b.input('x', [1, 4, 4, 2]), 'y', 3));
    quantized(model, { quantization: 'int8' }, ranges({ x: [-1, 1] }));
    expect(describeOps(model)).toEqual(['CONV_2D FLOAT32,FLOAT32,FLOAT32>FLOAT32']);
  });

  it('follows rules, the first that matches, and tells of one that matches nothing', () => {
    const b = new Builder();
    const body = b.conv(b.input('x', [1, 4, 4, 2]), 'body/conv', 3);
    const model = b.finish(b.conv(body, 'head/conv', 3));
    const diagnostics = quantized(model, {
      quantization: 'int8',
      rules: [
        { match: 'head/*', quantization: 'none' },
        { match: '*', quantization: 'int8' },
        { match: 'neck/*', quantization: 'none' },
      ],
    });
    expect(describeOps(model)).toEqual([
      'QUANTIZE FLOAT32>INT8',
      'CONV_2D INT8,INT8,INT32>INT8',
      'DEQUANTIZE INT8>FLOAT32',
      'CONV_2D FLOAT32,FLOAT32,FLOAT32>FLOAT32',
    ]);
    expect(diagnostics.list).toMatchObject([{ code: 'Q005', severity: 'warning' }]);
  });
});

it('int16x8 has 16-bit activations around zero, 8-bit weights and a 64-bit bias', () => {
  const b = new Builder();
  const model = b.finish(b.conv(b.input('x', [1, 4, 4, 2]), 'y', 3));
  quantized(model, { quantization: 'int16x8' }, ranges({ x: [-1, 1], y: [0, 6] }));
  expect(describeOps(model)[1]).toBe('CONV_2D INT16,INT8,INT64>INT16');
  const output = model.subgraphs[0].ops[1].outputs[0];
  expect(output.quantization).toMatchObject({ scale: [Math.fround(6 / 32767)], zeroPoint: [0] });
});

it('the policy names operators of the schema', () => {
  expect(quantizableOperators().filter((code) => !builtinOperators().includes(code))).toEqual([]);
});

it.each([
  ['head/*', 'head/conv/Relu', true],
  ['head/*', 'ahead/conv', false],
  ['*Softmax', 'head/Softmax', true],
  ['a.b', 'axb', false],
])('pattern %s on %s: %s', (pattern, name, expected) => expect(matchesPattern(pattern, name)).toBe(expected));
