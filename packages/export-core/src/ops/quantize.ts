/**
 * Quantisation that is simulated in float, and conversions between float and quantised dtypes. All arithmetic is
 * float32 (or the operand's dtype), rounded step by step as in TensorFlow's kernels.
 */
import { roundHalfEven } from '../bytes/half';
import type { Node } from '../graph/graph';
import { arrayType, dtypeKind, type DType } from '../tensor/dtype';
import { elementCount, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { merged, unchanged } from './elementwise-shapes';
import {
  floatArray,
  floatsOf,
  fromFloats,
  noKernel,
  rounder,
  type FloatArray,
  type NumberArray,
} from './kernels/elementwise';
import { dimsOfRank, inferAxis, mergeDims, out, rankAtLeast, refuse } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable } from './op-row';

const f32 = Math.fround;

/** Half away from zero, C's round. */
const roundAway = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
const roundEven = (x: number) => (Number.isFinite(x) ? Math.sign(x) * roundHalfEven(Math.abs(x)) : x);

/** Calls `f` for each slice along `axis` (all of it for -1) with the indices of its elements. */
function forSlices(
  shape: readonly number[],
  axis: number,
  f: (slice: number, indices: Iterable<number>) => void,
): void {
  const count = axis < 0 ? 1 : shape[axis];
  const inner = axis < 0 ? elementCount(shape) : elementCount(shape.slice(axis + 1));
  const outer = axis < 0 ? 1 : elementCount(shape.slice(0, axis));
  for (let s = 0; s < count; s++) {
    f(
      s,
      (function* () {
        for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) yield (o * count + s) * inner + i;
      })(),
    );
  }
}

/** A float range moved so that zero is exactly one of its steps. */
interface Nudged {
  min: number;
  max: number;
  scale: number;
}

function nudge(min: number, max: number, least: number, most: number): Nudged {
  const scale = f32(f32(max - min) / (most - least));
  const fromMin = f32(least - f32(min / scale));
  const zero = fromMin < least ? least : fromMin > most ? most : roundAway(fromMin);
  return { min: f32((least - zero) * scale), max: f32((most - zero) * scale), scale };
}

/** Rounds `x[indices]` to the steps of a range. */
function fakeQuantise(x: FloatArray, result: FloatArray, indices: Iterable<number>, range: Nudged): void {
  const inverse = f32(1 / range.scale);
  const zero = Math.floor(f32(f32(-range.min * inverse) + 0.5));
  for (const i of indices) {
    const clamped = Math.max(Math.min(x[i], range.max), range.min);
    const step = Math.floor(f32(f32(f32(f32(clamped - range.min) * inverse) - zero) + 0.5));
    result[i] = step * range.scale;
  }
}

function fakeQuant(
  x: Tensor,
  min: ArrayLike<number>,
  max: ArrayLike<number>,
  axis: number,
  node: Node,
): Tensor {
  const bits = node.int('num_bits');
  const least = node.bool('narrow_range') ? 1 : 0;
  const data = floatsOf(x);
  const result = new Float32Array(data.length);
  forSlices(x.shape, axis, (s, indices) => {
    // An empty range holds only zero.
    if (min[s] === 0 && max[s] === 0) return;
    fakeQuantise(data, result, indices, nudge(min[s], max[s], least, 2 ** bits - 1));
  });
  return Tensor.fromArray('float32', x.shape, result);
}

/** The scale of the simulated integers, and the float range that they cover. */
interface Scale {
  scale: number;
  inverse: number;
  min: number;
  max: number;
}

function symmetricScale(
  min: number,
  max: number,
  least: number,
  most: number,
  round: (x: number) => number,
): Scale {
  const limit = round === f32 ? 3.4028234663852886e38 : Number.MAX_VALUE;
  const fromMin = least * min > 0 ? round(least / min) : limit;
  const fromMax = most * max > 0 ? round(most / max) : limit;
  if (fromMin < fromMax) {
    const inverse = round(min / least);
    return { scale: fromMin, inverse, min, max: round(most * inverse) };
  }
  const inverse = round(max / most);
  return { scale: fromMax, inverse, min: round(least * inverse), max };
}

