/**
 * Discrete Fourier transforms of parts: products with constant matrices. The kernel of RFFT2D knows lengths that are
 * powers of two alone, and there is none for the others.
 */
import { Tensor, type Value } from '@floe/export-core';
import type { Rewriter } from '../rewrite';

/** Real and imaginary part; of a real number there is no other. */
export interface Pair {
  re: Value;
  im?: Value;
}

/** Largest transform that is written as matrices; their size is its square. */
export const MAX_LENGTH = 2048;

/** A matrix [rows, columns] of weight(row, column) · cos and · sin of 2π · row · column / n. */
function waves(
  n: number,
  rows: number,
  columns: number,
  weight: (row: number, column: number) => number,
): { cos: Tensor; sin: Tensor } {
  const [cos, sin] = [new Float32Array(rows * columns), new Float32Array(rows * columns)];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      // Reduced before it is rounded: sines of large angles are inexact.
      const angle = (2 * Math.PI * ((r * c) % n)) / n;
      cos[r * columns + c] = weight(r, c) * Math.cos(angle);
      sin[r * columns + c] = weight(r, c) * Math.sin(angle);
    }
  }
  const tensor = (data: Float32Array) => Tensor.fromArray('float32', [rows, columns], data);
  return { cos: tensor(cos), sin: tensor(sin) };
}

/** Product with a matrix from the right: [..., rows] → [..., columns]. */
function times(b: Rewriter, x: Value, matrix: Tensor): Value {
  if (x.shape?.length !== 1) return b.op('BatchMatMulV2', [x, matrix]);
  return b.op('Reshape', [b.op('BatchMatMulV2', [b.op('ExpandDims', [x, 0]), matrix]), [matrix.shape[1]]]);
}

/** The last axes cut or padded with zeros to the given lengths; undefined where they are not known. */
export function fitted(b: Rewriter, x: Value, lengths: readonly number[]): Value | undefined {
  const { shape } = x;
  if (!shape) return undefined;
  const first = shape.length - lengths.length;
  const sizes = shape.slice(first);
  if (sizes.some((d) => d === null)) return undefined;
  const known = sizes as number[];
  let result = x;
  if (known.some((d, i) => d > lengths[i])) {
    const size = shape.map((_, i) => (i < first ? -1 : Math.min(known[i - first], lengths[i - first])));
    result = b.op('Slice', [result, b.ints(shape.map(() => 0)), b.ints(size)]);
  }
  if (known.some((d, i) => d < lengths[i])) {
    const pads = shape.flatMap((_, i) => [
      0,
      i < first ? 0 : Math.max(0, lengths[i - first] - known[i - first]),
    ]);
    result = b.op('Pad', [result, Tensor.fromNumbers('int32', [shape.length, 2], pads)]);
  }
  return result;
}

/** Half the spectrum of real signals along the last axis: [..., n] → [..., n/2 + 1]. */
export function realTransform(b: Rewriter, x: Value, n: number): Pair | undefined {
  const signal = n >= 1 && n <= MAX_LENGTH ? fitted(b, x, [n]) : undefined;
  if (!signal) return undefined;
  const { cos, sin } = waves(n, n, Math.floor(n / 2) + 1, () => 1);
  return { re: times(b, signal, cos), im: b.op('Neg', [times(b, signal, sin)]) };
}

/** Real signals of half their spectrum, along the last axis. The mirrored half doubles what is not 0 or n/2. */
export function inverseRealTransform(b: Rewriter, { re, im }: Pair, n: number): Value | undefined {
  if (n < 1 || n > MAX_LENGTH) return undefined;
  const bins = Math.floor(n / 2) + 1;
  const { cos, sin } = waves(n, bins, n, (k) => (k === 0 || 2 * k === n ? 1 : 2) / n);
  const parts = [re, im].map((part) => part && fitted(b, part, [bins]));
  if (!parts[0] || (im && !parts[1])) return undefined;
  const even = times(b, parts[0], cos);
  return parts[1] ? b.op('Sub', [even, times(b, parts[1], sin)]) : even;
}

/** The whole transform along one of the last two axes, counted from the end: -1 or -2. */
export function complexTransform(
  b: Rewriter,
  { re, im }: Pair,
  axis: -1 | -2,
  inverse: boolean,
): Pair | undefined {
  const n = re.shape?.at(axis);
  if (n === undefined || n === null || n < 1 || n > MAX_LENGTH) return undefined;
  const { cos, sin } = waves(n, n, n, () => (inverse ? 1 / n : 1));
  const along = (x: Value, matrix: Tensor): Value =>
    axis === -1 ? times(b, x, matrix) : b.op('BatchMatMulV2', [b.const(matrix), x]);
  // e^(∓iωt): forwards the sine is subtracted.
  const [re2, im2] = [along(re, cos), along(re, sin)];
  if (!im) return { re: re2, im: inverse ? im2 : b.op('Neg', [im2]) };
  const [re3, im3] = [along(im, sin), along(im, cos)];
  return inverse
    ? { re: b.op('Sub', [re2, re3]), im: b.op('AddV2', [im2, im3]) }
    : { re: b.op('AddV2', [re2, re3]), im: b.op('Sub', [im3, im2]) };
}
