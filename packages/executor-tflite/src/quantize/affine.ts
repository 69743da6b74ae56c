/**
 * Affine quantisation: real = scale · (q − zero point).
 *
 * Rules are those of TFLite's quantisation specification: zero is exactly representable, so a range is widened to
 * hold it; weights are symmetric (zero point 0) and do not use their type's lowest value; scales are float32.
 */
import type { Quantization, TensorType } from '../tflite/model';

export interface Range {
  min: number;
  max: number;
}

interface IntegerType {
  min: number;
  max: number;
  bytes: number;
}

/** Integer types that hold quantised values. INT64 is a bias of 16x8 models: 40 bits of it are used by kernels. */
export const INTEGER_TYPES: Readonly<Record<string, IntegerType>> = {
  INT4: { min: -8, max: 7, bytes: 0.5 },
  INT8: { min: -128, max: 127, bytes: 1 },
  UINT8: { min: 0, max: 255, bytes: 1 },
  INT16: { min: -32768, max: 32767, bytes: 2 },
  INT32: { min: -(2 ** 31), max: 2 ** 31 - 1, bytes: 4 },
  INT64: { min: -(2 ** 39), max: 2 ** 39 - 1, bytes: 8 },
};

/** Width of a range that holds nothing but zero: narrow, so that a sum with it keeps the other operand's bits. */
const MIN_WIDTH = 1e-6;
/** Smaller scales vanish in the kernels' float32 arithmetic. */
const MIN_SCALE = 2 ** -100;

