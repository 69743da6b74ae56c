/**
 * Loops over elements, one per kind of dtype. A kernel says what happens to one element:
 *
 *   float    float16 … float64, as JavaScript numbers; the store rounds to the dtype. A kernel of several operations
 *            rounds each of them with `round`, as a CPU that works in the dtype does.
 *   int      8 to 32 bits, as numbers; the store wraps. Results must be exact up to 2^53 (`Math.imul` for products).
 *   big      64 bits, as bigints; the store wraps.
 *   complex  real and imaginary part.
 *
 * A dtype for which the op has no kernel is a RangeError: TensorFlow would not run it either.
 */
import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from '../../bytes/half';
import { arrayType, dtypeKind, dtypeSize, type DType } from '../../tensor/dtype';
import { elementCount } from '../../tensor/shape';
import { Tensor } from '../../tensor/tensor';
import { broadcastOf, broadcastRuns } from './broadcast';

/** Rounds a number to a float dtype. */
export type Round = (x: number) => number;
export type FloatArray = Float32Array | Float64Array;
export type NumberArray =
  FloatArray | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
export type BigArray = BigInt64Array | BigUint64Array;
export type Complex = readonly [re: number, im: number];

const ROUND: Partial<Record<DType, Round>> = {
  float16: (x) => halfToFloat(floatToHalf(x)),
  bfloat16: (x) => bfloat16ToFloat(floatToBfloat16(x)),
  float64: (x) => x,
  complex128: (x) => x,
};

/** What one operation in a float dtype does to its exact result. */
export function rounder(dtype: DType): Round {
  return ROUND[dtype] ?? Math.fround;
}

/** The elements of a float tensor as numbers: 16-bit floats are widened into a copy. */
export function floatsOf(tensor: Tensor): FloatArray {
  const { dtype } = tensor;
  if (dtype !== 'float16' && dtype !== 'bfloat16') return tensor.data as FloatArray;
  const widen = dtype === 'float16' ? halfToFloat : bfloat16ToFloat;
  const bits = tensor.data as Uint16Array;
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = widen(bits[i]);
  return out;
}

/** A tensor of a float dtype from numbers; they are rounded where the dtype has 16 bits. */
export function fromFloats(dtype: DType, shape: readonly number[], data: FloatArray): Tensor {
  if (dtype !== 'float16' && dtype !== 'bfloat16') return Tensor.fromArray(dtype, shape, data);
  const narrow = dtype === 'float16' ? floatToHalf : floatToBfloat16;
  const bits = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = narrow(data[i]);
  return Tensor.fromArray(dtype, shape, bits);
}

/** An array to compute a float dtype in: float32 for the 16-bit ones. */
export function floatArray(dtype: DType, length: number): FloatArray {
  return dtype === 'float64' || dtype === 'complex128' ? new Float64Array(length) : new Float32Array(length);
}

/** True for the dtypes whose elements are bigints. */
export function isBig(dtype: DType): boolean {
  return dtype === 'int64' || dtype === 'uint64';
}

/** True for integers of any width. */
export function isInteger(dtype: DType): boolean {
  return dtypeKind(dtype) === 'int' || dtypeKind(dtype) === 'uint';
}

/** What is thrown where TensorFlow has no kernel for a dtype. */
export function noKernel(dtype: DType): RangeError {
  return new RangeError(`no kernel for ${dtype}`);
}

export interface UnaryKernel {
  float?(x: number, round: Round): number;
  int?(x: number, dtype: DType): number;
  big?(x: bigint, dtype: DType): bigint;
  complex?(re: number, im: number, round: Round): Complex;
}

/** Applies a kernel to every element. */
export function mapUnary(tensor: Tensor, kernel: UnaryKernel): Tensor {
  const { dtype, shape } = tensor;
  const kind = dtypeKind(dtype);
  if (kind === 'float' && kernel.float && dtypeSize(dtype) > 1) {
    const x = floatsOf(tensor);
    const out = floatArray(dtype, x.length);
    const round = rounder(dtype);
    const f = kernel.float;
    for (let i = 0; i < x.length; i++) out[i] = f(x[i], round);
    return fromFloats(dtype, shape, out);
  }
  if (kind === 'complex' && kernel.complex) {
    const x = tensor.data as FloatArray;
    const out = floatArray(dtype, x.length);
    const round = rounder(dtype);
    for (let i = 0; i < x.length; i += 2) [out[i], out[i + 1]] = kernel.complex(x[i], x[i + 1], round);
    return Tensor.fromArray(dtype, shape, out);
  }
  if (isBig(dtype) && kernel.big) {
    const x = tensor.data as BigArray;
    const out = new (x.constructor as new (n: number) => BigArray)(x.length);
    for (let i = 0; i < x.length; i++) out[i] = kernel.big(x[i], dtype);
    return Tensor.fromArray(dtype, shape, out);
  }
  if (isInteger(dtype) && kernel.int && !isBig(dtype)) {
    const x = tensor.data as NumberArray;
    const out = new (arrayType(dtype))(x.length) as NumberArray;
    for (let i = 0; i < x.length; i++) out[i] = kernel.int(x[i], dtype);
    return Tensor.fromArray(dtype, shape, out);
  }
  throw noKernel(dtype);
}

