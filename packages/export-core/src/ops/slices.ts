/** Ops that cut, pad, turn and rearrange one tensor. */
import type { Node } from '../graph/graph';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { Cells, sliceTensor, stridedView } from './kernels/cells';
import {
  addDims,
  axisIn,
  dimsOfRank,
  inferAxis,
  knownInts,
  lengthOf,
  likeInput,
  mergeDims,
  moving,
  out,
  refuse,
  subDims,
  unknownDims,
  upTo,
} from './kernels/shape-rules';
import { denseSlice, type SliceMasks, type SliceSpec } from './kernels/strided-slice';
import { elementCount, stridesOf, type Dim } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

function inferSlice(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const begin = c.elements(1);
  const size = c.elements(2);
  const rank = begin?.length ?? size?.length ?? lengthOf(c, 1) ?? lengthOf(c, 2) ?? input?.length;
  if (rank === undefined) return out(null);
  if (input && input.length !== rank) c.fail(`a slice of rank ${rank} does not fit rank ${input.length}`);
  if (!size) return out(unknownDims(rank));
  return out(
    size.map((s, i) => {
      const d = input ? input[i] : null;
      const b = begin ? begin[i] : null;
      if (d !== null && b !== null && s !== null && (b < 0 || b + Math.max(s, 0) > d)) {
        c.fail(`slice [${b}, +${s}] is outside of dimension ${i} of size ${d}`);
      }
      return s === -1 ? subDims(d, b) : s;
    }),
  );
}

function slice([x, begin, size]: readonly Tensor[]): Tensor[] {
  const from = begin.toNumbers();
  const rank = x.shape.length;
  if (from.length !== rank || size.size !== rank)
    refuse(`a slice of rank ${from.length} does not fit rank ${rank}`);
  const shape = size.toNumbers().map((s, i) => (s === -1 ? x.shape[i] - from[i] : s));
  if (shape.some((s, i) => from[i] < 0 || s < 0 || from[i] + s > x.shape[i])) {
    refuse(`slice [${from.join(',')}] of [${shape.join(',')}] is outside of [${x.shape.join(',')}]`);
  }
  return [sliceTensor(x, from, shape)];
}

const masksOf = (node: Node): SliceMasks => ({
  begin: node.int('begin_mask'),
  end: node.int('end_mask'),
  ellipsis: node.int('ellipsis_mask'),
  newAxis: node.int('new_axis_mask'),
  shrink: node.int('shrink_axis_mask'),
});

function inferStridedSlice(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const rank = lengthOf(c, 1) ?? lengthOf(c, 2) ?? lengthOf(c, 3);
  if (input === null || rank === null) return out(null);
  const spec: SliceSpec = {
    begin: c.elements(1) ?? unknownDims(rank),
    end: c.elements(2) ?? unknownDims(rank),
    strides: c.elements(3) ?? unknownDims(rank),
  };
  const dense = denseSlice(input, spec, masksOf(c.node), (message) => c.fail(message));
  return out(dense.finalShape);
}

const stridedSlice: OpRow = moving([0], inferStridedSlice, ([x, begin, end, strides], node) => {
  const spec = { begin: begin.toNumbers(), end: end.toNumbers(), strides: strides.toNumbers() };
  const dense = denseSlice([...x.shape], spec, masksOf(node), refuse);
  const shape = dense.shape as number[];
  return [
    sliceTensor(x, dense.begin as number[], shape, dense.strides as number[]).reshape(
      dense.finalShape as number[],
    ),
  ];
});

/** A slice replaced by another tensor (TensorStridedSliceUpdate) or by a gradient among zeros (StridedSliceGrad). */
function writeSlice(
  target: Cells,
  shape: readonly number[],
  spec: SliceSpec,
  node: Node,
  value: Tensor,
): Tensor {
  const dense = denseSlice([...shape], spec, masksOf(node), refuse);
  const box = dense.shape as number[];
  if (elementCount(box) !== value.size && value.size !== 1) refuse('the value does not fit the slice');
  const strides = stridesOf(shape);
  const to = {
    offset: (dense.begin as number[]).reduce((sum, b, d) => sum + b * strides[d], 0),
    strides: strides.map((s, d) => s * (dense.strides[d] as number)),
  };
  const spread = value.size === 1 ? box.map(() => 0) : stridesOf(box);
  target.copyBox(box, to, Cells.of(value), { offset: 0, strides: spread });
  return target.tensor(shape);
}

