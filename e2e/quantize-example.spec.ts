/** The example model through the whole chain, quantised with its own samples: the same answers as in float. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readNpz, Tensor } from '@floe/export-core';
import { stages as freezeStages } from '@floe/executor-freeze';
import { stages as tfliteStages } from '@floe/executor-tflite';
import { exportModels, type ExportResult } from '../packages/floe/src/cli/export';
import { LitertModel } from '../packages/executor-tflite/src/verify/litert';
import { readModel } from '../packages/executor-tflite/src/tflite/read';

const SAMPLES = 8;
const VARIANTS = `variants:
  float: {}
  float16: { quantization: float16 }
  dynamic: { quantization: dynamic }
  int8: { quantization: int8, calibration: { data: samples.npz } }
  uint8: { quantization: int8, calibration: { data: samples.npz }, io: uint8 }
  int16x8: { quantization: int16x8, calibration: { data: samples.npz } }
verify:`;

let root: string;
let result: ExportResult;
let expected: number[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'example-'));
  cpSync(resolve(__dirname, '../examples/mobilenet-v1'), root, {
    recursive: true,
    filter: (path) => !/[\\/](dist|train)$/.test(path),
  });
  const file = join(root, 'model.yaml');
  const yaml = readFileSync(file, 'utf8');
  writeFileSync(file, yaml.replace(/variants:[\s\S]*?verify:/, VARIANTS));
  const lines: string[] = [];
  const io = { out: (s: string) => void lines.push(s), err: () => undefined, cwd: root, colour: false };
  await exportModels(
    [file],
    { variants: [], until: 'export-tflite', force: false, json: true },
    io as unknown as Parameters<typeof exportModels>[2],
    { stages: { ...freezeStages, ...tfliteStages }, code: () => ({ fingerprint: 'test' }) },
  );
  result = JSON.parse(lines[0]) as ExportResult;
  expected = await classes('float');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** The class of each sample; integer inputs are quantised, integer outputs need no dequantising. */
async function classes(variant: string): Promise<number[]> {
  const bytes = readFileSync(result.tflite[variant]);
  const [input] = readModel(bytes, variant).signatures[0].inputs;
  const images = readNpz(join(root, 'samples.npz')).get('image')!;
  const size = images.size / SAMPLES;
  const data = images.data as Float32Array;
  const found: number[] = [];
  const model = LitertModel.load(bytes);
  for (let i = 0; i < SAMPLES; i++) {
    const image = data.subarray(i * size, (i + 1) * size);
    const q = input.tensor.quantization;
    const shape = [1, 128, 128, 3];
    const fed = q
      ? Tensor.fromArray(
          'uint8',
          shape,
          Uint8Array.from(image, (v) =>
            Math.max(0, Math.min(255, Math.round(v / q.scale[0]) + q.zeroPoint[0])),
          ),
        )
      : Tensor.fromArray('float32', shape, image);
    const outputs = await model.run(new Map([['image', fed]]));
    found.push(argmax(outputs.get('probabilities')!.toNumbers()));
  }
  model.dispose();
  return found;
}

it('every variant is made, and smaller', () => {
  expect(result.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  expect(result.ok).toBe(true);
  const size = (variant: string) =>
    statSync(result.tflite[variant]).size / statSync(result.tflite.float).size;
  expect(size('float16')).toBeLessThan(0.6);
  expect(size('dynamic')).toBeLessThan(0.4);
  expect(size('int8')).toBeLessThan(0.4);
});

it.each(['float16', 'dynamic', 'int8', 'uint8', 'int16x8'])(
  '%s tells the same classes as float',
  async (variant) => {
    expect(await classes(variant)).toEqual(expected);
  },
);

it('int8 with float inputs and outputs has conversions at its ends only', () => {
  const { ops } = readModel(readFileSync(result.tflite.int8), 'int8').subgraphs[0];
  const float = ops.filter((op) => [...op.inputs, ...op.outputs].some((t) => t?.type === 'FLOAT32'));
  expect(float.map((op) => op.code)).toEqual(['QUANTIZE', 'DEQUANTIZE']);
});

it('ranges.json names tensors and holds a histogram of each', () => {
  const { tensors } = JSON.parse(readFileSync(join(root, 'dist/int8/ranges.json'), 'utf8')) as {
    tensors: { name: string; histogram: { counts: number[] } }[];
  };
  expect(tensors.length).toBeGreaterThan(30);
  expect(tensors.every((t) => t.name && t.histogram.counts.length > 0)).toBe(true);
});
