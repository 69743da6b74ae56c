/** Fourier transforms, and the parts of complex numbers. */
import type { Node } from '../graph/graph';
import { dtypeKind, type DType } from '../tensor/dtype';
import { elementCount, stridesOf, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { broadcasting, unchanged } from './elementwise-shapes';
import { broadcastIndices, broadcastOf, stridedRuns } from './kernels/broadcast';
import { transformAxis } from './kernels/dft';
import { floatArray, floatsOf, mapUnary, noKernel, type FloatArray } from './kernels/elementwise';
import { rankAtLeast, refuse } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable } from './op-row';

/** A copy of complex (or real) elements as double pairs, each dimension cut to `shape`. */
function pairs(x: Tensor, shape: readonly number[]): Float64Array {
  const out = new Float64Array(2 * elementCount(shape));
  const data = floatsOf(x);
  const lanes = dtypeKind(x.dtype) === 'complex' ? 2 : 1;
  if (shape.some((n, d) => n > x.shape[d])) refuse(`[${x.shape}] is shorter than [${shape}]`);
  stridedRuns(shape, [stridesOf(shape), stridesOf(x.shape)], (_, n, [to, from], [p, q]) => {
    for (let e = 0; e < n; e++) {
      for (let l = 0; l < lanes; l++) out[2 * (to + e * p) + l] = data[lanes * (from + e * q) + l];
    }
  });
  return out;
}

function complexTensor(dtype: DType, shape: readonly number[], data: Float64Array): Tensor {
  const out = floatArray(dtype, data.length);
  out.set(data);
  return Tensor.fromArray(dtype, shape, out);
}

/** Complex to complex, over the last `rank` axes. */
function complexTransform(rank: number, inverse: boolean): OpRow {
  return {
    infer: (c) => [{ shape: rankAtLeast(c, 0, rank) }],
    evaluate: ([x]) => {
      if (dtypeKind(x.dtype) !== 'complex' || x.shape.length < rank) throw noKernel(x.dtype);
      const data = pairs(x, x.shape);
      for (let d = x.shape.length - rank; d < x.shape.length; d++) transformAxis(data, x.shape, d, inverse);
      return [complexTensor(x.dtype, x.shape, data)];
    },
  };
}

/** The lengths of the transform's axes, from input 1, and the half of the last one that is kept. */
function fftLengths(c: InferContext, rank: number, forward: boolean): Shape {
  const shape = rankAtLeast(c, 0, rank);
  if (!shape) return null;
  const lengths: Dim[] = c.elements(1) ?? new Array<Dim>(rank).fill(null);
  if (lengths.length !== rank) return c.fail(`${rank} lengths are needed, not ${lengths.length}`);
  const last = lengths[rank - 1];
  const kept = forward && last ? Math.floor(last / 2) + 1 : last;
  return [...shape.slice(0, -rank), ...lengths.slice(0, -1), kept];
}

function lengthsOf(x: Tensor, lengths: Tensor, rank: number): number[] {
  const list = lengths.toNumbers();
  if (list.length !== rank || x.shape.length < rank || list.some((n) => n < 0))
    refuse(`lengths [${list}] for [${x.shape}]`);
  return list;
}

/** Real to complex: the last axis keeps the non-negative frequencies, the others are transformed in full. */
function realTransform(rank: number): OpRow {
  return {
    infer: (c) => [{ shape: fftLengths(c, rank, true), dtype: c.node.type('Tcomplex') }],
    evaluate: ([x, lengths], node) => {
      const size = lengthsOf(x, lengths, rank);
      const full = [...x.shape.slice(0, -rank), ...size];
      const data = pairs(x, full);
      for (let d = full.length - rank; d < full.length; d++) transformAxis(data, full, d, false);
      const last = size[rank - 1];
      const shape = [...full.slice(0, -1), last ? Math.floor(last / 2) + 1 : 0];
      const dtype = node.type('Tcomplex');
      const whole = complexTensor(dtype, full, data);
      return [complexTensor(dtype, shape, pairs(whole, shape))];
    },
  };
}

