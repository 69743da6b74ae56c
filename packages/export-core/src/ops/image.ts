/** Images: resizing, cropping and patches. Colours stand in image-color.ts, box suppression in image-boxes.ts. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { Cells } from './kernels/cells';
import { areaTable, bicubicTable, bilinearTable, resizeWith, sourceOf } from './kernels/resize';
import { widen } from './kernels/numbers';
import { samplingTable } from './kernels/sampling';
import { projectiveTransform } from './kernels/projective';
import { always, dimsOfRank, mergeDims, mulDims, out, refuse } from './kernels/shape-rules';
import { padBefore, runSizes, windowSizes, type Padding } from './kernels/window';
import { elementCount, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { Node } from '../graph/graph';

/** Two sizes, height and width, from input `i`. */
function sizeInput(c: InferContext, i: number): [Dim, Dim] {
  const size = c.elements(i);
  if (size && size.length !== 2) c.fail(`a size has 2 elements, not ${size.length}`);
  if (size?.some((s) => s !== null && s <= 0)) c.fail(`size [${size.join(',')}] must be positive`);
  return size ? [size[0], size[1]] : [null, null];
}

function inferResize(c: InferContext): OutputInfo[] {
  const image = dimsOfRank(c, 0, 4);
  return out([image[0], ...sizeInput(c, 1), image[3]]);
}

function sizeOf(image: Tensor, size: Tensor): [number, number] {
  const [h, w] = size.toNumbers();
  if (image.shape.length !== 4 || size.size !== 2)
    refuse('the image must have rank 4 and the size 2 elements');
  if (h <= 0 || w <= 0) refuse(`size [${h},${w}] must be positive`);
  if (image.shape[1] === 0 || image.shape[2] === 0) refuse('the image is empty');
  return [h, w];
}

const flags = (node: Node) => ({
  alignCorners: node.bool('align_corners'),
  halfPixelCenters: node.attr('half_pixel_centers') !== undefined && node.bool('half_pixel_centers'),
});

function resizeRow(table: typeof bilinearTable): OpRow {
  return {
    infer: inferResize,
    evaluate: ([image, size], node) => {
      const [h, w] = sizeOf(image, size);
      const [rows, columns] = [table(image.shape[1], h, flags(node)), table(image.shape[2], w, flags(node))];
      return [resizeWith(image, rows, columns, table === bilinearTable)];
    },
  };
}

const nearest: OpRow = {
  infer: inferResize,
  evaluate: ([image, size], node) => {
    const [h, w] = sizeOf(image, size);
    const [batch, ih, iw, depth] = image.shape;
    const { alignCorners, halfPixelCenters } = flags(node);
    const pick = (n: number, limit: number) => {
      const at = sourceOf(n, limit, { alignCorners, halfPixelCenters });
      // Half a pixel is already in the coordinate of a pixel's centre: no step back to its edge.
      const position = (i: number) => (halfPixelCenters ? Math.fround(at(i) + 0.5) : at(i));
      return (i: number) => {
        const x = alignCorners ? Math.floor(Math.fround(position(i) + 0.5)) : Math.floor(position(i));
        return Math.max(0, Math.min(n - 1, x));
      };
    };
    const [row, column] = [pick(ih, h), pick(iw, w)];
    const cells = Cells.make(image.dtype, batch * h * w * depth);
    const source = Cells.of(image);
    for (let b = 0, to = 0; b < batch; b++) {
      for (let y = 0; y < h; y++) {
        const line = (b * ih + row(y)) * iw;
        for (let x = 0; x < w; x++, to += depth) cells.copy(to, source, (line + column(x)) * depth, depth);
      }
    }
    return [cells.tensor([batch, h, w, depth])];
  },
};

function scaleAndTranslate(inputs: readonly Tensor[], node: Node): Tensor[] {
  const [image, size, scale, translation] = inputs;
  const [h, w] = sizeOf(image, size);
  const [rows, columns] = [h, w].map((output, i) =>
    samplingTable(image.shape[1 + i], output, {
      kernel: node.string('kernel_type'),
      antialias: node.bool('antialias'),
      scale: scale.at(i),
      translation: translation.at(i),
    }),
  );
  if (!rows || !columns) refuse(`there is no kernel ${node.string('kernel_type')}`);
  return [resizeWith(image, rows!, columns!, false)];
}

