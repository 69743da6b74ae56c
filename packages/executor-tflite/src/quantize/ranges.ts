/** `ranges.json`: what calibrate measured and quantize reads. */
import { readFileSync } from 'node:fs';
import { FloeError } from '@floe/export-core';
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import type { Range } from './affine';
import type { Histogram } from './calibrate/statistics';

export interface RangesFile {
  version: 1;
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
    if (file.version !== 1 || !Array.isArray(file.tensors)) throw new Error('it has no ranges');
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

/** The measured ranges by tensor of the model as it was measured. */
export function knownRanges(
  model: TfliteModel,
  file: RangesFile | undefined,
): (tensor: TfliteTensor) => Range | undefined {
  const lists = model.subgraphs.map((g) => g.tensors());
  const ranges = new Map<TfliteTensor, Range>();
  for (const { subgraph, index, min, max } of file?.tensors ?? []) {
    const tensor = lists[subgraph]?.[index];
    if (tensor && Number.isFinite(min) && Number.isFinite(max)) ranges.set(tensor, { min, max });
  }
  return (tensor) => ranges.get(tensor);
}
