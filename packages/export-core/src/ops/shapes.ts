/** Ops about shapes: what a tensor's shape is, and tensors made from a shape. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { broadcastStrides } from './kernels/broadcast';
import { Cells, stridedView } from './kernels/cells';
import {
  always,
  inferAxis,
  knownInts,
  lengthOf,
  likeInput,
  moving,
  out,
  productOf,
  refuse,
  scalarInput,
  shapeInput,
  upTo,
} from './kernels/shape-rules';
import { dtypeKind, dtypeSize, numberToRaw, rawToNumber, type DType } from '../tensor/dtype';
import { broadcastShapes, elementCount, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

const shapeInfo = (shape: Shape): OutputInfo => ({
  shape: [shape ? shape.length : null],
  elements: shape ?? undefined,
});

const shapeTensor = (x: Tensor, dtype: DType) => Tensor.fromNumbers(dtype, [x.shape.length], x.shape);

function inferFill(c: InferContext): OutputInfo[] {
  const shape = shapeInput(c, 0);
  const size = shape ? productOf(shape) : null;
  const value = c.dtype(1) === 'int32' || c.dtype(1) === 'int64' ? c.elements(1) : undefined;
  return out(
    shape,
    value?.length === 1 && size !== null && size <= 64 ? upTo(size).map(() => value[0]) : undefined,
  );
}

/** Every element of a new tensor is the one element of `value`. */
function filled(shape: readonly number[], value: Tensor): Tensor {
  if (value.size !== 1) refuse('the value must be a scalar');
  if (shape.some((d) => d < 0)) refuse(`a tensor cannot have shape [${shape.join(',')}]`);
  if (value.dtype !== 'string') return Tensor.filled(value.dtype, shape, value.bytes);
  return Tensor.fromStrings(shape, new Array<Uint8Array>(elementCount(shape)).fill(value.strings[0]));
}

/** One zero or one of a dtype. */
function unit(dtype: DType, value: 0 | 1): Tensor {
  if (dtype === 'string') return Tensor.fromStrings([], [new Uint8Array()]);
  const bytes = new Uint8Array(dtypeSize(dtype));
  if (dtypeKind(dtype) === 'complex') {
    const part: DType = dtype === 'complex64' ? 'float32' : 'float64';
    bytes.set(Tensor.scalar(part, value).bytes);
    return Tensor.fromBytes(dtype, [], bytes);
  }
  return Tensor.scalar(dtype, value);
}

/** Numbers of one dtype: arithmetic whose every step is rounded to it. */
function rounder(dtype: DType): (x: number) => number {
  if (dtype === 'float64') return (x) => x;
  if (dtype === 'float32') return Math.fround;
  return (x) => rawToNumber(dtype, numberToRaw(dtype, x));
}

function rangeSize(start: number, limit: number, delta: number): number | undefined {
  if (delta === 0 || (delta > 0 ? start > limit : start < limit)) return undefined;
  return Math.ceil(Math.abs((limit - start) / delta));
}

const range: OpRow = {
  infer: (c: InferContext) => {
    const isFloat = c.dtype(0) !== undefined && dtypeKind(c.dtype(0)!) === 'float';
    const [start, limit, delta] = [0, 1, 2].map((i) => {
      const constant = c.constant(i);
      return constant?.size === 1 ? constant.at(0) : scalarInput(c, i);
    });
    if (start === null || limit === null || delta === null) return out([null]);
    const size = rangeSize(start, limit, delta);
    if (size === undefined) c.fail(`no range leads from ${start} to ${limit} in steps of ${delta}`);
    return out([size], !isFloat && size <= 64 ? upTo(size).map((i) => start + i * delta) : undefined);
  },
  evaluate: ([startTensor, limitTensor, deltaTensor]) => {
    const { dtype } = startTensor;
    if (dtype === 'int64' || dtype === 'uint64') {
      const [start, limit, delta] = [startTensor, limitTensor, deltaTensor].map((t) => BigInt(t.data[0]));
      if (delta === 0n || (delta > 0n ? start > limit : start < limit)) refuse('the range has no end');
      const list: bigint[] = [];
      for (let x = start; delta > 0n ? x < limit : x > limit; x += delta) list.push(x);
      return [Tensor.fromNumbers(dtype, [list.length], list)];
    }
    const [start, limit, delta] = [startTensor.at(0), limitTensor.at(0), deltaTensor.at(0)];
    const round = rounder(dtype);
    // In floats the quotient too is rounded to the dtype before it is rounded up.
    const whole = dtypeKind(dtype) !== 'float';
    const size = rangeSize(start, limit, delta);
    if (size === undefined) refuse('the range has no end');
    const n = whole ? size : Math.ceil(Math.abs(round(round(limit - start) / delta)));
    const list: number[] = [];
    for (let i = 0; i < n; i++) list.push(round(start + round(i * delta)));
    return [Tensor.fromNumbers(dtype, [n], list)];
  },
};

