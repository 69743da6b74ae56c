/**
 * Reductions.
 *
 * Float sums are accumulated in double precision and rounded once; TensorFlow adds in the dtype, in an order that
 * depends on the machine.
 */
import { arrayType, dtypeKind, dtypeSize, type DType } from '../tensor/dtype';
import { elementCount, isStatic, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { exact } from './elementwise-shapes';
import { complexMul } from './kernels/complex';
import {
  floatArray,
  floatsOf,
  fromFloats,
  isBig,
  isInteger,
  noKernel,
  type BigArray,
  type Complex,
  type FloatArray,
  type NumberArray,
} from './kernels/elementwise';
import { groupsOf } from './kernels/groups';
import { inferAxis, knownInts, out, rankAtLeast, unknownDims } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';

/** What a reduction makes of one group: elements `x[base + offset]`. */
interface Reduction {
  float?(x: FloatArray, base: number, offsets: Int32Array): number;
  int?(x: NumberArray, base: number, offsets: Int32Array, dtype: DType): number;
  big?(x: BigArray, base: number, offsets: Int32Array, dtype: DType): bigint;
  complex?(x: FloatArray, base: number, offsets: Int32Array): Complex;
}

function reduceTensor(x: Tensor, axes: readonly number[], keep: boolean, kernel: Reduction): Tensor {
  const { dtype } = x;
  const { shape, bases, offsets } = groupsOf(x.shape, axes, keep);
  const kind = dtypeKind(dtype);
  const n = bases.length;
  if (kind === 'float' && kernel.float && dtypeSize(dtype) > 1) {
    const data = floatsOf(x);
    const result = floatArray(dtype, n);
    for (let i = 0; i < n; i++) result[i] = kernel.float(data, bases[i], offsets);
    return fromFloats(dtype, shape, result);
  }
  if (kind === 'complex' && kernel.complex) {
    const result = floatArray(dtype, 2 * n);
    for (let i = 0; i < n; i++) {
      [result[2 * i], result[2 * i + 1]] = kernel.complex(x.data as FloatArray, bases[i], offsets);
    }
    return Tensor.fromArray(dtype, shape, result);
  }
  if (isBig(dtype) && kernel.big) {
    const result = new (arrayType(dtype))(n) as BigArray;
    for (let i = 0; i < n; i++) result[i] = kernel.big(x.data as BigArray, bases[i], offsets, dtype);
    return Tensor.fromArray(dtype, shape, result);
  }
  if (isInteger(dtype) && kernel.int && !isBig(dtype)) {
    const result = new (arrayType(dtype))(n) as NumberArray;
    for (let i = 0; i < n; i++) result[i] = kernel.int(x.data as NumberArray, bases[i], offsets, dtype);
    return Tensor.fromArray(dtype, shape, result);
  }
  throw noKernel(dtype);
}

const total = (x: FloatArray | NumberArray, base: number, offsets: Int32Array) => {
  let sum = 0;
  for (let i = 0; i < offsets.length; i++) sum += x[base + offsets[i]];
  return sum;
};
const bigTotal = (x: BigArray, base: number, offsets: Int32Array) => {
  let sum = 0n;
  for (let i = 0; i < offsets.length; i++) sum += x[base + offsets[i]];
  return BigInt.asIntN(64, sum);
};
const complexTotal = (x: FloatArray, base: number, offsets: Int32Array): Complex => {
  let [re, im] = [0, 0];
  for (const o of offsets) {
    re += x[2 * (base + o)];
    im += x[2 * (base + o) + 1];
  }
  return [re, im];
};

const sum: Reduction = {
  float: total,
  int: (x, base, offsets) => {
    let s = 0;
    for (let i = 0; i < offsets.length; i++) s = (s + x[base + offsets[i]]) | 0;
    return s;
  },
  big: bigTotal,
  complex: complexTotal,
};

/** The sum over some axes, which are left out of the result. */
export function sumTensor(x: Tensor, axes: readonly number[]): Tensor {
  return reduceTensor(x, axes, false, sum);
}

const mean: Reduction = {
  float: (x, base, offsets) => total(x, base, offsets) / offsets.length,
  int: (x, base, offsets) => (offsets.length ? Math.trunc(total(x, base, offsets) / offsets.length) : 0),
  big: (x, base, offsets, dtype) => {
    const s = bigTotal(x, base, offsets);
    return offsets.length ? (dtype === 'uint64' ? BigInt.asUintN(64, s) : s) / BigInt(offsets.length) : 0n;
  },
  complex: (x, base, offsets) => {
    const [re, im] = complexTotal(x, base, offsets);
    return offsets.length ? [re / offsets.length, im / offsets.length] : [0, 0];
  },
};

const product: Reduction = {
  float: (x, base, offsets) => {
    let p = 1;
    for (let i = 0; i < offsets.length; i++) p *= x[base + offsets[i]];
    return p;
  },
  int: (x, base, offsets) => {
    let p = 1;
    for (let i = 0; i < offsets.length; i++) p = Math.imul(p, x[base + offsets[i]]);
    return p;
  },
  big: (x, base, offsets) => {
    let p = 1n;
    for (const o of offsets) p = BigInt.asIntN(64, p * x[base + o]);
    return p;
  },
  complex: (x, base, offsets) => {
    let p: Complex = [1, 0];
    for (const o of offsets) p = complexMul(p[0], p[1], x[2 * (base + o)], x[2 * (base + o) + 1]);
    return p;
  },
};

/** The least and the greatest value of an integer dtype. */
function limits(dtype: DType): [bigint, bigint] {
  const bits = BigInt(8 * dtypeSize(dtype));
  return dtypeKind(dtype) === 'uint'
    ? [0n, (1n << bits) - 1n]
    : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

/** Max and Min; NaN wins, and of nothing the result is the dtype's other end. */
function extreme(sign: 1 | -1): Reduction {
  const numbers = (x: FloatArray | NumberArray, base: number, offsets: Int32Array, start: number) => {
    let best = start;
    for (let i = 0; i < offsets.length; i++) {
      const v = x[base + offsets[i]];
      if ((sign > 0 ? v > best : v < best) || v !== v) best = v;
      if (best !== best) return NaN;
    }
    return best;
  };
  const start = (dtype: DType) => limits(dtype)[sign > 0 ? 0 : 1];
  return {
    float: (x, base, offsets) => numbers(x, base, offsets, -sign * Infinity),
    int: (x, base, offsets, dtype) => numbers(x, base, offsets, Number(start(dtype))),
    big: (x, base, offsets, dtype) => {
      let best = start(dtype);
      for (const o of offsets) if (sign > 0 ? x[base + o] > best : x[base + o] < best) best = x[base + o];
      return best;
    },
  };
}

const squares = (x: FloatArray | NumberArray, base: number, offsets: Int32Array) => {
  let s = 0;
  for (let i = 0; i < offsets.length; i++) s += x[base + offsets[i]] ** 2;
  return s;
};

const norm: Reduction = {
  float: (x, base, offsets) => Math.sqrt(squares(x, base, offsets)),
  int: (x, base, offsets) => Math.trunc(Math.sqrt(squares(x, base, offsets))),
  big: (x, base, offsets) => {
    let s = 0n;
    for (const o of offsets) s += x[base + o] * x[base + o];
    return BigInt(Math.trunc(Math.sqrt(Number(s))));
  },
  complex: (x, base, offsets) => {
    let s = 0;
    for (const o of offsets) s += x[2 * (base + o)] ** 2 + x[2 * (base + o) + 1] ** 2;
    return [Math.sqrt(s), 0];
  },
};

/** Shape of a reduction; input 1 lists the axes. */
function inferReduction(c: InferContext): Shape {
  const shape = c.shape(0);
  if (!shape) return null;
  const keep = c.node.bool('keep_dims');
  const axes = knownInts(c, 1);
  if (axes) {
    const reduced = new Set(axes.map((a) => inferAxis(c, a, shape.length)));
    return keep ? shape.map((d, i) => (reduced.has(i) ? 1 : d)) : shape.filter((_, i) => !reduced.has(i));
  }
  if (keep) return unknownDims(shape.length);
  // One axis, whichever it is, takes one dimension away; several could name one dimension twice.
  const list = c.shape(1);
  const one = list?.length === 0 || list?.[0] === 1;
  return one && shape.length > 0 ? unknownDims(shape.length - 1) : null;
}

function reduction(kernel: Reduction, elements?: (list: Dim[]) => Dim): OpRow {
  return {
    infer: (c): OutputInfo[] => {
      const shape = inferReduction(c);
      const input = c.shape(0);
      const known = elements && c.elements(0)?.map(exact);
      // Only totals over everything are shape arithmetic.
      if (!known || !isStatic(input) || !isStatic(shape) || elementCount(shape) !== 1 || known.length === 0) {
        return out(shape);
      }
      const value = elements(known);
      return out(shape, [
        value !== null && Number.isSafeInteger(value) && value === (value | 0) ? value : null,
      ]);
    },
    evaluate: ([x, axes], node) => [reduceTensor(x, axes.toNumbers(), node.bool('keep_dims'), kernel)],
  };
}

/** All elements, or null when one is unknown. */
const allKnown =
  (f: (list: number[]) => number) =>
  (list: Dim[]): Dim =>
    list.includes(null) ? null : f(list as number[]);

function boolReduction(start: 0 | 1): OpRow {
  return {
    infer: (c) => out(inferReduction(c)),
    evaluate: ([x, axes], node) => {
      if (x.dtype !== 'bool') throw noKernel(x.dtype);
      const { shape, bases, offsets } = groupsOf(x.shape, axes.toNumbers(), node.bool('keep_dims'));
      const data = x.data as Uint8Array;
      const result = new Uint8Array(bases.length).fill(start);
      // All: 1 until a 0 is met; Any: 0 until a 1 is met.
      bases.forEach((base, i) => {
        if (offsets.some((o) => (data[base + o] !== 0) !== (start === 1))) result[i] = 1 - start;
      });
      return [Tensor.fromArray('bool', shape, result)];
    },
  };
}

/** ArgMax and ArgMin: the first of equal elements; NaN is passed over. */
function argReduction(sign: 1 | -1): OpRow {
  return {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 1);
      const dtype = c.node.type('output_type');
      if (!shape) return [{ shape: null, dtype }];
      const axis = knownInts(c, 1)?.[0];
      if (shape.length === 1) return [{ shape: [], dtype }];
      if (axis === undefined) return [{ shape: unknownDims(shape.length - 1), dtype }];
      const at = inferAxis(c, axis, shape.length);
      return [{ shape: shape.filter((_, i) => i !== at), dtype }];
    },
    evaluate: ([x, axis], node) => {
      const kind = dtypeKind(x.dtype);
      if (kind === 'complex' || kind === 'string' || kind === 'opaque' || x.shape.length === 0)
        throw noKernel(x.dtype);
      const { shape, bases, offsets } = groupsOf(x.shape, [axis.at(0)]);
      if (offsets.length === 0) throw new RangeError('the reduced dimension is empty');
      const data = kind === 'float' ? floatsOf(x) : x.data;
      const to = node.type('output_type');
      const result = new (arrayType(to))(bases.length) as unknown as Record<number, number | bigint>;
      bases.forEach((base, i) => {
        let at = 0;
        let best: number | bigint = -sign * Infinity;
        for (let k = 0; k < offsets.length; k++) {
          const v = data[base + offsets[k]];
          if (sign > 0 ? v > best : v < best) {
            best = v;
            at = k;
          }
        }
        result[i] = isBig(to) ? BigInt(at) : at;
      });
      return [Tensor.fromArray(to, shape, result as unknown as Int32Array)];
    },
  };
}

export const table: OpTable = {
  Sum: reduction(
    sum,
    allKnown((list) => list.reduce((a, b) => a + b, 0)),
  ),
  Prod: reduction(product, (list) =>
    list.includes(0) ? 0 : list.includes(null) ? null : (list as number[]).reduce((a, b) => a * b, 1),
  ),
  Max: reduction(
    extreme(1),
    allKnown((list) => Math.max(...list)),
  ),
  Min: reduction(
    extreme(-1),
    allKnown((list) => Math.min(...list)),
  ),
  Mean: reduction(mean),
  EuclideanNorm: reduction(norm),
  All: boolReduction(1),
  Any: boolReduction(0),
  ArgMax: argReduction(1),
  ArgMin: argReduction(-1),
  L2Loss: {
    infer: () => out([]),
    evaluate: ([x]) => {
      if (dtypeKind(x.dtype) !== 'float') throw noKernel(x.dtype);
      const data = floatsOf(x);
      let s = 0;
      for (let i = 0; i < data.length; i++) s += data[i] * data[i];
      return [fromFloats(x.dtype, [], floatArray(x.dtype, 1).fill(s / 2))];
    },
  },
};
