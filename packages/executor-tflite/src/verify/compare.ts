/**
 * How far two tensors are apart, and whether that is too far.
 *
 * Numbers agree where |d| ≤ t·|reference| + t/10·max(1, max|reference|), t being the tolerance: relative to each
 * element, with an absolute part that small elements beside large ones need. Integers, truth values and strings
 * agree where they are equal. NaN agrees with NaN, an infinity with the same infinity.
 */
import { dtypeKind, type DType, type Tensor } from '@floe/export-core';

export interface Figures {
  elements: number;
  /** Elements that are further apart than allowed. */
  outside: number;
  /** Largest |d|, and largest |d|/|reference| over elements that are not 0. Of finite elements. */
  maxAbsoluteError: number;
  maxRelativeError: number;
  /** Cosine of the angle between the two, as vectors; 1 when both are zero. */
  cosine: number;
  /** Signal to quantisation noise ratio in dB, -300 at least; null when there is no noise. */
  sqnr: number | null;
  /** Elements where one is NaN or infinite and the other is not, or another way. */
  finiteMismatches: number;
  /** Of rows of scores, one a class: the share whose largest one is the same. Where the tensor looks like such. */
  top1?: number;
}

/** Tensors of equal dtype and shape; several pairs (one a sample) add up. */
export class Comparison {
  private elements = 0;
  private outside = 0;
  private maxAbsolute = 0;
  private maxRelative = 0;
  private finiteMismatches = 0;
  private dot = 0;
  private signal = 0;
  private power = 0;
  private noise = 0;
  private rows = 0;
  private sameTop = 0;

  constructor(private readonly tolerance: number) {}

  /** Adds a pair; what is different about their form, where they have not the same. */
  add(got: Tensor, reference: Tensor): string | undefined {
    if (got.dtype !== reference.dtype) return `it is ${got.dtype} instead of ${reference.dtype}`;
    if (got.shape.length !== reference.shape.length || got.shape.some((d, i) => d !== reference.shape[i]))
      return `its shape is [${got.shape.join(',')}] instead of [${reference.shape.join(',')}]`;
    this.elements += got.size;
    if (got.dtype === 'string') this.addStrings(got, reference);
    else if (isExact(got.dtype)) this.addExact(got, reference);
    else {
      const [a, b] = [numbersOf(got), numbersOf(reference)];
      this.addNumbers(a, b);
      if (isScores(reference)) this.addTops(a, b, reference.shape[1]);
    }
    return undefined;
  }

  private addTops(got: ArrayLike<number>, reference: ArrayLike<number>, classes: number): void {
    for (let start = 0; start < reference.length; start += classes) {
      this.rows++;
      if (largestOf(got, start, classes) === largestOf(reference, start, classes)) this.sameTop++;
    }
  }

  private addStrings(got: Tensor, reference: Tensor): void {
    got.strings.forEach((text, i) => {
      if (Buffer.compare(text, reference.strings[i]) !== 0) this.outside++;
    });
  }

  /** Differences of integers as numbers; whether they differ by the raw elements, which 64 bits need. */
  private addExact(got: Tensor, reference: Tensor): void {
    const [a, b] = [got.data, reference.data];
    for (let i = 0; i < a.length; i++) {
      this.addPair(Number(a[i]), Number(b[i]));
      if (a[i] !== b[i]) this.outside++;
    }
  }

  private addNumbers(got: ArrayLike<number>, reference: ArrayLike<number>): void {
    let largest = 1;
    for (let i = 0; i < reference.length; i++) {
      const size = Math.abs(reference[i]);
      if (size > largest && Number.isFinite(size)) largest = size;
    }
    const floor = (this.tolerance / 10) * largest;
    for (let i = 0; i < got.length; i++) {
      const [x, y] = [got[i], reference[i]];
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        if (Object.is(x, y)) continue;
        this.finiteMismatches++;
        this.outside++;
        continue;
      }
      this.addPair(x, y);
      if (Math.abs(x - y) > this.tolerance * Math.abs(y) + floor) this.outside++;
    }
  }

  private addPair(x: number, y: number): void {
    const error = Math.abs(x - y);
    if (error > this.maxAbsolute) this.maxAbsolute = error;
    if (y !== 0) this.maxRelative = Math.max(this.maxRelative, error / Math.abs(y));
    this.dot += x * y;
    this.power += x * x;
    this.signal += y * y;
    this.noise += error * error;
  }

  get agrees(): boolean {
    return this.outside === 0;
  }

  figures(): Figures {
    const norm = Math.sqrt(this.power) * Math.sqrt(this.signal);
    const bothZero = this.power === 0 && this.signal === 0;
    return {
      elements: this.elements,
      outside: this.outside,
      maxAbsoluteError: this.maxAbsolute,
      maxRelativeError: this.maxRelative,
      cosine: bothZero ? 1 : norm === 0 ? 0 : Math.min(1, this.dot / norm),
      sqnr: this.noise === 0 ? null : 10 * Math.log10(Math.max(this.signal / this.noise, 1e-30)),
      finiteMismatches: this.finiteMismatches,
      ...(this.rows ? { top1: this.sameTop / this.rows } : {}),
    };
  }
}

/** [batch, classes] of floats. */
function isScores({ dtype, shape }: Tensor): boolean {
  return dtypeKind(dtype) === 'float' && shape.length === 2 && shape[1] > 1;
}

function largestOf(values: ArrayLike<number>, start: number, count: number): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if (values[i] > values[best]) best = i;
  return best;
}

function isExact(dtype: DType): boolean {
  return !['float', 'complex'].includes(dtypeKind(dtype));
}

function numbersOf(tensor: Tensor): ArrayLike<number> {
  return dtypeKind(tensor.dtype) === 'complex' || tensor.dtype === 'float32' || tensor.dtype === 'float64'
    ? (tensor.data as Float32Array)
    : tensor.toNumbers();
}
