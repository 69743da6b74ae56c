/** Calibration data: read or made up, with what is wrong about them. */
import { basename } from 'node:path';
import {
  Diagnostics,
  FloeError,
  type Descriptor,
  type ImageSettings,
  type Place,
  type Signature,
} from '@floe/export-core';
import { readSamples } from '../../verify/sample-files';
import { listed } from './checks';
import { randomSamples, type RangeOf, type Samples } from '../../verify/samples';

/** Fewer samples seldom show the real ranges; TensorFlow's guide asks for about a hundred. */
const FEW_SAMPLES = 10;
/** Made-up samples: enough that extremes settle. */
const MADE_UP_SAMPLES = 16;

export interface DataSettings {
  /** Absolute path of the data; undefined: samples are made up. */
  data?: string;
  /** How images are read, where `data` is a folder of them. */
  images?: ImageSettings;
  /** How many samples to use at most. */
  samples?: number;
  rangeOf: RangeOf;
  /** Names of the tensors whose measured range is used. */
  wanted: readonly string[];
  where?: Place;
}

/**
 * The samples to calibrate with. Where no measured range is used, few samples are no fault, nor is none.
 *
 * @throws FloeError Q001 where they do not fit the signatures; the readers' own
 */
export function calibrationSamples(
  signatures: readonly Signature[],
  { data, images, samples: limit, rangeOf, wanted, where }: DataSettings,
  diagnostics: Diagnostics,
): Samples {
  if (data === undefined) {
    if (wanted.length) {
      const message = `there are no calibration data: the ranges of ${listed(wanted)} are those of random inputs`;
      const hint = 'give samples like those of the real use: calibration: { data: calibration.npz }';
      diagnostics.warning('Q001', message, { where, hint });
    }
    return randomSamples(signatures, rangeOf, limit ?? MADE_UP_SAMPLES);
  }
  const samples = recoded(() => readSamples(signatures, { data, images, limit, where }));
  checkSamples(signatures, samples, { rangeOf, wanted, where, data }, diagnostics);
  return samples;
}

/** What is wrong with samples is here a matter of calibration. */
function recoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    throw new FloeError(error.diagnostics.map((d) => (d.code === 'V003' ? { ...d, code: 'Q001' } : d)));
  }
}

function checkSamples(
  signatures: readonly Signature[],
  samples: Samples,
  { rangeOf, wanted, where, data }: Omit<DataSettings, 'data'> & { data: string },
  diagnostics: Diagnostics,
): void {
  for (const { key, inputs } of signatures) {
    const list = samples.get(key) ?? [];
    if (wanted.length && inputs.length && list.length < FEW_SAMPLES) {
      const message = `${basename(data)} has ${list.length} sample${list.length > 1 ? 's' : ''} to calibrate with`;
      diagnostics.warning('Q001', message, { where, hint: 'about 100 show the ranges of most models' });
    }
    for (const { name, dtype } of inputs) {
      if (dtype !== 'float32') continue;
      let [low, high] = [Infinity, -Infinity];
      for (const sample of list) {
        for (const v of sample.get(name)!.data as Float32Array) {
          if (v - v !== 0) {
            diagnostics.error('Q001', `the calibration data of input "${name}" hold ${v}`, { where });
            return;
          }
          if (v < low) low = v;
          if (v > high) high = v;
        }
      }
      const range = rangeOf(key, name);
      if (!range || list.length === 0) continue;
      // Rounding of float32 is no mistake.
      const slack = (range[1] - range[0]) * 1e-5;
      if (low < range[0] - slack || high > range[1] + slack) {
        diagnostics.warning(
          'Q001',
          `the calibration data of input "${name}" reach from ${low} to ${high}, its declared range is [${range.join(', ')}]`,
          { where, hint: 'scale the samples as the model is fed, or correct `range`' },
        );
      }
    }
  }
}

/** The ranges that model.yaml declares for inputs. */
export function declaredRanges({ inputs, signatures, tflite }: Descriptor): RangeOf {
  return (signature, input) => {
    const lists = [tflite.inputs, signatures?.[signature]?.inputs, inputs];
    for (const list of lists) {
      const found = list?.find(({ name }) => name === input);
      if (found) return found.range;
    }
    return undefined;
  };
}
