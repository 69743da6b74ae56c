/**
 * Copies of a .tflite file that the wasm runtime can run: it cannot resize inputs, nor hand out tensors whose size
 * only a run can tell.
 */
import { ByteBuffer } from 'flatbuffers';
import { fieldPosition, rootPosition } from '../tflite/flatbuffer';
import { TfliteOp, TfliteTensor, type TfliteModel, type TfliteSignature } from '../tflite/model';
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
    return Buffer.concat(writeModel(model));
  } finally {
    changed.forEach(([tensor], i) => (tensor.shape = before[i]));
  }
}

/** The file with the given input shapes and a RESHAPE behind each named output. */
export function withOutputShapes(
  bytes: Uint8Array,
  key: string,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  outputShapes: ReadonlyMap<string, readonly number[]>,
): Uint8Array {
  const model = readModel(bytes, 'the model');
  const [main] = model.subgraphs;
  const signature = model.signatures.find((s) => s.key === key);
  const graph = signature?.subgraph ?? main;
  const named = (tensors: TfliteTensor[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
  for (const { name, tensor } of signature?.inputs ?? named(graph.inputs)) {
    const shape = inputShapes.get(name);
    if (shape) tensor.shape = [...shape];
  }
  for (const output of signature?.outputs ?? named(graph.outputs)) {
    const shape = outputShapes.get(output.name);
    if (!shape) continue;
    const { tensor } = output;
    const fixed = new TfliteTensor(output.name, tensor.type, shape);
    fixed.quantization = tensor.quantization;
    const sizes = new TfliteTensor(`${output.name}/shape`, 'INT32', [shape.length]);
    sizes.buffer = { bytes: new Uint8Array(Int32Array.from(shape).buffer) };
    graph.ops.push(
      new TfliteOp('RESHAPE', [tensor, sizes], [fixed], { type: 'ReshapeOptions', new_shape: [...shape] }),
    );
    output.tensor = fixed;
    graph.outputs = graph.outputs.map((t) => (t === tensor ? fixed : t));
  }
  return Buffer.concat(writeModel(model));
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
