import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Diagnostics, readNpz, Tensor } from '@floe/export-core';
import { applyPlan } from '../quantize/apply';
import { quantizeIo } from '../quantize/io';
import { calibrateModel } from '../quantize/calibrate/calibrate-model';
import { specsOf } from '../quantize/calibrate/specs';
import { planModel, type QuantizeSettings } from '../quantize/quantize-model';
import { knownRanges } from '../quantize/ranges';
import { Builder, bytesOf, ranges } from '../quantize/testing/models';
import type { TfliteModel } from '../tflite/model';
import { readModel } from '../tflite/read';
import { compareLayers, worstLayers } from './layers';
import { samplesOf } from './samples';

const SHAPE = [1, 6, 6, 4];

/** Three convolutions; the range of the second was measured wrongly. */
function model(batch = SHAPE[0]): TfliteModel {
  const b = new Builder();
  const first = b.conv(b.input('x', [batch, ...SHAPE.slice(1)]), 'a/first', 8, 0.2);
  const second = b.conv(first, 'b/second', 8, 0.2);
  return b.finish(b.conv(second, 'c/third', 4, 0.2));
}

const MEASURED = ranges({ x: [-1, 1], 'a/first': [-2, 2], 'b/second': [-30, 30], 'c/third': [-2, 2] });

function quantized(settings: QuantizeSettings, batch?: number): TfliteModel {
  const copy = model(batch);
  applyPlan(copy, planModel(copy, settings, MEASURED, new Diagnostics()));
  return copy;
}

const random = new Builder();
const samples = Array.from(
  { length: 3 },
  () => new Map([['x', Tensor.fromNumbers('float32', SHAPE, random.values(144))]]),
);
const compare = (changed: TfliteModel) =>
  compareLayers(bytesOf(model()), bytesOf(changed), 'serving_default', samples);

it('tells the layer that adds the error from those that only pass it on', async () => {
  const layers = await compare(quantized({ quantization: 'int8' }));
  expect(layers.map(({ name, op }) => `${op} ${name}`)).toEqual([
    'CONV_2D a/first',
    'CONV_2D b/second',
    'CONV_2D c/third',
  ]);
  const [first, second, third] = layers;
  expect(first.sqnr).toBeGreaterThan(25);
  expect(second.sqnr).toBeLessThan(20);
  // Its input is bad already; alone it is good.
  expect(third.sqnr).toBeLessThan(20);
  expect(third.added).toBeLessThan(second.added! / 20);
  expect(worstLayers(layers, 1).map((l) => l.name)).toEqual(['b/second']);
});

it('rules for that layer and for what reads it take the error away', async () => {
  const rules = ['b/second', 'c/*'].map((match) => ({ match, quantization: 'none' as const }));
  const [, second, third] = await compare(quantized({ quantization: 'int8', rules }));
  expect(second.sqnr).toBeGreaterThan(25);
  expect(third.sqnr).toBeGreaterThan(25);
});

it('reads 16-bit and integer-only models too', async () => {
  const wide = await compare(quantized({ quantization: 'int16x8' }));
  expect(wide.map((l) => l.sqnr! > 25)).toEqual([true, true, true]);
  const bytes = quantized({ quantization: 'int8' });
  const plain = await compare(quantized({ quantization: 'int8' }));
  quantizeIo(bytes, 'UINT8', new Diagnostics());
  expect((await compare(bytes)).map((l) => l.name)).toEqual(plain.map((l) => l.name));
});

it('a model that is not changed has no noise', async () => {
  const layers = await compare(model());
  expect(layers.map(({ sqnr, added }) => [sqnr, added])).toEqual([1, 2, 3].map(() => [null, 0]));
  expect(worstLayers(layers, 3)).toEqual([]);
});

it('tells the same of a model that takes batches of any size', async () => {
  const int8 = { quantization: 'int8' as const };
  const any = [model(-1), quantized(int8, -1)].map(bytesOf);
  expect(await compareLayers(any[0], any[1], 'serving_default', samples)).toEqual(
    await compare(quantized(int8)),
  );
});

/** Two LSTMs and a dense layer, of scripts/lstm-fixture.py. */
describe('of a model with LSTMs', () => {
  const file = (name: string) => join(__dirname, '../quantize/fixtures', name);
  const float = readFileSync(file('lstm.tflite'));
  const fed = samplesOf(readNpz(file('lstm.npz')), 'lstm.npz', specsOf(readModel(float, 'lstm.tflite')));
  const [[key, list]] = fed;
  const names = ['tfl.unidirectional_sequence_lstm', 'tfl.unidirectional_sequence_lstm1'];

  it('each LSTM is a layer, also in TensorFlow’s own file', async () => {
    const layers = await compareLayers(float, readFileSync(file('lstm_int8.tflite')), key, list);
    expect(layers.map(({ name }) => name).slice(0, 2)).toEqual(names);
    expect(layers).toHaveLength(4);
    for (const { sqnr, added } of layers) {
      expect(sqnr).toBeGreaterThan(30);
      expect(added).toBeLessThan(1e-3);
    }
  });

  it('error that enters at one is not blamed on the next', async () => {
    const ranges = await calibrateModel(float, fed, { method: 'minmax' }, new Diagnostics());
    // Four bits of the first one's output are never used.
    Object.assign(
      ranges.tensors.find(({ name }) => name === names[0])!,
      { min: -15, max: 15 },
    );
    const model = readModel(float, 'lstm.tflite');
    const known = { measured: knownRanges(model, ranges), trained: () => undefined };
    applyPlan(model, planModel(model, { quantization: 'int8' }, known, new Diagnostics()));
    const layers = await compareLayers(float, bytesOf(model), key, list);
    const [first, second] = layers;
    expect(worstLayers(layers, 1)).toEqual([first]);
    expect(second.sqnr).toBeLessThan(30);
    expect(second.added).toBeLessThan(first.added! / 10);
  });
});
