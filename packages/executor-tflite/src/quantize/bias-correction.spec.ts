import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Diagnostics, readNpz, Tensor } from '@floe/export-core';
import { floats } from '../fuse/edit';
import type { FlatObject } from '../tflite/flatbuffer';
import type { TfliteModel, TfliteOp, TfliteTensor } from '../tflite/model';
import { readModel } from '../tflite/read';
import { runTflite } from '../verify/litert';
import { samplesOf } from '../verify/samples';
import { dequantizeValues } from './affine';
import { applyPlan } from './apply';
import { calibrateModel } from './calibrate/calibrate-model';
import { specsOf } from './calibrate/specs';
import type { Mode } from './plan';
import { planModel } from './quantize-model';
import { knownMeans, knownRanges, type RangesFile } from './ranges';
import { Builder, bytesOf, relativeError } from './testing/models';

type Sample = Map<string, Tensor>;

/** What a layer reads and makes, and its operator. */
interface Layer {
  code: string;
  input: number[];
  filter: number[];
  outputs: number;
  output: number[];
  options: FlatObject;
}

const PLAIN = { padding: 'VALID', stride_w: 1, stride_h: 1 };
const LAYERS: [string, Layer][] = [
  [
    'a convolution',
    {
      code: 'CONV_2D',
      input: [1, 5, 5, 6],
      filter: [4, 3, 3, 6],
      outputs: 4,
      output: [1, 3, 3, 4],
      options: { type: 'Conv2DOptions', ...PLAIN },
    },
  ],
  [
    'a convolution in groups',
    {
      code: 'CONV_2D',
      input: [1, 5, 5, 6],
      filter: [4, 3, 3, 3],
      outputs: 4,
      output: [1, 3, 3, 4],
      options: { type: 'Conv2DOptions', ...PLAIN },
    },
  ],
  [
    'a depthwise convolution with a multiplier',
    {
      code: 'DEPTHWISE_CONV_2D',
      input: [1, 5, 5, 3],
      filter: [1, 3, 3, 6],
      outputs: 6,
      output: [1, 3, 3, 6],
      options: { type: 'DepthwiseConv2DOptions', ...PLAIN, depth_multiplier: 2 },
    },
  ],
  [
    'a transposed convolution',
    {
      code: 'TRANSPOSE_CONV',
      input: [1, 3, 3, 6],
      filter: [4, 2, 3, 6],
      outputs: 4,
      output: [1, 6, 9, 4],
      options: { type: 'TransposeConvOptions', padding: 'VALID', stride_h: 2, stride_w: 3 },
    },
  ],
  [
    'a dense layer that reads several axes as one',
    {
      code: 'FULLY_CONNECTED',
      input: [1, 2, 2, 6],
      filter: [5, 24],
      outputs: 5,
      output: [1, 5],
      options: { type: 'FullyConnectedOptions' },
    },
  ],
];

function modelOf({ code, input, filter, output, outputs, options }: Layer, bias: ArrayLike<number>) {
  const b = new Builder();
  const x = b.input('x', input);
  const operands = [b.weights('w', filter), x];
  if (code !== 'TRANSPOSE_CONV') operands.reverse();
  else operands.unshift(b.ints('size', output));
  return b.finish(b.op(code, [...operands, b.floats('bias', [outputs], bias)], 'y', output, options));
}

/** Every position the same, so that all windows see the means of channels. */
function flatSamples({ code, input }: Layer, seed: number): Sample[] {
  const b = new Builder();
  const channels = code === 'FULLY_CONNECTED' ? 24 : input[3];
  const size = input.reduce((n, d) => n * d, 1);
  b.values(seed);
  return Array.from({ length: 2 }, () => {
    const pixel = b.values(channels, 2).map((v) => v + 3);
    const values = Array.from({ length: size }, (_, i) => pixel[i % channels]);
    return new Map([['x', Tensor.fromNumbers('float32', input, values)]]);
  });
}

