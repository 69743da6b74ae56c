/** Gathering slices by index, scattering them, stitching and partitioning. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { Accumulator, type Combine } from './kernels/accumulate';
import { Cells } from './kernels/cells';
import {
  axisIn,
  inferAxis,
  knownInts,
  likeInput,
  mergeKnown,
  moving,
  out,
  rankAtLeast,
  refuse,
  scalarInput,
  shapeInput,
  trackElements,
  unknownDims,
  upTo,
} from './kernels/shape-rules';
import { variableShape } from './state';
import { elementCount, isStatic, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { Node } from '../graph/graph';

/** Shape of a gather along `axis` (null: not known), the first `batchDims` dimensions taken pairwise. */
function gatherShape(c: InferContext, params: Shape, indices: Shape, axis: Dim, batchDims: number): Shape {
  if (indices === null) return null;
  const batch = batchDims < 0 ? batchDims + indices.length : batchDims;
  if (batch < 0 || batch > indices.length)
    c.fail(`batch_dims ${batchDims} does not fit indices of rank ${indices.length}`);
  if (params === null) return null;
  if (axis === null) return unknownDims(params.length + indices.length - 1 - batch);
  const at = inferAxis(c, axis, params.length);
  if (at < batch) c.fail(`axis ${axis} lies among ${batch} batch dimensions`);
  const shared = mergeKnown(c, params.slice(0, batch), indices.slice(0, batch)) as Dim[];
  return [...shared, ...params.slice(batch, at), ...indices.slice(batch), ...params.slice(at + 1)];
}

function gather(params: Tensor, indices: Tensor, axisIndex: number, batchDims: number): Tensor {
  const axis = axisIn(axisIndex, params.shape.length);
  const batch = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
  const batches = elementCount(params.shape.slice(0, batch));
  if (axis < batch || params.shape.slice(0, batch).join() !== indices.shape.slice(0, batch).join()) {
    refuse('the batch dimensions differ');
  }
  const outer = elementCount(params.shape.slice(batch, axis));
  const inner = elementCount(params.shape.slice(axis + 1));
  const size = params.shape[axis];
  const count = elementCount(indices.shape.slice(batch));
  const list = indices.toNumbers();
  const bad = list.find((k) => k < 0 || k >= size);
  if (bad !== undefined) refuse(`index ${bad} is outside of [0, ${size})`);
  const cells = Cells.make(params.dtype, batches * outer * count * inner);
  const source = Cells.of(params);
  for (let b = 0, to = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      const from = (b * outer + o) * size;
      for (let i = 0; i < count; i++, to += inner)
        cells.copy(to, source, (from + list[b * count + i]) * inner, inner);
    }
  }
  const shape = [
    ...params.shape.slice(0, axis),
    ...indices.shape.slice(batch),
    ...params.shape.slice(axis + 1),
  ];
  return cells.tensor(shape);
}

/** Each row of indices picks a slice of a tensor: its position, or -1 when it lies outside. */
function slicePositions(indices: Tensor, shape: readonly number[]): { depth: number; positions: number[] } {
  const depth = indices.shape[indices.shape.length - 1];
  if (indices.shape.length < 1 || depth > shape.length)
    refuse(`indices of depth ${depth} do not fit rank ${shape.length}`);
  const list = indices.toNumbers();
  const rows = elementCount(indices.shape.slice(0, -1));
  const positions = upTo(rows).map((r) => {
    let at = 0;
    for (let d = 0; d < depth; d++) {
      const k = list[r * depth + d];
      if (k < 0 || k >= shape[d]) return -1;
      at = at * shape[d] + k;
    }
    return at;
  });
  return { depth, positions };
}

/** Whether indices outside of the tensor are passed over instead of refused. */
const ignoresBad = (node: Node): boolean =>
  node.attr('bad_indices_policy') !== undefined && node.string('bad_indices_policy') === 'IGNORE';

function inferGatherNd(c: InferContext, params: Shape): OutputInfo[] {
  const indices = rankAtLeast(c, 1, 1);
  const depth = indices?.at(-1) ?? null;
  if (indices === null || params === null || depth === null) return out(null);
  if (depth > params.length) c.fail(`indices of depth ${depth} do not fit rank ${params.length}`);
  return out([...indices.slice(0, -1), ...params.slice(depth)]);
}

