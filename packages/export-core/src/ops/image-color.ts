/** Colours of images whose last dimension is red, green and blue. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { narrow, widen } from './kernels/numbers';
import { mergeDims, out, rankAtLeast, refuse } from './kernels/shape-rules';
import type { Tensor } from '../tensor/tensor';

const round = Math.fround;

function inferColors(c: InferContext, rank: number): OutputInfo[] {
  const image = rankAtLeast(c, 0, rank);
  return out(image && image.with(-1, mergeDims(c, image[image.length - 1], 3)));
}

type Color = [number, number, number];

/** Applies `f` to every pixel. */
function mapPixels(image: Tensor, f: (a: number, b: number, c: number) => Color): Tensor {
  if (image.shape.length < 1 || image.shape[image.shape.length - 1] !== 3)
    refuse('the last dimension must be 3');
  const v = widen(image);
  const result = new Float64Array(v.length);
  for (let i = 0; i < v.length; i += 3) result.set(f(v[i], v[i + 1], v[i + 2]), i);
  return narrow(image.dtype, image.shape, result);
}

/** Hue, saturation and value, each from 0 to 1. */
function toHsv(r: number, g: number, b: number): Color {
  const value = Math.max(r, g, b);
  const range = value - Math.min(r, g, b);
  const saturation = value > 0 ? range / value : 0;
  if (range === 0) return [0, saturation, value];
  const sixth = 1 / (6 * range);
  let hue = r === value ? sixth * (g - b) : g === value ? sixth * (b - r) + 2 / 6 : sixth * (r - g) + 4 / 6;
  if (hue < 0) hue += 1;
  return [hue, saturation, value];
}

function toRgb(h: number, s: number, v: number): Color {
  const channel = (offset: number) => {
    // Each channel is a trapezoid over the hue circle.
    const x = Math.abs(h * 6 - 3);
    const ramp = offset === 0 ? x - 1 : 2 - Math.abs(h * 6 - offset);
    return Math.min(1, Math.max(0, ramp));
  };
  const mix = (c: number) => (1 - s + s * c) * v;
  return [mix(channel(0)), mix(channel(2)), mix(channel(4))];
}

const colors = (f: (a: number, b: number, c: number) => Color): OpRow => ({
  infer: (c) => inferColors(c, 1),
  evaluate: ([image]) => [mapPixels(image, f)],
});

function adjustContrast(image: Tensor, factorTensor: Tensor): Tensor {
  const rank = image.shape.length;
  if (rank < 3) refuse('the image must have at least rank 3');
  const factor = factorTensor.at(0);
  const channels = image.shape[rank - 1];
  const pixels = image.shape[rank - 3] * image.shape[rank - 2];
  const v = widen(image);
  const result = new Float64Array(v.length);
  for (let from = 0; from < v.length; from += pixels * channels) {
    for (let c = 0; c < channels; c++) {
      let mean = 0;
      for (let p = 0; p < pixels; p++) mean += v[from + p * channels + c];
      mean = round(mean / pixels);
      for (let p = 0; p < pixels; p++) {
        const i = from + p * channels + c;
        result[i] = (v[i] - mean) * factor + mean;
      }
    }
  }
  return narrow(image.dtype, image.shape, result);
}

const adjust = (change: (hsv: Color, by: number) => Color): OpRow => ({
  infer: (c) => inferColors(c, 3),
  evaluate: ([image, by]) => {
    const amount = by.at(0);
    return [mapPixels(image, (r, g, b) => toRgb(...change(toHsv(r, g, b), amount)))];
  },
});

export const table: OpTable = {
  RGBToHSV: colors(toHsv),
  HSVToRGB: colors(toRgb),
  AdjustContrastv2: {
    infer: (c) => out(rankAtLeast(c, 0, 3)),
    evaluate: ([image, factor]) => [adjustContrast(image, factor)],
  },
  AdjustContrast: { infer: (c) => out(rankAtLeast(c, 0, 3)) },
  AdjustHue: adjust(([h, s, v], delta) => {
    const turned = (h + delta) % 1;
    return [turned < 0 ? turned + 1 : turned, s, v];
  }),
  AdjustSaturation: adjust(([h, s, v], scale) => [h, Math.min(1, Math.max(0, s * scale)), v]),
};