function quantizeAndDequantize(x: Tensor, min: Tensor, max: Tensor, bits: number, node: Node): Tensor {
  if (x.dtype !== 'float32' && x.dtype !== 'float64') throw noKernel(x.dtype);
  const signed = node.bool('signed_input');
  const most = 2 ** (signed ? bits - 1 : bits) - 1;
  const least = !signed ? 0 : node.bool('narrow_range') ? -most : -most - 1;
  const given = node.bool('range_given');
  const round = rounder(x.dtype);
  // Version 3 has no choice of rounding.
  const up = node.op !== 'QuantizeAndDequantizeV3' && node.string('round_mode') === 'HALF_UP';
  const toStep = up ? (v: number) => Math.floor(round(v + 0.5)) : roundEven;
  const data = floatsOf(x);
  const result = floatArray(x.dtype, data.length);
  const axis = node.int('axis');
  forSlices(x.shape, axis, (s, indices) => {
    const list = [...indices];
    let [low, high] = given ? [min.at(s), max.at(s)] : [Infinity, -Infinity];
    if (!given) {
      for (const i of list) {
        low = Math.min(low, data[i]);
        high = Math.max(high, data[i]);
      }
    }
    const range = symmetricScale(low, high, least, most, round);
    for (const i of list) {
      const v = given ? Math.max(Math.min(data[i], range.max), range.min) : data[i];
      result[i] = toStep(round(v * range.scale)) * range.inverse;
    }
  });
  return Tensor.fromArray(x.dtype, x.shape, result);
}

const quantizeDequantizeRow = (bitsOf: (inputs: readonly Tensor[], node: Node) => number): OpRow => ({
  infer: unchanged,
  evaluate: (inputs, node) => [
    quantizeAndDequantize(inputs[0], inputs[1], inputs[2], bitsOf(inputs, node), node),
  ],
});
const attrBits = quantizeDequantizeRow((_, node) => node.int('num_bits'));

/** The least and greatest value of a quantised dtype. */
const QUANTISED: Partial<Record<DType, [number, number]>> = {
  qint8: [-128, 127],
  quint8: [0, 255],
  qint16: [-32768, 32767],
  quint16: [0, 65535],
  qint32: [-2147483648, 2147483647],
};

function limitsOf(dtype: DType): [number, number] {
  const limits = QUANTISED[dtype];
  if (!limits) throw noKernel(dtype);
  return limits;
}

function dequantize(x: Tensor, min: Tensor, max: Tensor, node: Node): Tensor {
  const [least, most] = limitsOf(x.dtype);
  const mode = node.string('mode');
  const to = node.type('dtype');
  if (dtypeKind(to) !== 'float') throw noKernel(to);
  const data = x.data as NumberArray;
  const result = new Float32Array(data.length);
  forSlices(x.shape, node.int('axis'), (s, indices) => {
    const [low, high] = [min.at(s), max.at(s)];
    const all = f32(f32(most) - f32(least));
    if (mode === 'SCALED') {
      const fromMax = f32(high / f32(most));
      const scale =
        least === 0 ? fromMax : Math.max(f32(low / f32(least + Number(node.bool('narrow_range')))), fromMax);
      for (const i of indices) result[i] = f32(data[i]) * scale;
    } else if (mode === 'MIN_FIRST') {
      const scale = f32((high - low) / (most - least));
      const start = low === high ? low : f32(roundAway(f32(low / scale)) * scale);
      const first = f32(start - f32(least * scale));
      for (const i of indices) result[i] = first + f32(f32(data[i]) * scale);
    } else {
      const half = least < 0 ? f32((most - least + 1) / 2) : 0;
      const scale = f32(f32(high - low) / all);
      for (const i of indices) result[i] = f32(f32(f32(data[i]) + half) * scale) + low;
    }
  });
  return to === 'float32' ? Tensor.fromArray(to, x.shape, result) : fromFloats(to, x.shape, result);
}

/** The greatest float32 that an int32 holds. */
const BELOW_2_31 = 2147483520;

