/** Fourier transforms: RFFT as RFFT2D of one row; back to real signals as products with constant matrices. */
import { Tensor, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape, sizeOf } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

/** The last axes cut or padded with zeros to the given lengths. */
function fitted(b: Rewriter, x: Value, lengths: readonly number[]): Value | undefined {
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

/** The kernel pads and cuts to its length itself. */
function rfft(b: Rewriter, [x, lengthValue]: Value[]): Value | undefined {
  const [n] = numbers(lengthValue) ?? [];
  // Of a single sample the kernel makes something else.
  if (n === undefined || n < 2 || !x.shape) return undefined;
  const sizes = range(x.shape.length).map((i) => sizeOf(b, x, i));
  const batch = sizes.slice(0, -1);
  const row = reshape(b, x, [...batch, 1, sizes[sizes.length - 1]]);
  const spectrum = b.op('RFFT2D', [row, [1, n]]);
  return reshape(b, spectrum, [...batch, Math.floor(n / 2) + 1]);
}

/** Largest transform that is written as matrices; their size is its square. */
const MAX_LENGTH = 2048;

/** Real signal from half a spectrum: re · C + im · S. The mirrored half doubles what is not 0 or n/2. */
function inverseMatrices(n: number, bins: number): [Tensor, Tensor] {
  const [cos, sin] = [new Float32Array(bins * n), new Float32Array(bins * n)];
  for (let k = 0; k < bins; k++) {
    const weight = (k === 0 || 2 * k === n ? 1 : 2) / n;
    for (let t = 0; t < n; t++) {
      const angle = (2 * Math.PI * ((k * t) % n)) / n;
      cos[k * n + t] = weight * Math.cos(angle);
      sin[k * n + t] = -weight * Math.sin(angle);
    }
  }
  return [Tensor.fromArray('float32', [bins, n], cos), Tensor.fromArray('float32', [bins, n], sin)];
}

function irfft(b: Rewriter, [x, lengthValue]: Value[]): Value | undefined {
  const [n] = numbers(lengthValue) ?? [];
  if (n === undefined || n > MAX_LENGTH || n < 1 || x.dtype !== 'complex64') return undefined;
  const bins = Math.floor(n / 2) + 1;
  const parts = ['Real', 'Imag'].map((op) => fitted(b, b.op(op, [x]), [bins]));
  if (!parts[0] || !parts[1]) return undefined;
  const [cos, sin] = inverseMatrices(n, bins);
  return b.op('AddV2', [b.op('BatchMatMulV2', [parts[0], cos]), b.op('BatchMatMulV2', [parts[1], sin])]);
}

/** The complex inverse along the rows' axis, then the real one along each row. */
function irfft2d(b: Rewriter, [x, lengthValue]: Value[]): Value | undefined {
  const [height, width] = numbers(lengthValue) ?? [];
  if (!height || !width || Math.max(height, width) > MAX_LENGTH || x.dtype !== 'complex64') return undefined;
  const bins = Math.floor(width / 2) + 1;
  const [re, im] = ['Real', 'Imag'].map((op) => fitted(b, b.op(op, [x]), [height, bins]));
  if (!re || !im) return undefined;
  const [cos, sin] = [new Float32Array(height * height), new Float32Array(height * height)];
  for (let t = 0; t < height; t++) {
    for (let k = 0; k < height; k++) {
      const angle = (2 * Math.PI * ((k * t) % height)) / height;
      cos[t * height + k] = Math.cos(angle) / height;
      sin[t * height + k] = Math.sin(angle) / height;
    }
  }
  const [c, s] = [cos, sin].map((m) => b.const(Tensor.fromArray('float32', [height, height], m)));
  const product = (m: Value, v: Value) => b.op('BatchMatMulV2', [m, v]);
  const real = b.op('Sub', [product(c, re), product(s, im)]);
  const imaginary = b.op('AddV2', [product(s, re), product(c, im)]);
  const [rowCos, rowSin] = inverseMatrices(width, bins);
  return b.op('AddV2', [b.op('BatchMatMulV2', [real, rowCos]), b.op('BatchMatMulV2', [imaginary, rowSin])]);
}

const made =
  (build: (b: Rewriter, inputs: Value[]) => Value | undefined) => (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs);
    return value && [value];
  };

export const table: RewriteTable = {
  RFFT: made(rfft),
  IRFFT: made(irfft),
  IRFFT2D: made(irfft2d),
};
