/** Editing a TFLite subgraph: who makes and reads each tensor, kept true while operators are fused and removed. */
import type { ConstBuffer, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';

export class SubgraphEdit {
  private readonly producers: Map<TfliteTensor, TfliteOp>;
  private readonly uses = new Map<TfliteTensor, number>();
  private readonly removed = new Set<TfliteOp>();
  private readonly outputs: Set<TfliteTensor>;
  /** How many changes were made. */
  changes = 0;

  constructor(readonly graph: TfliteSubgraph) {
    this.producers = graph.producers();
    this.outputs = new Set(graph.outputs);
    for (const op of graph.ops) for (const t of op.inputs) if (t) this.count(t, 1);
    for (const t of graph.outputs) this.count(t, 1);
  }

  private count(tensor: TfliteTensor, by: number): void {
    this.uses.set(tensor, (this.uses.get(tensor) ?? 0) + by);
  }

  producer(tensor: TfliteTensor | undefined): TfliteOp | undefined {
    return tensor && this.producers.get(tensor);
  }

  /** Read by exactly one operator and no output of the subgraph. */
  usedOnce(tensor: TfliteTensor): boolean {
    return this.uses.get(tensor) === 1 && !this.outputs.has(tensor);
  }

  isUnused(tensor: TfliteTensor): boolean {
    return !this.uses.get(tensor);
  }

  isOutput(tensor: TfliteTensor): boolean {
    return this.outputs.has(tensor);
  }

  isInput(tensor: TfliteTensor): boolean {
    return this.graph.inputs.includes(tensor);
  }

  isRemoved(op: TfliteOp): boolean {
    return this.removed.has(op);
  }

  /** `first` now gives what `second`, its only reader, gave. */
  absorb(first: TfliteOp, second: TfliteOp): void {
    for (const t of second.inputs) if (t) this.count(t, -1);
    first.outputs = second.outputs;
    for (const t of second.outputs) this.producers.set(t, first);
    this.drop(second);
  }

  setInput(op: TfliteOp, i: number, tensor: TfliteTensor | undefined): void {
    const old = op.inputs[i];
    if (old) this.count(old, -1);
    op.inputs[i] = tensor;
    if (tensor) this.count(tensor, 1);
    this.changes++;
  }

  /** Removes an operator that nobody needs. */
  remove(op: TfliteOp): void {
    for (const t of op.inputs) if (t) this.count(t, -1);
    for (const t of op.outputs) this.producers.delete(t);
    this.drop(op);
  }

  private drop(op: TfliteOp): void {
    this.removed.add(op);
    this.changes++;
  }

  /**
   * Removes an operator that gives its first input unchanged. Its readers then read the input; where its result is an
   * output of the subgraph, the input's own producer gives that output instead. False when neither can be.
   */
  bypass(op: TfliteOp): boolean {
    const source = op.inputs[0] as TfliteTensor;
    const result = op.outputs[0];
    if (!this.isOutput(result)) {
      this.redirect(result, source);
      this.remove(op);
      return true;
    }
    const producer = this.producers.get(source);
    if (!producer || this.isOutput(source)) return false;
    this.remove(op);
    this.redirect(source, result);
    producer.outputs[producer.outputs.indexOf(source)] = result;
    this.producers.delete(source);
    this.producers.set(result, producer);
    return true;
  }

  private redirect(from: TfliteTensor, to: TfliteTensor): void {
    for (const op of this.graph.ops) {
      if (this.removed.has(op)) continue;
      op.inputs.forEach((t, i) => {
        if (t === from) this.setInput(op, i, to);
      });
    }
  }

  /** Applies removals; returns how many changes there were. */
  commit(): number {
    if (this.removed.size) this.graph.ops = this.graph.ops.filter((op) => !this.removed.has(op));
    return this.changes;
  }
}

/** The elements of a float32 constant; undefined for others. */
export function floats(tensor: TfliteTensor | undefined): Float32Array | undefined {
  return tensor?.buffer && tensor.type === 'FLOAT32' ? floatsOf(tensor.buffer.bytes) : undefined;
}

/** Packed float32 elements as an array; a copy only where they are not aligned. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : new Float32Array(Uint8Array.from(bytes).buffer);
}

/** The elements of an int32 constant; undefined for others. */
export function ints(tensor: TfliteTensor | undefined): number[] | undefined {
  if (!tensor?.buffer || tensor.type !== 'INT32') return undefined;
  const view = Buffer.from(
    tensor.buffer.bytes.buffer,
    tensor.buffer.bytes.byteOffset,
    tensor.buffer.bytes.byteLength,
  );
  return Array.from({ length: view.length / 4 }, (_, i) => view.readInt32LE(4 * i));
}

export function bufferOf(data: Float32Array | Int32Array): ConstBuffer {
  return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
