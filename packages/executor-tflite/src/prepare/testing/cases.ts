/** Small graphs as TensorFlow froze them, with what TensorFlow computes: prepare/fixtures, control-flow/fixtures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  attr,
  Diagnostics,
  graphFromDef,
  joinPieces,
  parseInput,
  Tensor,
  type DType,
  type Graph,
  type Shape,
  type Signature,
} from '@floe/export-core';
import { decode } from '../../../../export-core/src/format/proto';
import { convertGraph } from '../../convert/convert-graph';
import type { TfliteModel } from '../../tflite/model';
import { writeModel } from '../../tflite/write';
import { runTflite } from '../../verify/litert';

interface TensorJson {
  tensor: string;
  dtype: DType;
  shape: number[];
  values: (number | boolean | string)[];
  declared?: Shape;
}

export interface FrozenCase {
  name: string;
  /** A GraphDef, base64. */
  graph: string;
  inputs: TensorJson[];
  outputs: TensorJson[];
}

/** @param file below prepare/ */
export function loadCases(file: string): FrozenCase[] {
  const bytes = gunzipSync(readFileSync(join(__dirname, '..', file)));
  return JSON.parse(bytes.toString('utf8')) as FrozenCase[];
}

function tensorOf({ dtype, shape, values }: TensorJson): Tensor {
  if (dtype === 'string')
    return Tensor.fromStrings(
      shape,
      values.map((v) => Buffer.from(String(v))),
    );
  return Tensor.fromNumbers(dtype, shape, values.map(Number));
}

/** The graph, with placeholders of the declared shapes, and its signature. */
export function graphOf(test: FrozenCase): { graph: Graph; signature: Signature } {
  const graph = graphFromDef(decode('GraphDef', Buffer.from(test.graph, 'base64'), test.name), test.name);
  const signature: Signature = { key: 'serving_default', inputs: [], outputs: [] };
  for (const { tensor, dtype, declared = null } of test.inputs) {
    const { name } = parseInput(tensor);
    const node = graph.node(name)!;
    node.attrs = new Map([
      ['dtype', attr.type(dtype)],
      ['shape', attr.shape(declared)],
    ]);
    signature.inputs.push({ name, tensor, dtype, shape: declared });
  }
  test.outputs.forEach(({ tensor, dtype }, i) => {
    signature.outputs.push({ name: `o${i}`, tensor, dtype, shape: null });
  });
  return { graph, signature };
}

export function convertCase(test: FrozenCase, change: (graph: Graph) => void = () => undefined): TfliteModel {
  const { graph, signature } = graphOf(test);
  change(graph);
  const diagnostics = new Diagnostics();
  const model = convertGraph(graph, { signatures: [signature] }, diagnostics);
  diagnostics.throwIfErrors();
  return model;
}

/** How many operators all subgraphs have, by name. */
export function operatorCounts(model: TfliteModel): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of model.subgraphs.flatMap((g) => g.ops)) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** What is wrong with the results of the converted model; empty when they agree with TensorFlow's. */
export async function faultsOf(test: FrozenCase, model: TfliteModel): Promise<string[]> {
  const inputs = new Map(test.inputs.map((t) => [parseInput(t.tensor).name, tensorOf(t)]));
  const results = await runTflite(joinPieces(writeModel(model)), inputs);
  return test.outputs.flatMap((want, i) => {
    const got = results.get(`o${i}`)!;
    if (String(got.shape) !== String(want.shape))
      return [`o${i} is [${got.shape.join()}], not [${want.shape.join()}]`];
    const worst = Math.max(0, ...want.values.map((v, k) => Math.abs(got.at(k) - Number(v))));
    const size = Math.max(1, ...want.values.map((v) => Math.abs(Number(v))));
    return worst <= 1e-5 * size ? [] : [`o${i} differs by ${worst}`];
  });
}