const cropAndResize: OpRow = {
  infer: (c) => {
    const image = dimsOfRank(c, 0, 4);
    const boxes = mergeDims(c, dimsOfRank(c, 1, 2)[0], dimsOfRank(c, 2, 1)[0]);
    return out([boxes, ...sizeInput(c, 3), image[3]]);
  },
  evaluate: ([image, boxTensor, boxImage, size], node) => {
    const [h, w] = sizeOf(image, size);
    const [batch, ih, iw, depth] = image.shape;
    const n = boxTensor.shape[0];
    if (boxTensor.shape.length !== 2 || boxTensor.shape[1] !== 4 || boxImage.size !== n)
      refuse('boxes must be [n,4]');
    const round = Math.fround;
    const v = widen(image);
    const boxes = widen(boxTensor);
    const linear = node.string('method') === 'bilinear';
    const result = new Float32Array(n * h * w * depth).fill(node.float('extrapolation_value'));
    /** Position `i` of `count` between two normalised edges; undefined outside of the image. */
    const position = (from: number, to: number, limit: number, i: number, count: number) => {
      const step = count > 1 ? round(round(round(to - from) * (limit - 1)) / (count - 1)) : 0;
      const at =
        count > 1
          ? round(round(from * (limit - 1)) + round(i * step))
          : round(round(0.5 * round(from + to)) * (limit - 1));
      return at < 0 || at > limit - 1 ? undefined : at;
    };
    for (let k = 0; k < n; k++) {
      const b = boxImage.at(k);
      if (b < 0 || b >= batch) refuse(`image ${b} is outside of the batch of ${batch}`);
      const [y1, x1, y2, x2] = boxes.subarray(4 * k, 4 * k + 4);
      for (let y = 0; y < h; y++) {
        const inY = position(y1, y2, ih, y, h);
        if (inY === undefined) continue;
        for (let x = 0; x < w; x++) {
          const inX = position(x1, x2, iw, x, w);
          if (inX === undefined) continue;
          const at = (row: number, column: number, d: number) =>
            v[((b * ih + row) * iw + column) * depth + d];
          for (let d = 0; d < depth; d++) {
            let value: number;
            if (linear) {
              const [top, bottom, left, right] = [
                Math.floor(inY),
                Math.ceil(inY),
                Math.floor(inX),
                Math.ceil(inX),
              ];
              const [ly, lx] = [round(inY - top), round(inX - left)];
              const mix = (a: number, c: number, t: number) => round(a + round(round(c - a) * t));
              value = mix(
                mix(at(top, left, d), at(top, right, d), lx),
                mix(at(bottom, left, d), at(bottom, right, d), lx),
                ly,
              );
            } else value = at(roundAway(inY), roundAway(inX), d);
            result[((k * h + y) * w + x) * depth + d] = value;
          }
        }
      }
    }
    return [Tensor.fromArray('float32', [n, h, w, depth], result)];
  },
};

/** C's `round`: halves go away from zero. */
const roundAway = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/** Attributes of the patch ops for the dimensions between batch and depth. */
function patchOptions(node: Node, dims: number) {
  const inner = (name: string) =>
    node.attr(name) ? node.ints(name).slice(1, dims + 1) : new Array<number>(dims).fill(1);
  const padding: Padding = { kind: node.string('padding'), explicit: new Array(dims).fill([0, 0]) };
  return { window: inner('ksizes'), strides: inner('strides'), rates: inner('rates'), padding };
}

/** Patches of two- or three-dimensional images, laid flat into the depth. */
function patchRow(dims: number): OpRow {
  return {
    infer: (c) => {
      const image = dimsOfRank(c, 0, dims + 2);
      const { window, strides, rates, padding } = patchOptions(c.node, dims);
      const sizes = windowSizes(c, image.slice(1, dims + 1), window, strides, rates, padding);
      return out([image[0], ...sizes, mulDims(image[dims + 1], elementCount(window))]);
    },
    evaluate: ([image], node) => {
      if (image.shape.length !== dims + 2) refuse(`the image must have rank ${dims + 2}`);
      const { window, strides, rates, padding } = patchOptions(node, dims);
      const spatial = image.shape.slice(1, dims + 1);
      const depth = image.shape[dims + 1];
      const sizes = runSizes(spatial, window, strides, rates, padding);
      const pads = sizes.map((o, i) => padBefore(spatial[i], o, window[i], strides[i], rates[i], padding, i));
      const shape = [image.shape[0], ...sizes, elementCount(window) * depth];
      const cells = Cells.make(image.dtype, elementCount(shape));
      const source = Cells.of(image);
      const visit = (d: number, to: number, from: number, offsets: number[]): void => {
        if (d < dims) {
          for (let i = 0; i < sizes[d]; i++)
            visit(d + 1, to * sizes[d] + i, from, [...offsets, i * strides[d] - pads[d]]);
        } else copyPatch(0, to * elementCount(window), from, offsets);
      };
      const copyPatch = (d: number, to: number, from: number, offsets: number[]): void => {
        const block = elementCount(window.slice(d + 1));
        for (let k = 0; k < window[d]; k++) {
          const at = offsets[d] + k * rates[d];
          if (at < 0 || at >= spatial[d]) continue;
          if (d + 1 < dims) copyPatch(d + 1, to + k * block, from * spatial[d] + at, offsets);
          else cells.copy((to + k) * depth, source, (from * spatial[d] + at) * depth, depth);
        }
      };
      for (let b = 0; b < image.shape[0]; b++) visit(0, b, b, []);
      return [cells.tensor(shape)];
    },
  };
}

