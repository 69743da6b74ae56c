/** Pools that have no kernel, out of those over height and width. */
import { attr, isStatic, type Graph, type Node, type Value } from '@floe/export-core';
import { range, reshape, sizeOf, type Size } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

/**
 * A window over three axes is a window over two of one over the third: height and width first, the depth's slices
 * in the batch; then depth, with the rest in one axis. Means of means are right since every window counts a box.
 */
const pool3d =
  (op: 'MaxPool' | 'AvgPool') =>
  (_: Graph, node: Node, b: Rewriter): Value[] | undefined => {
    const [x] = node.inputs;
    const [kBatch, kDepth, kHeight, kWidth, kChannels] = node.ints('ksize');
    const [, sDepth, sHeight, sWidth] = node.ints('strides');
    if (!x.shape || x.shape.length !== 5 || node.string('data_format') !== 'NDHWC') return undefined;
    if (kBatch !== 1 || kChannels !== 1) return undefined;
    const [batch, depth, height, width, channels] = range(5).map((i) => sizeOf(b, x, i));
    const fixed: Size[] = [depth, height, width, channels];
    if (fixed.some((s) => typeof s !== 'number')) return undefined;
    const pooled = (v: Value, window: number[], strides: number[]) =>
      b.op(op, [v], {
        ksize: attr.ints([1, ...window, 1]),
        strides: attr.ints([1, ...strides, 1]),
        padding: attr.string(node.string('padding')),
      });
    const merged = typeof batch === 'number' ? batch * (depth as number) : b.op('Mul', [batch, depth]);
    const flat = pooled(
      reshape(b, x, [merged, height, width, channels]),
      [kHeight, kWidth],
      [sHeight, sWidth],
    );
    const [newHeight, newWidth] = flat.shape!.slice(1, 3) as number[];
    const row = newHeight * newWidth * (channels as number);
    const deep = pooled(reshape(b, flat, [batch, depth, row, 1]), [kDepth, 1], [sDepth, 1]);
    return [reshape(b, deep, [batch, deep.shape![1] as number, newHeight, newWidth, channels])];
  };

/** The values, where nobody asks for the places. */
function withoutArgmax(graph: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const places = node.output(1);
  for (const reader of graph.nodes.values()) if (reader.inputs.includes(places)) return undefined;
  const names = ['ksize', 'strides', 'padding'];
  const max = b.op('MaxPool', [node.inputs[0]], Object.fromEntries(names.map((n) => [n, node.attr(n)!])));
  return [max];
}

/** A window over channels of their number, or over the batch: a reduction. */
function overChannels(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const ksize = node.ints('ksize');
  const strides = node.ints('strides');
  const [x] = node.inputs;
  if (!isStatic(x.shape) || node.string('data_format') !== 'NHWC') return undefined;
  if (ksize.slice(0, 3).some((k) => k !== 1) || strides.slice(0, 3).some((s) => s !== 1)) return undefined;
  const [channels, window] = [x.shape[3], ksize[3]];
  if (window === 1 || strides[3] !== window || channels % window !== 0) return undefined;
  const split = reshape(b, x, [...x.shape.slice(0, 3), channels / window, window]);
  return [b.op(node.op === 'MaxPool' ? 'Max' : 'Mean', [split, [4]])];
}

export const table: RewriteTable = {
  MaxPool3D: pool3d('MaxPool'),
  AvgPool3D: pool3d('AvgPool'),
  MaxPoolWithArgmax: withoutArgmax,
  MaxPool: overChannels,
  AvgPool: overChannels,
};
