/** Masks of attention and searches: what hides values does not take the scale from those that are seen. */
import { Diagnostics, Tensor } from '@floe/export-core';
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import { applyPlan } from './apply';
import { calibrateModel } from './calibrate/calibrate-model';
import type { Mode } from './plan';
import { planModel } from './quantize-model';
import { knownRanges } from './ranges';
import { Builder, bytesOf, describeOps, relativeError, run } from './testing/models';
import { readModel } from '../tflite/read';

const N = 6;
const SHAPE = [1, N, N];
const MASK = Array.from({ length: N * N }, (_, i) => (i % N > Math.floor(i / N) ? 1 : 0));
const SOFTMAX = { type: 'SoftmaxOptions', beta: 1 };
const plain = (type: string) => ({ type, fused_activation_function: 'NONE' });

const samples = Array.from(
  { length: 8 },
  () => new Map([['x', Tensor.fromNumbers('float32', SHAPE, new Builder().values(N * N, 3))]]),
);

/** Quantises, runs, and gives the error of the first output against the float model's, with the operators. */
async function errorOf(model: TfliteModel, quantization: Mode): Promise<{ error: number; ops: string[] }> {
  const bytes = bytesOf(model);
  const list = new Map([['serving_default', samples]]);
  const file = await calibrateModel(bytes, list, { method: 'minmax' }, new Diagnostics());
  const result = readModel(bytes, 'copy');
  const known = { measured: knownRanges(result, file), trained: () => undefined };
  applyPlan(result, planModel(result, { quantization }, known, new Diagnostics()));
  const input = samples[0].get('x')!;
  const [want, got] = await Promise.all(
    [model, readModel(bytesOf(result), 'quantised')].map((m) => run(m, 'x', input)),
  );
  const numbers = (values: Map<string, Tensor>) =>
    Array.from([...values.values()][0].data as Float32Array, Number);
  return { error: relativeError(numbers(got), numbers(want)), ops: describeOps(result) };
}

/** Each gives what is hidden where MASK is 1. */
const MASKED: Record<string, (b: Builder, x: TfliteTensor, much: number) => TfliteTensor> = {
  'a constant that is added': (b, x, much) => {
    const mask = b.floats(
      'mask',
      SHAPE,
      MASK.map((m) => -much * m),
    );
    return b.op('ADD', [x, mask], 'masked', SHAPE, plain('AddOptions'));
  },
  'a constant that is taken away': (b, x, much) => {
    const mask = b.floats(
      'mask',
      SHAPE,
      MASK.map((m) => much * m),
    );
    return b.op('SUB', [x, mask], 'masked', SHAPE, plain('SubOptions'));
  },
  'a mask that is computed': (b, x, much) => {
    const zero = b.op('MUL', [x, b.floats('zero', [1], [0])], 'zeros', SHAPE, plain('MulOptions'));
    const mask = b.op('ADD', [zero, b.floats('ones', SHAPE, MASK)], 'ones', SHAPE, plain('AddOptions'));
    const large = b.op('MUL', [mask, b.floats('much', [1], [-much])], 'large', SHAPE, plain('MulOptions'));
    return b.op('ADD', [x, large], 'masked', SHAPE, plain('AddOptions'));
  },
  'two masks': (b, x, much) => {
    const half = (kept: number) => MASK.map((m, i) => (i % 2 === kept ? -much * m : 0));
    const one = b.op('ADD', [x, b.floats('one', SHAPE, half(0))], 'one', SHAPE, plain('AddOptions'));
    return b.op('ADD', [one, b.floats('two', SHAPE, half(1))], 'masked', SHAPE, plain('AddOptions'));
  },
  'a mask of limited size': (b, x, much) => {
    const zero = b.op('MUL', [x, b.floats('zero', [1], [0])], 'zeros', SHAPE, plain('MulOptions'));
    const mask = b.op('ADD', [zero, b.floats('ones', SHAPE, MASK)], 'ones', SHAPE, plain('AddOptions'));
    const large = b.op('MUL', [mask, b.floats('much', [1], [-much])], 'large', SHAPE, plain('MulOptions'));
    const limited = b.op(
      'MINIMUM',
      [
        large,
        b.floats(
          'none',
          SHAPE,
          MASK.map(() => 0),
        ),
      ],
      'limited',
      SHAPE,
    );
    return b.op('ADD', [x, limited], 'masked', SHAPE, plain('AddOptions'));
  },
  'a selection of differences': (b, x, much) => {
    const low = b.op('SUB', [x, b.floats('much', [], [much])], 'low', SHAPE, plain('SubOptions'));
    return b.op('SELECT_V2', [seen(b), x, low], 'masked', SHAPE);
  },
  'a selection': (b, x, much) =>
    b.op('SELECT_V2', [seen(b), x, b.floats('much', [], [-much])], 'masked', SHAPE),
};

