/**
 * Random small graphs over the op table, for the property that conversion keeps what a graph computes.
 *
 * A graph is drawn step by step from plain numbers, so that a list with fewer or smaller numbers is a simpler graph:
 * that is what shrinking needs. Each step is evaluated at once, exactly, so that the next ones can stay away from what
 * has no certain result: division by almost nothing, rounding of what is already rounded, numbers beyond all scales.
 */
import {
  attr,
  elementCount,
  Graph,
  opRow,
  Tensor,
  type Attr,
  type DType,
  type Node,
  type Shape,
  type Signature,
  type Value,
} from '@floe/export-core';
import { Rewriter, tensorOf, type Operand } from '../prepare/rewrite';
import { SeededRandom } from '../verify/seeded-random';
import { STEPS } from './random-steps';

/** Numbers that choices are made from; beyond the last each choice is the first. */
export class Choices {
  private next = 0;

  constructor(private readonly numbers: readonly number[]) {}

  below(count: number): number {
    return (this.numbers[this.next++] ?? 0) % count;
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A value of the graph with what it is for the inputs drawn. */
export interface Known {
  value: Value;
  tensor: Tensor;
  /** No rounding on the way to it: every runtime has these very bits. */
  exact: boolean;
}

/** Types of inputs, the usual one most often. */
const INPUT_TYPES: DType[] = [
  ...new Array<DType>(6).fill('float32'),
  'int32',
  'int64',
  'bool',
  'int8',
  'uint8',
  'int16',
];
const MAX_ELEMENTS = 3000;
const MAX_MAGNITUDE = 1e4;

export class RandomGraph {
  readonly graph = new Graph();
  readonly feeds = new Map<string, Tensor>();
  readonly values: Known[] = [];
  /** The largest number anywhere: roundings are relative to it. */
  scale = 1;
  private readonly builder: Rewriter;

  /** @param rows one list of numbers for the inputs, then one a step */
  constructor([first = [], ...rows]: readonly (readonly number[])[]) {
    const c = new Choices(first);
    const inputs = c.between(1, 2);
    for (let i = 0; i < inputs; i++) this.addInput(`x${i}`, c);
    this.builder = new Rewriter(this.graph, this.values[0].value.node);
    for (const row of rows) this.addStep(new Choices(row));
  }

  private addInput(name: string, c: Choices): void {
    const dtype = c.of(INPUT_TYPES);
    const rank = c.of([4, 2, 3, 1, 4, 5]);
    const shape = Array.from({ length: rank }, () => c.of([2, 3, 1, 4, 5]));
    const tensor = random(dtype, shape, c.below(1000));
    const declared: Shape = c.below(3) === 2 ? shape.map((d, i) => (i === 0 ? null : d)) : shape;
    const attrs = { dtype: attr.type(dtype), shape: attr.shape(declared) };
    const value = this.graph.add(name, 'Placeholder', [], attrs).output();
    Object.assign(value, { dtype, shape: declared });
    this.feeds.set(name, tensor);
    this.values.push({ value, tensor, exact: true });
  }

  private addStep(c: Choices): void {
    // Mostly what was made last, so that chains come about: fusions look for those.
    const operand = c.below(4) < 3 ? this.values.at(-1)! : c.of(this.values);
    const steps = STEPS.filter((step) => step.takes(operand));
    if (steps.length) c.of(steps).apply(this, operand, c);
  }

  /** A constant that looks random. */
  constant(dtype: DType, shape: readonly number[], seed: number): Known {
    const tensor = random(dtype, shape, seed);
    return { value: this.builder.const(tensor), tensor, exact: true };
  }

  /** The same of numbers above 0. */
  positive(shape: readonly number[], seed: number): Known {
    const tensor = Tensor.fromNumbers(
      'float32',
      shape,
      random('float32', shape, seed)
        .toNumbers()
        .map((v) => v * v + 0.1),
    );
    return { value: this.builder.const(tensor), tensor, exact: true };
  }

  /** Sizes as a matrix. */
  constantInts(rows: readonly (readonly number[])[]): Tensor {
    return Tensor.fromNumbers('int32', [rows.length, rows[0].length], rows.flat());
  }

  /**
   * Adds a node, unless what it gives is beyond the limits of these graphs.
   *
   * @param exact whether the op itself does not round
   */
  add(
    op: string,
    operands: readonly (Known | Exclude<Operand, Value>)[],
    attrs: Record<string, Attr> = {},
    exact = false,
  ): void {
    const known = operands.filter((o): o is Known => typeof o === 'object' && 'exact' in o);
    const node = this.builder.add(
      op,
      operands.map((o) => (typeof o === 'object' && 'exact' in o ? o.value : o)),
      attrs,
    );
    const inputs = node.inputs.map((v) => known.find((k) => k.value === v)?.tensor ?? v.node.constant!);
    const tensors = evaluated(node, inputs);
    if (!tensors?.every(isModest)) {
      this.graph.remove(new Set([node]));
      return;
    }
    tensors.forEach((tensor, i) => {
      const isExact = exact && known.every((k) => k.exact);
      this.values.push({ value: node.output(i), tensor, exact: isExact });
      if (!/bool|string/.test(tensor.dtype)) this.scale = Math.max(this.scale, largest(tensor));
    });
  }

  /** What nothing reads: together they need every step. */
  outputs(): Known[] {
    const read = new Set([...this.graph.nodes.values()].flatMap((n) => n.inputs));
    const ends = this.values.filter((v) => !read.has(v.value) && v.value.node.op !== 'Placeholder');
    return ends.length ? ends : this.values.slice(-1);
  }

  signature(outputs: readonly Known[]): Signature {
    const placeholders = [...this.graph.nodes.values()].filter((n) => n.op === 'Placeholder');
    return {
      key: 'serving_default',
      inputs: placeholders.map((n) => ({
        name: n.name,
        tensor: `${n.name}:0`,
        dtype: n.output().dtype!,
        shape: n.output().shape ?? null,
      })),
      outputs: outputs.map(({ value, tensor }, i) => ({
        name: `y${i}`,
        tensor: value.name,
        dtype: tensor.dtype,
        shape: null,
      })),
    };
  }

  /** The graph in words, for the message of a test that fails. */
  toString(): string {
    return this.graph.sorted().map(describe).join('\n');
  }
}

/** What a node gives; undefined where TensorFlow would fail: a window that does not fit. */
function evaluated(node: Node, inputs: readonly Tensor[]): Tensor[] | undefined {
  try {
    const tensors = opRow(node.op)!.evaluate!(inputs, node);
    // A batch norm's other outputs are for its gradient.
    return node.op.startsWith('FusedBatchNorm') ? tensors.slice(0, 1) : tensors;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function describe(node: Node): string {
  const output = node.output();
  const value = node.constant && node.constant.size <= 8 ? ` = ${node.constant.toNumbers().join(' ')}` : '';
  const json = (a: unknown) =>
    JSON.stringify(a, (_, v) => (typeof v === 'bigint' ? Number(v) : (v as unknown)));
  const attrs = node.constant ? '' : [...node.attrs].map(([name, a]) => `${name}=${json(a.value)}`).join(' ');
  const inputs = node.inputs.map((v) => v.name).join(', ');
  return `${node.name} ${output.dtype}${json(output.shape)}${value}: ${node.op}(${inputs}) ${attrs}`;
}

/** Small enough, and numbers that float32 arithmetic does not lose. */
function isModest(tensor: Tensor): boolean {
  if (tensor.size === 0 || tensor.size > MAX_ELEMENTS || tensor.shape.length > 6) return false;
  return largest(tensor) <= MAX_MAGNITUDE;
}

function largest(tensor: Tensor): number {
  let max = 0;
  for (let i = 0; i < tensor.size; i++) {
    const size = Math.abs(tensor.at(i));
    if (!(size <= max)) max = size;
    if (Number.isNaN(size)) return Infinity;
  }
  return max;
}

/** Numbers between -2 and 2, integers between -4 and 4. */
function random(dtype: DType, shape: readonly number[], seed: number): Tensor {
  const source = new SeededRandom(seed);
  const low = dtype.startsWith('u') || dtype === 'bool' ? 0 : -4;
  const high = dtype === 'bool' ? 1 : 4;
  const draw = dtype === 'float32' ? () => source.between(-2, 2) : () => source.integer(low, high);
  return tensorOf(dtype, shape, Array.from({ length: elementCount(shape) }, draw));
}
