/** Editing a TFLite subgraph: who makes and reads each tensor, kept true while operators are fused and removed. */
import { TfliteTensor, type ConstBuffer, type TfliteOp, type TfliteSubgraph } from '../tflite/model';

export class SubgraphEdit {
  private readonly producers: Map<TfliteTensor, TfliteOp>;
  /** How often each operator reads each tensor. */
  private readonly readers = new Map<TfliteTensor, Map<TfliteOp, number>>();
  private readonly removed = new Set<TfliteOp>();
  private readonly inserted = new Map<TfliteOp, TfliteOp>();
  private readonly inputs: Set<TfliteTensor>;
  private readonly outputs: Set<TfliteTensor>;
  /** How many changes were made. */
  changes = 0;

  constructor(readonly graph: TfliteSubgraph) {
    this.producers = graph.producers();
    this.inputs = new Set(graph.inputs);
    this.outputs = new Set(graph.outputs);
    for (const op of graph.ops) for (const t of op.inputs) if (t) this.count(t, op, 1);
  }

  private count(tensor: TfliteTensor, op: TfliteOp, by: number): void {
    let readers = this.readers.get(tensor);
    if (!readers) this.readers.set(tensor, (readers = new Map()));
    const n = (readers.get(op) ?? 0) + by;
    if (n) readers.set(op, n);
    else readers.delete(op);
  }

  producer(tensor: TfliteTensor | undefined): TfliteOp | undefined {
    return tensor && this.producers.get(tensor);
  }

  /** The operator that makes a tensor, where it is of that kind and ends in no activation. */
  plain(tensor: TfliteTensor | undefined, ...codes: string[]): TfliteOp | undefined {
    const op = this.producer(tensor);
    return op && codes.includes(op.code) && !activationOf(op) ? op : undefined;
  }

  /** Read by exactly one operator, once, and no output of the subgraph. */
  usedOnce(tensor: TfliteTensor): boolean {
    const readers = [...(this.readers.get(tensor)?.values() ?? [])];
    return readers.length === 1 && readers[0] === 1 && !this.outputs.has(tensor);
  }

  /** The operators that read a tensor. */
  readersOf(tensor: TfliteTensor): TfliteOp[] {
    return [...(this.readers.get(tensor)?.keys() ?? [])];
  }

  isUnused(tensor: TfliteTensor): boolean {
    return !this.readers.get(tensor)?.size && !this.outputs.has(tensor);
  }

  isOutput(tensor: TfliteTensor): boolean {
    return this.outputs.has(tensor);
  }

  isInput(tensor: TfliteTensor): boolean {
    return this.inputs.has(tensor);
  }

  isRemoved(op: TfliteOp): boolean {
    return this.removed.has(op);
  }

  /** `first` now gives what `second`, its only reader, gave. */
  absorb(first: TfliteOp, second: TfliteOp): void {
    for (const t of second.inputs) if (t) this.count(t, second, -1);
    first.outputs = second.outputs;
    for (const t of second.outputs) this.producers.set(t, first);
    this.drop(second);
  }

  setInput(op: TfliteOp, i: number, tensor: TfliteTensor | undefined): void {
    const old = op.inputs[i];
    if (old) this.count(old, op, -1);
    op.inputs[i] = tensor;
    if (tensor) this.count(tensor, op, 1);
    this.changes++;
  }

  /** The operator makes its results in another way now. */
  become(
    op: TfliteOp,
    code: string,
    inputs: (TfliteTensor | undefined)[],
    options?: TfliteOp['options'],
  ): void {
    for (const t of op.inputs) if (t) this.count(t, op, -1);
    op.code = code;
    op.inputs = inputs;
    op.options = options;
    for (const t of inputs) if (t) this.count(t, op, 1);
    this.changes++;
  }

  /** The operator makes this tensor as its only result. */
  setOutput(op: TfliteOp, tensor: TfliteTensor): void {
    op.outputs = [tensor];
    this.producers.set(tensor, op);
    this.changes++;
  }

  /** Adds an operator that reads what `op` makes; `op` then no longer makes the new one's results. */
  insertAfter(op: TfliteOp, made: TfliteOp): void {
    made.source = op.source;
    for (const t of made.inputs) if (t) this.count(t, made, 1);
    for (const t of made.outputs) this.producers.set(t, made);
    this.inserted.set(op, made);
    this.changes++;
  }

  /** Removes an operator that nobody needs. */
  remove(op: TfliteOp): void {
    for (const t of op.inputs) if (t) this.count(t, op, -1);
    for (const t of op.outputs) if (this.producers.get(t) === op) this.producers.delete(t);
    this.drop(op);
  }

  private drop(op: TfliteOp): void {
    this.removed.add(op);
    this.changes++;
  }

  /**
   * Removes an operator that gives its input `i` unchanged. Its readers then read the input; where its result is an
   * output of the subgraph, the input's own producer gives that output instead. False when neither can be.
   */
  bypass(op: TfliteOp, i = 0): boolean {
    const source = op.inputs[i] as TfliteTensor;
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

  /** Whoever reads the first tensor reads the second. */
  redirect(from: TfliteTensor, to: TfliteTensor): void {
    for (const op of this.readersOf(from)) {
      op.inputs.forEach((t, i) => {
        if (t === from) this.setInput(op, i, to);
      });
    }
  }

  /** Applies removals and insertions; returns how many changes there were. */
  commit(): number {
    if (this.inserted.size || this.removed.size) {
      this.graph.ops = this.graph.ops
        .flatMap((op) => (this.inserted.has(op) ? [op, this.inserted.get(op)!] : op))
        .filter((op) => !this.removed.has(op));
    }
    return this.changes;
  }
}

/** The activation an operator ends in; undefined for none. */
export function activationOf(op: TfliteOp): string | undefined {
  const activation = op.options?.fused_activation_function;
  return activation === undefined || activation === 'NONE' ? undefined : String(activation);
}

/** A value of options, shapes and the like as text, to compare it with others. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));
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

/** A constant of small numbers: sizes, axes, permutations. */
export function intConstant(name: string, values: readonly number[]): TfliteTensor {
  const tensor = new TfliteTensor(name, 'INT32', [values.length]);
  tensor.buffer = bufferOf(Int32Array.from(values));
  return tensor;
}

export function bufferOf(data: Float32Array | Int32Array): ConstBuffer {
  return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