/** Where MASK is 0. */
function seen(b: Builder): TfliteTensor {
  const condition = b.floats('condition', SHAPE, []);
  condition.type = 'BOOL';
  condition.buffer = { bytes: Uint8Array.from(MASK, (m) => 1 - m) };
  return condition;
}

describe.each(Object.entries(MASKED))('scores hidden by %s', (_, masked) => {
  it.each([
    ['int8', 1e4, 0.03],
    ['int8', 1e9, 0.03],
    ['int8', 3e38, 0.03],
    ['int16x8', 1e4, 1e-3],
    ['int16x8', 1e9, 1e-3],
  ] as const)('keep their steps before a softmax: %s, %d', async (mode, much, least) => {
    const b = new Builder();
    const x = b.input('x', SHAPE);
    const model = b.finish(b.op('SOFTMAX', [masked(b, x, much)], 'y', SHAPE, SOFTMAX));
    const { error, ops } = await errorOf(model, mode);
    expect(ops.some((op) => op.startsWith(`SOFTMAX ${mode === 'int8' ? 'INT8' : 'INT16'}`))).toBe(true);
    expect(error).toBeLessThan(least);
  });
});

describe('sums in which an operand would be lost', () => {
  it.each(['int8', 'int16x8'] as const)('stay in float where all of them counts: %s', async (mode) => {
    const b = new Builder();
    const x = b.input('x', SHAPE);
    const half = b.op('MUL', [x, b.floats('half', [1], [0.5])], 'scaled', SHAPE, plain('MulOptions'));
    const sum = MASKED['a constant that is added'](b, half, 1e9);
    const mask = b.floats(
      'back',
      SHAPE,
      MASK.map((m) => 1e9 * m),
    );
    const y = b.op('ADD', [sum, mask], 'y', SHAPE, plain('AddOptions'));
    const { error, ops } = await errorOf(b.finish(y), mode);
    expect(ops.filter((op) => op.startsWith('ADD'))).toEqual(Array(2).fill('ADD FLOAT32,FLOAT32>FLOAT32'));
    expect(error).toBeLessThan(0.01);
  });

  it.each(['int8', 'int16x8'] as const)('leave all that reads them in float: %s', async (mode) => {
    const b = new Builder();
    const x = b.input('x', SHAPE);
    const masked = MASKED['a constant that is added'](b, x, 1e9);
    const logs = b.op('LOG_SOFTMAX', [masked], 'logs', SHAPE, { type: 'LogSoftmaxOptions' });
    const shown = b.floats(
      'shown',
      SHAPE,
      MASK.map((m) => 1 - m),
    );
    const y = b.op('MUL', [logs, shown], 'y', SHAPE, plain('MulOptions'));
    const { error } = await errorOf(b.finish(y), mode);
    expect(error).toBeLessThan(1e-5);
  });

  it('are in integers where what is picked of them is near', async () => {
    const b = new Builder();
    const x = b.input('x', SHAPE);
    const sum = MASKED['a constant that is added'](b, x, 1e9);
    const axes = b.ints('axes', [2]);
    const y = b.op('REDUCE_MAX', [sum, axes], 'y', [1, N], { type: 'ReducerOptions' });
    const { error, ops } = await errorOf(b.finish(y), 'int8');
    expect(ops).toEqual([
      'QUANTIZE FLOAT32>INT8',
      'ADD INT8,INT8>INT8',
      'REDUCE_MAX INT8,INT32>INT8',
      'DEQUANTIZE INT8>FLOAT32',
    ]);
    expect(error).toBeLessThan(0.03);
  });

  it('may lose what is as good as nothing', async () => {
    const b = new Builder();
    const x = b.input('x', SHAPE);
    const small = b.op('MUL', [x, b.floats('small', [1], [1e-6])], 'small', SHAPE, plain('MulOptions'));
    const { ops } = await errorOf(b.finish(b.op('ADD', [x, small], 'y', SHAPE, plain('AddOptions'))), 'int8');
    expect(ops).toContain('ADD INT8,INT8>INT8');
  });
});
