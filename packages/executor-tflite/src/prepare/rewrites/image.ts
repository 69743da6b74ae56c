/** Images: resizing by constant matrices, patches, crops of boxes. */
import { attr, isStatic, opRow, Tensor, type DType, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape, sizeOf, type Size } from '../dims';
import type { Operand, Rewriter, RewriteTable } from '../rewrite';

const made =
  (build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined) =>
  (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs, node);
    return value && [value];
  };

/** Largest matrix that resizes an axis. */
const MAX_WEIGHTS = 1 << 22;

/** What a resize does to one axis, as a matrix: found by resizing the unit vectors. */
function resizeMatrix(
  node: Node,
  from: number,
  to: number,
  axis: 1 | 2,
  more: readonly Tensor[],
): Tensor | undefined {
  const evaluate = opRow(node.op)?.evaluate;
  if (!evaluate || from * to > MAX_WEIGHTS) return undefined;
  const unit = new Float32Array(from * from);
  for (let i = 0; i < from; i++) unit[i * from + i] = 1;
  const image = Tensor.fromArray('float32', axis === 1 ? [1, from, 1, from] : [1, 1, from, from], unit);
  const size = Tensor.fromNumbers('int32', [2], axis === 1 ? [to, 1] : [1, to]);
  return evaluate([image, size, ...more], node)[0].reshape([to, from]);
}

/** @param more operands behind the size, for one axis; the other axis of their image has one pixel */
function resizeByMatrices(
  b: Rewriter,
  [x, sizeValue]: Value[],
  node: Node,
  more: (axis: 1 | 2) => Tensor[] = () => [],
): Value | undefined {
  const [height, width, channels] = x.shape?.slice(1) ?? [];
  const size = numbers(sizeValue);
  if (height == null || width == null || channels == null || !size) return undefined;
  const down = resizeMatrix(node, height, size[0], 1, more(1));
  const across = resizeMatrix(node, width, size[1], 2, more(2));
  if (!down || !across) return undefined;
  const batch = sizeOf(b, x, 0);
  const columns = b.op('BatchMatMulV2', [
    down,
    reshape(b, b.cast(x, 'float32'), [batch, height, width * channels]),
  ]);
  const rows = typeof batch === 'number' ? batch * size[0] : b.op('Mul', [batch, size[0]]);
  const image = b.op('BatchMatMulV2', [across, reshape(b, columns, [rows, width, channels])]);
  return reshape(b, image, [batch, size[0], size[1], channels]);
}

function scaleAndTranslate(b: Rewriter, inputs: Value[], node: Node): Value | undefined {
  const [scale, translation] = inputs.slice(2).map(numbers);
  if (!scale || !translation) return undefined;
  const along = (axis: 1 | 2, values: number[], other: number) =>
    Tensor.fromNumbers('float32', [2], axis === 1 ? [values[0], other] : [other, values[1]]);
  return resizeByMatrices(b, inputs, node, (axis) => [along(axis, scale, 1), along(axis, translation, 0)]);
}

/** Most slices that patches are put together from. */
const MAX_SLICES = 64;

function patches(b: Rewriter, [x]: Value[], node: Node): Value | undefined {
  const [, kHeight, kWidth] = node.ints('ksizes');
  const [, sHeight, sWidth] = node.ints('strides');
  const [, rHeight, rWidth] = node.ints('rates');
  if (!isStatic(x.shape) || kHeight * kWidth > MAX_SLICES) return undefined;
  const [batch, height, width, channels] = x.shape;
  const whole =
    kHeight === sHeight && kWidth === sWidth && kHeight === kWidth && rHeight === 1 && rWidth === 1;
  if (whole && height % kHeight === 0 && width % kWidth === 0 && kHeight > 1) {
    return b.op('SpaceToDepth', [x], { block_size: attr.int(kHeight) });
  }
  const plan = (size: number, k: number, stride: number, rate: number) => {
    const window = (k - 1) * rate + 1;
    const same = node.string('padding') === 'SAME';
    const out = same ? Math.ceil(size / stride) : Math.ceil((size - window + 1) / stride);
    const total = Math.max(0, (out - 1) * stride + window - size);
    return { out, before: same ? Math.floor(total / 2) : 0, after: same ? total - Math.floor(total / 2) : 0 };
  };
  const [v, h] = [plan(height, kHeight, sHeight, rHeight), plan(width, kWidth, sWidth, rWidth)];
  const pads = [0, 0, v.before, v.after, h.before, h.after, 0, 0];
  const padded = pads.some((p) => p > 0) ? b.op('Pad', [x, Tensor.fromNumbers('int32', [4, 2], pads)]) : x;
  const slices = range(kHeight * kWidth).map((k) => {
    const [top, left] = [Math.floor(k / kWidth) * rHeight, (k % kWidth) * rWidth];
    const end = [batch, top + (v.out - 1) * sHeight + 1, left + (h.out - 1) * sWidth + 1, channels];
    return b.op('StridedSlice', [padded, [0, top, left, 0], end, [1, sHeight, sWidth, 1]]);
  });
  return slices.length === 1 ? slices[0] : b.op('ConcatV2', [...slices, b.ints(3)]);
}