async function channelMeans(model: TfliteModel, samples: Sample[], channels: number): Promise<number[]> {
  const sums = new Array<number>(channels).fill(0);
  for (const sample of samples) {
    const values = (await runTflite(bytesOf(model), sample)).get('y')!.toNumbers();
    values.forEach((v, i) => (sums[i % channels] += (v * channels) / values.length / samples.length));
  }
  return sums;
}

const calibrated = (model: TfliteModel, samples: Sample[]) =>
  calibrateModel(
    bytesOf(model),
    new Map([['serving_default', samples]]),
    { method: 'minmax' },
    new Diagnostics(),
  );

function quantized(model: TfliteModel, ranges: RangesFile, mode: Mode, isCorrected: boolean): TfliteModel {
  const copy = readModel(bytesOf(model), 'copy');
  const known = {
    measured: knownRanges(copy, ranges),
    means: isCorrected ? knownMeans(copy, ranges) : undefined,
    trained: () => undefined,
  };
  applyPlan(copy, planModel(copy, { quantization: mode }, known, new Diagnostics()));
  return copy;
}

const layerOf = (model: TfliteModel, code: string): TfliteOp =>
  model.subgraphs[0].ops.find((op) => op.code === code)!;
const read = (tensor: TfliteTensor): Float32Array => {
  const dtype = tensor.type === 'INT8' ? 'int8' : tensor.type === 'INT32' ? 'int32' : 'int64';
  const { data } = Tensor.fromBytes(dtype, tensor.shape as number[], tensor.buffer!.bytes);
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  return dequantizeValues(values, tensor.shape as number[], tensor.quantization!);
};

describe.each(LAYERS)('the bias of %s', (_name, layer) => {
  it.each(['int8', 'int16x8'] as const)('takes up what rounding adds to the mean, %s', async (mode) => {
    const run = fc.asyncProperty(fc.integer({ min: 1, max: 999 }), async (seed) => {
      const samples = flatSamples(layer, seed);
      const model = modelOf(layer, new Builder().values(layer.outputs));
      const ranges = await calibrated(model, samples);
      const expected = await channelMeans(model, samples, layer.outputs);
      const errorOf = async (isCorrected: boolean): Promise<[number, number]> => {
        const op = layerOf(quantized(model, ranges, mode, isCorrected), layer.code);
        const bias = op.inputs[op.inputs.length - 1]!;
        // The float operator with the numbers of the integer one: nothing but weights and bias are rounded.
        const float = modelOf(layer, read(bias));
        const filter = layerOf(float, layer.code).inputs.find((t) => t?.name === 'w')!;
        filter.buffer = { bytes: new Uint8Array(read(op.inputs.find((t) => t?.name === 'w')!).buffer) };
        const means = await channelMeans(float, samples, layer.outputs);
        const step = Math.max(...bias.quantization!.scale);
        return [Math.max(...means.map((mean, i) => Math.abs(mean - expected[i]))), step];
      };
      const [[before], [after, step]] = [await errorOf(false), await errorOf(true)];
      // Means are kept to six digits.
      expect(after).toBeLessThan(step / 2 + 1e-4);
      expect(after).toBeLessThan(before / 4);
    });
    await fc.assert(run, { numRuns: 3 });
  });
});

it('weights that rounding does not change leave the bias alone', () => {
  const b = new Builder();
  const x = b.input('x', [1, 4]);
  const w = b.floats('w', [2, 4], [127, -3, 5, 64, 1, -127, 0, 2]);
  const model = b.finish(b.op('FULLY_CONNECTED', [x, w, b.floats('bias', [2], [0.5, -2])], 'y', [1, 2]));
  const known = {
    measured: () => ({ min: 0, max: 255 }),
    means: () => [10, 20, 30, 40],
    trained: () => undefined,
  };
  const plan = planModel(model, { quantization: 'int8' }, known, new Diagnostics());
  const [operand] = [...plan.ops.values()][0].inputs.slice(2);
  expect([...floats(operand!.constant!)!]).toEqual([0.5, -2]);
});

