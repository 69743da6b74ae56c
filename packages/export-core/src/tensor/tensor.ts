/**
 * A constant: dtype, shape and its elements.
 *
 * Elements are kept as TensorFlow stores them (little-endian, packed, row-major), often as a view into a file's
 * buffer, so that nothing is copied until somebody needs it otherwise aligned. A tensor whose elements are all
 * equal may keep one element only and is spread out on first use.
 */
import { arrayType, dtypeSize, numberToRaw, rawToNumber, type DType, type TypedArray } from './dtype';
import { elementCount } from './shape';

/** The most bytes one tensor may take in memory: a limit against files that announce absurd shapes. */
export const MAX_TENSOR_BYTES = 2 ** 32;

/** Deferred elements up to this size are kept once made; larger ones are made again, so that few are held at once. */
const MAX_KEPT_BYTES = 1 << 16;

export class Tensor {
  private packed?: Uint8Array;
  private view?: TypedArray;

  private constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    packed: Uint8Array | undefined,
    private readonly splat: Uint8Array | undefined,
    private readonly texts: readonly Uint8Array[] | undefined,
    private readonly make?: () => Uint8Array,
  ) {
    this.packed = packed;
    const bytes = elementCount(shape) * dtypeSize(dtype);
    if (!Number.isSafeInteger(bytes) || bytes > MAX_TENSOR_BYTES) {
      throw new RangeError(
        `a ${dtype} tensor of shape [${shape.join(',')}] is larger than ${MAX_TENSOR_BYTES} bytes`,
      );
    }
  }

  /** From packed little-endian bytes; their length must be that of the shape. */
  static fromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
    const tensor = new Tensor(dtype, shape, bytes, undefined, undefined);
    if (dtypeSize(dtype) === 0) throw new TypeError(`a ${dtype} tensor has no packed bytes`);
    if (bytes.length !== elementCount(shape) * dtypeSize(dtype)) {
      throw new RangeError(
        `a ${dtype} tensor of shape [${shape.join(',')}] cannot hold ${bytes.length} bytes`,
      );
    }
    return tensor;
  }

  /** From a typed array of raw elements (see `arrayType`). */
  static fromArray(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
    return Tensor.fromBytes(dtype, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** From JavaScript numbers (or bigints for 64-bit integers), rounded to the dtype. */
  static fromNumbers(dtype: DType, shape: readonly number[], numbers: readonly (number | bigint)[]): Tensor {
    const data = new (arrayType(dtype))(numbers.length);
    for (let i = 0; i < numbers.length; i++) {
      const n = numbers[i];
      const raw =
        typeof n === 'bigint'
          ? dtypeSize(dtype) === 8
            ? n
            : numberToRaw(dtype, Number(n))
          : numberToRaw(dtype, n);
      (data as { [i: number]: number | bigint })[i] = raw;
    }
    return Tensor.fromArray(dtype, shape, data);
  }

  static scalar(dtype: DType, value: number | bigint): Tensor {
    return Tensor.fromNumbers(dtype, [], [value]);
  }

  /** Every element equal; `element` is one packed element. */
  static filled(dtype: DType, shape: readonly number[], element: Uint8Array): Tensor {
    return new Tensor(dtype, shape, undefined, element, undefined);
  }

  /** Elements that `make` gives, packed, whenever they are asked for; it must give the same each time. */
  static deferred(dtype: DType, shape: readonly number[], make: () => Uint8Array): Tensor {
    return new Tensor(dtype, shape, undefined, undefined, undefined, make);
  }

  static fromStrings(shape: readonly number[], strings: readonly Uint8Array[]): Tensor {
    if (strings.length !== elementCount(shape)) {
      throw new RangeError(
        `a string tensor of shape [${shape.join(',')}] cannot hold ${strings.length} strings`,
      );
    }
    return new Tensor('string', shape, undefined, undefined, strings);
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** Bytes of the packed elements (0 for strings). */
  get byteLength(): number {
    return this.size * dtypeSize(this.dtype);
  }

  /** The packed elements. Do not write to it: it may be a view into a file's buffer. */
  get bytes(): Uint8Array {
    if (this.packed) return this.packed;
    if (this.make) {
      const bytes = this.make();
      if (bytes.length <= MAX_KEPT_BYTES) this.packed = bytes;
      return bytes;
    }
    if (!this.splat) throw new TypeError(`a ${this.dtype} tensor has no packed bytes`);
    const out = new Uint8Array(this.byteLength);
    const one = this.splat;
    if (one.some((b) => b !== 0)) {
      if (one.length === 1) out.fill(one[0]);
      else if (out.length) {
        out.set(one);
        for (let done = one.length; done < out.length; done *= 2)
          out.copyWithin(done, 0, Math.min(done, out.length - done));
      }
    }
    return (this.packed = out);
  }

  /** Whether the elements are made when they are asked for. */
  get isDeferred(): boolean {
    return this.make !== undefined;
  }

  /** One packed element when all elements are known to be equal. */
  get splatElement(): Uint8Array | undefined {
    return this.splat;
  }

  /** The raw elements as a typed array (see `arrayType`); a copy only where the bytes are not aligned. */
  get data(): TypedArray {
    if (this.view) return this.view;
    const type = arrayType(this.dtype);
    const { bytes } = this;
    const view =
      bytes.byteOffset % type.BYTES_PER_ELEMENT === 0
        ? new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT)
        : new type(copied(bytes).buffer);
    if (this.packed) this.view = view;
    return view;
  }

  /** The elements of a string tensor. */
  get strings(): readonly Uint8Array[] {
    if (!this.texts) throw new TypeError(`a ${this.dtype} tensor has no strings`);
    return this.texts;
  }

  /** Element `i` (row-major) as a number; 64-bit integers beyond 2^53 lose precision: use `data` for those. */
  at(i: number): number {
    return rawToNumber(this.dtype, this.data[i]);
  }

  /** All elements as numbers; meant for small tensors such as shapes and axes. */
  toNumbers(): number[] {
    return Array.from({ length: this.size }, (_, i) => this.at(i));
  }

  /** The same elements under another shape of the same size. */
  reshape(shape: readonly number[]): Tensor {
    if (elementCount(shape) !== this.size) {
      throw new RangeError(`[${this.shape.join(',')}] cannot be reshaped to [${shape.join(',')}]`);
    }
    const make = this.make && (() => this.bytes);
    return new Tensor(this.dtype, shape, this.packed, this.splat, this.texts, make);
  }
}

/** A copy at the start of its own memory. (`slice` of a Buffer would be a view.) */
function copied(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
