/** Tensors that are filled by combining elements in the order they come, each step rounded to the dtype. */
import { arrayType, dtypeKind, type DType, type TypedArray } from '../../tensor/dtype';
import { Tensor } from '../../tensor/tensor';
import { floatsOf, fromFloats, isBig, rounder, type FloatArray } from './elementwise';

export type Combine = 'add' | 'sub' | 'mul' | 'min' | 'max' | 'set';

type Numbers = { [i: number]: number };
type Bigs = { [i: number]: bigint };

/** Elements as they are computed with: 16-bit floats widened, everything else raw. */
function computed(tensor: Tensor): TypedArray {
  return tensor.dtype === 'float16' || tensor.dtype === 'bfloat16' ? floatsOf(tensor) : tensor.data;
}

export class Accumulator {
  private readonly data: TypedArray;
  /** Numbers of the array that make one element: two for complex ones. */
  private readonly per: number;

  /** `size` elements, all zero. */
  constructor(
    readonly dtype: DType,
    size: number,
  ) {
    this.per = dtypeKind(dtype) === 'complex' ? 2 : 1;
    const small = dtype === 'float16' || dtype === 'bfloat16';
    this.data = small ? new Float32Array(size) : new (arrayType(dtype))(size * this.per);
  }

  /** Starts from a tensor's elements. */
  static from(tensor: Tensor): Accumulator {
    const result = new Accumulator(tensor.dtype, tensor.size);
    (result.data as FloatArray).set(computed(tensor) as FloatArray);
    return result;
  }

  /** Sets every element to what `mul`, `min` and `max` start from in a dtype; the others start from zero. */
  neutral(combine: Combine, dtype: DType): this {
    if (combine === 'mul') {
      for (let i = 0; i < this.data.length; i += this.per)
        (this.data as Bigs)[i] = (isBig(this.dtype) ? 1n : 1) as bigint;
    } else if (combine === 'min' || combine === 'max') {
      const [low, high] = limits(dtype);
      (this.data as unknown as { fill(x: unknown): void }).fill(combine === 'max' ? low : high);
    }
    return this;
  }

  /** A source of elements for `apply`; made once for many calls. */
  static source(tensor: Tensor): TypedArray {
    return computed(tensor);
  }

  /** Combines `count` elements from `to` on with those of a source from `from` on. */
  apply(combine: Combine, to: number, source: TypedArray, from: number, count: number): void {
    const [a, b, n] = [to * this.per, from * this.per, count * this.per];
    if (isBig(this.dtype)) {
      const step = BIG[combine];
      const [x, y] = [this.data as unknown as Bigs, source as unknown as Bigs];
      for (let i = 0; i < n; i++) x[a + i] = step(x[a + i], y[b + i]);
    } else if (this.per === 2 && combine === 'mul') {
      const [x, y] = [this.data as Numbers, source as Numbers];
      for (let i = 0; i < n; i += 2) {
        const [p, q, r, s] = [x[a + i], x[a + i + 1], y[b + i], y[b + i + 1]];
        x[a + i] = p * r - q * s;
        x[a + i + 1] = p * s + q * r;
      }
    } else {
      const float = dtypeKind(this.dtype) === 'float' || this.per === 2;
      const step = (this.dtype === 'bool' ? BOOL : float ? NUMBER : INTEGER)[combine];
      const round = float ? rounder(this.dtype) : (v: number) => v;
      const [x, y] = [this.data as Numbers, source as Numbers];
      for (let i = 0; i < n; i++) x[a + i] = round(step(x[a + i], y[b + i]));
    }
  }

  /** Sets `count` elements to a small number. */
  set(at: number, count: number, value: number): void {
    for (let i = at * this.per; i < (at + count) * this.per; i += this.per) {
      (this.data as Bigs)[i] = (isBig(this.dtype) ? BigInt(value) : value) as bigint;
      if (this.per === 2) (this.data as Numbers)[i + 1] = 0;
    }
  }

  /** Divides elements by a count, as the dtype divides: integers towards zero. */
  divide(at: number, count: number, by: number): void {
    for (let i = at * this.per; i < (at + count) * this.per; i++) {
      if (isBig(this.dtype)) (this.data as unknown as Bigs)[i] /= BigInt(by);
      else (this.data as Numbers)[i] /= by;
    }
  }

  tensor(shape: readonly number[]): Tensor {
    return dtypeKind(this.dtype) === 'float'
      ? fromFloats(this.dtype, shape, this.data as FloatArray)
      : Tensor.fromArray(this.dtype, shape, this.data);
  }
}

const NUMBER: Record<Combine, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (b > a ? b : a),
  set: (_, b) => b,
};

/** Integers wrap: their low 32 bits are exact where a float product is not. */
const INTEGER: Record<Combine, (a: number, b: number) => number> = { ...NUMBER, mul: Math.imul };

/** Sums and products of truth values are `or` and `and`. */
const BOOL: Record<Combine, (a: number, b: number) => number> = {
  ...NUMBER,
  add: (a, b) => a | b,
  mul: (a, b) => a & b,
};

const BIG: Record<Combine, (a: bigint, b: bigint) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (b > a ? b : a),
  set: (_, b) => b,
};

/** The lowest and highest finite value of a dtype. */
function limits(dtype: DType): [number | bigint, number | bigint] {
  switch (dtype) {
    case 'float16':
      return [-65504, 65504];
    case 'bfloat16':
      return [-(2 - 2 ** -7) * 2 ** 127, (2 - 2 ** -7) * 2 ** 127];
    case 'float32':
      return [-(2 - 2 ** -23) * 2 ** 127, (2 - 2 ** -23) * 2 ** 127];
    case 'float64':
      return [-Number.MAX_VALUE, Number.MAX_VALUE];
    case 'int64':
      return [-(2n ** 63n), 2n ** 63n - 1n];
    case 'uint64':
      return [0n, 2n ** 64n - 1n];
    case 'bool':
      return [0, 1];
    default: {
      const bits = 8 * arrayType(dtype).BYTES_PER_ELEMENT;
      return dtypeKind(dtype) === 'uint' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
    }
  }
}