/** Complex to real: the negative frequencies of the last axis mirror the given ones. */
function inverseRealTransform(rank: number): OpRow {
  return {
    infer: (c) => [{ shape: fftLengths(c, rank, false), dtype: c.node.type('Treal') }],
    evaluate: ([x, lengths], node) => {
      const size = lengthsOf(x, lengths, rank);
      const last = size[rank - 1];
      const half = [...x.shape.slice(0, -rank), ...size.slice(0, -1), last ? Math.floor(last / 2) + 1 : 0];
      const full = [...half.slice(0, -1), last];
      const data = pairs(x, half);
      for (let d = half.length - rank; d < half.length - 1; d++) transformAxis(data, half, d, true);
      const mirrored = new Float64Array(2 * elementCount(full));
      const lines = elementCount(full.slice(0, -1));
      const kept = half[half.length - 1];
      for (let line = 0; line < lines; line++) {
        for (let k = 0; k < last; k++) {
          const from = 2 * (line * kept + (k < kept ? k : last - k));
          const to = 2 * (line * last + k);
          mirrored[to] = data[from];
          // The lone frequencies 0 and last/2 of a real signal are real.
          const lone = k === 0 || 2 * k === last;
          mirrored[to + 1] = lone ? 0 : k < kept ? data[from + 1] : -data[from + 1];
        }
      }
      transformAxis(mirrored, full, full.length - 1, true);
      const dtype = node.type('Treal');
      const out = floatArray(dtype, mirrored.length / 2);
      for (let i = 0; i < out.length; i++) out[i] = mirrored[2 * i];
      return [Tensor.fromArray(dtype, full, out)];
    },
  };
}

/** One real number out of each complex one. */
function part(f: (re: number, im: number) => number): OpRow {
  return {
    infer: (c) => [{ shape: c.shape(0), dtype: c.node.type('Tout') }],
    evaluate: ([x], node: Node) => {
      if (dtypeKind(x.dtype) !== 'complex') throw noKernel(x.dtype);
      const data = x.data as FloatArray;
      const dtype = node.type('Tout');
      const out = floatArray(dtype, x.size);
      for (let i = 0; i < out.length; i++) out[i] = f(data[2 * i], data[2 * i + 1]);
      return [Tensor.fromArray(dtype, x.shape, out)];
    },
  };
}

const lines: Record<string, OpRow> = {};
for (const [name, rank] of [
  ['', 1],
  ['2D', 2],
  ['3D', 3],
] as const) {
  lines[`FFT${name}`] = complexTransform(rank, false);
  lines[`IFFT${name}`] = complexTransform(rank, true);
  // The names that TensorFlow 0.x had for them.
  lines[`BatchFFT${name}`] = lines[`FFT${name}`];
  lines[`BatchIFFT${name}`] = lines[`IFFT${name}`];
  lines[`RFFT${name}`] = realTransform(rank);
  lines[`IRFFT${name}`] = inverseRealTransform(rank);
}

export const table: OpTable = {
  ...lines,
  Real: part((re) => re),
  Imag: part((_, im) => im),
  ComplexAbs: part((re, im) => Math.hypot(re, im)),
  Angle: part((re, im) => Math.atan2(im, re)),
  Conj: {
    infer: unchanged,
    evaluate: ([x]) => [mapUnary(x, { complex: (re, im) => [re, -im] })],
  },
  Complex: {
    infer: (c) => [{ ...broadcasting(c)[0], dtype: c.node.type('Tout') }],
    evaluate: ([re, im], node) => {
      const shape = broadcastOf(re.shape, im.shape);
      const dtype = node.type('Tout');
      const out = floatArray(dtype, 2 * elementCount(shape));
      broadcastIndices(re.shape, shape).forEach((at, i) => (out[2 * i] = re.data[at] as number));
      broadcastIndices(im.shape, shape).forEach((at, i) => (out[2 * i + 1] = im.data[at] as number));
      return [Tensor.fromArray(dtype, shape, out)];
    },
  },
};
