/** Joining tensors and splitting them. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { concatTensors, sliceTensor } from './kernels/cells';
import {
  addDims,
  axisIn,
  inferAxis,
  mergeDims,
  mergeKnown,
  moving,
  out,
  refuse,
  scalarInput,
  unknownDims,
  upTo,
} from './kernels/shape-rules';
import type { Dim, Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** Concatenation of inputs `first` to `first + n - 1` along the axis that input `axisInput` holds. */
function concatRow(first: (c: { count: number }) => number, axisInput: (count: number) => number): OpRow {
  const parts = (c: { count: number }) => upTo(c.count - 1).map((i) => i + first(c));
  return moving(
    parts,
    (c) => {
      const shapes = parts(c).map((i) => c.shape(i));
      const axis = scalarInput(c, axisInput(c.count));
      const rank = shapes.find((s) => s !== null)?.length;
      if (rank === undefined) return out(null);
      if (rank === 0) c.fail('scalars cannot be concatenated');
      for (const s of shapes)
        if (s && s.length !== rank) c.fail(`inputs of rank ${rank} and ${s.length} do not concatenate`);
      if (axis === null) return out(unknownDims(rank));
      const at = inferAxis(c, axis, rank);
      let rest: Shape = null;
      let sum: Dim = 0;
      for (const s of shapes) {
        rest = mergeKnown(c, rest, s && s.toSpliced(at, 1));
        sum = addDims(sum, s ? s[at] : null);
      }
      return out(rest && (rest as Dim[]).toSpliced(at, 0, sum));
    },
    (inputs) => {
      const from = first({ count: inputs.length });
      const list = inputs.slice(from, from + inputs.length - 1);
      const rank = list[0].shape.length;
      const axis = axisIn(inputs[axisInput(inputs.length)].at(0), rank);
      for (const t of list) {
        if (t.shape.length !== rank || t.shape.some((d, i) => i !== axis && d !== list[0].shape[i])) {
          refuse(
            `[${list[0].shape.join(',')}] and [${t.shape.join(',')}] do not concatenate along axis ${axis}`,
          );
        }
      }
      return [concatTensors(list, axis)];
    },
  );
}

function cut(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const begin = x.shape.map(() => 0);
  return sizes.map((size) => {
    const part = sliceTensor(x, begin, x.shape.with(axis, size));
    begin[axis] += size;
    return part;
  });
}

function inferSplit(c: InferContext): OutputInfo[] {
  const n = c.node.int('num_split');
  const input = c.shape(1);
  const axis = scalarInput(c, 0);
  const each = (shape: Shape) => upTo(n).map(() => ({ shape: shape && [...shape] }));
  if (input === null) return each(null);
  if (axis === null) return each(unknownDims(input.length));
  const at = inferAxis(c, axis, input.length);
  const size = input[at];
  if (size !== null && size % n) c.fail(`a dimension of ${size} cannot be split in ${n}`);
  return each(input.with(at, size === null ? (n === 1 ? size : null) : size / n));
}

function inferSplitV(c: InferContext): OutputInfo[] {
  const n = c.node.int('num_split');
  const input = c.shape(0);
  const axis = scalarInput(c, 2);
  if (input === null) return upTo(n).map(() => ({ shape: null }));
  if (axis === null) return upTo(n).map(() => ({ shape: unknownDims(input.length) }));
  const at = inferAxis(c, axis, input.length);
  const sizes: Dim[] = (c.elements(1) ?? unknownDims(n)).map((s) => s);
  const total = input[at];
  // One size may be left open (-1): it takes what the others leave.
  const rest = sizes.indexOf(-1);
  if (rest >= 0) {
    const others = sizes.filter((_, i) => i !== rest).reduce<Dim>(addDims, 0);
    sizes[rest] = total === null || others === null ? null : total - others;
    if (sizes[rest] !== null && sizes[rest] < 0) c.fail(`sizes of ${others} do not fit into ${total}`);
  } else if (n === 1 && sizes[0] === null) sizes[0] = total;
  return sizes.map((size) => ({ shape: input.with(at, size) }));
}

const splitV: OpRow = moving([0], inferSplitV, ([x, sizeTensor, axisTensor]) => {
  const axis = axisIn(axisTensor.at(0), x.shape.length);
  const sizes = sizeTensor.toNumbers();
  const rest = sizes.indexOf(-1);
  if (rest >= 0) sizes[rest] = x.shape[axis] - sizes.reduce((a, b) => a + b, 1);
  const sum = sizes.reduce((a, b) => a + b, 0);
  if (sizes.some((s) => s < 0) || sum !== x.shape[axis])
    refuse(`sizes [${sizes.join(',')}] do not fit ${x.shape[axis]}`);
  return cut(x, axis, sizes);
});

const pack: OpRow = moving(
  (c) => upTo(c.count),
  (c) => {
    let each: Shape = null;
    for (let i = c.count - 1; i >= 0; i--) each = mergeKnown(c, c.shape(i), each);
    if (each === null) return out(null);
    return out(each.toSpliced(inferAxis(c, c.node.int('axis'), each.length + 1), 0, c.count));
  },
  (inputs, node) => {
    const shape = inputs[0].shape;
    if (inputs.some((t) => t.shape.join() !== shape.join()))
      refuse('tensors of different shapes cannot be packed');
    const axis = axisIn(node.int('axis'), shape.length + 1);
    const one = shape.toSpliced(axis, 0, 1);
    return [
      concatTensors(
        inputs.map((t) => t.reshape(one)),
        axis,
      ),
    ];
  },
);

const unpack: OpRow = moving(
  [0],
  (c) => {
    const n = c.node.int('num');
    const input = c.shape(0);
    if (input === null) return upTo(n).map(() => ({ shape: null }));
    const axis = inferAxis(c, c.node.int('axis'), input.length);
    mergeDims(c, input[axis], n);
    return upTo(n).map(() => ({ shape: input.toSpliced(axis, 1) }));
  },
  ([x], node) => {
    const axis = axisIn(node.int('axis'), x.shape.length);
    const n = node.int('num');
    if (x.shape[axis] !== n) refuse(`a dimension of ${x.shape[axis]} cannot be unpacked into ${n}`);
    const shape = x.shape.toSpliced(axis, 1);
    return cut(
      x,
      axis,
      upTo(n).map(() => 1),
    ).map((t) => t.reshape(shape));
  },
);

export const table: OpTable = {
  ConcatV2: concatRow(
    () => 0,
    (count) => count - 1,
  ),
  Concat: concatRow(
    () => 1,
    () => 0,
  ),
  Split: moving([1], inferSplit, ([axisTensor, x], node) => {
    const axis = axisIn(axisTensor.at(0), x.shape.length);
    const n = node.int('num_split');
    if (x.shape[axis] % n) refuse(`a dimension of ${x.shape[axis]} cannot be split in ${n}`);
    return cut(
      x,
      axis,
      upTo(n).map(() => x.shape[axis] / n),
    );
  }),
  SplitV: splitV,
  Pack: pack,
  ParallelConcat: {
    infer: (c) => out(c.node.shape('shape')),
    evaluate: (inputs, node) => [concatTensors(inputs, 0).reshape(node.shape('shape') as number[])],
  },
  Unpack: unpack,
};