const numbers = (tensors: readonly Tensor[]): SliceSpec => ({
  begin: tensors[0].toNumbers(),
  end: tensors[1].toNumbers(),
  strides: tensors[2].toNumbers(),
});

function inferPad(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const table = c.shape(1);
  const rank = input?.length ?? table?.[0] ?? null;
  if (rank === null) return out(null);
  if (typeof table?.[0] === 'number' && table[0] !== rank)
    c.fail(`paddings of ${table[0]} axes do not fit rank ${rank}`);
  const pads = c.elements(1) ?? c.constant(1)?.toNumbers();
  if (!pads) return out(unknownDims(rank));
  if (pads.some((p) => p !== null && p < 0)) c.fail('paddings must not be negative');
  return out(upTo(rank).map((i) => addDims(input ? input[i] : null, addDims(pads[2 * i], pads[2 * i + 1]))));
}

function padsOf(x: Tensor, paddings: Tensor): [number, number][] {
  const p = paddings.toNumbers();
  if (p.length !== 2 * x.shape.length || p.some((v) => v < 0)) refuse(`paddings [${p.join(',')}] do not fit`);
  return x.shape.map((_, i) => [p[2 * i], p[2 * i + 1]]);
}

/** Zeros, or the element of `constant`, round a tensor. */
function pad([x, paddings, constant]: readonly Tensor[]): Tensor[] {
  const pads = padsOf(x, paddings);
  const shape = x.shape.map((d, i) => d + pads[i][0] + pads[i][1]);
  const strides = stridesOf(shape);
  const cells = Cells.make(x.dtype, elementCount(shape));
  if (constant) cells.fill(0, Cells.of(constant), 0, elementCount(shape));
  const offset = pads.reduce((sum, [before], d) => sum + before * strides[d], 0);
  cells.copyBox(x.shape, { offset, strides }, Cells.of(x), { offset: 0, strides: stridesOf(x.shape) });
  return [cells.tensor(shape)];
}

/** Reflects a tensor about its edges. */
export function mirrorPad([x, paddings]: readonly Tensor[], node: Node): Tensor[] {
  // SYMMETRIC repeats the edge, REFLECT does not.
  const skip = node.string('mode') === 'REFLECT' ? 1 : 0;
  let result = x;
  padsOf(x, paddings).forEach(([before, after], axis) => {
    const n = result.shape[axis];
    if (before > n - skip || after > n - skip)
      refuse(`paddings ${before}, ${after} exceed a dimension of ${n}`);
    const index = upTo(before + n + after).map((i) =>
      i < before ? before - 1 - i + skip : i < before + n ? i - before : 2 * n - 1 - (i - before) - skip,
    );
    result = takeAlong(result, axis, index);
  });
  return [result];
}

/** Slices of an axis in another order or number. */
function takeAlong(x: Tensor, axis: number, index: readonly number[]): Tensor {
  const outer = elementCount(x.shape.slice(0, axis));
  const inner = elementCount(x.shape.slice(axis + 1));
  const cells = Cells.make(x.dtype, outer * index.length * inner);
  const source = Cells.of(x);
  for (let i = 0; i < outer; i++) {
    index.forEach((k, j) =>
      cells.copy((i * index.length + j) * inner, source, (i * x.shape[axis] + k) * inner, inner),
    );
  }
  return cells.tensor(x.shape.with(axis, index.length));
}

function reverse(x: Tensor, axes: ReadonlySet<number>): Tensor[] {
  const strides = stridesOf(x.shape);
  let offset = 0;
  if (x.size) for (const a of axes) offset += (x.shape[a] - 1) * strides[a];
  return [
    stridedView(
      x,
      x.shape,
      strides.map((s, d) => (axes.has(d) ? -s : s)),
      offset,
    ),
  ];
}

const reverseV2: OpRow = moving(
  [0],
  (c) => {
    const shape = c.shape(0);
    const axes = knownInts(c, 1);
    if (shape && axes) {
      const set = axes.map((a) => inferAxis(c, a, shape.length));
      if (new Set(set).size !== set.length) c.fail(`axis of [${axes.join(',')}] stands twice`);
    }
    return out(shape);
  },
  ([x, axisTensor]) => {
    const axes = axisTensor.toNumbers().map((a) => axisIn(a, x.shape.length));
    const set = new Set(axes);
    return set.size === axes.length ? reverse(x, set) : refuse('an axis stands twice');
  },
);

