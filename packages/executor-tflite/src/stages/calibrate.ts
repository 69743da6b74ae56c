/** The calibrate stage: runs the converted model over calibration data and writes what it measured: `ranges.json`. */
import { join, resolve } from 'node:path';
import {
  Diagnostics,
  FloeError,
  MAX_TFLITE_BYTES,
  readFile,
  type StageFunction,
  type Variant,
} from '@floe/export-core';
import { calibrateModel } from '../quantize/calibrate/calibrate-model';
import { calibrationSamples, declaredRanges } from '../quantize/calibrate/data';
import { specsOf } from '../quantize/calibrate/specs';
import { wantedRanges } from '../quantize/calibrate/wanted-ranges';
import { rangesText } from '../quantize/ranges';
import { readModel } from '../tflite/read';
import { CannotRun } from '../verify/cannot-run';

export const calibrate: StageFunction = async ({ root, dist, descriptor, place, variant, progress }) => {
  const name = variant as string;
  const calibration: NonNullable<Variant['calibration']> = descriptor.variants[name].calibration ?? {
    method: 'minmax',
  };
  const file = join(dist, 'converted/model.tflite');
  const bytes = readFile(file, MAX_TFLITE_BYTES);
  const diagnostics = new Diagnostics();
  const where = place(['variants', name, 'calibration', ...(calibration.data === undefined ? [] : ['data'])]);
  const samples = calibrationSamples(
    specsOf(readModel(bytes, file)),
    {
      data: calibration.data === undefined ? undefined : resolve(root, calibration.data),
      images: calibration.images,
      samples: calibration.samples,
      rangeOf: declaredRanges(descriptor),
      wanted: wantedRanges(bytes).map(({ name }) => name),
      where,
    },
    diagnostics,
  );
  diagnostics.throwIfErrors();
  const ranges = await calibrateModel(
    bytes,
    samples,
    { method: calibration.method, log: progress },
    diagnostics,
  ).catch((error: unknown) => {
    if (!(error instanceof CannotRun)) throw error;
    throw new FloeError({
      code: 'Q001',
      severity: 'error',
      message: `the ranges of the model cannot be measured: ${error.reason}`,
      hint: '`quantization: dynamic` needs no ranges',
      where,
    });
  });
  return {
    diagnostics: diagnostics.list,
    artefacts: { [`${name}/ranges.json`]: rangesText(ranges) },
    provenance: { samples: ranges.samples, method: ranges.method },
    summary: `${ranges.tensors.length} tensors, ${ranges.samples} sample${ranges.samples === 1 ? '' : 's'}`,
  };
};