describe('means', () => {
  it('are of what operators with a bias read, of as many channels as they read', async () => {
    const b = new Builder();
    const x = b.input('x', [1, 2, 2, 3]);
    const conv = b.op(
      'CONV_2D',
      [x, b.weights('w', [4, 1, 1, 3]), b.weights('c', [4])],
      'conv',
      [1, 2, 2, 4],
      {
        type: 'Conv2DOptions',
        ...PLAIN,
      },
    );
    const dense = (name: string, bias?: TfliteTensor) =>
      b.op('FULLY_CONNECTED', [conv, b.weights(`${name}/w`, [2, 16]), bias], name, [1, 2], {
        type: 'FullyConnectedOptions',
      });
    const model = b.finish(dense('dense', b.weights('bias', [2])), dense('without'));
    const { tensors } = await calibrated(model, [
      new Map([['x', Tensor.fromNumbers('float32', [1, 2, 2, 3], [1, 2, 3, 3, 2, 1, 2, 2, 2, 6, 6, 6])]]),
    ]);
    const counts = Object.fromEntries(tensors.map((t) => [t.name, t.means?.length]));
    expect(counts).toEqual({ x: 3, conv: 16, dense: undefined, without: undefined });
    expect(tensors[0].means).toEqual([3, 3, 3]);
  });

  it('are known of tensors of any size too', async () => {
    const meansWith = async (rows: number) => {
      const b = new Builder();
      const doubled = b.op('ADD', [b.input('x', [rows, 2]), b.floats('one', [], [1])], 'more', [rows, 2], {
        type: 'AddOptions',
      });
      const dense = [doubled, b.weights('w', [3, 2]), b.weights('bias', [3])];
      const model = b.finish(
        b.op('FULLY_CONNECTED', dense, 'y', [rows, 3], { type: 'FullyConnectedOptions' }),
      );
      const sample = (...values: number[]) => new Map([['x', Tensor.fromNumbers('float32', [2, 2], values)]]);
      const { tensors } = await calibrated(model, [sample(0, 1, 2, 3), sample(4, 9, 6, 9)]);
      return tensors.map(({ name, means }) => [name, means]);
    };
    expect(await meansWith(-1)).toEqual([
      ['x', undefined],
      ['more', [4, 6.5]],
      ['y', undefined],
    ]);
    expect(await meansWith(2)).toEqual(await meansWith(-1));
  });
});

/** A network that reads small differences of large values, and what TensorFlow's own int8 file of it gives: scripts/bias-fixture.py. */
describe('a trained network', () => {
  const fixture = (name: string) => join(__dirname, 'fixtures', name);
  const model = readModel(readFileSync(fixture('gratings.tflite')), 'gratings.tflite');
  const samplesIn = (name: string) =>
    samplesOf(readNpz(fixture(name)), name, specsOf(model)).get('serving_default')!;
  const scored = readNpz(fixture('gratings_scored.npz'));
  const [expected, theirs] = ['float', 'int8'].map((name) => scored.get(name)!.toNumbers());

  it('errs less than TensorFlow’s int8 file with corrected biases, and as much without', async () => {
    const ranges = await calibrated(model, samplesIn('gratings.npz'));
    const image = scored.get('image')!;
    const [count, ...shape] = image.shape;
    const size = image.size / count;
    const errorOf = async (isCorrected: boolean): Promise<number> => {
      const bytes = bytesOf(quantized(model, ranges, 'int8', isCorrected));
      const results: number[] = [];
      for (let i = 0; i < count; i++) {
        const values = image.toNumbers().slice(i * size, (i + 1) * size);
        const outputs = await runTflite(
          bytes,
          new Map([['image', Tensor.fromNumbers('float32', shape, values)]]),
        );
        results.push(...outputs.get('logits')!.toNumbers());
      }
      return relativeError(results, expected);
    };
    const [without, corrected] = [await errorOf(false), await errorOf(true)];
    const own = relativeError(theirs, expected);
    expect(without / own).toBeGreaterThan(0.85);
    expect(without / own).toBeLessThan(1.15);
    expect(corrected / own).toBeLessThan(0.75);
  });
});
