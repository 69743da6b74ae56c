/** Images under a projective transform: each output pixel is looked up where the transform says it came from. */
import { dtypeKind, type DType } from '../../tensor/dtype';
import { Tensor } from '../../tensor/tensor';
import { widen } from './numbers';
import { refuse } from './shape-rules';

export interface ProjectiveOptions {
  interpolation: string;
  /** What lies outside of the image: CONSTANT, REFLECT, WRAP or NEAREST. */
  fillMode: string;
  fill: number;
}

const round = Math.fround;
const clamp = (x: number, limit: number) => Math.min(limit - 1, Math.max(0, x));

/** A coordinate brought back into an image of `n` pixels. */
function wrapped(x: number, n: number, mode: string): number {
  if (mode === 'CONSTANT') return x;
  if (mode === 'NEAREST') return clamp(x, n);
  const outside = x < 0 || x > n - 1;
  if (!outside) return x;
  if (n <= 1) return 0;
  if (mode === 'WRAP') {
    // abcd|abcd|abcd: a period of n pixels, counted in steps of n - 1 as TensorFlow does.
    return clamp(x < 0 ? x + n * (Math.trunc(-x / (n - 1)) + 1) : x - n * Math.trunc(x / (n - 1)), n);
  }
  // dcba|abcd|dcba
  const period = 2 * n;
  if (x < 0) {
    const back = period * Math.trunc(-x / period) + x;
    return clamp(back < -n ? back + period : -back - 1, n);
  }
  const forward = x - period * Math.trunc(x / period);
  return clamp(forward >= n ? period - forward - 1 : forward, n);
}

/** Transforms [batch, height, width, depth] by one matrix of 8 numbers for each image, or one for all. */
export function projectiveTransform(
  image: Tensor,
  transforms: Tensor,
  [height, width]: [number, number],
  options: ProjectiveOptions,
): Tensor {
  const [batch, ih, iw, depth] = image.shape;
  const matrices = widen(transforms);
  const count = matrices.length / 8;
  if (count !== 1 && count !== batch) refuse(`${count} transforms for ${batch} images`);
  const v = widen(image);
  const result = new Float64Array(batch * height * width * depth).fill(options.fill);
  for (let b = 0; b < batch; b++) {
    const t = matrices.subarray(count === 1 ? 0 : 8 * b, (count === 1 ? 0 : 8 * b) + 8);
    const read = (y: number, x: number, d: number) =>
      y >= 0 && y < ih && x >= 0 && x < iw ? v[((b * ih + y) * iw + x) * depth + d] : options.fill;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const scale = round(round(round(t[6] * x) + round(t[7] * y)) + 1);
        // A point at infinity.
        if (scale === 0) continue;
        const fromX = round(round(round(round(t[0] * x) + round(t[1] * y)) + t[2]) / scale);
        const fromY = round(round(round(round(t[3] * x) + round(t[4] * y)) + t[5]) / scale);
        const px = round(wrapped(fromX, iw, options.fillMode));
        const py = round(wrapped(fromY, ih, options.fillMode));
        const to = ((b * height + y) * width + x) * depth;
        for (let d = 0; d < depth; d++) {
          result[to + d] =
            options.interpolation === 'NEAREST'
              ? read(nearest(py), nearest(px), d)
              : bilinear(py, px, (i, j) => read(i, j, d));
        }
      }
    }
  }
  return rounded(image.dtype, [batch, height, width, depth], result);
}

const nearest = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

function bilinear(y: number, x: number, read: (y: number, x: number) => number): number {
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const line = (row: number) =>
    round(round(round(x0 + 1 - x) * read(row, x0)) + round(round(x - x0) * read(row, x0 + 1)));
  return round(round(round(y0 + 1 - y) * line(y0)) + round(round(y - y0) * line(y0 + 1)));
}

/** Integers take the part before the point. */
function rounded(dtype: DType, shape: readonly number[], values: Float64Array): Tensor {
  return Tensor.fromNumbers(
    dtype,
    shape,
    Array.from(values, dtypeKind(dtype) === 'float' ? (x) => x : Math.trunc),
  );
}
