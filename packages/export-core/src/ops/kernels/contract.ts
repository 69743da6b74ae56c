/**
 * Sums of products over any axes of one or two operands: matrix products and Einsum alike.
 *
 * Floats are accumulated in double precision and rounded once; TensorFlow adds in an order that depends on the
 * machine. Integers wrap.
 */
import { arrayType, dtypeKind, dtypeSize, type DType } from '../../tensor/dtype';
import { elementCount } from '../../tensor/shape';
import { Tensor } from '../../tensor/tensor';
import { stridedRuns } from './broadcast';
import {
  floatArray,
  floatsOf,
  fromFloats,
  isBig,
  isInteger,
  noKernel,
  type BigArray,
  type FloatArray,
  type NumberArray,
} from './elementwise';

export interface Operand {
  tensor: Tensor;
  /** Its step along each dimension of the output, then along each summed one. */
  strides: readonly number[];
  /** Take the complex conjugate. */
  conjugate?: boolean;
}

/** Visits stretches of the products that belong to output element `o`. */
function segments(
  sizes: readonly number[],
  outputs: number,
  operands: readonly Operand[],
  visit: (o: number, n: number, i: number, p: number, j: number, q: number) => void,
): void {
  const each = outputs ? elementCount(sizes) / outputs : 0;
  const strides = operands.map((o) => o.strides);
  stridedRuns(sizes, strides, (at, length, [i, j], [p, q]) => {
    for (let e = 0; e < length;) {
      const o = Math.floor((at + e) / each);
      const n = Math.min(length - e, (o + 1) * each - at - e);
      visit(o, n, i + e * p, p, j + e * q, q);
      e += n;
    }
  });
}

/** The product of two stretches without gaps, in four sums that the CPU can work on at the same time. */
function dot(x: FloatArray, i: number, y: FloatArray, j: number, n: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let e = 0;
  for (; e + 3 < n; e += 4) {
    a += x[i + e] * y[j + e];
    b += x[i + e + 1] * y[j + e + 1];
    c += x[i + e + 2] * y[j + e + 2];
    d += x[i + e + 3] * y[j + e + 3];
  }
  for (; e < n; e++) a += x[i + e] * y[j + e];
  return a + b + (c + d);
}

/** The sum over `summed` of the product of the operands (a lone operand is just summed), of shape `shape`. */
export function contract(
  dtype: DType,
  shape: readonly number[],
  summed: readonly number[],
  operands: readonly [Operand, Operand?],
): Tensor {
  const sizes = [...shape, ...summed];
  const count = elementCount(shape);
  const kind = dtypeKind(dtype);
  const [a, b = unit(dtype, sizes.length)] = operands;
  const both = [a, b];
  if (kind === 'complex') {
    const sums = new Float64Array(2 * count);
    const [x, y] = both.map((o) => o.tensor.data as FloatArray);
    const [s, t] = both.map((o) => (o.conjugate ? -1 : 1));
    segments(sizes, count, both, (o, n, i, p, j, q) => {
      for (let e = 0; e < n; e++) {
        const [l, r] = [2 * (i + e * p), 2 * (j + e * q)];
        const [xi, yi] = [s * x[l + 1], t * y[r + 1]];
        sums[2 * o] += x[l] * y[r] - xi * yi;
        sums[2 * o + 1] += x[l] * yi + xi * y[r];
      }
    });
    const out = floatArray(dtype, 2 * count);
    out.set(sums);
    return Tensor.fromArray(dtype, shape, out);
  }
  if (kind === 'float' && dtypeSize(dtype) > 1) {
    const sums = new Float64Array(count);
    const [x, y] = both.map((o) => floatsOf(o.tensor));
    segments(sizes, count, both, (o, n, i, p, j, q) => {
      if (p === 1 && q === 1) {
        sums[o] += dot(x, i, y, j, n);
        return;
      }
      let sum = sums[o];
      for (let e = 0; e < n; e++) sum += x[i + e * p] * y[j + e * q];
      sums[o] = sum;
    });
    return fromFloats(dtype, shape, dtype === 'float64' ? sums : Float32Array.from(sums));
  }
  if (isBig(dtype)) {
    const out = new (arrayType(dtype))(count) as BigArray;
    const [x, y] = both.map((o) => o.tensor.data as BigArray);
    segments(sizes, count, both, (o, n, i, p, j, q) => {
      for (let e = 0; e < n; e++) out[o] += x[i + e * p] * y[j + e * q];
    });
    return Tensor.fromArray(dtype, shape, out);
  }
  if (isInteger(dtype)) {
    const out = new (arrayType(dtype))(count) as NumberArray;
    const [x, y] = both.map((o) => o.tensor.data as NumberArray);
    segments(sizes, count, both, (o, n, i, p, j, q) => {
      let sum = out[o];
      for (let e = 0; e < n; e++) sum = (sum + Math.imul(x[i + e * p], y[j + e * q])) | 0;
      out[o] = sum;
    });
    return Tensor.fromArray(dtype, shape, out);
  }
  throw noKernel(dtype);
}

/** A one that broadcasts: the second operand where there is none. */
function unit(dtype: DType, rank: number): Operand {
  const complex = dtypeKind(dtype) === 'complex';
  const one = complex
    ? Tensor.fromArray(dtype, [], dtype === 'complex64' ? new Float32Array([1, 0]) : new Float64Array([1, 0]))
    : Tensor.scalar(dtype, isBig(dtype) ? 1n : 1);
  return { tensor: one, strides: new Array<number>(rank).fill(0) };
}
