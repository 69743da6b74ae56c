/** The quantize stage: the converted model with smaller numbers: `quantized.tflite`. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  CALIBRATED_QUANTIZATIONS,
  Diagnostics,
  type StageFunction,
  MAX_TFLITE_BYTES,
  readFile,
} from '@floe/export-core';
import { summarize } from '../quantize/plan';
import { applyPlan } from '../quantize/apply';
import { planModel } from '../quantize/quantize-model';
import { knownMeans, knownRanges, readRanges } from '../quantize/ranges';
import { takeTrainedRanges } from '../quantize/trained-ranges';
import type { Quantization, TfliteTensor } from '../tflite/model';
import { readModel } from '../tflite/read';
import { writeModel } from '../tflite/write';
import { operatorCounts, sizeText } from './describe';

export const quantize: StageFunction = async ({ dist, descriptor, variant }) => {
  const name = variant as string;
  const { quantization, onUnsupported, biasCorrection, rules } = descriptor.variants[name];
  const file = join(dist, 'converted/model.tflite');
  const bytes = readFile(file, MAX_TFLITE_BYTES);
  const model = readModel(bytes, file);
  const diagnostics = new Diagnostics();
  const isCalibrated = (CALIBRATED_QUANTIZATIONS as readonly string[]).includes(quantization);
  const ranges = isCalibrated
    ? readRanges(join(dist, `${name}/ranges.json`), createHash('sha256').update(bytes).digest('hex'))
    : undefined;
  // Ranges name tensors of the model as it was measured: found before the pairs are taken out of it.
  const measured = knownRanges(model, ranges);
  const means = biasCorrection ? knownMeans(model, ranges) : undefined;
  const trained = isCalibrated ? takeTrainedRanges(model) : new Map<TfliteTensor, Quantization>();
  if (trained.size) diagnostics.note('Q006', `the model has trained ranges, which are used as they are`);
  const known = { measured, means, trained: (tensor: TfliteTensor) => trained.get(tensor) };
  const plan = planModel(model, { quantization, onUnsupported, rules }, known, diagnostics);
  diagnostics.throwIfErrors();
  const summary = summarize(model, plan);
  applyPlan(model, plan);
  const pieces = writeModel(model);
  return {
    diagnostics: diagnostics.list,
    artefacts: { [`${name}/quantized.tflite`]: pieces },
    provenance: { operators: operatorCounts(model), computed: summary },
    summary: `${sizeText(pieces)}; operators in integers ${summary.integer}, hybrid ${summary.hybrid}, float ${summary.float}`,
  };
};