const projective: OpRow = {
  infer: (c) => {
    const image = dimsOfRank(c, 0, 4);
    return out([image[0], ...sizeInput(c, 2), image[3]]);
  },
  evaluate: ([image, transforms, size, fill], node) => {
    const [h, w] = sizeOf(image, size);
    const options = { interpolation: node.string('interpolation'), fillMode: node.string('fill_mode') };
    return [projectiveTransform(image, transforms, [h, w], { ...options, fill: fill ? fill.at(0) : 0 })];
  },
};

/** A decoded image: its size is in the file. */
const decoded = (rank: number): OpRow => ({
  infer: ({ node }) => {
    const channels = node.attr('channels') ? node.int('channels') : 3;
    return out([...new Array<Dim>(rank - 1).fill(null), channels || null]);
  },
});

const nextPowerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(n));

const scalarString = always([]);

export const table: OpTable = {
  ResizeBilinear: resizeRow(bilinearTable),
  ResizeBicubic: resizeRow(bicubicTable),
  ResizeArea: resizeRow(areaTable),
  ResizeNearestNeighbor: nearest,
  ScaleAndTranslate: { infer: inferResize, evaluate: scaleAndTranslate },
  QuantizedResizeBilinear: { infer: (c) => [...inferResize(c), { shape: [] }, { shape: [] }] },
  CropAndResize: cropAndResize,
  ExtractGlimpse: { infer: inferResize },
  ExtractGlimpseV2: { infer: inferResize },
  ExtractImagePatches: patchRow(2),
  ExtractVolumePatches: patchRow(3),
  ImageProjectiveTransformV2: projective,
  ImageProjectiveTransformV3: projective,
  DecodeJpeg: decoded(3),
  DecodePng: decoded(3),
  DecodeBmp: decoded(3),
  DecodeAndCropJpeg: {
    infer: (c) => {
      const window = c.elements(1);
      return out([window ? window[2] : null, window ? window[3] : null, c.node.int('channels') || null]);
    },
  },
  DecodeGif: decoded(4),
  DecodeImage: {
    infer: (c) =>
      c.node.bool('expand_animations') ? out(null) : out([null, null, c.node.int('channels') || null]),
  },
  EncodePng: { infer: (c) => out(c.shape(0)?.slice(0, -3) ?? null) },
  EncodeJpeg: { infer: scalarString },
  DrawBoundingBoxes: { infer: (c) => out(dimsOfRank(c, 0, 4)) },
  SampleDistortedBoundingBox: { infer: always([3], [3], [1, 1, 4]) },
  SampleDistortedBoundingBoxV2: { infer: always([3], [3], [1, 1, 4]) },
  DecodeWav: {
    infer: ({ node }) => {
      const [samples, channels] = [node.int('desired_samples'), node.int('desired_channels')];
      return [{ shape: [samples < 0 ? null : samples, channels < 0 ? null : channels] }, { shape: [] }];
    },
  },
  AudioSpectrogram: {
    infer: (c) => {
      const [length, channels] = dimsOfRank(c, 0, 2);
      const [window, stride] = [c.node.int('window_size'), c.node.int('stride')];
      const frames =
        length === null ? null : length < window ? 0 : 1 + Math.floor((length - window) / stride);
      return out([channels, frames, 1 + nextPowerOfTwo(window) / 2]);
    },
  },
  Mfcc: {
    infer: (c) => {
      const [channels, frames] = dimsOfRank(c, 0, 3);
      return out([channels, frames, c.node.int('dct_coefficient_count')]);
    },
  },
};
