/** `ranges.json`: what calibrate measured and quantize reads. */
import { readFileSync } from 'node:fs';
import { FloeError } from '@floe/export-core';
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import type { Range } from './affine';
import type { KnownRanges } from './groups';
import type { Histogram } from './calibrate/statistics';

export interface RangesFile {
  version: 2;
  /** sha256 of the converted model that was measured. */
  model: string;
  method: string;
  samples: number;
  tensors: TensorRange[];
}

export interface TensorRange extends Range {
  subgraph: number;
  /** Of the tensor within its subgraph, as in the file. */
  index: number;
  /** For people. */
  name: string;
  /** Smallest and largest value, where the method took a smaller range. */
  observed?: [number, number];
  histogram?: Histogram;
  /** Of what an operator with a bias reads: the mean of each channel; element i is of channel i mod their number. */
  means?: number[];
}

/** One tensor a line: readable, and differences between two files show tensor by tensor. */
export function rangesText(file: RangesFile): string {
  const { tensors, ...head } = file;
  const start = JSON.stringify(head, null, 2).replace(/\n\}$/, '');
  const rows = tensors.map((t) => `    ${JSON.stringify(t)}`).join(',\n');
  return `${start},\n  "tensors": [${rows ? `\n${rows}\n  ` : ''}]\n}\n`;
}

/**
 * Reads the file.
 *
 * @param sha256 of the converted model that is to be quantised
 * @throws FloeError K003 when the file is damaged, Q002 when it belongs to another model
 */
export function readRanges(path: string, sha256: string): RangesFile {
  let file: RangesFile;
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as RangesFile;
    if (file.version !== 2 || !Array.isArray(file.tensors)) throw new Error('it has no ranges');
  } catch (error) {
    throw new FloeError({
      code: 'K003',
      severity: 'error',
      message: `${path} cannot be read: ${(error as Error).message}`,
      hint: 'run calibrate again',
    });
  }
  if (file.model !== sha256) {
    throw new FloeError({
      code: 'Q002',
      severity: 'error',
      message: `${path} holds the ranges of another converted model (sha256 ${file.model}, this one has ${sha256})`,
      hint: 'run calibrate again for this model',
    });
  }
  return file;
}

/**
 * The measured ranges by tensor of the model as it was measured. `mse` weighs what it cuts off against the rounding of
 * 8 bits; that of 16 is 257 times finer, so that there it would never pay, and the whole range holds.
 */
export function knownRanges(model: TfliteModel, file: RangesFile | undefined): KnownRanges['measured'] {
  const ranges = byTensor(model, file);
  return (tensor, type) => {
    const known = ranges.get(tensor);
    if (!known || !Number.isFinite(known.min) || !Number.isFinite(known.max)) return undefined;
    const isCutFor8 = type === 'INT16' && file?.method === 'mse' && known.observed;
    const [min, max] = isCutFor8 || [known.min, known.max];
    return { min, max };
  };
}

/** The measured means by tensor of the model as it was measured. */
export function knownMeans(model: TfliteModel, file: RangesFile | undefined): KnownRanges['means'] {
  const ranges = byTensor(model, file);
  return (tensor) => {
    const means = ranges.get(tensor)?.means;
    return means?.every(Number.isFinite) ? means : undefined;
  };
}

function byTensor(model: TfliteModel, file: RangesFile | undefined): Map<TfliteTensor, TensorRange> {
  const lists = model.subgraphs.map((g) => g.tensors());
  const found = new Map<TfliteTensor, TensorRange>();
  for (const range of file?.tensors ?? []) {
    const tensor = lists[range.subgraph]?.[range.index];
    if (tensor) found.set(tensor, range);
  }
  return found;
}