const linSpace: OpRow = {
  infer: (c) => out([scalarInput(c, 2)]),
  evaluate: ([start, stop, num]) => {
    const n = num.at(0);
    if (n <= 0) refuse(`LinSpace needs at least one element, not ${n}`);
    const round = rounder(start.dtype);
    const [first, last] = [start.at(0), stop.at(0)];
    const step = n > 1 ? round(round(last - first) / (n - 1)) : 0;
    const list = upTo(n).map((i) => (i === 0 ? first : i === n - 1 ? last : round(first + round(step * i))));
    return [Tensor.fromNumbers(start.dtype, [n], list)];
  },
};

function inferBroadcastTo(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const target = shapeInput(c, 1);
  if (target && input) {
    const both = broadcastShapes(input, target);
    if (!both || both.length !== target.length)
      c.fail(`[${input.join(',')}] does not broadcast to [${target.join(',')}]`);
    // A dimension that is not 1 can only stay as it is.
    return out(target.map((d, i) => d ?? (both![i] === 1 ? null : both![i])));
  }
  return out(target);
}

function broadcastTo([x, shape]: readonly Tensor[]): Tensor[] {
  const dims = shape.toNumbers();
  if (dims.some((d) => d < 0)) refuse(`a tensor cannot have shape [${dims.join(',')}]`);
  const both = broadcastShapes([...x.shape], dims);
  if (!both || both.join() !== dims.join())
    refuse(`[${x.shape.join(',')}] does not broadcast to [${dims.join(',')}]`);
  return [stridedView(x, dims, broadcastStrides(x.shape, dims))];
}

const broadcastArgs: OpRow = {
  infer: (c) => {
    const [a, b] = [c.elements(0), c.elements(1)];
    const both = a && b ? broadcastShapes(a, b) : undefined;
    if (a && b && !both) c.fail(`shapes [${a.join(',')}] and [${b.join(',')}] do not broadcast`);
    const [m, n] = [lengthOf(c, 0), lengthOf(c, 1)];
    return out([m === null || n === null ? null : Math.max(m, n)], both ?? undefined);
  },
  evaluate: ([a, b]) => {
    const both = broadcastShapes(a.toNumbers(), b.toNumbers());
    if (!both) refuse('the shapes do not broadcast');
    return [Tensor.fromNumbers(a.dtype, [both!.length], both as number[])];
  },
};

/** The axes along which a gradient is summed to undo broadcasting. */
function broadcastGradientArgs([a, b]: readonly Tensor[]): Tensor[] {
  const shapes = [a.toNumbers(), b.toNumbers()];
  if (shapes[0].join() === shapes[1].join()) return shapes.map(() => Tensor.fromNumbers(a.dtype, [0], []));
  const both = broadcastShapes(shapes[0], shapes[1]);
  if (!both) refuse('the shapes do not broadcast');
  return shapes.map((shape) => {
    const lead = both!.length - shape.length;
    const axes = upTo(both!.length).filter((d) => d < lead || shape[d - lead] === 1);
    return Tensor.fromNumbers(a.dtype, [axes.length], axes);
  });
}

const concatOffset: OpRow = {
  infer: (c) => {
    const axis = scalarInput(c, 0);
    let offset: Dim = 0;
    return upTo(c.count - 1).map((i) => {
      const shape = c.elements(i + 1);
      const length = lengthOf(c, i + 1);
      const at = axis !== null && length !== null ? inferAxis(c, axis, length) : null;
      const elements =
        at === null || length === null ? undefined : upTo(length).map((d) => (d === at ? offset : 0));
      const size: Dim = at !== null && shape ? shape[at] : null;
      offset = offset === null || size === null ? null : offset + size;
      return { shape: c.shape(i + 1), elements };
    });
  },
  evaluate: ([axisTensor, ...shapes]) => {
    const rank = shapes[0].size;
    const axis = axisTensor.at(0) < 0 ? axisTensor.at(0) + rank : axisTensor.at(0);
    if (axis < 0 || axis >= rank) refuse(`axis ${axis} is outside of rank ${rank}`);
    let offset = 0;
    return shapes.map((shape) => {
      if (shape.size !== rank || upTo(rank).some((d) => d !== axis && shape.at(d) !== shapes[0].at(d))) {
        refuse('the shapes differ beside the axis of concatenation');
      }
      const offsets = upTo(rank).map((d) => (d === axis ? offset : 0));
      offset += shape.at(axis);
      return Tensor.fromNumbers(shape.dtype, [rank], offsets);
    });
  },
};