function quantizeV2(x: Tensor, min: Tensor, max: Tensor, node: Node): Tensor[] {
  const to = node.type('T');
  const [least, most] = limitsOf(to);
  const axis = node.int('axis');
  const mode = node.string('mode');
  const data = floatsOf(x);
  const result = new (arrayType(to))(data.length) as NumberArray;
  const ranges = { min: new Float32Array(min.size), max: new Float32Array(max.size) };
  const even = node.string('round_mode') === 'HALF_TO_EVEN';
  forSlices(x.shape, axis, (s, indices) => {
    // The range must hold zero and be wide enough.
    const epsilon = f32(
      Math.max(1, Math.abs(min.at(s)), Math.abs(max.at(s))) * f32(node.float('ensure_minimum_range')),
    );
    let low = Math.min(0, min.at(s));
    let high = Math.max(0, max.at(s), f32(low + epsilon));
    if (mode === 'SCALED') {
      const from = least + Number(node.bool('narrow_range'));
      const scaleMin = from * low > 0 ? f32(from / low) : Infinity;
      const scaleMax = most * high > 0 ? f32(most / high) : Infinity;
      const scale = Math.min(scaleMin, scaleMax);
      [low, high] = [f32(from / scale), f32(most / scale)];
      for (const i of indices) {
        const v = f32(Math.max(Math.min(data[i], high), low) * scale);
        result[i] = even ? roundEven(v) : roundAway(v);
      }
    } else if (mode === 'MIN_FIRST') {
      const scale = f32((most - least) / (high - low));
      const start = f32(roundAway(f32(low * scale)) - least);
      for (const i of indices) {
        const v = f32(roundAway(f32(data[i] * scale)) - start);
        result[i] = Math.max(least, Math.min(to === 'qint32' ? BELOW_2_31 : most, v));
      }
    } else {
      const scale = f32(f32(f32(most) - f32(least)) / f32(high - low));
      const half = least < 0 ? (most - least + 1) / 2 : 0;
      for (const i of indices) {
        const v = f32(f32(Math.max(Math.min(data[i], high), low) - low) * scale);
        result[i] = least < 0 ? roundAway(f32(v - half)) : Math.trunc(f32(v + 0.5));
      }
    }
    ranges.min[s] = low;
    ranges.max[s] = high;
  });
  return [
    Tensor.fromArray(to, x.shape, result),
    Tensor.fromArray('float32', min.shape, ranges.min),
    Tensor.fromArray('float32', max.shape, ranges.max),
  ];
}

/** A range operand: a scalar, or a vector as long as the quantised axis. */
function rangeShape(c: InferContext): Shape {
  const axis = c.node.int('axis');
  if (axis < 0) return [];
  const shape = rankAtLeast(c, 0, axis + 1);
  return [shape ? shape[inferAxis(c, axis, shape.length)] : (c.shape(1)?.[0] ?? null)];
}

export const table: OpTable = {
  FakeQuantWithMinMaxArgs: {
    infer: unchanged,
    evaluate: ([x], node) => [fakeQuant(x, [f32(node.float('min'))], [f32(node.float('max'))], -1, node)],
  },
  FakeQuantWithMinMaxVars: {
    infer: unchanged,
    evaluate: ([x, min, max], node) => [fakeQuant(x, floatsOf(min), floatsOf(max), -1, node)],
  },
  FakeQuantWithMinMaxVarsPerChannel: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 1);
      const [size] = [1, 2]
        .map((i) => dimsOfRank(c, i, 1)[0])
        .map((d) => mergeDims(c, d, shape?.at(-1) ?? null));
      return out(shape && [...shape.slice(0, -1), size]);
    },
    evaluate: ([x, min, max], node) => {
      const axis = x.shape.length - 1;
      if (min.size !== x.shape[axis] || max.size !== x.shape[axis])
        refuse('as many ranges as channels are needed');
      return [fakeQuant(x, floatsOf(min), floatsOf(max), axis, node)];
    },
  },
  FakeQuantWithMinMaxArgsGradient: { infer: merged },

  QuantizeAndDequantize: { infer: unchanged },
  QuantizeAndDequantizeV2: attrBits,
  QuantizeAndDequantizeV3: quantizeDequantizeRow(([, , , bits]) => bits.at(0)),
  QuantizeAndDequantizeV4: attrBits,
  Dequantize: {
    infer: unchanged,
    evaluate: ([x, min, max], node) => [dequantize(x, min, max, node)],
  },
  QuantizeV2: {
    infer: (c) => [{ shape: c.shape(0) }, { shape: rangeShape(c) }, { shape: rangeShape(c) }],
    evaluate: ([x, min, max], node) => quantizeV2(x, min, max, node),
  },
  Requantize: { infer: (c) => [{ shape: c.shape(0) }, { shape: [] }, { shape: [] }] },
  RequantizationRange: { infer: () => [{ shape: [] }, { shape: [] }] },
  QuantizeDownAndShrinkRange: { infer: (c) => [{ shape: c.shape(0) }, { shape: [] }, { shape: [] }] },
};