/** Where the samples of each box lie along one axis, as [boxes, samples]. */
function samples(b: Rewriter, [start, end]: [Value, Value], size: Size, count: number): Value {
  const last: Operand =
    typeof size === 'number'
      ? size - 1
      : b.op('Sub', [b.op('Cast', [size], { DstT: attr.type('float32') }), 1]);
  if (count === 1) return b.op('Mul', [b.op('Mul', [b.op('AddV2', [start, end]), 0.5]), last]);
  const step = b.op('Mul', [b.op('Mul', [b.op('Sub', [end, start]), last]), 1 / (count - 1)]);
  const steps = b.op('Mul', [step, Tensor.fromNumbers('float32', [1, count], range(count))]);
  return b.op('AddV2', [steps, b.op('Mul', [start, last])]);
}

interface AxisSamples {
  /** Inside of the image. */
  inside: Value;
  /** The pixels before and after; one, twice, for the nearest. */
  low: Value;
  high: Value;
  /** How far towards the one after. */
  weight: Value | undefined;
}

function along(b: Rewriter, position: Value, size: Size, nearest: boolean): AxisSamples {
  const last: Operand =
    typeof size === 'number'
      ? size - 1
      : b.op('Sub', [b.op('Cast', [size], { DstT: attr.type('float32') }), 1]);
  const inside = b.op('LogicalAnd', [
    b.op('GreaterEqual', [position, 0]),
    b.op('LessEqual', [position, last]),
  ]);
  const within = b.op('Minimum', [b.op('Maximum', [position, 0]), last]);
  const asIndex = (v: Value) => b.cast(v, 'int32');
  if (nearest) {
    const index = asIndex(b.op('Floor', [b.op('AddV2', [within, 0.5])]));
    return { inside, low: index, high: index, weight: undefined };
  }
  const floor = b.op('Floor', [within]);
  return {
    inside,
    low: asIndex(floor),
    high: asIndex(b.op('Ceil', [within])),
    weight: b.op('Sub', [within, floor]),
  };
}

function cropAndResize(
  b: Rewriter,
  [image, boxes, boxIndex, cropSize]: Value[],
  node: Node,
): Value | undefined {
  const crop = numbers(cropSize);
  const channels = image.shape?.[3];
  if (!crop || channels == null) return undefined;
  const method = node.string('method');
  if (method !== 'bilinear' && method !== 'nearest') return undefined;
  const nearest = method === 'nearest';
  const [batch, height, width] = range(3).map((i) => sizeOf(b, image, i));
  const corners = b.add('Split', [b.ints(1), boxes], { num_split: attr.int(4) });
  const [y1, x1, y2, x2] = range(4).map((i) => corners.output(i));
  const y = along(b, samples(b, [y1, y2], height, crop[0]), height, nearest);
  const x = along(b, samples(b, [x1, x2], width, crop[1]), width, nearest);
  const expand = (v: Value, axis: number) => b.op('ExpandDims', [v, b.ints(axis)]);
  // All pixels in one list: a sample is at (box · height + y) · width + x of it.
  const merged = [batch, height, width].every((s) => typeof s === 'number')
    ? reshape(b, image, [(batch as number) * (height as number) * (width as number), channels])
    : b.op('Reshape', [image, [-1, channels]]);
  const pixels = b.cast(merged, 'float32');
  const first = b.op('Mul', [expand(b.cast(boxIndex, 'int32'), 1), height]);
  const row = (v: Value) => expand(b.op('Mul', [b.op('AddV2', [v, first]), width]), 2);
  const [top, bottom] = [row(y.low), row(y.high)];
  const [left, right] = [expand(x.low, 1), expand(x.high, 1)];
  const at = (r: Value, c: Value) => b.op('GatherV2', [pixels, b.op('AddV2', [r, c]), b.ints(0)]);
  const between = (from: Value, to: Value, weight: Value) =>
    b.op('AddV2', [from, b.op('Mul', [b.op('Sub', [to, from]), weight])]);
  let value = at(top, left);
  if (x.weight && y.weight) {
    const wx = expand(expand(x.weight, 1), 3);
    const above = between(value, at(top, right), wx);
    const below = between(at(bottom, left), at(bottom, right), wx);
    value = between(above, below, expand(expand(y.weight, 2), 3));
  }
  const inside = b.op('LogicalAnd', [expand(expand(y.inside, 2), 3), expand(expand(x.inside, 1), 3)]);
  return b.op('SelectV2', [inside, value, node.float('extrapolation_value')]);
}