function gatherNd([params, indices]: readonly Tensor[], node: Node): Tensor[] {
  const { depth, positions } = slicePositions(indices, params.shape);
  const inner = elementCount(params.shape.slice(depth));
  const cells = Cells.make(params.dtype, positions.length * inner);
  const source = Cells.of(params);
  positions.forEach((p, i) => {
    if (p >= 0) cells.copy(i * inner, source, p * inner, inner);
    else if (!ignoresBad(node)) refuse('an index is outside of the tensor');
  });
  return [cells.tensor([...indices.shape.slice(0, -1), ...params.shape.slice(depth)])];
}

/** Combines slices of updates into a tensor, in the order they come. */
function scatter(
  target: Accumulator,
  shape: readonly number[],
  indices: Tensor,
  updates: Tensor,
  combine: Combine,
  node: Node,
): Tensor {
  const { depth, positions } = slicePositions(indices, shape);
  const inner = elementCount(shape.slice(depth));
  const expected = [...indices.shape.slice(0, -1), ...shape.slice(depth)];
  if (expected.join() !== updates.shape.join()) {
    refuse(`updates [${updates.shape.join(',')}] should have shape [${expected.join(',')}]`);
  }
  const source = Accumulator.source(updates);
  positions.forEach((p, i) => {
    if (p >= 0) target.apply(combine, p * inner, source, i * inner, inner);
    else if (!ignoresBad(node)) refuse('an index is outside of the tensor');
  });
  return target.tensor(shape);
}

function tensorScatter(combine: Combine): OpRow {
  return {
    infer: likeInput(),
    evaluate: ([x, indices, updates], node) =>
      x.dtype === 'string'
        ? [scatterStrings(x, indices, updates, combine)]
        : [scatter(Accumulator.from(x), x.shape, indices, updates, combine, node)],
  };
}

function scatterStrings(x: Tensor, indices: Tensor, updates: Tensor, combine: Combine): Tensor {
  const { depth, positions } = slicePositions(indices, x.shape);
  if (combine !== 'set' || positions.includes(-1)) refuse('strings can only be replaced, within the tensor');
  const inner = elementCount(x.shape.slice(depth));
  const cells = Cells.make('string', x.size);
  cells.copy(0, Cells.of(x), 0, x.size);
  positions.forEach((p, i) => cells.copy(p * inner, Cells.of(updates), i * inner, inner));
  return cells.tensor(x.shape);
}

/** Inputs: N lists of indices, then N tensors of data. */
const stitch: OpRow = {
  infer: (c) => {
    const n = c.count / 2;
    let rest: Shape = null;
    let size: Dim = 0;
    for (let i = 0; i < n; i++) {
      const [indices, data] = [c.shape(i), c.shape(n + i)];
      const list = knownInts(c, i);
      size = size === null || !list ? null : Math.max(size, ...list.map((k) => k + 1));
      if (indices === null || data === null) continue;
      mergeKnown(c, indices, data.slice(0, indices.length));
      rest = mergeKnown(c, rest, data.slice(indices.length));
    }
    const elements = trackElements(
      c,
      upTo(n).map((i) => n + i),
      dynamicStitch,
    )?.[0];
    return out(rest && [size, ...rest], elements);
  },
  evaluate: dynamicStitch,
};

function dynamicStitch(inputs: readonly Tensor[]): Tensor[] {
  const n = inputs.length / 2;
  const data = inputs.slice(n);
  const lists = inputs.slice(0, n).map((t) => t.toNumbers());
  const rest = data[0].shape.slice(inputs[0].shape.length);
  const inner = elementCount(rest);
  const rows = lists.flat().reduce((max, k) => Math.max(max, k + 1), 0);
  const cells = Cells.make(data[0].dtype, rows * inner);
  lists.forEach((list, i) => {
    if (list.length * inner !== data[i].size) refuse('indices and data differ in shape');
    const source = Cells.of(data[i]);
    list.forEach((k, r) =>
      k < 0 ? refuse(`index ${k} is negative`) : cells.copy(k * inner, source, r * inner, inner),
    );
  });
  return [cells.tensor([rows, ...rest])];
}

const dynamicPartition: OpRow = {
  infer: (c) => {
    const [data, partitions] = [c.shape(0), c.shape(1)];
    const list = knownInts(c, 1);
    return upTo(c.node.int('num_partitions')).map((p) => {
      if (data === null || partitions === null) return { shape: null };
      mergeKnown(c, partitions, data.slice(0, partitions.length));
      const size = list ? list.filter((k) => k === p).length : null;
      return { shape: [size, ...data.slice(partitions.length)] };
    });
  },
  evaluate: ([data, partitions], node) => {
    const n = node.int('num_partitions');
    const list = partitions.toNumbers();
    const rest = data.shape.slice(partitions.shape.length);
    const inner = elementCount(rest);
    const bad = list.find((p) => p < 0 || p >= n);
    if (bad !== undefined) refuse(`partition ${bad} is outside of [0, ${n})`);
    const source = Cells.of(data);
    return upTo(n).map((p) => {
      const rows = list.flatMap((q, i) => (q === p ? [i] : []));
      const cells = Cells.make(data.dtype, rows.length * inner);
      rows.forEach((row, i) => cells.copy(i * inner, source, row * inner, inner));
      return cells.tensor([rows.length, ...rest]);
    });
  },
};

