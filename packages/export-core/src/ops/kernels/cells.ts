/**
 * Moving elements without knowing what they mean: one implementation for every dtype.
 *
 * A tensor's elements are seen as cells: `per` words of 1, 2 or 4 bytes each, or strings. Words are unsigned
 * integers, so that no NaN payload is lost on the way.
 */
import { dtypeSize, type DType } from '../../tensor/dtype';
import { elementCount, stridesOf } from '../../tensor/shape';
import { Tensor } from '../../tensor/tensor';

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Below this many words a loop is faster than `set(subarray)`. */
const SHORT = 16;

export class Cells {
  private constructor(
    readonly dtype: DType,
    private readonly words: Words | undefined,
    private readonly strings: Uint8Array[] | undefined,
    private readonly per: number,
  ) {}

  /** The elements of a tensor; do not write to them. */
  static of(tensor: Tensor): Cells {
    if (tensor.dtype === 'string') return new Cells('string', undefined, tensor.strings as Uint8Array[], 1);
    const { bytes } = tensor;
    const size = dtypeSize(tensor.dtype);
    return new Cells(tensor.dtype, wordsOf(bytes, Math.min(size, 4)), undefined, Math.max(1, size / 4));
  }

  /** New elements: zeros, or empty strings. */
  static make(dtype: DType, count: number): Cells {
    if (dtype === 'string')
      return new Cells(dtype, undefined, new Array<Uint8Array>(count).fill(new Uint8Array()), 1);
    const size = dtypeSize(dtype);
    return new Cells(
      dtype,
      wordsOf(new Uint8Array(count * size), Math.min(size, 4)),
      undefined,
      Math.max(1, size / 4),
    );
  }

  /** Copies `count` consecutive elements. */
  copy(to: number, source: Cells, from: number, count: number): void {
    if (!this.words) {
      for (let i = 0; i < count; i++) this.strings![to + i] = source.strings![from + i];
      return;
    }
    const n = count * this.per;
    const a = to * this.per;
    const b = from * this.per;
    if (n > SHORT) this.words.set(source.words!.subarray(b, b + n), a);
    else for (let i = 0; i < n; i++) this.words[a + i] = source.words![b + i];
  }

  /** Writes element `from` of `source` to `count` consecutive elements. */
  fill(to: number, source: Cells, from: number, count: number): void {
    for (let i = 0; i < count; i++) this.copy(to + i, source, from, 1);
  }

  /** Copies a box of elements between two strided layouts; strides in elements, 0 and negative ones included. */
  copyBox(
    shape: readonly number[],
    to: { offset: number; strides: readonly number[] },
    source: Cells,
    from: { offset: number; strides: readonly number[] },
  ): void {
    if (shape.includes(0)) return;
    const last = shape.length - 1;
    if (last < 0) return this.copy(to.offset, source, from.offset, 1);
    const n = shape[last];
    const dense = to.strides[last] === 1 && from.strides[last] === 1;
    const visit = (d: number, a: number, b: number): void => {
      if (d < last) {
        for (let i = 0; i < shape[d]; i++) visit(d + 1, a + i * to.strides[d], b + i * from.strides[d]);
      } else if (dense) this.copy(a, source, b, n);
      else this.copyRow(a, to.strides[d], source, b, from.strides[d], n);
    };
    visit(0, to.offset, from.offset);
  }

  private copyRow(
    to: number,
    toStep: number,
    source: Cells,
    from: number,
    fromStep: number,
    count: number,
  ): void {
    const a = this.words;
    const b = source.words;
    if (a && b && this.per === 1) for (let i = 0; i < count; i++) a[to + i * toStep] = b[from + i * fromStep];
    else for (let i = 0; i < count; i++) this.copy(to + i * toStep, source, from + i * fromStep, 1);
  }

  /** Equality of two elements as bytes. */
  same(i: number, other: Cells, j: number): boolean {
    if (!this.words) return Buffer.compare(this.strings![i], other.strings![j]) === 0;
    for (let k = 0; k < this.per; k++) {
      if (this.words[i * this.per + k] !== other.words![j * this.per + k]) return false;
    }
    return true;
  }

  tensor(shape: readonly number[]): Tensor {
    if (!this.words) return Tensor.fromStrings(shape, this.strings!);
    const { buffer, byteOffset, byteLength } = this.words;
    return Tensor.fromBytes(this.dtype, shape, new Uint8Array(buffer, byteOffset, byteLength));
  }
}

function wordsOf(bytes: Uint8Array, width: number): Words {
  // A copy at the start of its own memory: `slice` of a Buffer would be a view at the same place.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  if (width === 4) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return aligned;
}

/** A new tensor that reads `source` through strides: element (i, j, …) is source[offset + i·s0 + j·s1 + …]. */
export function stridedView(
  source: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Tensor {
  const cells = Cells.make(source.dtype, elementCount(shape));
  cells.copyBox(shape, { offset: 0, strides: stridesOf(shape) }, Cells.of(source), { offset, strides });
  return cells.tensor(shape);
}

/** Element (i, j, …) of the result is element (begin0 + i·step0, …) of the source. */
export function sliceTensor(
  source: Tensor,
  begin: readonly number[],
  shape: readonly number[],
  step?: readonly number[],
) {
  const strides = stridesOf(source.shape);
  const offset = begin.reduce((sum, b, d) => sum + b * strides[d], 0);
  return stridedView(source, shape, step ? strides.map((s, d) => s * step[d]) : strides, offset);
}

/** The axes of `source` in another order: axis `d` of the result is axis `perm[d]` of the source. */
export function transposeTensor(source: Tensor, perm: readonly number[]): Tensor {
  const strides = stridesOf(source.shape);
  return stridedView(
    source,
    perm.map((p) => source.shape[p]),
    perm.map((p) => strides[p]),
  );
}

/** Joins tensors of one dtype along an axis; their other dimensions are equal. */
export function concatTensors(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0];
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, p) => sum + p.shape[axis], 0);
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const out = Cells.make(first.dtype, elementCount(shape));
  let at = 0;
  for (const part of parts) {
    const cells = Cells.of(part);
    const run = part.shape[axis] * inner;
    for (let i = 0; i < outer; i++) out.copy(i * shape[axis] * inner + at, cells, i * run, run);
    at += run;
  }
  return out.tensor(shape);
}
