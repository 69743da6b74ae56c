/** Windows that slide over images: data formats, paddings and output sizes of convolution and pooling. */
import type { Node } from '../../graph/graph';
import type { InferContext } from '../op-row';
import { refuse, upTo } from './shape-rules';
import { transposeTensor } from './cells';
import type { Dim } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';

/** Where a data format keeps its dimensions. */
export interface Format {
  name: string;
  rank: number;
  batch: number;
  channels: number;
  spatial: number[];
}

/** The node's data format; `spatial` is 2 or 3. */
export function formatOf(node: Node, spatial: number): Format {
  const attr = node.attr('data_format');
  const name =
    attr?.kind === 'string' ? Buffer.from(attr.value).toString() : spatial === 2 ? 'NHWC' : 'NDHWC';
  const rank = spatial + 2 + (name === 'NCHW_VECT_C' ? 1 : 0);
  const channelsFirst = name.startsWith('NC');
  return {
    name,
    rank,
    batch: 0,
    channels: channelsFirst ? 1 : spatial + 1,
    spatial: upTo(spatial).map((i) => i + (channelsFirst ? 2 : 1)),
  };
}

/** Elements of a list attribute that belong to the spatial dimensions (ones where the list is empty). */
export const spatialInts = (list: readonly number[], format: Format): number[] =>
  format.spatial.map((d) => list[d] ?? 1);

/** The kind of padding and, for EXPLICIT, (before, after) of each spatial dimension. */
export interface Padding {
  kind: string;
  explicit: [number, number][];
}

export function paddingOf(node: Node, format: Format): Padding {
  const kind = node.string('padding');
  const list = kind === 'EXPLICIT' ? node.ints('explicit_paddings') : [];
  return { kind, explicit: format.spatial.map((d) => [list[2 * d] ?? 0, list[2 * d + 1] ?? 0]) };
}

/** Size of one output dimension; `fail` is called when the window does not fit at all. */
export function windowSize(
  input: Dim,
  window: Dim,
  stride: number,
  dilation: number,
  padding: Padding,
  axis: number,
  fail: (message: string) => never,
): Dim {
  if (input === null) return null;
  if (padding.kind === 'SAME') return Math.ceil(input / stride);
  if (window === null) return null;
  const [before, after] = padding.explicit[axis];
  const room = input + before + after - ((window - 1) * dilation + 1);
  if (room + stride < 0) fail(`a window of ${window} does not fit a dimension of ${input}`);
  return Math.floor((room + stride) / stride);
}

/** Padding before the first element of one dimension. */
export function padBefore(
  input: number,
  output: number,
  window: number,
  stride: number,
  dilation: number,
  padding: Padding,
  axis: number,
): number {
  if (padding.kind !== 'SAME') return padding.explicit[axis][0];
  return Math.max(0, (output - 1) * stride + (window - 1) * dilation + 1 - input) >> 1;
}

/** Output sizes of all spatial dimensions. */
export function windowSizes(
  c: InferContext,
  input: readonly Dim[],
  window: readonly Dim[],
  strides: readonly number[],
  dilations: readonly number[],
  padding: Padding,
): Dim[] {
  return input.map((d, i) =>
    windowSize(d, window[i], strides[i], dilations[i], padding, i, (m) => c.fail(m)),
  );
}

/** The same for known sizes at run time. */
export function runSizes(
  input: readonly number[],
  window: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  padding: Padding,
): number[] {
  return input.map((d, i) => {
    const n = windowSize(d, window[i], strides[i], dilations[i], padding, i, refuse) as number;
    return n < 0 ? refuse(`a window of ${window[i]} does not fit a dimension of ${d}`) : n;
  });
}

/** A shape from its parts in a data format. */
export function inFormat<T extends Dim>(format: Format, batch: T, spatial: readonly T[], channels: T): T[] {
  const shape = new Array<T>(spatial.length + 2);
  shape[format.batch] = batch;
  shape[format.channels] = channels;
  format.spatial.forEach((d, i) => (shape[d] = spatial[i]));
  return shape;
}

/** The tensor with its channels last. */
export function channelsLast(x: Tensor, format: Format): Tensor {
  if (x.shape.length !== format.rank || format.name === 'NCHW_VECT_C') refuse(`no kernel for ${format.name}`);
  return format.channels === 1 ? transposeTensor(x, [0, ...format.spatial, 1]) : x;
}

/** A channels-last tensor in the format. */
export function toFormat(x: Tensor, format: Format): Tensor {
  if (format.channels !== 1) return x;
  return transposeTensor(x, [0, x.shape.length - 1, ...format.spatial.map((d) => d - 1)]);
}