const reverseSequence: OpRow = {
  infer: (c) => {
    const shape = c.shape(0);
    if (shape === null) return out(null);
    const batch = c.node.int('batch_dim');
    inferAxis(c, c.node.int('seq_dim'), shape.length);
    inferAxis(c, batch, shape.length);
    return out(shape.with(batch, mergeDims(c, shape[batch], dimsOfRank(c, 1, 1)[0])));
  },
  evaluate: ([x, lengths], node) => {
    const rank = x.shape.length;
    const seq = axisIn(node.int('seq_dim'), rank);
    const batch = axisIn(node.int('batch_dim'), rank);
    if (seq === batch || lengths.size !== x.shape[batch]) refuse('the lengths do not fit the batch');
    const strides = stridesOf(x.shape);
    const cells = Cells.make(x.dtype, x.size);
    const source = Cells.of(x);
    lengths.toNumbers().forEach((n, b) => {
      if (n < 0 || n > x.shape[seq]) refuse(`length ${n} is outside of dimension ${x.shape[seq]}`);
      const copy = (first: number, count: number, reversed: boolean) => {
        const shape = x.shape.with(batch, 1).with(seq, count);
        const to = { offset: b * strides[batch] + first * strides[seq], strides };
        const last = b * strides[batch] + (first + count - 1) * strides[seq];
        const from = reversed ? { offset: last, strides: strides.with(seq, -strides[seq]) } : to;
        cells.copyBox(shape, to, source, from);
      };
      copy(0, n, true);
      copy(n, x.shape[seq] - n, false);
    });
    return [cells.tensor(x.shape)];
  },
};

function roll([x, shift, axis]: readonly Tensor[]): Tensor[] {
  if (x.shape.length === 0) refuse('a scalar cannot roll');
  if (shift.size !== axis.size) refuse('shift and axis must have the same size');
  const total = x.shape.map(() => 0);
  axis.toNumbers().forEach((a, i) => (total[axisIn(a, x.shape.length)] += shift.at(i)));
  let result = x;
  total.forEach((by, d) => {
    const n = x.shape[d];
    if (n && by % n) {
      const index = upTo(n).map((i) => (((i - by) % n) + n) % n);
      result = takeAlong(result, d, index);
    }
  });
  return [result];
}

const padRow: OpRow = moving([0], inferPad, pad);

/** The shape comes as a tensor (StridedSliceGrad): its elements, -1 or unknown where they are not known. */
function inferShapeTensor(c: InferContext): OutputInfo[] {
  const elements = c.elements(0);
  const length = lengthOf(c, 0);
  return out(
    elements ? elements.map((e): Dim => (e === -1 ? null : e)) : length === null ? null : unknownDims(length),
  );
}

export const table: OpTable = {
  Slice: moving([0], inferSlice, slice),
  StridedSlice: stridedSlice,
  StridedSliceGrad: {
    infer: inferShapeTensor,
    evaluate: ([shape, ...rest], node) => {
      const dims = shape.toNumbers();
      return [writeSlice(Cells.make(rest[3].dtype, elementCount(dims)), dims, numbers(rest), node, rest[3])];
    },
  },
  TensorStridedSliceUpdate: {
    infer: likeInput(),
    evaluate: ([x, ...rest], node) => {
      const cells = Cells.make(x.dtype, x.size);
      cells.copy(0, Cells.of(x), 0, x.size);
      return [writeSlice(cells, x.shape, numbers(rest), node, rest[3])];
    },
  },
  XlaDynamicUpdateSlice: { infer: likeInput() },
  Pad: padRow,
  PadV2: moving([0, 2], inferPad, pad),
  MirrorPad: moving([0], inferPad, mirrorPad),
  Reverse: moving(
    [0],
    (c) => {
      const rank = lengthOf(c, 1);
      return out(c.shape(0) ?? (rank === null ? null : unknownDims(rank)));
    },
    ([x, mask]) => {
      if (mask.size !== x.shape.length) refuse(`a mask of ${mask.size} does not fit rank ${x.shape.length}`);
      return reverse(x, new Set(upTo(mask.size).filter((i) => mask.at(i))));
    },
  ),
  ReverseV2: reverseV2,
  ReverseSequence: reverseSequence,
  Roll: moving([0], likeInput(), roll),
};
