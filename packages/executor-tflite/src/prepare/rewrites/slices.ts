/** Slices of kinds that the kernels do not take. */
import { attr, type Node, type Value } from '@floe/export-core';
import { attrsOf, axisOf, numbers, product, range, reshape, sizeOf } from '../dims';
import type { Rewrite, Rewriter, RewriteTable } from '../rewrite';

/** UNPACK has fewer types than slicing. */
function unpackBySlices(_: unknown, node: Node, b: Rewriter): Value[] | undefined {
  const [x] = node.inputs;
  if (x.dtype !== 'int64' || !x.shape) return undefined;
  const rank = x.shape.length;
  const axis = axisOf(node.int('axis'), rank);
  return range(node.int('num')).map((i) => {
    const at = (n: number) => range(rank).map((k) => (k === axis ? n : 0));
    const all = attr.int((2 ** rank - 1) & ~(1 << axis));
    const masks = { begin_mask: all, end_mask: all, shrink_axis_mask: attr.int(1 << axis) };
    return b.op('StridedSlice', [x, at(i), at(i + 1), range(rank).map(() => 1)], masks);
  });
}

/** Masks of one bit an entry. */
const MASKS = ['begin_mask', 'end_mask', 'new_axis_mask', 'shrink_axis_mask'];

/** `x[..., :n]` of computed bounds where `...` stands for no axis: the kernel then takes the entry for one. */
function withoutEllipsis(b: Rewriter, [x, ...bounds]: Value[], node: Node): Value | undefined {
  const at = Math.log2(node.int('ellipsis_mask'));
  const count = bounds.map((v) => v.shape?.[0]).find((n) => typeof n === 'number');
  // Lowering writes out constant ones.
  if (!Number.isInteger(at) || !x.shape || count === undefined || bounds.every((v) => v.node.constant))
    return undefined;
  const bit = (mask: string, i: number) => (node.int(mask) >> i) & 1;
  const others = range(count).filter((i) => i !== at);
  if (x.shape.length > others.filter((i) => !bit('new_axis_mask', i)).length) return undefined;
  const left = bounds.map((v) => {
    const list = numbers(v);
    if (list) return b.ints(others.map((i) => list[i]));
    const packed = v.node.op === 'Pack' ? v.node.inputs : undefined;
    return packed
      ? b.op(
          'Pack',
          others.map((i) => packed[i]),
        )
      : b.op('GatherV2', [v, b.ints(others), 0]);
  });
  const masks = MASKS.map((mask) => [
    mask,
    attr.int(others.reduce((bits, from, i) => bits | (bit(mask, from) << i), 0)),
  ]);
  const index = bounds.find((v) => !v.node.constant)!.dtype ?? 'int32';
  return b.op('StridedSlice', [x, ...left.map((v) => b.cast(v, index))], {
    ...attrsOf(node),
    ...Object.fromEntries(masks),
    ellipsis_mask: attr.int(0),
  });
}

/** What STRIDED_SLICE takes. */
const MAX_SLICED = 5;

/** A slice of a tensor of more axes than the kernel takes: those that stay whole are one meanwhile. */
function slicedFlat(b: Rewriter, [x, begin, end, strides]: Value[], node: Node): Value | undefined {
  const named = begin.shape?.[0];
  const after = node.output().shape;
  if (!x.shape || x.shape.length <= MAX_SLICED || !after || named == null || named >= MAX_SLICED)
    return undefined;
  if (node.int('ellipsis_mask') || node.int('new_axis_mask')) return undefined;
  const sizes = x.shape.map((_, i) => sizeOf(b, x, i));
  const whole = sizes.slice(named);
  const flat = reshape(b, x, [...sizes.slice(0, named), product(b, whole)]);
  const part = b.op('StridedSlice', [flat, begin, end, strides], attrsOf(node));
  const first = range(after.length - whole.length).map((i) => sizeOf(b, part, i));
  return reshape(b, part, [...first, ...whole]);
}

/** The first that applies. */
const stridedSlice: Rewrite = (_, node, b) => {
  const value = withoutEllipsis(b, node.inputs, node) ?? slicedFlat(b, node.inputs, node);
  return value && [value];
};

export const table: RewriteTable = {
  Unpack: unpackBySlices,
  StridedSlice: stridedSlice,
};
