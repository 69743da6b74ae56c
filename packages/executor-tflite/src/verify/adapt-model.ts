/**
 * Copies of a .tflite file that the wasm runtime can run: it cannot resize inputs, nor hand out tensors whose size
 * only a run can tell.
 */
import { ByteBuffer } from 'flatbuffers';
import { joinPieces } from '@floe/export-core';
import { fieldPosition, rootPosition } from '../tflite/flatbuffer';
import {
  TfliteOp,
  TfliteTensor,
  type TfliteModel,
  type TfliteSignature,
  type TfliteSubgraph,
} from '../tflite/model';
import { readModel } from '../tflite/read';
import { tableFields } from '../tflite/schema';
import { writeModel } from '../tflite/write';

/**
 * The file with the given shapes for a signature's inputs. Where the ranks are those of the file, only the sizes are
 * overwritten in a copy; a tensor of unknown rank has no place for them, so the file is written anew.
 */
export function resizeInputs(
  bytes: Uint8Array,
  model: TfliteModel,
  signature: TfliteSignature | undefined,
  shapes: ReadonlyMap<TfliteTensor, readonly number[]>,
): Uint8Array {
  const changed = [...shapes].filter(([tensor, shape]) => !equal(tensor.shape, shape));
  if (!changed.length) return bytes;
  if (changed.every(([tensor, shape]) => tensor.shape?.length === shape.length)) {
    const graph = signature?.subgraph ?? model.subgraphs[0];
    const at = new Map(graph.inputs.map((tensor, i) => [tensor, i]));
    const copy = Uint8Array.from(bytes);
    const positions = changed.map(([tensor, shape]) => ({ input: at.get(tensor), shape }));
    if (positions.every((p) => p.input !== undefined)) {
      for (const { input, shape } of positions)
        overwriteShape(copy, model.subgraphs.indexOf(graph), input!, shape);
      return copy;
    }
  }
  const before = changed.map(([tensor]) => tensor.shape);
  changed.forEach(([tensor, shape]) => (tensor.shape = [...shape]));
  try {
    return joinPieces(writeModel(model));
  } finally {
    changed.forEach(([tensor], i) => (tensor.shape = before[i]));
  }
}

/** What a copy hands out instead of an output that is sized at run time. */
export type Exposure =
  | { as: 'nothing' }
  | { as: 'rank' }
  | { as: 'shape'; rank: number }
  | { as: 'value'; shape: readonly number[] };

/** The name under which a value's real shape is handed out beside it (for scalars the rank). */
export function shapeName(output: string): string {
  return `${output}/shape at run time`;
}

/**
 * The file with the given input shapes, where each named output is replaced by its rank, its shape, or its value with
 * its shape, in tensors that are laid out beforehand. Only the signature's graph has outputs in it.
 */
export function exposeOutputs(
  bytes: Uint8Array,
  key: string,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  exposures: ReadonlyMap<string, Exposure>,
): Uint8Array {
  const model = readModel(bytes, 'the model');
  const signature = model.signatures.find((s) => s.key === key) ?? unnamedSignature(model);
  const graph = signature.subgraph;
  for (const { name, tensor } of signature.inputs) {
    const shape = inputShapes.get(name);
    if (shape) tensor.shape = [...shape];
  }
  signature.outputs = signature.outputs.flatMap(({ name, tensor }) => {
    const exposure = exposures.get(name);
    switch (exposure?.as) {
      case undefined:
        return [{ name, tensor }];
      case 'nothing':
        return [];
      case 'rank':
        return [{ name, tensor: reshaped(graph, derived(graph, 'RANK', tensor, []), []) }];
      case 'shape': {
        const rank = [exposure.rank];
        return [{ name, tensor: reshaped(graph, derived(graph, 'SHAPE', tensor, rank), rank) }];
      }
      case 'value': {
        const { shape } = exposure;
        const value = { name, tensor: reshaped(graph, tensor, shape) };
        // A scalar's shape has no elements, which the runtime does not take: its rank says as much.
        const rank = shape.length ? [shape.length] : [];
        const sizes = derived(graph, shape.length ? 'SHAPE' : 'RANK', tensor, rank);
        return [value, { name: shapeName(name), tensor: reshaped(graph, sizes, rank) }];
      }
    }
  });
  graph.outputs = signature.outputs.map((o) => o.tensor);
  return joinPieces(writeModel(model));
}

