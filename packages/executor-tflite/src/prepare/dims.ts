/** Sizes that may be known only at run time, for rewrites that reshape. */
import { attr, type Attr, type Node, type Value } from '@floe/export-core';
import type { Rewriter } from './rewrite';

/** A size: a number, or an int32 scalar of the graph. */
export type Size = number | Value;

/** Size of an axis; of a shape whose rank is known. */
export function sizeOf(b: Rewriter, x: Value, axis: number): Size {
  return x.shape?.[axis] ?? b.op('StridedSlice', [b.op('Shape', [x]), [axis], [axis + 1], [1]], SHRINK);
}

const SHRINK = { shrink_axis_mask: attr.int(1) };

/** The product of sizes. */
export function product(b: Rewriter, sizes: readonly Size[]): Size {
  const known = sizes.filter((s): s is number => typeof s === 'number').reduce((p, s) => p * s, 1);
  const unknown = sizes.filter((s): s is Value => typeof s !== 'number');
  if (!unknown.length) return known;
  const all = unknown.reduce((p, s) => b.op('Mul', [p, s]));
  return known === 1 ? all : b.op('Mul', [all, known]);
}

/** A RESHAPE to sizes of which any may be unknown. Nothing where the shape is already that. */
export function reshape(b: Rewriter, x: Value, sizes: readonly Size[]): Value {
  const unknown = sizes.filter((s) => typeof s !== 'number').length;
  const known = sizes.map((s) => (typeof s === 'number' ? s : null));
  if (unknown === 0 && x.shape && String(x.shape) === String(known) && x.shape.length === known.length)
    return x;
  // One unknown size follows from the others, but not in an empty tensor.
  const shape =
    unknown <= 1 && !known.includes(0)
      ? b.ints(known.map((s) => s ?? -1))
      : b.op(
          'Pack',
          sizes.map((s) => (typeof s === 'number' ? b.ints(s) : s)),
        );
  const result = b.op('Reshape', [x, shape]);
  result.shape = known;
  return result;
}

/** TRANSPOSE; nothing where the order stays. */
export function transpose(b: Rewriter, x: Value, perm: readonly number[]): Value {
  return perm.every((p, i) => p === i) ? x : b.op('Transpose', [x, perm]);
}

/** The numbers of a constant operand. */
export function numbers(value: Value | undefined): number[] | undefined {
  return value?.node.constant?.toNumbers();
}

export function range(n: number, from = 0): number[] {
  return Array.from({ length: n }, (_, i) => from + i);
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Attributes of a node, for a copy of it. */
export function attrsOf(node: Node): Record<string, Attr> {
  return Object.fromEntries(node.attrs);
}
