/**
 * Rounding weights moves the mean of each output channel by (Wq − W) · E[x]: the values of a layer seldom have mean
 * zero, so that errors of single weights do not cancel. The shift is the same for every input, and a bias can take it
 * off at no cost (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019, with
 * E[x] measured instead of derived).
 *
 * Means are of channels, whatever the position: at borders, where padding takes taps away, the shift is that of the
 * middle.
 */
import { floats } from '../fuse/edit';
import type { Quantization, TfliteOp, TfliteTensor } from '../tflite/model';
import { quantizeValues } from './affine';
import { isFloat, isFloatConstant } from './plan';
import { policyOf } from './policy';

/** What a correction reads: means of a tensor whose element i belongs to channel i mod `channels`. */
export interface ReadMeans {
  tensor: TfliteTensor;
  channels: number;
}

/** The means that the bias of an operator can be corrected by; undefined where it has no bias or computed weights. */
export function meansReadBy(op: TfliteOp): ReadMeans | undefined {
  const { weights, bias } = policyOf(op);
  if (!weights?.perChannel || bias === undefined) return undefined;
  const filter = op.inputs[weights.inputs[0]];
  if (!isFloatConstant(filter) || !isFloatConstant(op.inputs[bias])) return undefined;
  const tensor = op.inputs.find((t, i) => isFloat(t) && i !== bias && !weights.inputs.includes(i));
  // A dense layer may read several axes as one.
  const channels = op.code === 'FULLY_CONNECTED' ? filter.shape![1] : tensor?.shape?.at(-1);
  return tensor && channels !== undefined && channels > 0 ? { tensor, channels } : undefined;
}

/** The means that the operators of a model read: by tensor, of how many channels. */
export function meansRead(ops: Iterable<TfliteOp>): Map<TfliteTensor, number> {
  const found = new Map<TfliteTensor, number>();
  for (const op of ops) {
    const read = meansReadBy(op);
    if (read) found.set(read.tensor, leastCommonMultiple(found.get(read.tensor) ?? 1, read.channels));
  }
  return found;
}

/**
 * The bias without the shift that rounding the weights gives each output channel.
 *
 * @param bias of an operator for which `meansReadBy` gives something
 * @param params of the weights
 * @param means of its input; as many as it reads, or a multiple
 */
export function correctedBias(
  op: TfliteOp,
  bias: Float32Array,
  params: Quantization,
  means: readonly number[],
): Float32Array {
  const { channels } = meansReadBy(op) as ReadMeans;
  const { inputs, axis } = policyOf(op).weights!;
  const filter = op.inputs[inputs[0]]!;
  const shape = filter.shape as number[];
  const values = floats(filter)!;
  const rounded = new Int8Array(quantizeValues(values, shape, params, 'INT8').buffer);
  const read = folded(means, channels);
  const shift = new Float64Array(shape[axis!]);
  const { scale } = params;
  const meanOf = op.code === 'DEPTHWISE_CONV_2D' ? depthwise(shape, channels) : dense(shape, channels);
  const inner = shape.slice(axis! + 1).reduce((n, d) => n * d, 1);
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner) % shift.length;
    const error = rounded[i] * scale[scale.length > 1 ? channel : 0] - values[i];
    shift[channel] += error * read[meanOf(i, channel)];
  }
  const share = shareOfTaps(op);
  return bias.map((b, channel) => b - shift[channel] * share);
}

/** Which input channel a weight meets, by its index and its output channel. */
type MeanOf = (i: number, channel: number) => number;

/** Weights end with the channels of their input; where it has more, each group of outputs reads its own. */
function dense(shape: readonly number[], channels: number): MeanOf {
  const last = shape[shape.length - 1];
  const outputsPerGroup = shape[0] / (channels / last);
  return (i, channel) => Math.floor(channel / outputsPerGroup) * last + (i % last);
}

/** Each channel of the input makes as many of the output. */
function depthwise(shape: readonly number[], channels: number): MeanOf {
  const multiplier = shape[shape.length - 1] / channels;
  return (_, channel) => Math.floor(channel / multiplier);
}

/** Of its taps, how many an element of the output sees: strides of a transposed convolution spread them. */
function shareOfTaps({ code, options }: TfliteOp): number {
  if (code !== 'TRANSPOSE_CONV') return 1;
  return 1 / (((options?.stride_h as number) || 1) * ((options?.stride_w as number) || 1));
}

/** Means of `count` channels, of those of a multiple. */
function folded(means: readonly number[], count: number): Float64Array {
  const result = new Float64Array(count);
  means.forEach((mean, i) => (result[i % count] += (mean * count) / means.length));
  return result;
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y ? divisor(y, x % y) : x);
  return (a / divisor(a, b)) * b;
}
