import { Diagnostics, Tensor } from '@floe/export-core';
import type { TfliteTensor } from '../../tflite/model';
import { Builder, bytesOf, trainedPair } from '../testing/models';
import { calibrateModel } from './calibrate-model';
import { wantedRanges } from './wanted-ranges';

const namesOf = (b: Builder, output: TfliteTensor): string[] =>
  wantedRanges(bytesOf(b.finish(output))).map(({ name }) => name);

it('of a model without trained ranges, all that integer operators take and give', () => {
  const b = new Builder();
  const conv = b.conv(b.input('x', [1, 4, 4, 2]), 'conv', 3);
  // The kernel gives its result a range.
  const soft = b.op('SOFTMAX', [conv], 'soft', [1, 4, 4, 3], { type: 'SoftmaxOptions', beta: 1 });
  expect(namesOf(b, soft)).toEqual(['x', 'conv']);
});

it('not those that are trained, nor what is only moved on from there', () => {
  const b = new Builder();
  const x = trainedPair(b, b.input('x', [1, 4, 4, 2]), 'x/trained', 1 / 64, 0);
  const y = trainedPair(b, b.conv(x, 'conv', 3), 'y', 6 / 255, -128);
  const pooled = b.op('MAX_POOL_2D', [y], 'pooled', [1, 2, 2, 3], {
    type: 'Pool2DOptions',
    padding: 'VALID',
    stride_w: 2,
    stride_h: 2,
    filter_width: 2,
    filter_height: 2,
  });
  expect(namesOf(b, pooled)).toEqual([]);
});

it('those that training left out', () => {
  const b = new Builder();
  const x = b.input('x', [1, 4, 4, 2]);
  const y = trainedPair(b, b.conv(x, 'conv', 3), 'y', 6 / 255, -128);
  expect(namesOf(b, b.op('ABS', [y], 'abs', [1, 4, 4, 3]))).toEqual(['x', 'abs']);
});

it('odd values of a tensor with a trained range are no reason to warn', async () => {
  const b = new Builder();
  const x = trainedPair(b, b.input('x', [4]), 'x/trained', 1 / 64, 0);
  const y = trainedPair(b, b.op('ABS', [x], 'abs', [4]), 'y', 1 / 64, -128);
  const sample = new Map([['x', Tensor.fromNumbers('float32', [4], [1, 1, 1, 1])]]);
  const diagnostics = new Diagnostics();
  const bytes = bytesOf(b.finish(y));
  await calibrateModel(bytes, new Map([['serving_default', [sample]]]), { method: 'minmax' }, diagnostics);
  expect(diagnostics.list).toEqual([]);
});
