/**
 * Cast and Bitcast.
 *
 * Values that the target holds are converted exactly as TensorFlow does. A float outside of an integer's range is
 * undefined behaviour in C++; TensorFlow's own result depends on the element's place in the tensor. Floe does what
 * x86's conversion instruction does, as TensorFlow does for single elements: int32 and int64 become their lowest
 * value, smaller integers take the low bits of the int32, unsigned ones those of the next larger signed one.
 */
import { arrayType, dtypeKind, dtypeSize, numberToRaw, type DType, type TypedArray } from '../tensor/dtype';
import type { Dim, Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { floatsOf, fromFloats, isBig, isInteger, noKernel, type BigArray } from './kernels/elementwise';
import type { InferContext, OpTable, OutputInfo } from './op-row';

/** A 64-bit integer rounded once to float32 (Number() first rounds to 53 bits, which would round twice). */
function bigToFloat32(x: bigint): number {
  if (x >= -9007199254740992n && x <= 9007199254740992n) return Math.fround(Number(x));
  // The low 12 bits matter only by being zero or not.
  const sticky = (x & 0xfffn) === 0n ? 0n : 1n;
  return Math.fround(Number((x >> 12n) | sticky) * 4096);
}

const TWO_63 = 2 ** 63;

/** cvttsd2si to 64 bits. */
function toInt64(x: number): bigint {
  return x >= -TWO_63 && x < TWO_63 ? BigInt(Math.trunc(x)) : -(1n << 63n);
}

/** A float as an element of an integer dtype. */
function floatToInteger(x: number, to: DType): number | bigint {
  switch (to) {
    case 'int64':
      return toInt64(x);
    case 'uint64':
      // What compilers make of it: the signed conversion, whose lowest value takes in that of x - 2^63.
      return BigInt.asUintN(64, toInt64(x) < 0n ? toInt64(x) | toInt64(x - TWO_63) : toInt64(x));
    case 'uint32':
      return x > -(2 ** 53) && x < 2 ** 53 ? Math.trunc(x) : Number(BigInt.asUintN(32, toInt64(x)));
    default:
      return x > -2147483649 && x < 2147483648 ? Math.trunc(x) : -2147483648;
  }
}

/** The real elements of a tensor as numbers, where 64-bit integers are rounded once to what `to` computes in. */
function numbersOf(x: Tensor, to: DType): ArrayLike<number> {
  const kind = dtypeKind(x.dtype);
  if (isBig(x.dtype)) {
    const wide = to === 'float64' || to === 'complex128';
    return Float64Array.from(x.data as unknown as ArrayLike<number>, (v) => {
      const big = v as unknown as bigint;
      return wide ? Number(big) : bigToFloat32(big);
    });
  }
  if (kind === 'float') {
    if (dtypeSize(x.dtype) === 1) throw noKernel(x.dtype);
    return floatsOf(x);
  }
  if (kind === 'complex') return (x.data as Float64Array).filter((_, i) => i % 2 === 0);
  if (kind === 'int' || kind === 'uint' || kind === 'bool') return x.data as Int32Array;
  throw noKernel(x.dtype);
}

/** The tensor with its elements converted to another dtype. */
export function castTensor(x: Tensor, to: DType, truncate = false): Tensor {
  if (to === x.dtype) return x;
  const from = dtypeKind(x.dtype);
  const kind = dtypeKind(to);
  if (to === 'bool') {
    // Of a complex number TensorFlow looks at the real part only.
    const raw = from === 'complex' || from === 'float' ? floatsOf(x) : x.data;
    const lanes = from === 'complex' ? 2 : 1;
    const out = new Uint8Array(x.size);
    for (let i = 0; i < out.length; i++) if (Number(raw[i * lanes]) !== 0) out[i] = 1;
    return Tensor.fromArray(to, x.shape, out);
  }
  if (isInteger(to) && (isInteger(x.dtype) || from === 'bool')) return integerToInteger(x, to);
  if (isInteger(to)) {
    const values = numbersOf(x, to);
    const out = new (arrayType(to))(x.size) as unknown as Record<number, number | bigint>;
    for (let i = 0; i < values.length; i++) out[i] = floatToInteger(values[i], to);
    return Tensor.fromArray(to, x.shape, out as unknown as TypedArray);
  }
  const values = numbersOf(x, to);
  if (kind === 'complex') {
    const out = new (arrayType(to))(2 * x.size) as Float32Array;
    if (from === 'complex') out.set(x.data as Float64Array);
    else for (let i = 0; i < values.length; i++) out[2 * i] = values[i];
    return Tensor.fromArray(to, x.shape, out);
  }
  if (kind !== 'float' || dtypeSize(to) === 1) throw noKernel(to);
  if (truncate && to === 'bfloat16') {
    // The upper half of the float32; a NaN keeps being one.
    const bits = new Uint32Array(Float32Array.from(values).buffer);
    const out = Uint16Array.from(bits, (b, i) =>
      Number.isNaN(values[i]) ? (numberToRaw('bfloat16', NaN) as number) : b >>> 16,
    );
    return Tensor.fromArray(to, x.shape, out);
  }
  return to === 'float64'
    ? Tensor.fromArray(to, x.shape, Float64Array.from(values))
    : fromFloats(to, x.shape, Float32Array.from(values));
}

function integerToInteger(x: Tensor, to: DType): Tensor {
  const out = new (arrayType(to))(x.size);
  if (isBig(x.dtype) && isBig(to)) (out as BigArray).set(x.data as BigArray);
  else if (isBig(to)) for (let i = 0; i < out.length; i++) out[i] = BigInt(x.data[i]);
  else if (isBig(x.dtype)) {
    for (let i = 0; i < out.length; i++) out[i] = Number(BigInt.asIntN(32, x.data[i] as bigint));
  } else (out as Int32Array).set(x.data as Int32Array);
  return Tensor.fromArray(to, x.shape, out);
}

/** Elements survive between the integer dtypes that carry them, and from bool's 0 and 1. */
function castElements(c: InferContext, to: DType): Dim[] | undefined {
  const from = c.dtype(0);
  if (to !== 'int32' && to !== 'int64') return undefined;
  const constant = c.constant(0);
  if (constant && constant.size <= 64 && from !== 'string') {
    return castTensor(constant, to)
      .toNumbers()
      .map((v) => (Number.isSafeInteger(v) ? v : null));
  }
  if (from !== 'int32' && from !== 'int64') return undefined;
  return c.elements(0)?.map((v) => (v !== null && to === 'int32' && v !== (v | 0) ? null : v));
}

/** Larger elements take an axis away, smaller ones add one. */
function bitcastShape(c: InferContext, from: DType | undefined, to: DType): Shape {
  const shape = c.shape(0);
  if (!from || !shape) return null;
  const [a, b] = [dtypeSize(from), dtypeSize(to)];
  if (a === b) return shape;
  if (a > b) return [...shape, a / b];
  const last = shape.at(-1);
  if (shape.length === 0 || (last !== null && last !== b / a)) {
    return c.fail(`the last dimension of [${shape}] must be ${b / a} to bitcast ${from} to ${to}`);
  }
  return shape.slice(0, -1);
}

export const table: OpTable = {
  Cast: {
    infer: (c): OutputInfo[] => {
      const to = c.node.type('DstT');
      return [{ shape: c.shape(0), dtype: to, elements: castElements(c, to) }];
    },
    evaluate: ([x], node) => [castTensor(x, node.type('DstT'), node.bool('Truncate'))],
  },
  Bitcast: {
    infer: (c) => {
      const to = c.node.type('type');
      return [{ shape: bitcastShape(c, c.dtype(0), to), dtype: to }];
    },
    evaluate: ([x], node) => {
      const to = node.type('type');
      const [a, b] = [dtypeSize(x.dtype), dtypeSize(to)];
      let shape = x.shape;
      if (a > b) shape = [...shape, a / b];
      else if (a < b) {
        if (shape.at(-1) !== b / a) throw new RangeError(`cannot bitcast [${shape}] to ${to}`);
        shape = shape.slice(0, -1);
      }
      return [Tensor.fromBytes(to, shape, x.bytes)];
    },
  },
};