/** Parameters of one tensor (not per channel). */
export function perTensor(scale: number, zeroPoint: number): Quantization {
  return { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
}

/** The range with zero in it. */
export function withZero({ min, max }: Range): Range {
  return { min: Math.min(min, 0), max: Math.max(max, 0) };
}

/** The smallest range that holds both; of an absent one the other. */
export function union(a: Range | undefined, b: Range | undefined): Range | undefined {
  if (!a || !b) return a ?? b;
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/**
 * Parameters of an activation with values in `range`: asymmetric for 8 bits, symmetric for 16 (16x8 kernels take
 * zero point 0 only).
 */
export function activationParams(range: Range, type: TensorType): Quantization {
  const { min: low, max: high } = INTEGER_TYPES[type];
  let { min, max } = withZero(range);
  if (max - min === 0) [min, max] = [-MIN_WIDTH / 2, MIN_WIDTH / 2];
  if (type === 'INT16') return perTensor(toScale(Math.max(-min, max) / high), 0);
  const scale = toScale((max - min) / (high - low));
  const zeroPoint = Math.round(low - min / scale);
  return perTensor(scale, Math.max(low, Math.min(high, zeroPoint)));
}

/** A float32 that is no zero. */
function toScale(scale: number): number {
  return Math.fround(Math.max(scale, MIN_SCALE));
}

/** The values that a quantised tensor can hold. */
export function rangeOf({ scale, zeroPoint }: Quantization, type: TensorType): Range {
  const { min, max } = INTEGER_TYPES[type];
  return { min: scale[0] * (min - zeroPoint[0]), max: scale[0] * (max - zeroPoint[0]) };
}

/** How an array is walked channel by channel: element i belongs to channel ⌊i / inner⌋ mod channels. */
interface Channels {
  count: number;
  inner: number;
}

function channelsOf(shape: readonly number[], axis: number): Channels {
  const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  return { count: shape[axis], inner };
}

/** The largest magnitude of each channel. NaN where a channel holds one. */
export function channelMaxima(values: Float32Array, shape: readonly number[], axis: number): Float64Array {
  const { count, inner } = channelsOf(shape, axis);
  const maxima = new Float64Array(count);
  for (let i = 0, c = 0; i < values.length; c = c + 1 === count ? 0 : c + 1) {
    let largest = maxima[c];
    for (const end = i + inner; i < end; i++) {
      const v = Math.abs(values[i]);
      if (v > largest || v !== v) largest = v;
    }
    maxima[c] = largest;
  }
  return maxima;
}

/** Smallest and largest element; NaN in both when one is. */
export function extent(values: ArrayLike<number>): Range {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v !== v) return { min: NaN, max: NaN };
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return values.length ? { min, max } : { min: 0, max: 0 };
}

/**
 * Symmetric parameters of weights. `axis` undefined: one scale for all. A channel of zeros gets the largest scale of
 * the others: its bias is stored in that unit and must neither overflow nor vanish.
 */
export function weightParams(
  values: Float32Array,
  shape: readonly number[],
  axis: number | undefined,
  type: TensorType = 'INT8',
): Quantization {
  const { max: high } = INTEGER_TYPES[type];
  const [sizes, along] = axis === undefined ? [[1, values.length], 0] : [shape, axis];
  const maxima = channelMaxima(values, sizes, along);
  const largest = maxima.reduce((a, b) => Math.max(a, b), 0) || 1;
  const channels = channelsOf(sizes, along);
  const scale = Array.from(maxima, (m, c) =>
    toScale(m === 0 ? largest / high : stepOf(values, channels, c, m, high)),
  );
  return { scale, zeroPoint: scale.map(() => 0), axis: axis ?? 0 };
}

/** Values looked at before a whole channel is. */
const PROBES = 16;
/** Of a step, by which a value may miss it: rounding of float32. */
const STEP_SLACK = 1e-3;

/**
 * The scale of a channel with largest magnitude `m`. Weights that stand on equal steps already (trained with
 * quantisation, or quantised before) keep those steps, and so their exact values; others get the finest that fit.
 */
function stepOf(
  values: Float32Array,
  { count, inner }: Channels,
  channel: number,
  m: number,
  high: number,
): number {
  const each = (f: (v: number) => boolean): boolean => {
    for (let start = channel * inner; start < values.length; start += count * inner)
      for (let i = start; i < start + inner; i++) if (!f(values[i])) return false;
    return true;
  };
  const probes: number[] = [];
  each((v) => v === 0 || probes.push(v) < PROBES);
  for (let k = high; k > 0; k--) {
    const step = m / k;
    const fits = (v: number): boolean => Math.abs(v / step - Math.round(v / step)) < STEP_SLACK;
    if (probes.every(fits) && each(fits)) return step;
  }
  return m / high;
}

/** The largest magnitude a bias may have as an integer: half the type's, the other half is for the sum. */
const MAX_BIAS: Record<string, number> = { INT32: 2 ** 30, INT64: 2 ** 38 };

/**
 * The scale of a bias is that of its products, input · weights, whatever its values are. Where a bias does not fit
 * into the type so, the channel's weights get a coarser scale: given back are weights' scales with which it does.
 */
export function fitBias(
  bias: Float32Array,
  inputScale: number,
  weights: Quantization,
  type: TensorType,
): Quantization {
  const limit = MAX_BIAS[type];
  const needed = (b: number): number => Math.abs(b) / limit / inputScale;
  if (weights.scale.length === 1) {
    const most = bias.reduce((m, b) => Math.max(m, needed(b)), 0);
    return most > weights.scale[0] ? { ...weights, scale: [Math.fround(most)] } : weights;
  }
  const scale = weights.scale.map((s, c) => (needed(bias[c]) > s ? Math.fround(needed(bias[c])) : s));
  return { ...weights, scale };
}

/** Parameters of a bias. */
export function biasParams(inputScale: number, weights: Quantization): Quantization {
  const scale = weights.scale.map((s) => Math.fround(inputScale * s));
  return { scale, zeroPoint: scale.map(() => 0), axis: 0 };
}

/** Quantised values as the elements of a tensor of `type`. NaN becomes the zero point. */
export function quantizeValues(
  values: ArrayLike<number>,
  shape: readonly number[],
  { scale, zeroPoint, axis }: Quantization,
  type: TensorType,
): Uint8Array {
  const { min, max } = INTEGER_TYPES[type];
  const out = arrayFor(type, values.length);
  const { count, inner } = scale.length > 1 ? channelsOf(shape, axis) : { count: 1, inner: values.length };
  for (let i = 0, c = 0; i < values.length; c = c + 1 === count ? 0 : c + 1) {
    const s = scale[c];
    const z = zeroPoint[c];
    for (const end = i + inner; i < end; i++) {
      const x = values[i] / s;
      // Half away from zero, as TFLite's kernels and converter round; from the number of halves, because asking for
      // the sign costs more: nobody can predict it.
      const halves = Math.trunc(2 * x);
      const q = halves - Math.trunc(halves / 2) + z;
      if (q === q) out[i] = q > max ? max : q < min ? min : q;
      else out[i] = x === x ? (x > 0 ? max : min) : z;
    }
  }
  return pack(out, type);
}

/** The real values of quantised elements. */
export function dequantizeValues(
  elements: ArrayLike<number>,
  shape: readonly number[],
  { scale, zeroPoint, axis }: Quantization,
): Float32Array {
  const { count, inner } = scale.length > 1 ? channelsOf(shape, axis) : { count: 1, inner: elements.length };
  const out = new Float32Array(elements.length);
  for (let i = 0; i < out.length; i++) {
    const c = Math.floor(i / inner) % count;
    out[i] = scale[c] * (elements[i] - zeroPoint[c]);
  }
  return out;
}

function arrayFor(type: TensorType, length: number): { [i: number]: number; length: number } {
  switch (type) {
    case 'INT8':
    case 'INT4':
      return new Int8Array(length);
    case 'UINT8':
      return new Uint8Array(length);
    case 'INT16':
      return new Int16Array(length);
    case 'INT32':
      return new Int32Array(length);
    default:
      return new Float64Array(length);
  }
}

function pack(values: { [i: number]: number; length: number }, type: TensorType): Uint8Array {
  if (type === 'INT64') {
    const wide = BigInt64Array.from(values as Float64Array as unknown as number[], (v: number) => BigInt(v));
    return new Uint8Array(wide.buffer);
  }
  if (type !== 'INT4') return new Uint8Array((values as Int8Array).buffer);
  // Two in a byte, the first in the lower half.
  const out = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) out[i >> 1] |= (values[i] & 15) << (4 * (i & 1));
  return out;
}
