/**
 * Separable image resizing: each output row and column is a weighted sum of a few input rows and columns.
 *
 * TensorFlow computes positions and weights in float32; so does this, because a position that lies next to an
 * integer decides which pixels are read.
 */
import { widen } from './numbers';
import { Tensor } from '../../tensor/tensor';

export interface ResizeFlags {
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

/** Input positions and weights of one output position. */
export interface Taps {
  index: number[];
  weight: number[];
}

const round = Math.fround;

/** How many input pixels one output pixel stands for. */
function scaleOf(input: number, output: number, alignCorners: boolean): number {
  return alignCorners && output > 1 ? round((input - 1) / (output - 1)) : round(input / output);
}

/** Position in the input of an output position. */
export function sourceOf(input: number, output: number, flags: ResizeFlags): (i: number) => number {
  const scale = scaleOf(input, output, flags.alignCorners);
  return flags.halfPixelCenters ? (i) => round(round(round(i + 0.5) * scale) - 0.5) : (i) => round(i * scale);
}

/** Linear interpolation: two neighbours; the weight kept is that of the second. */
export function bilinearTable(input: number, output: number, flags: ResizeFlags): Taps[] {
  const source = sourceOf(input, output, flags);
  return Array.from({ length: output }, (_, i) => {
    const at = source(i);
    const floor = Math.floor(at);
    const t = round(at - floor);
    return { index: [Math.max(floor, 0), Math.min(Math.ceil(at), input - 1)], weight: [round(1 - t), t] };
  });
}

/** TensorFlow rounds the fraction of a cubic position to this many steps. */
const CUBIC_STEPS = 1024;

/** Keys' cubic kernel at distance `x` (0 to 2). */
function cubic(x: number, a: number): number {
  const value = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return round(value);
}

/** Cubic interpolation: four neighbours. */
export function bicubicTable(input: number, output: number, flags: ResizeFlags): Taps[] {
  const source = sourceOf(input, output, flags);
  const a = flags.halfPixelCenters ? -0.5 : -0.75;
  return Array.from({ length: output }, (_, i) => {
    const at = source(i);
    const floor = Math.floor(at);
    const step = roundHalfEven(round(round(at - floor) * CUBIC_STEPS));
    const t = step / CUBIC_STEPS;
    const clamp = (k: number) => Math.min(input - 1, Math.max(0, k));
    const wanted = [floor - 1, floor, floor + 1, floor + 2];
    const index = wanted.map(clamp);
    let weight = [cubic(1 + t, a), cubic(t, a), cubic(1 - t, a), cubic(2 - t, a)];
    if (flags.halfPixelCenters) {
      // Beyond the edge there is nothing, and the rest makes up for it; the older mode repeats the edge.
      weight = weight.map((w, k) => (index[k] === wanted[k] ? w : 0));
      const sum = weight.reduce((s, w) => round(s + w), 0);
      if (Math.abs(sum) > 1e-30) weight = weight.map((w) => round(w * round(1 / sum)));
    }
    return { index, weight };
  });
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Mean over the area that one output pixel covers. */
export function areaTable(input: number, output: number, flags: ResizeFlags): Taps[] {
  const scale = scaleOf(input, output, flags.alignCorners);
  return Array.from({ length: output }, (_, i) => {
    const from = round(i * scale);
    const to = round((i + 1) * scale);
    const taps: Taps = { index: [], weight: [] };
    // One pixel spread over many with its corners aligned covers no area at all.
    if (from === to) return { index: [Math.floor(from)], weight: [1] };
    for (let k = Math.floor(from); k < Math.ceil(to); k++) {
      const share = k < from ? (k + 1 > to ? scale : k + 1 - from) : k + 1 > to ? to - k : 1;
      taps.index.push(Math.min(k, input - 1));
      taps.weight.push(share / scale);
    }
    return taps;
  });
}

/** Resizes [batch, height, width, depth] to float32; `stepwise` rounds after every operation as TensorFlow's lerp. */
export function resizeWith(image: Tensor, rows: Taps[], columns: Taps[], stepwise: boolean): Tensor {
  const [batch, height, width, depth] = image.shape;
  const v = widen(image);
  const result = new Float32Array(batch * rows.length * columns.length * depth);
  let to = 0;
  for (let b = 0; b < batch; b++) {
    for (const row of rows) {
      for (const column of columns) {
        for (let d = 0; d < depth; d++) {
          const at = (k: number, j: number) =>
            v[((b * height + row.index[k]) * width + column.index[j]) * depth + d];
          const line = (k: number) =>
            stepwise ? lerp(at(k, 0), at(k, 1), column.weight[1]) : weighted(column, (j) => at(k, j));
          result[to++] = stepwise ? lerp(line(0), line(1), row.weight[1]) : weighted(row, line);
        }
      }
    }
  }
  return Tensor.fromArray('float32', [batch, rows.length, columns.length, depth], result);
}

const lerp = (a: number, b: number, t: number): number => round(round(a) + round(round(b - a) * t));

function weighted({ weight }: Taps, value: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < weight.length; k++) sum += weight[k] * value(k);
  return sum;
}
