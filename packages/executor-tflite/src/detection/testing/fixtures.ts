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
  /** For each sample the four outputs: shape and elements. */
  runs: [number[], number[]][][];
}

const FOLDER = join(__dirname, '../fixtures');

export const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<
  'modern' | 'old',
  Expected
>;

/** `modern`, `old`, or one of them with `_tflite`. */
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
