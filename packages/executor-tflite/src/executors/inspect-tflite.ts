/** What a .tflite file holds, in the form of every other artefact. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Artefact, InspectOptions, Shape, Signature, TensorSpec } from '@floe/export-core';
import { operatorCounts } from '../stages/describe';
import { dtypeOf, type TfliteModel, type TfliteTensor } from '../tflite/model';
import { readModel } from '../tflite/read';

/**
 * Inspects a .tflite. Its constants are what variables became: they are listed as variables.
 *
 * @throws FloeError S003, S004 when it is another kind of file or damaged
 */
export function inspectTflite(path: string, { digest = false }: InspectOptions = {}): Artefact {
  const model = readModel(readFileSync(path), path);
  const signatures = model.signatures.map(({ key, inputs, outputs }): Signature => {
    const specs = (list: typeof inputs): TensorSpec[] => list.map(({ name, tensor }) => specOf(tensor, name));
    return { key, inputs: specs(inputs), outputs: specs(outputs) };
  });
  const main = model.subgraphs[0];
  return {
    kind: 'tflite',
    format: 'TensorFlow Lite model',
    signatures,
    inputs: (main?.inputs ?? []).map((tensor) => specOf(tensor)),
    outputs: (main?.outputs ?? []).map((tensor) => specOf(tensor)),
    variables: constantsOf(model).map((tensor) => ({
      name: tensor.name,
      dtype: dtypeName(tensor),
      shape: shapeOf(tensor),
      ...(digest && { sha256: sha256(tensor.buffer?.bytes) }),
    })),
    ops: operatorCounts(model),
    diagnostics: [],
  };
}

function specOf(tensor: TfliteTensor, name = tensor.name): TensorSpec {
  return { name, tensor: tensor.name, dtype: dtypeName(tensor), shape: shapeOf(tensor) };
}

/** Types that TensorFlow has not (INT4, …) keep their own name. */
function dtypeName({ type }: TfliteTensor): TensorSpec['dtype'] {
  return dtypeOf(type) ?? (type.toLowerCase() as TensorSpec['dtype']);
}

function shapeOf({ shape }: TfliteTensor): Shape {
  return shape === undefined ? null : shape.map((size) => (size < 0 ? null : size));
}

function constantsOf(model: TfliteModel): TfliteTensor[] {
  const all = model.subgraphs.flatMap((subgraph) => subgraph.tensors());
  return all.filter(({ isConstant }) => isConstant).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sha256(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? new Uint8Array(0))
    .digest('hex');
}
