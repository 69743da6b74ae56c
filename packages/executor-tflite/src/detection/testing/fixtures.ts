/** The detectors of fixtures/make-fixtures.py, and what TensorFlow's own converter and interpreter make of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readGraphFile, Tensor, type Graph } from '@floe/export-core';
import { numbers } from '../../testing/graphs';

export interface Expected {
  settings: {
    size: [number, number];
    classes: number;
    scales: [number, number, number, number];
    converter: 'sigmoid' | 'softmax';
    score: number;
    iou: number;
    regular: boolean;
    max_detections: number;
    per_box: number;
    per_class: number;
  };
  /** The custom operator's options as TensorFlow writes them, in hexadecimal digits. */
  options: string;
  runs: Outputs[];
}

/** The four outputs of a sample: shape and elements. */
export type Outputs = [number[], number[]][];

/** The post-processing alone, on scores that are often the same. */
interface Ties {
  settings: Omit<Expected['settings'], 'size' | 'converter' | 'regular'>;
  fast: Outputs[];
  regular: Outputs[];
}

const FOLDER = join(__dirname, '../fixtures');

function json(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

export const EXPECTED = json('expected') as Record<'modern' | 'old', Expected>;

/** Of fixtures/make-composite.py: by the signature’s names. */
export const COMPOSITE = json('composite') as Record<string, Outputs[0]>;

/** Of fixtures/make-ties.py. */
export const TIES = json('ties') as Ties;

/** `modern`, `old`, or one of them with `_tflite`; `fixed`, `keypoints`; `composite`, a SavedModel. */
export function graphBytes(name: string): Buffer {
  return gunzipSync(readFileSync(join(FOLDER, `${name}.pb.gz`)));
}

export function graphOf(name: string): Graph {
  const folder = mkdtempSync(join(tmpdir(), 'floe-detection-'));
  try {
    const file = join(folder, 'graph.pb');
    writeFileSync(file, graphBytes(name));
    return readGraphFile(file).graph;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The input of run `i`, the same as the script's. */
export function sampleOf(name: 'modern' | 'old', i: number): Tensor {
  const [height, width] = EXPECTED[name].settings.size;
  return Tensor.fromNumbers('float32', [1, height, width, 3], numbers(height * width * 3, i + 1));
}
