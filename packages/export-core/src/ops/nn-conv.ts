/** Convolutions: output shapes for every padding and data format, and their evaluation. */
import type { Node } from '../graph/graph';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { convolve, convolveBack, type ConvolutionOptions } from './kernels/convolution';
import { narrow, widen } from './kernels/numbers';
import {
  addDims,
  dimsOfRank,
  mergeDims,
  mulDims,
  out,
  refuse,
  shapeInput,
  unknownDims,
} from './kernels/shape-rules';
import {
  channelsLast,
  formatOf,
  inFormat,
  padBefore,
  paddingOf,
  runSizes,
  spatialInts,
  toFormat,
  windowSizes,
  type Format,
} from './kernels/window';
import { mirrorPad } from './slices';
import type { Dim, Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

const intsOr = (node: Node, name: string): number[] => (node.attr(name) ? node.ints(name) : []);

function optionsOf(node: Node, format: Format): ConvolutionOptions {
  return {
    strides: spatialInts(node.ints('strides'), format),
    dilations: spatialInts(intsOr(node, 'dilations'), format),
    padding: paddingOf(node, format),
  };
}

/** Output shape of a convolution of `image` (in the node's format) with filters of input `filterInput`. */
function convShape(
  c: InferContext,
  image: Dim[],
  filterInput: number,
  spatial: number,
  depthwise: boolean,
): OutputInfo[] {
  const format = formatOf(c.node, spatial);
  const vect = format.name === 'NCHW_VECT_C';
  const filter = dimsOfRank(c, filterInput, spatial + 2 + (vect ? 1 : 0));
  const { strides, dilations, padding } = optionsOf(c.node, format);
  if ([...strides, ...dilations].some((s) => s < 1)) c.fail('strides and dilations must be positive');
  // NCHW_VECT_C goes with filters OIHW_VECT_I; every other format with HWIO.
  const window = vect ? filter.slice(2, 4) : filter.slice(0, spatial);
  const [depth, filters] = vect ? [mulDims(filter[1], 4), filter[0]] : filter.slice(spatial);
  const channels = vect ? mulDims(image[1], 4) : image[format.channels];
  let outputs: Dim = filters;
  if (depthwise) outputs = mulDims(mergeDims(c, channels, depth), filters);
  else if (channels !== null && depth !== null && (depth === 0 ? channels !== 0 : channels % depth)) {
    c.fail(`filters of depth ${depth} do not fit ${channels} channels`);
  }
  const sizes = windowSizes(
    c,
    format.spatial.map((d) => image[d]),
    window,
    strides,
    dilations,
    padding,
  );
  const shape = inFormat(format, image[0], sizes, vect && outputs !== null ? outputs / 4 : outputs);
  return out(vect ? [...shape, 4] : shape);
}

function convRow(spatial: number, depthwise = false): OpRow {
  return {
    infer: (c) => convShape(c, dimsOfRank(c, 0, formatOf(c.node, spatial).rank), 1, spatial, depthwise),
    evaluate: ([x, filter], node) => {
      const format = formatOf(node, spatial);
      const filters = depthwise ? depthwiseFilters(filter) : filter;
      const image = channelsLast(x, format);
      if (depthwise && filter.shape[2] !== image.shape[3]) refuse('the filters do not fit the channels');
      return [toFormat(convolve(image, filters, optionsOf(node, format)), format)];
    },
  };
}

/** A depthwise filter [h, w, channels, multiplier] is a grouped one of depth 1 with channels · multiplier filters. */
function depthwiseFilters(filter: Tensor): Tensor {
  const [h, w, channels, multiplier] = filter.shape;
  return filter.reshape([h, w, 1, channels * multiplier]);
}

/** Gradient to the image: its shape comes as input 0. */
function backRow(spatial: number, depthwise = false): OpRow {
  return {
    infer: (c) => {
      const format = formatOf(c.node, spatial);
      const gradient = dimsOfRank(c, 2, format.rank);
      let shape = shapeInput(c, 0) ?? unknownDims(format.rank);
      // Two numbers are height and width; the channels follow from the filter.
      if (shape.length === 2 && spatial === 2) shape = inFormat(format, null, shape, dimsOfRank(c, 1, 4)[2]);
      if (shape.length !== format.rank) c.fail(`a shape of rank ${shape.length} is no image`);
      return out(shape.with(0, mergeDims(c, shape[0], gradient[0])));
    },
    evaluate: ([sizes, filter, gradient], node) => {
      const format = formatOf(node, spatial);
      const y = channelsLast(gradient, format);
      const filters = depthwise ? depthwiseFilters(filter) : filter;
      let shape = sizes.toNumbers();
      const depth = depthwise ? filter.shape[2] : filter.shape[spatial];
      if (shape.length === spatial) shape = [y.shape[0], ...shape, depth];
      else shape = [shape[0], ...format.spatial.map((d) => shape[d]), shape[format.channels]];
      if (shape[0] !== y.shape[0]) refuse('the batch sizes differ');
      return [toFormat(convolveBack(shape, filters, y, optionsOf(node, format)), format)];
    },
  };
}

/** The image's shape is that of input 0 (Conv3DBackpropInput, the first version). */
const backLike: OpRow = { infer: (c) => out(dimsOfRank(c, 0, 5)) };

/** Gradient to the filters, training only: their shape comes as input 1. */
const filterGradient = (rank: number): OpRow => ({
  infer: (c) => out(shapeInput(c, 1) ?? unknownDims(rank)),
});

const dilation2D: OpRow = {
  infer: (c) => {
    const image = dimsOfRank(c, 0, 4);
    const filter = dimsOfRank(c, 1, 3);
    const [strides, rates] = [c.node.ints('strides').slice(1, 3), c.node.ints('rates').slice(1, 3)];
    const padding = {
      kind: c.node.string('padding'),
      explicit: [
        [0, 0],
        [0, 0],
      ] as [number, number][],
    };
    const sizes = windowSizes(c, image.slice(1, 3), filter.slice(0, 2), strides, rates, padding);
    return out([image[0], ...sizes, mergeDims(c, image[3], filter[2])]);
  },
  evaluate: ([x, filter], node) => {
    const [strides, rates] = [node.ints('strides').slice(1, 3), node.ints('rates').slice(1, 3)];
    const padding = {
      kind: node.string('padding'),
      explicit: [
        [0, 0],
        [0, 0],
      ] as [number, number][],
    };
    const [n, ih, iw, channels] = x.shape;
    const [kh, kw] = filter.shape;
    if (x.shape.length !== 4 || filter.shape[2] !== channels) refuse('the filter does not fit the image');
    const [oh, ow] = runSizes([ih, iw], [kh, kw], strides, rates, padding);
    const top = padBefore(ih, oh, kh, strides[0], rates[0], padding, 0);
    const left = padBefore(iw, ow, kw, strides[1], rates[1], padding, 1);
    const [image, f] = [widen(x), widen(filter)];
    const best = new Float64Array(n * oh * ow * channels).fill(-Infinity);
    for (let i = 0; i < best.length; i++) {
      const c = i % channels;
      const col = Math.floor(i / channels) % ow;
      const row = Math.floor(i / channels / ow) % oh;
      const b = Math.floor(i / channels / ow / oh);
      for (let dy = 0; dy < kh; dy++) {
        const y = row * strides[0] + dy * rates[0] - top;
        if (y < 0 || y >= ih) continue;
        for (let dx = 0; dx < kw; dx++) {
          const xx = col * strides[1] + dx * rates[1] - left;
          if (xx < 0 || xx >= iw) continue;
          const sum = image[((b * ih + y) * iw + xx) * channels + c] + f[(dy * kw + dx) * channels + c];
          if (sum > best[i]) best[i] = sum;
        }
      }
    }
    return [narrow(x.dtype, [n, oh, ow, channels], best)];
  },
};

/** An image of input 0 after mirror padding with the constant of input `i`. */
function paddedDims(c: InferContext, image: readonly Dim[], i: number): Dim[] {
  const pads = c.elements(i) ?? c.constant(i)?.toNumbers();
  return image.map((d, k) => (pads ? addDims(d, addDims(pads[2 * k], pads[2 * k + 1])) : null));
}

/** Grappler's fusion of a convolution with what follows it: the shape is the convolution's. */
const fused = (depthwise: boolean): OpRow => ({
  infer: (c) => {
    const [main] = convShape(c, dimsOfRank(c, 0, formatOf(c.node, 2).rank), 1, 2, depthwise);
    return [main];
  },
});

const shapeOrUnknown = (shape: Shape, rank: number): Dim[] => shape ?? unknownDims(rank);

export const table: OpTable = {
  Conv2D: convRow(2),
  DepthwiseConv2dNative: convRow(2, true),
  Conv3D: convRow(3),
  Conv2DBackpropInput: backRow(2),
  Conv3DBackpropInput: backLike,
  Conv3DBackpropInputV2: backRow(3),
  DepthwiseConv2dNativeBackpropInput: backRow(2, true),
  Conv2DBackpropFilter: filterGradient(4),
  Conv3DBackpropFilter: { infer: (c) => out(shapeOrUnknown(c.shape(1), 5)) },
  Conv3DBackpropFilterV2: filterGradient(5),
  DepthwiseConv2dNativeBackpropFilter: filterGradient(4),
  Dilation2D: dilation2D,
  Dilation2DBackpropInput: { infer: (c) => out(c.shape(0)) },
  Dilation2DBackpropFilter: { infer: (c) => out(c.shape(1)) },
  _FusedConv2D: fused(false),
  _FusedDepthwiseConv2dNative: fused(true),
  FusedPadConv2D: {
    infer: (c) => convShape(c, paddedDims(c, dimsOfRank(c, 0, 4), 1), 2, 2, false),
    evaluate: ([x, paddings, filter], node) => {
      const [padded] = mirrorPad([x, paddings], node);
      return [convolve(padded, filter, optionsOf(node, formatOf(node, 2)))];
    },
  },
  FusedResizeAndPadConv2D: {
    infer: (c) => {
      const image = dimsOfRank(c, 0, 4);
      const size = shapeInput(c, 1);
      const resized = [image[0], size ? size[0] : null, size ? size[1] : null, image[3]];
      return convShape(c, paddedDims(c, resized, 2), 3, 2, false);
    },
  },
};
