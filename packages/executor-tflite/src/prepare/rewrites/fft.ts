/** Fourier transforms of complex numbers that TFLite has: RFFT as RFFT2D of one row; back to real signals by matrices. */
import { attr, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape, sizeOf } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';
import { complexTransform, fitted, inverseRealTransform, type Pair } from './dft';

/** The kernel pads and cuts to its length itself. */
function rfft(b: Rewriter, [x, lengthValue]: Value[]): Value | undefined {
  const [n] = numbers(lengthValue) ?? [];
  // Of a single sample the kernel makes something else.
  if ((n !== undefined && n < 2) || !x.shape) return undefined;
  const sizes = range(x.shape.length).map((i) => sizeOf(b, x, i));
  const batch = sizes.slice(0, -1);
  if (n === undefined) {
    const lengths = b.op('ConcatV2', [b.ints([1]), lengthValue, b.ints(0)]);
    const spectrum = b.op('RFFT2D', [b.op('ExpandDims', [x, -2]), lengths]);
    return b.op('Squeeze', [spectrum], { squeeze_dims: attr.ints([batch.length]) });
  }
  const row = reshape(b, x, [...batch, 1, sizes[sizes.length - 1]]);
  const spectrum = b.op('RFFT2D', [row, [1, n]]);
  return reshape(b, spectrum, [...batch, Math.floor(n / 2) + 1]);
}

function partsOf(b: Rewriter, x: Value): Pair | undefined {
  return x.dtype === 'complex64' ? { re: b.op('Real', [x]), im: b.op('Imag', [x]) } : undefined;
}

/** Real signals of half their spectrum. */
export function irfft(b: Rewriter, spectrum: Pair, lengthValue: Value): Value | undefined {
  const [n] = numbers(lengthValue) ?? [];
  return n === undefined ? undefined : inverseRealTransform(b, spectrum, n);
}

/** The complex inverse along the rows' axis, then the real one along each row. */
export function irfft2d(b: Rewriter, { re, im }: Pair, lengthValue: Value): Value | undefined {
  const [height, width] = numbers(lengthValue) ?? [];
  if (!height || !width) return undefined;
  const bins = Math.floor(width / 2) + 1;
  const parts = [re, im].map((part) => part && fitted(b, part, [height, bins]));
  if (!parts[0] || (im && !parts[1])) return undefined;
  const rows = complexTransform(b, { re: parts[0], im: parts[1] }, -2, true);
  return rows && inverseRealTransform(b, rows, width);
}

const made =
  (build: (b: Rewriter, inputs: Value[]) => Value | undefined) => (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs);
    return value && [value];
  };
const ofParts = (build: (b: Rewriter, pair: Pair, lengths: Value) => Value | undefined) =>
  made((b, [x, lengths]) => {
    const pair = partsOf(b, x);
    return pair && build(b, pair, lengths);
  });

export const table: RewriteTable = {
  RFFT: made(rfft),
  IRFFT: ofParts(irfft),
  IRFFT2D: ofParts(irfft2d),
};
