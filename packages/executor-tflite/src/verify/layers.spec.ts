import { Diagnostics, Tensor } from '@floe/export-core';
import { applyPlan } from '../quantize/apply';
import { quantizeIo } from '../quantize/io';
import { planModel, type QuantizeSettings } from '../quantize/quantize-model';
import { Builder, bytesOf, ranges } from '../quantize/testing/models';
import type { TfliteModel } from '../tflite/model';
import { compareLayers, worstLayers } from './layers';

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