const gatherV2: OpRow = moving(
  [0],
  (c) => out(gatherShape(c, c.shape(0), c.shape(1), scalarInput(c, 2), c.node.int('batch_dims'))),
  ([params, indices, axis], node) => [gather(params, indices, axis.at(0), node.int('batch_dims'))],
);

const inplace = (combine: Combine): OpRow => ({
  infer: likeInput(),
  evaluate: ([x, rows, v]) => {
    const target = Accumulator.from(x);
    const source = Accumulator.source(v);
    const inner = elementCount(x.shape.slice(1));
    rows.toNumbers().forEach((row, i) => {
      const at = ((row % x.shape[0]) + x.shape[0]) % x.shape[0];
      target.apply(combine, at * inner, source, i * inner, inner);
    });
    return [target.tensor(x.shape)];
  },
});

/** Scattering into a variable by reference: the output is the variable. */
const refScatter: OpRow = { infer: likeInput() };
const resourceScatter: OpRow = { infer: () => [] };

export const table: OpTable = {
  Gather: moving(
    [0],
    (c) => out(gatherShape(c, rankAtLeast(c, 0, 1), c.shape(1), 0, 0)),
    ([params, indices]) => [gather(params, indices, 0, 0)],
  ),
  GatherV2: gatherV2,
  GatherNd: moving([0], (c) => inferGatherNd(c, c.shape(0)), gatherNd),
  ResourceGather: {
    infer: (c) => out(gatherShape(c, variableShape(c, 0), c.shape(1), 0, c.node.int('batch_dims'))),
  },
  ResourceGatherNd: { infer: (c) => inferGatherNd(c, variableShape(c, 0)) },
  ScatterNd: {
    infer: (c) => {
      const shape = shapeInput(c, 2);
      const indices = c.shape(0);
      if (shape && indices && indices.length && isStatic(shape) && shape.length < (indices.at(-1) ?? 0)) {
        c.fail(`indices of depth ${indices.at(-1)} do not fit rank ${shape.length}`);
      }
      return out(shape);
    },
    evaluate: ([indices, updates, shape], node) => {
      const dims = shape.toNumbers();
      if (updates.dtype === 'string') refuse('strings cannot be added');
      return [
        scatter(new Accumulator(updates.dtype, elementCount(dims)), dims, indices, updates, 'add', node),
      ];
    },
  },
  TensorScatterUpdate: tensorScatter('set'),
  TensorScatterAdd: tensorScatter('add'),
  TensorScatterSub: tensorScatter('sub'),
  TensorScatterMin: tensorScatter('min'),
  TensorScatterMax: tensorScatter('max'),
  ScatterNdNonAliasingAdd: tensorScatter('add'),
  InplaceUpdate: inplace('set'),
  InplaceAdd: inplace('add'),
  InplaceSub: inplace('sub'),
  DynamicStitch: stitch,
  ParallelDynamicStitch: stitch,
  DynamicPartition: dynamicPartition,
  ScatterUpdate: refScatter,
  ScatterAdd: refScatter,
  ScatterSub: refScatter,
  ScatterMul: refScatter,
  ScatterDiv: refScatter,
  ScatterMin: refScatter,
  ScatterMax: refScatter,
  ScatterNdUpdate: refScatter,
  ScatterNdAdd: refScatter,
  ScatterNdSub: refScatter,
  ResourceScatterUpdate: resourceScatter,
  ResourceScatterAdd: resourceScatter,
  ResourceScatterSub: resourceScatter,
  ResourceScatterMul: resourceScatter,
  ResourceScatterDiv: resourceScatter,
  ResourceScatterMin: resourceScatter,
  ResourceScatterMax: resourceScatter,
  ResourceScatterNdUpdate: resourceScatter,
  ResourceScatterNdAdd: resourceScatter,
  ResourceScatterNdSub: resourceScatter,
  ResourceScatterNdMin: resourceScatter,
  ResourceScatterNdMax: resourceScatter,
};
