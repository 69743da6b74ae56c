/** Pooling: output shapes for every padding and data format, and evaluation. */
import type { Node } from '../graph/graph';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { narrow, widen } from './kernels/numbers';
import { dimsOfRank, knownInts, likeInput, out, refuse, unknownDims, upTo } from './kernels/shape-rules';
import {
  channelsLast,
  formatOf,
  padBefore,
  paddingOf,
  runSizes,
  spatialInts,
  toFormat,
  windowSizes,
  type Format,
} from './kernels/window';
import { elementCount, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

function inferPool(c: InferContext, spatial: number, ksize?: number[], strides?: number[]): OutputInfo[] {
  const format = formatOf(c.node, spatial);
  const image = dimsOfRank(c, 0, format.rank);
  const whole = image.slice();
  if (!ksize || !strides) {
    // Sizes that are not constant: every dimension but the batch's may change.
    return out(image.map((d, i) => (i === 0 ? d : null)));
  }
  const window = spatialInts(ksize, format);
  const steps = spatialInts(strides, format);
  if ([...window, ...steps].some((s) => s < 1)) c.fail('windows and strides must be positive');
  const padding = paddingOf(c.node, format);
  const sizes = windowSizes(
    c,
    format.spatial.map((d) => image[d]),
    window,
    steps,
    steps.map(() => 1),
    padding,
  );
  format.spatial.forEach((d, i) => (whole[d] = sizes[i]));
  const [k, s] = [ksize[format.channels], strides[format.channels]];
  const channels = image[format.channels];
  whole[format.channels] = k === 1 && s === 1 ? channels : pooledChannels(channels, k, s);
  return out(whole);
}

/** Pooling over channels, which only MaxPool knows: the windows touch and do not overlap. */
const pooledChannels = (channels: Dim, window: number, stride: number): Dim =>
  channels === null ? null : Math.floor((channels - window + stride) / stride);

/** One pooling over a channels-last image. */
interface Pooled {
  shape: number[];
  /** Input channels that one output channel covers. */
  deep: number;
  /** Calls `visit` for each output pixel with the input pixels of its window; those outside of the image are left out. */
  each(visit: (outputPixel: number, inputPixels: readonly number[]) => void): void;
}

function poolOf(
  x: Tensor,
  ksize: readonly number[],
  strides: readonly number[],
  node: Node,
  format: Format,
): Pooled {
  const n = x.shape.length - 2;
  const spatial = x.shape.slice(1, n + 1);
  const channels = x.shape[n + 1];
  const window = spatialInts(ksize, format);
  const steps = spatialInts(strides, format);
  const ones = steps.map(() => 1);
  const padding = paddingOf(node, format);
  const sizes = runSizes(spatial, window, steps, ones, padding);
  const pads = sizes.map((o, i) => padBefore(spatial[i], o, window[i], steps[i], 1, padding, i));
  const [deep, deepStep] = [ksize[format.channels] ?? 1, strides[format.channels] ?? 1];
  if (deep !== deepStep || channels % deep || (ksize[format.batch] ?? 1) !== 1) {
    refuse('windows over channels must not overlap, over the batch there are none');
  }
  const outputs = elementCount(sizes);
  const each = (visit: (outputPixel: number, inputPixels: readonly number[]) => void): void => {
    for (let b = 0; b < x.shape[0]; b++) {
      for (let o = 0; o < outputs; o++) {
        let pixels = [b];
        for (let d = 0, rest = o, block = outputs; d < n; d++) {
          block /= sizes[d];
          const at = Math.floor(rest / block) * steps[d] - pads[d];
          rest %= block;
          const inside = upTo(window[d]).filter((k) => at + k >= 0 && at + k < spatial[d]);
          pixels = pixels.flatMap((p) => inside.map((k) => p * spatial[d] + at + k));
        }
        visit(b * outputs + o, pixels);
      }
    }
  };
  return { shape: [x.shape[0], ...sizes, channels / deep], deep, each };
}

function maxPool(
  x: Tensor,
  ksize: readonly number[],
  strides: readonly number[],
  node: Node,
  spatial: number,
): Tensor {
  const format = formatOf(node, spatial);
  const image = channelsLast(x, format);
  const values = widen(image);
  const { shape, deep, each } = poolOf(image, ksize, strides, node, format);
  const channels = shape[shape.length - 1];
  const result = new Float64Array(elementCount(shape)).fill(-Infinity);
  each((outputPixel, inputPixels) => {
    const to = outputPixel * channels;
    for (const pixel of inputPixels) {
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < deep; k++) {
          const value = values[(pixel * channels + c) * deep + k];
          if (value > result[to + c]) result[to + c] = value;
        }
      }
    }
  });
  return toFormat(narrow(x.dtype, shape, result), format);
}