/** RANK or SHAPE of a tensor. */
function derived(
  graph: TfliteSubgraph,
  code: 'RANK' | 'SHAPE',
  tensor: TfliteTensor,
  shape: readonly number[],
): TfliteTensor {
  const result = new TfliteTensor(`${tensor.name}/${code}`, 'INT32', shape);
  const options = code === 'RANK' ? { type: 'RankOptions' } : { type: 'ShapeOptions', out_type: 'INT32' };
  graph.ops.push(new TfliteOp(code, [tensor], [result], options));
  return result;
}

/**
 * A copy that is laid out beforehand, whatever it reads: RESHAPE to a constant shape, which fails if the elements are
 * not as many. RESHAPE of what the runtime computes ahead of the run (SHAPE, say) is done ahead too, and
 * elsewhere; the larger of a value and itself is not.
 */
function reshaped(graph: TfliteSubgraph, tensor: TfliteTensor, shape: readonly number[]): TfliteTensor {
  const result = new TfliteTensor(`${tensor.name}/copy`, tensor.type, shape);
  result.quantization = tensor.quantization;
  const options = { type: 'ReshapeOptions', new_shape: [...shape] };
  // A shape without elements would not count as a constant: for scalars the options say it alone.
  const inputs = shape.length ? [tensor, sizesOf(tensor, shape)] : [tensor];
  graph.ops.push(new TfliteOp('RESHAPE', inputs, [result], options));
  if (!FOLDED_TYPES.has(tensor.type) || tensor.quantization) return result;
  const same = new TfliteTensor(`${tensor.name}/value`, tensor.type, shape);
  graph.ops.push(new TfliteOp('MAXIMUM', [result, result], [same], { type: 'MaximumMinimumOptions' }));
  return same;
}

/** Types of the values that the runtime computes ahead of the run: sizes. */
const FOLDED_TYPES: ReadonlySet<string> = new Set(['INT32', 'INT64']);

function sizesOf(tensor: TfliteTensor, shape: readonly number[]): TfliteTensor {
  const sizes = new TfliteTensor(`${tensor.name}/sizes`, 'INT32', [shape.length]);
  sizes.buffer = { bytes: new Uint8Array(Int32Array.from(shape).buffer) };
  return sizes;
}

/** The signature of a model that has none: its main graph, with its tensors' names. Added to the model. */
function unnamedSignature(model: TfliteModel): TfliteSignature {
  const [subgraph] = model.subgraphs;
  const named = (tensors: TfliteTensor[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
  const signature = { key: '', subgraph, inputs: named(subgraph.inputs), outputs: named(subgraph.outputs) };
  model.signatures.push(signature);
  return signature;
}

/** Overwrites the sizes of an input's tensor, in `shape` and in `shape_signature`. */
function overwriteShape(bytes: Uint8Array, subgraph: number, input: number, shape: readonly number[]): void {
  const bb = new ByteBuffer(bytes);
  const field = (table: string, name: string, position: number): number =>
    fieldPosition(bb, position, tableFields(table).find((f) => f.name === name)!.slot);
  const follow = (at: number): number => at + bb.readUint32(at);
  const item = (vector: number, i: number): number => follow(vector + 4 + 4 * i);
  const graph = item(follow(field('Model', 'subgraphs', rootPosition(bb))), subgraph);
  const index = bb.readInt32(follow(field('SubGraph', 'inputs', graph)) + 4 + 4 * input);
  const tensor = item(follow(field('SubGraph', 'tensors', graph)), index);
  for (const name of ['shape', 'shape_signature']) {
    const at = field('Tensor', name, tensor);
    if (!at) continue;
    const vector = follow(at);
    if (bb.readUint32(vector) !== shape.length) continue;
    shape.forEach((d, i) => bb.writeInt32(vector + 4 + 4 * i, d));
  }
}

function equal(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && a.every((d, i) => d === b[i]);
}
