/** Pools that have no kernel, out of those over height and width. */
import { attr, isStatic, Tensor, type Graph, type Node, type Value } from '@floe/export-core';
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

/** Largest window whose elements are compared one slice each. */
const MAX_WINDOW = 64;

/**
 * The values by MAX_POOL_2D, or, where the places are asked for, by a reduction over the window's elements: slice k
 * holds element k of every window, so ARG_MAX gives k, and k gives the place.
 */
function withArgmax(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const [x] = node.inputs;
  const [, kHeight, kWidth] = node.ints('ksize');
  const [, sHeight, sWidth] = node.ints('strides');
  const padding = node.attr('padding')!;
  const window = { ksize: node.attr('ksize')!, strides: node.attr('strides')!, padding };
  const max = b.op('MaxPool', [x], window);
  if (!b.isUsed(node.output(1))) return [max];
  const { shape } = max;
  if (!isStatic(x.shape) || !isStatic(shape) || kHeight * kWidth > MAX_WINDOW || x.dtype !== 'float32')
    return undefined;
  const [batch, height, width, channels] = x.shape;
  const [, rows, columns] = shape;
  const before = (size: number, out: number, stride: number, k: number) =>
    node.string('padding') === 'SAME' ? Math.floor(Math.max(0, (out - 1) * stride + k - size) / 2) : 0;
  const top = before(height, rows, sHeight, kHeight);
  const left = before(width, columns, sWidth, kWidth);
  const bottom = Math.max(0, (rows - 1) * sHeight + kHeight - top - height);
  const right = Math.max(0, (columns - 1) * sWidth + kWidth - left - width);
  const pads = [0, 0, top, bottom, left, right, 0, 0];
  const lowest = b.scalar(x, -Infinity);
  const padded = pads.some((p) => p > 0)
    ? b.op('PadV2', [x, Tensor.fromNumbers('int32', [4, 2], pads), lowest])
    : x;
  const slices = range(kHeight * kWidth).map((k) => {
    const [i, j] = [Math.floor(k / kWidth), k % kWidth];
    const end = [batch, i + (rows - 1) * sHeight + 1, j + (columns - 1) * sWidth + 1, channels];
    return b.op('StridedSlice', [padded, [0, i, j, 0], end, [1, sHeight, sWidth, 1]]);
  });
  const places = b.op('ArgMax', [b.op('Pack', slices, { axis: attr.int(4) }), b.ints(4)], {
    output_type: attr.type('int32'),
  });
  // Place of element k: that of the window's corner, plus k's row and column.
  const origins = new Int32Array(rows * columns * channels * batch);
  const perBatch = node.bool('include_batch_in_index') ? height * width * channels : 0;
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        for (let c = 0; c < channels; c++)
          origins[at++] = n * perBatch + ((i * sHeight - top) * width + j * sWidth - left) * channels + c;
  const offsets = range(kHeight * kWidth).map(
    (k) => (Math.floor(k / kWidth) * width + (k % kWidth)) * channels,
  );
  const offset = b.op('GatherV2', [b.ints(offsets), places, b.ints(0)]);
  const index = b.op('AddV2', [offset, Tensor.fromArray('int32', shape, origins)]);
  return [max, b.cast(index, node.type('Targmax'))];
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
  MaxPoolWithArgmax: withArgmax,
  MaxPool: overChannels,
  AvgPool: overChannels,
};