const oneHot: OpRow = {
  infer: (c) => {
    const indices = c.shape(0);
    if (indices === null) return out(null);
    const axis = inferAxis(c, c.node.int('axis'), indices.length + 1);
    return out(indices.toSpliced(axis, 0, scalarInput(c, 1)));
  },
  evaluate: ([indices, depthTensor, on, off], node) => {
    const depth = depthTensor.at(0);
    if (depth < 0) refuse(`a depth of ${depth} is negative`);
    const axis = node.int('axis') < 0 ? indices.shape.length : node.int('axis');
    const inner = elementCount(indices.shape.slice(axis));
    const cells = Cells.make(on.dtype, indices.size * depth);
    cells.fill(0, Cells.of(off), 0, indices.size * depth);
    const one = Cells.of(on);
    for (let i = 0; i < indices.size; i++) {
      const k = indices.at(i);
      if (k < 0 || k >= depth) continue;
      const outer = Math.floor(i / inner);
      cells.copy((outer * depth + k) * inner + (i % inner), one, 0, 1);
    }
    return [cells.tensor(indices.shape.toSpliced(axis, 0, depth))];
  },
};

/** Where each letter of the destination format stands in the source format; `n` letters, or spatial ones only. */
function formatOrder(source: string, target: string, n: number): number[] {
  let [from, to] = [source, target];
  if (n === source.length - 2) [from, to] = [source, target].map((f) => f.replace('N', '').replace('C', ''));
  if (n !== from.length) refuse(`${n} values do not fit data format ${source}`);
  return [...to].map((letter) => from.indexOf(letter));
}

const vecPermute: OpRow = moving([0], likeInput(), ([x], node) => {
  const order = formatOrder(node.string('src_format'), node.string('dst_format'), x.shape[0]);
  const each = x.size / x.shape[0];
  const cells = Cells.make(x.dtype, x.size);
  order.forEach((from, to) => cells.copy(to * each, Cells.of(x), from * each, each));
  return [cells.tensor(x.shape)];
});

function dimMap(value: number, source: string, target: string): number {
  const rank = source.length;
  if (value < -rank || value >= rank) refuse(`axis ${value} is outside of data format ${source}`);
  return target.indexOf(source[value < 0 ? value + rank : value]);
}

export const table: OpTable = {
  Shape: {
    infer: (c) => [shapeInfo(c.shape(0))],
    evaluate: ([x], node) => [shapeTensor(x, node.type('out_type'))],
  },
  ShapeN: {
    infer: (c) => upTo(c.count).map((i) => shapeInfo(c.shape(i))),
    evaluate: (inputs, node) => inputs.map((x) => shapeTensor(x, node.type('out_type'))),
  },
  Size: {
    infer: (c) => {
      const shape = c.shape(0);
      return out([], [shape ? productOf(shape) : null]);
    },
    evaluate: ([x], node) => [Tensor.scalar(node.type('out_type'), x.size)],
  },
  Rank: {
    infer: (c) => out([], [c.shape(0)?.length ?? null]),
    evaluate: ([x]) => [Tensor.scalar('int32', x.shape.length)],
  },
  Range: range,
  LinSpace: linSpace,
  Fill: { infer: inferFill, evaluate: ([dims, value]) => [filled(dims.toNumbers(), value)] },
  Empty: {
    infer: (c) => out(shapeInput(c, 0)),
    // Without `init` TensorFlow leaves the elements undefined: zeros are as good as any.
    evaluate: ([dims], node) => [filled(dims.toNumbers(), unit(node.type('dtype'), 0))],
  },
  ZerosLike: { infer: likeInput(), evaluate: ([x]) => [filled(x.shape, unit(x.dtype, 0))] },
  OnesLike: { infer: likeInput(), evaluate: ([x]) => [filled(x.shape, unit(x.dtype, 1))] },
  BroadcastTo: moving([0], inferBroadcastTo, broadcastTo),
  BroadcastArgs: broadcastArgs,
  BroadcastGradientArgs: { infer: always([null], [null]), evaluate: broadcastGradientArgs },
  ConcatOffset: concatOffset,
  OneHot: oneHot,
  DataFormatVecPermute: vecPermute,
  DataFormatDimMap: {
    infer: (c) => {
      const known = knownInts(c, 0);
      const [from, to] = [c.node.string('src_format'), c.node.string('dst_format')];
      return out(c.shape(0), known && known.map((v) => dimMap(v, from, to)));
    },
    evaluate: ([x], node) => {
      const [from, to] = [node.string('src_format'), node.string('dst_format')];
      return [
        Tensor.fromNumbers(
          x.dtype,
          x.shape,
          x.toNumbers().map((v) => dimMap(v, from, to)),
        ),
      ];
    },
  },
};