/** The last axis' three channels, each with that axis kept. */
function channelsOf(b: Rewriter, x: Value): Value[] {
  const parts = b.add('Split', [b.ints(-1), x], { num_split: attr.int(3) });
  return range(3).map((i) => parts.output(i));
}

const joined = (b: Rewriter, parts: Value[]) => b.op('ConcatV2', [...parts, b.ints(-1)]);

function toHsv(b: Rewriter, rgb: Value): Value[] {
  const [red, green, blue] = channelsOf(b, rgb);
  const value = b.op('Maximum', [b.op('Maximum', [red, green]), blue]);
  const lowest = b.op('Minimum', [b.op('Minimum', [red, green]), blue]);
  const span = b.op('Sub', [value, lowest]);
  const saturation = b.op('SelectV2', [b.op('Greater', [value, 0]), b.op('RealDiv', [span, value]), 0]);
  const sixth = b.op('RealDiv', [1 / 6, span]);
  const turn = (p: Value, q: Value, offset: number) =>
    b.op('AddV2', [b.op('Mul', [sixth, b.op('Sub', [p, q])]), offset]);
  const fromGreen = b.op('SelectV2', [
    b.op('Equal', [green, value]),
    turn(blue, red, 2 / 6),
    turn(red, green, 4 / 6),
  ]);
  const hue = b.op('SelectV2', [b.op('Equal', [red, value]), turn(green, blue, 0), fromGreen]);
  const positive = b.op('SelectV2', [b.op('Less', [hue, 0]), b.op('AddV2', [hue, 1]), hue]);
  return [b.op('SelectV2', [b.op('Greater', [span, 0]), positive, 0]), saturation, value];
}

function toRgb(b: Rewriter, [hue, saturation, value]: Value[]): Value {
  const sector = b.op('Mul', [hue, 6]);
  const clamped = (v: Value) => b.op('Minimum', [b.op('Maximum', [v, 0]), 1]);
  const distance = (from: number) => b.op('Abs', [b.op('Sub', [sector, from])]);
  const pure = [
    clamped(b.op('Sub', [distance(3), 1])),
    clamped(b.op('Sub', [2, distance(2)])),
    clamped(b.op('Sub', [2, distance(4)])),
  ];
  const grey = b.op('Sub', [1, saturation]);
  return joined(
    b,
    pure.map((p) => b.op('Mul', [b.op('AddV2', [b.op('Mul', [saturation, p]), grey]), value])),
  );
}

/** Runs in float32 and gives the image's own type back. */
const inFloat = (x: Value, b: Rewriter, run: (v: Value) => Value): Value =>
  b.cast(run(b.cast(x, 'float32')), (x.dtype ?? 'float32') as DType);

export const table: RewriteTable = {
  ResizeBicubic: made((b, inputs, node) => resizeByMatrices(b, inputs, node)),
  ResizeArea: made((b, inputs, node) => resizeByMatrices(b, inputs, node)),
  ScaleAndTranslate: made(scaleAndTranslate),
  ExtractImagePatches: made(patches),
  CropAndResize: made(cropAndResize),
  RGBToHSV: made((b, [x]) => inFloat(x, b, (v) => joined(b, toHsv(b, v)))),
  HSVToRGB: made((b, [x]) => inFloat(x, b, (v) => toRgb(b, channelsOf(b, v)))),
  AdjustContrastv2: made((b, [x, factor]) => {
    const rank = x.shape?.length;
    if (rank === undefined || rank < 3) return undefined;
    return inFloat(x, b, (v) => {
      const mean = b.op('Mean', [v, [rank - 3, rank - 2]], { keep_dims: attr.bool(true) });
      return b.op('AddV2', [b.op('Mul', [b.op('Sub', [v, mean]), factor]), mean]);
    });
  }),
  AdjustSaturation: made((b, [x, factor]) =>
    inFloat(x, b, (v) => {
      const [hue, saturation, value] = toHsv(b, v);
      const scaled = b.op('Minimum', [b.op('Maximum', [b.op('Mul', [saturation, factor]), 0]), 1]);
      return toRgb(b, [hue, scaled, value]);
    }),
  ),
  AdjustHue: made((b, [x, delta]) =>
    inFloat(x, b, (v) => {
      const [hue, saturation, value] = toHsv(b, v);
      return toRgb(b, [b.op('FloorMod', [b.op('AddV2', [hue, delta]), 1]), saturation, value]);
    }),
  ),
};
