/** Quantised models through the runtime: what the plans promise is what kernels compute. */
import { Diagnostics, Tensor } from '@floe/export-core';
import type { TfliteModel } from '../tflite/model';
import { applyPlan } from './apply';
import { calibrateModel } from './calibrate/calibrate-model';
import { quantizeIo } from './io';
import type { Mode } from './plan';
import { planModel } from './quantize-model';
import { knownRanges } from './ranges';
import { Builder, bytesOf, describeOps, relativeError, run } from './testing/models';
import { readModel } from '../tflite/read';

const SHAPE = [1, 8, 8, 4];

/** A residual block with a classifier: own, shared and fixed scales, several readers of one value. */
function classifier(): TfliteModel {
  const b = new Builder();
  const x = b.input('x', SHAPE);
  const pooling = {
    type: 'Pool2DOptions',
    padding: 'VALID',
    stride_w: 2,
    stride_h: 2,
    filter_width: 2,
    filter_height: 2,
  };
  const first = b.conv(x, 'first', 16, 0.2);
  const second = b.conv(first, 'second', 16, 0.2);
  const sum = b.op('ADD', [first, second], 'sum', [1, 8, 8, 16], {
    type: 'AddOptions',
    fused_activation_function: 'RELU',
  });
  const pooled = b.op('MAX_POOL_2D', [sum], 'pooled', [1, 4, 4, 16], pooling);
  const both = b.op('CONCATENATION', [pooled, pooled], 'both', [1, 4, 4, 32], {
    type: 'ConcatenationOptions',
    axis: 3,
  });
  const mean = b.op('MEAN', [both, b.ints('axes', [1, 2])], 'mean', [1, 32], { type: 'ReducerOptions' });
  const logits = b.op(
    'FULLY_CONNECTED',
    [mean, b.weights('w', [32, 32]), b.weights('bias', [32], 0.1)],
    'logits',
    [1, 32],
    {
      type: 'FullyConnectedOptions',
    },
  );
  const soft = b.op('SOFTMAX', [logits], 'soft', [1, 32], { type: 'SoftmaxOptions', beta: 1 });
  return b.finish(logits, soft);
}

const samplesOf = (count: number): Map<string, Tensor>[] => {
  const b = new Builder();
  return Array.from(
    { length: count },
    () => new Map([['x', Tensor.fromNumbers('float32', SHAPE, b.values(256))]]),
  );
};

async function quantized(
  mode: Mode,
  samples = samplesOf(6),
): Promise<{ float: TfliteModel; model: TfliteModel }> {
  const float = classifier();
  const bytes = bytesOf(float);
  const model = readModel(bytes, 'copy');
  const ranges = await calibrateModel(
    bytes,
    new Map([['serving_default', samples]]),
    { method: 'minmax' },
    new Diagnostics(),
  );
  const known = { measured: knownRanges(model, ranges), trained: () => undefined };
  applyPlan(model, planModel(model, { quantization: mode }, known, new Diagnostics()));
  return { float, model };
}

it.each<[Mode, number]>([
  ['float16', 1e-3],
  ['dynamic', 0.02],
  ['weight-only-int8', 0.02],
  ['weight-only-int4', 0.15],
  ['int8', 0.06],
  ['int16x8', 0.02],
])('%s stays within %d of the float model', async (mode, limit) => {
  const { float, model } = await quantized(mode);
  const [sample] = samplesOf(1);
  const expected = await run(float, 'x', sample.get('x')!);
  const actual = await run(model, 'x', sample.get('x')!);
  for (const name of ['logits', 'soft'])
    expect(relativeError(actual.get(name)!.toNumbers(), expected.get(name)!.toNumbers())).toBeLessThan(limit);
});

it('int8 computes nothing in float between its ends', async () => {
  const { model } = await quantized('int8');
  const inside = describeOps(model).filter((o) => !/^(DE)?QUANTIZE/.test(o));
  expect(inside.filter((o) => o.includes('FLOAT32'))).toEqual([]);
  // One conversion in, one for each output.
  expect(describeOps(model).filter((o) => /^(DE)?QUANTIZE/.test(o))).toHaveLength(3);
});

it.each(['INT8', 'UINT8'] as const)(
  '%s inputs and outputs give the same numbers as float ones',
  async (type) => {
    const { model } = await quantized('int8');
    const [sample] = samplesOf(1);
    const float = await run(model, 'x', sample.get('x')!);
    const diagnostics = new Diagnostics();
    quantizeIo(model, type, diagnostics);
    expect(diagnostics.list).toEqual([]);
    const { inputs, outputs } = model.signatures[0];
    expect([...inputs, ...outputs].map(({ tensor }) => tensor.type)).toEqual([type, type, type]);
    expect(describeOps(model).filter((o) => o.includes('FLOAT32'))).toEqual([]);
    expect(inputs.map(({ tensor }) => tensor)).toEqual(model.subgraphs[0].inputs);
    const { scale, zeroPoint } = inputs[0].tensor.quantization!;
    const [low, high] = type === 'INT8' ? [-128, 127] : [0, 255];
    const fed = sample
      .get('x')!
      .toNumbers()
      .map((v) => Math.max(low, Math.min(high, Math.round(v / scale[0]) + zeroPoint[0])));
    const results = await run(model, 'x', Tensor.fromNumbers(type === 'INT8' ? 'int8' : 'uint8', SHAPE, fed));
    for (const { name, tensor } of outputs) {
      const q = tensor.quantization!;
      const values = results
        .get(name)!
        .toNumbers()
        .map((v) => q.scale[0] * (v - q.zeroPoint[0]));
      expect(relativeError(values, float.get(name)!.toNumbers())).toBeLessThan(1e-6);
    }
  },
);

it('an input that only float operators read stays float, with a warning', () => {
  const b = new Builder();
  const model = b.finish(b.op('ELU', [b.input('x', [4])], 'y', [4]));
  const diagnostics = new Diagnostics();
  quantizeIo(model, 'INT8', diagnostics);
  expect(diagnostics.list).toMatchObject([
    { code: 'Q003', severity: 'warning' },
    { code: 'Q003', severity: 'warning' },
  ]);
  expect(model.signatures[0].inputs[0].tensor.type).toBe('FLOAT32');
});

it('16 bits hold what the least error of 8 bits cuts off', () => {
  const model = classifier();
  const tensors = [
    { subgraph: 0, index: 0, name: 'x', min: -1, max: 1, observed: [-3, 2] as [number, number] },
  ];
  const range = (method: string, type: string) =>
    knownRanges(model, { version: 2, model: '', method, samples: 1, tensors })(
      model.subgraphs[0].tensors()[0],
      type,
    );
  expect(range('mse', 'INT8')).toEqual({ min: -1, max: 1 });
  expect(range('mse', 'INT16')).toEqual({ min: -3, max: 2 });
  expect(range('percentile', 'INT16')).toEqual({ min: -1, max: 1 });
});

it('the same model and samples give the same bytes', async () => {
  const [a, b] = await Promise.all([quantized('int8'), quantized('int8')]);
  expect(Buffer.compare(Buffer.from(bytesOf(a.model)), Buffer.from(bytesOf(b.model)))).toBe(0);
});
