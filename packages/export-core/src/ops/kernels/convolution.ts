/** Convolution over channels-last images of two or three spatial dimensions, forwards and backwards to its input. */
import { narrow, widen } from './numbers';
import { refuse } from './shape-rules';
import { padBefore, runSizes, type Padding } from './window';
import type { Tensor } from '../../tensor/tensor';

export interface ConvolutionOptions {
  strides: readonly number[];
  dilations: readonly number[];
  padding: Padding;
}

/** Sizes of one convolution, two-dimensional ones with a depth of 1 in front. */
interface Geometry {
  batch: number;
  input: number[];
  output: number[];
  window: number[];
  strides: number[];
  dilations: number[];
  pads: number[];
  channels: number;
  filters: number;
  /** Input channels of one filter. */
  depth: number;
}

function geometry(
  input: readonly number[],
  filter: readonly number[],
  options: ConvolutionOptions,
): Geometry {
  const n = input.length - 2;
  const spatial = input.slice(1, n + 1);
  const window = filter.slice(0, n);
  const { padding } = options;
  const output = runSizes(spatial, window, options.strides, options.dilations, padding);
  const pads = output.map((o, i) =>
    padBefore(spatial[i], o, window[i], options.strides[i], options.dilations[i], padding, i),
  );
  const three = (list: readonly number[], fill: number) => (n === 2 ? [fill, ...list] : [...list]);
  const [depth, filters] = filter.slice(n);
  const channels = input[n + 1];
  if (depth === 0 || channels % depth || filters % (channels / depth)) {
    refuse(`filters of depth ${depth} do not fit ${channels} channels`);
  }
  return {
    batch: input[0],
    input: three(spatial, 1),
    output: three(output, 1),
    window: three(window, 1),
    strides: three(options.strides, 1),
    dilations: three(options.dilations, 1),
    pads: three(pads, 0),
    channels,
    filters,
    depth,
  };
}

/** Calls `tap` for every pair of an output pixel and an input pixel that one element of the window joins. */
function taps(
  g: Geometry,
  tap: (outputPixel: number, inputPixel: number, windowPixel: number) => void,
): void {
  const [id, ih, iw] = g.input;
  const [od, oh, ow] = g.output;
  const [kd, kh, kw] = g.window;
  for (let b = 0; b < g.batch; b++) {
    for (let z = 0; z < od; z++) {
      for (let y = 0; y < oh; y++) {
        for (let x = 0; x < ow; x++) {
          const to = ((b * od + z) * oh + y) * ow + x;
          for (let k = 0; k < kd; k++) {
            const iz = z * g.strides[0] + k * g.dilations[0] - g.pads[0];
            if (iz < 0 || iz >= id) continue;
            for (let i = 0; i < kh; i++) {
              const iy = y * g.strides[1] + i * g.dilations[1] - g.pads[1];
              if (iy < 0 || iy >= ih) continue;
              for (let j = 0; j < kw; j++) {
                const ix = x * g.strides[2] + j * g.dilations[2] - g.pads[2];
                if (ix < 0 || ix >= iw) continue;
                tap(to, ((b * id + iz) * ih + iy) * iw + ix, (k * kh + i) * kw + j);
              }
            }
          }
        }
      }
    }
  }
}

/**
 * Cross-correlation as TensorFlow's Conv2D and Conv3D. `filter` is […window, depth, filters]; with fewer depth than
 * the image has channels the convolution is grouped (a depthwise one has depth 1).
 */
export function convolve(image: Tensor, filter: Tensor, options: ConvolutionOptions): Tensor {
  const g = geometry(image.shape, filter.shape, options);
  const [x, f] = [widen(image), widen(filter)];
  const { channels, filters, depth } = g;
  const perGroup = filters / (channels / depth);
  const pixels = g.batch * g.output[0] * g.output[1] * g.output[2];
  const sums = new Float64Array(pixels * filters);
  taps(g, (outputPixel, inputPixel, windowPixel) => {
    const to = outputPixel * filters;
    for (let c = 0; c < channels; c++) {
      const value = x[inputPixel * channels + c];
      const from = (windowPixel * depth + (c % depth)) * filters;
      const first = Math.floor(c / depth) * perGroup;
      for (let o = first; o < first + perGroup; o++) sums[to + o] += value * f[from + o];
    }
  });
  const spatial = image.shape.length === 4 ? g.output.slice(1) : g.output;
  return narrow(image.dtype, [g.batch, ...spatial, filters], sums);
}

/** The gradient of `convolve` to its image: what TensorFlow calls Conv2DBackpropInput, a transposed convolution. */
export function convolveBack(
  imageShape: readonly number[],
  filter: Tensor,
  gradient: Tensor,
  options: ConvolutionOptions,
): Tensor {
  const g = geometry(imageShape, filter.shape, options);
  const { channels, filters, depth } = g;
  const spatial = imageShape.length === 4 ? g.output.slice(1) : g.output;
  const expected = [g.batch, ...spatial, filters];
  if (expected.join() !== gradient.shape.join()) {
    refuse(`[${gradient.shape.join(',')}] is not the output of a convolution of [${imageShape.join(',')}]`);
  }
  const [y, f] = [widen(gradient), widen(filter)];
  const perGroup = filters / (channels / depth);
  const sums = new Float64Array(imageShape.reduce((a, b) => a * b, 1));
  taps(g, (outputPixel, inputPixel, windowPixel) => {
    for (let c = 0; c < channels; c++) {
      const from = (windowPixel * depth + (c % depth)) * filters;
      const first = Math.floor(c / depth) * perGroup;
      let sum = 0;
      for (let o = first; o < first + perGroup; o++) sum += y[outputPixel * filters + o] * f[from + o];
      sums[inputPixel * channels + c] += sum;
    }
  });
  return narrow(gradient.dtype, imageShape, sums);
}