function avgPool(x: Tensor, node: Node, spatial: number): Tensor {
  const format = formatOf(node, spatial);
  const image = channelsLast(x, format);
  const values = widen(image);
  const { shape, deep, each } = poolOf(image, node.ints('ksize'), node.ints('strides'), node, format);
  if (deep !== 1) refuse('there is no average over channels');
  const channels = shape[shape.length - 1];
  const result = new Float64Array(elementCount(shape));
  each((outputPixel, inputPixels) => {
    const to = outputPixel * channels;
    for (const pixel of inputPixels) {
      for (let c = 0; c < channels; c++) result[to + c] += values[pixel * channels + c];
    }
    for (let c = 0; c < channels; c++) result[to + c] /= inputPixels.length;
  });
  return toFormat(narrow(x.dtype, shape, result), format);
}

const maxPoolRow = (spatial: number): OpRow => ({
  infer: (c) => inferPool(c, spatial, c.node.ints('ksize'), c.node.ints('strides')),
  evaluate: ([x], node) => [maxPool(x, node.ints('ksize'), node.ints('strides'), node, spatial)],
});

const avgPoolRow = (spatial: number): OpRow => ({
  infer: (c) => inferPool(c, spatial, c.node.ints('ksize'), c.node.ints('strides')),
  evaluate: ([x], node) => [avgPool(x, node, spatial)],
});

const maxPoolWithArgmax: OpRow = {
  infer: (c) => {
    const [info] = inferPool(c, 2, c.node.ints('ksize'), c.node.ints('strides'));
    return [info, { shape: info.shape && [...info.shape] }];
  },
  evaluate: ([x], node) => {
    const values = widen(x);
    const { shape, deep, each } = poolOf(
      x,
      node.ints('ksize'),
      node.ints('strides'),
      node,
      formatOf(node, 2),
    );
    if (deep !== 1) refuse('there is no position over channels');
    const channels = shape[3];
    const best = new Float64Array(elementCount(shape)).fill(-Infinity);
    const where = new Array<number>(best.length).fill(0);
    const image = x.size / x.shape[0];
    // Positions count from the start of the image, or of the batch.
    const whole = node.bool('include_batch_in_index');
    each((outputPixel, inputPixels) => {
      for (const pixel of inputPixels) {
        for (let c = 0; c < channels; c++) {
          const [to, from] = [outputPixel * channels + c, pixel * channels + c];
          if (!(values[from] > best[to])) continue;
          best[to] = values[from];
          where[to] = whole ? from : from % image;
        }
      }
    });
    return [narrow(x.dtype, shape, best), Tensor.fromNumbers(node.type('Targmax'), shape, where)];
  },
};

const likeFirst: OpRow = { infer: likeInput() };

export const table: OpTable = {
  MaxPool: maxPoolRow(2),
  MaxPoolV2: {
    infer: (c) => inferPool(c, 2, knownInts(c, 1), knownInts(c, 2)),
    evaluate: ([x, ksize, strides], node) => [maxPool(x, ksize.toNumbers(), strides.toNumbers(), node, 2)],
  },
  MaxPool3D: maxPoolRow(3),
  AvgPool: avgPoolRow(2),
  AvgPool3D: avgPoolRow(3),
  MaxPoolWithArgmax: maxPoolWithArgmax,
  // Gradients: training only.
  MaxPoolGrad: likeFirst,
  MaxPoolGradV2: likeFirst,
  MaxPool3DGrad: likeFirst,
  MaxPoolGradWithArgmax: likeFirst,
  MaxPoolGradGrad: { infer: likeInput(1) },
  MaxPoolGradGradV2: { infer: likeInput(1) },
  MaxPool3DGradGrad: { infer: likeInput(1) },
  AvgPoolGrad: { infer: (c) => out(c.elements(0) ?? unknownDims(4)) },
  AvgPool3DGrad: { infer: (c) => out(c.elements(0) ?? unknownDims(5)) },
};