/** A bool tensor: whether each element of a float tensor has a property. */
export function mapPredicate(tensor: Tensor, test: (x: number) => boolean): Tensor {
  if (dtypeKind(tensor.dtype) !== 'float') throw noKernel(tensor.dtype);
  return Tensor.fromArray(
    'bool',
    tensor.shape,
    Uint8Array.from(floatsOf(tensor), (x) => (test(x) ? 1 : 0)),
  );
}

/** A loop over one run of a broadcast: `n` elements from `out[at]`, `x[i]` by `p`, `y[j]` by `q`. */
export type BinaryLoop = (
  out: FloatArray,
  at: number,
  n: number,
  x: FloatArray,
  i: number,
  p: number,
  y: FloatArray,
  j: number,
  q: number,
) => void;

export interface BinaryKernel {
  float?(x: number, y: number, round: Round): number;
  int?(x: number, y: number, dtype: DType): number;
  big?(x: bigint, y: bigint, dtype: DType): bigint;
  complex?(a: number, b: number, c: number, d: number, round: Round): Complex;
  /** The same as `float`, as a loop without a call per element: for the ops that meet large tensors. */
  loop?: BinaryLoop;
}

/** Applies a kernel to every pair of broadcast elements of two tensors of one dtype. */
export function mapBinary(a: Tensor, b: Tensor, kernel: BinaryKernel): Tensor {
  const { dtype } = a;
  if (b.dtype !== dtype) throw new RangeError(`operands are ${dtype} and ${b.dtype}`);
  const shape = broadcastOf(a.shape, b.shape);
  const shapes = [a.shape, b.shape];
  const count = elementCount(shape);
  const kind = dtypeKind(dtype);
  if (kind === 'float' && kernel.float && dtypeSize(dtype) > 1) {
    const x = floatsOf(a);
    const y = floatsOf(b);
    const out = floatArray(dtype, count);
    const round = rounder(dtype);
    const { float: f, loop } = kernel;
    broadcastRuns(shapes, shape, (at, n, [i, j], [p, q]) => {
      if (loop) loop(out, at, n, x, i, p, y, j, q);
      else for (let e = 0; e < n; e++) out[at + e] = f(x[i + e * p], y[j + e * q], round);
    });
    return fromFloats(dtype, shape, out);
  }
  if (kind === 'complex' && kernel.complex) {
    const x = a.data as FloatArray;
    const y = b.data as FloatArray;
    const out = floatArray(dtype, 2 * count);
    const round = rounder(dtype);
    const f = kernel.complex;
    broadcastRuns(shapes, shape, (at, n, [i, j], [p, q]) => {
      for (let e = 0; e < n; e++) {
        const l = 2 * (i + e * p);
        const r = 2 * (j + e * q);
        [out[2 * (at + e)], out[2 * (at + e) + 1]] = f(x[l], x[l + 1], y[r], y[r + 1], round);
      }
    });
    return Tensor.fromArray(dtype, shape, out);
  }
  if (isBig(dtype) && kernel.big) {
    const x = a.data as BigArray;
    const y = b.data as BigArray;
    const out = new (arrayType(dtype))(count) as BigArray;
    const f = kernel.big;
    broadcastRuns(shapes, shape, (at, n, [i, j], [p, q]) => {
      for (let e = 0; e < n; e++) out[at + e] = f(x[i + e * p], y[j + e * q], dtype);
    });
    return Tensor.fromArray(dtype, shape, out);
  }
  if (isInteger(dtype) && kernel.int && !isBig(dtype)) {
    const x = a.data as NumberArray;
    const y = b.data as NumberArray;
    const out = new (arrayType(dtype))(count) as NumberArray;
    const f = kernel.int;
    broadcastRuns(shapes, shape, (at, n, [i, j], [p, q]) => {
      for (let e = 0; e < n; e++) out[at + e] = f(x[i + e * p], y[j + e * q], dtype);
    });
    return Tensor.fromArray(dtype, shape, out);
  }
  throw noKernel(dtype);
}
