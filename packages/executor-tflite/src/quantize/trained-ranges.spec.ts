import { Diagnostics } from '@floe/export-core';
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import { applyPlan } from './apply';
import { planModel } from './quantize-model';
import { Builder, describeOps, tensorNamed, trainedPair } from './testing/models';
import { takeTrainedRanges } from './trained-ranges';

function trainedModel(activation = 'NONE'): TfliteModel {
  const b = new Builder();
  const x = trainedPair(b, b.input('x', [1, 4, 4, 2]), 'x/fq', 1 / 64, 0);
  const conv = b.conv(x, 'conv', 3);
  b.graph.ops.at(-1)!.options!.fused_activation_function = activation;
  return b.finish(trainedPair(b, conv, 'y', 6 / 255, -128));
}

it('pairs become parameters of the tensors they stand behind', () => {
  const model = trainedModel();
  const trained = takeTrainedRanges(model);
  expect(describeOps(model)).toEqual(['CONV_2D FLOAT32,FLOAT32,FLOAT32>FLOAT32']);
  expect(trained.get(tensorNamed(model, 'x'))).toMatchObject({
    scale: [Math.fround(1 / 64)],
    zeroPoint: [0],
  });
  expect(trained.get(tensorNamed(model, 'y'))).toMatchObject({
    scale: [Math.fround(6 / 255)],
    zeroPoint: [-128],
  });
});

it('int8 takes them without any calibration', () => {
  const model = trainedModel();
  const trained = takeTrainedRanges(model);
  const known = { measured: () => undefined, trained: (t: TfliteTensor) => trained.get(t) };
  applyPlan(model, planModel(model, { quantization: 'int8' }, known, new Diagnostics()));
  expect(describeOps(model)).toEqual([
    'QUANTIZE FLOAT32>INT8',
    'CONV_2D INT8,INT8,INT32>INT8',
    'DEQUANTIZE INT8>FLOAT32',
  ]);
  expect(model.subgraphs[0].outputs[0].name).toBe('y');
});

it('a second pair that says something else stays', () => {
  const b = new Builder();
  const x = b.input('x', [4]);
  const model = b.finish(
    b.op('ABS', [trainedPair(b, x, 'a', 0.5, 0)], 'y', [4]),
    b.op('ABS', [trainedPair(b, x, 'b', 0.25, 0)], 'z', [4]),
  );
  takeTrainedRanges(model);
  expect(describeOps(model)).toEqual([
    'ABS FLOAT32>FLOAT32',
    'QUANTIZE FLOAT32>INT8',
    'DEQUANTIZE INT8>FLOAT32',
    'ABS FLOAT32>FLOAT32',
  ]);
});
