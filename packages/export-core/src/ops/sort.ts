/** Searching and sorting: the largest elements, distinct elements, positions of elements. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { widen } from './kernels/numbers';
import { Cells, concatTensors, sliceTensor, transposeTensor } from './kernels/cells';
import {
  axisIn,
  dimsOfRank,
  inferAxis,
  knownInts,
  mergeDims,
  out,
  rankAtLeast,
  refuse,
  scalarInput,
  upTo,
} from './kernels/shape-rules';
import { elementCount, stridesOf, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { DType } from '../tensor/dtype';

/** Elements that JavaScript can compare: bigints for 64-bit integers, widened numbers for the others. */
function comparable(x: Tensor): ArrayLike<number | bigint> {
  return x.dtype === 'int64' || x.dtype === 'uint64' ? (x.data as unknown as ArrayLike<bigint>) : widen(x);
}

/** Indices of the `k` largest (or smallest) of `n` elements; of equal ones the first comes first. */
function largest(
  v: ArrayLike<number | bigint>,
  from: number,
  n: number,
  k: number,
  smallest: boolean,
): number[] {
  const sign = smallest ? -1 : 1;
  const order = upTo(n).sort((i, j) => {
    const [a, b] = [v[from + i], v[from + j]];
    return a > b ? -sign : a < b ? sign : i - j;
  });
  return order.slice(0, k);
}

function inferTopK(c: InferContext, k: Dim): OutputInfo[] {
  const input = rankAtLeast(c, 0, 1);
  if (k !== null && k < 0) c.fail(`k is ${k}`);
  const last = input?.at(-1) ?? null;
  if (last !== null && k !== null && last < k) c.fail(`there are no ${k} among ${last} elements`);
  const shape = input && [...input.slice(0, -1), k];
  return [{ shape }, { shape: shape && [...shape] }];
}

/** Along the last dimension. */
function topK(x: Tensor, k: number, indexType: DType, smallest = false): Tensor[] {
  if (x.shape.length < 1) refuse('a scalar has no largest elements');
  const n = x.shape[x.shape.length - 1];
  if (k < 0 || k > n) refuse(`there are no ${k} among ${n} elements`);
  const shape = [...x.shape.slice(0, -1), k];
  const rows = elementCount(x.shape.slice(0, -1));
  const v = comparable(x);
  const cells = Cells.make(x.dtype, rows * k);
  const source = Cells.of(x);
  const indices: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (const i of largest(v, r * n, n, k, smallest)) {
      cells.copy(indices.length, source, r * n + i, 1);
      indices.push(i);
    }
  }
  return [cells.tensor(shape), Tensor.fromNumbers(indexType, shape, indices)];
}

/** A key for a slice of elements: equal slices have equal keys. */
function keysOf(x: Tensor, count: number): (i: number) => unknown {
  const inner = count ? x.size / count : 0;
  if (x.dtype === 'string') {
    const text = x.strings.map((s) => Buffer.from(s).toString('latin1'));
    return (i) => (inner === 1 ? text[i] : JSON.stringify(text.slice(i * inner, (i + 1) * inner)));
  }
  const { data } = x;
  const per = data.length / Math.max(1, x.size);
  if (inner === 1 && per === 1) {
    const v = comparable(x);
    // A NaN equals nothing, not even another one.
    return (i) => (typeof v[i] === 'number' && Number.isNaN(v[i]) ? Symbol('NaN') : v[i]);
  }
  const run = inner * per;
  return (i) =>
    upTo(run)
      .map((k) => `${data[i * run + k]}`)
      .join();
}

/** Distinct slices along an axis, in the order they first occur. */
function unique(x: Tensor, axis: number | null, indexType: DType): [Tensor, Tensor, Tensor] {
  if (axis === null && x.shape.length !== 1) refuse('without an axis the tensor must have rank 1');
  const at = axis ?? 0;
  const rank = x.shape.length;
  const perm = [at, ...upTo(rank).filter((d) => d !== at)];
  const turned = at === 0 ? x : transposeTensor(x, perm);
  const n = turned.shape[0];
  const key = keysOf(turned, n);
  const seen = new Map<unknown, number>();
  const first: number[] = [];
  const counts: number[] = [];
  const index = upTo(n).map((i) => {
    const k = key(i);
    let place = seen.get(k);
    if (place === undefined) {
      place = first.length;
      seen.set(k, place);
      first.push(i);
      counts.push(0);
    }
    counts[place]++;
    return place;
  });
  const inner = elementCount(turned.shape.slice(1));
  const cells = Cells.make(x.dtype, first.length * inner);
  first.forEach((i, place) => cells.copy(place * inner, Cells.of(turned), i * inner, inner));
  const values = cells.tensor([first.length, ...turned.shape.slice(1)]);
  const back = perm.map((_, d) => perm.indexOf(d));
  return [
    at === 0 ? values : transposeTensor(values, back),
    Tensor.fromNumbers(indexType, [n], index),
    Tensor.fromNumbers(indexType, [first.length], counts),
  ];
}

function inferUnique(c: InferContext, outputs: number): OutputInfo[] {
  const x = dimsOfRank(c, 0, 1);
  return [{ shape: [null] }, { shape: [x[0]] }, { shape: [null] }].slice(0, outputs);
}

function inferUniqueV2(c: InferContext, outputs: number): OutputInfo[] {
  const x = c.shape(0);
  const axes = knownInts(c, 1);
  let [values, index]: [Dim[] | null, Dim] = [x && x.map(() => null), null];
  if (x && axes) {
    const axis = axes.length ? inferAxis(c, axes[0], x.length) : 0;
    values = x.with(axis, null);
    index = x[axis];
  }
  return [{ shape: values }, { shape: [index] }, { shape: [null] }].slice(0, outputs);
}

const uniqueRow = (outputs: number): OpRow => ({
  infer: (c) => inferUnique(c, outputs),
  evaluate: ([x], node) => unique(x, null, node.type('out_idx')).slice(0, outputs),
});

const uniqueV2Row = (outputs: number): OpRow => ({
  infer: (c) => inferUniqueV2(c, outputs),
  evaluate: ([x, axis], node) => {
    if (axis.size > 1) refuse('there can be one axis only');
    const at = axis.size ? axisIn(axis.at(0), x.shape.length) : null;
    return unique(x, at, node.type('out_idx')).slice(0, outputs);
  },
});

/** Positions of all elements that are not zero. */
function where(x: Tensor): Tensor {
  const strides = stridesOf(x.shape);
  const { data } = x;
  const per = data.length / Math.max(1, x.size);
  const coordinates: number[] = [];
  let rows = 0;
  for (let i = 0; i < x.size; i++) {
    const value = per === 2 ? Number(data[2 * i]) || Number(data[2 * i + 1]) : per === 1 && x.at(i);
    if (value === 0 || value === false) continue;
    rows++;
    strides.forEach((s, d) => coordinates.push(Math.floor(i / s) % x.shape[d]));
  }
  return Tensor.fromNumbers('int64', [rows, x.shape.length], coordinates);
}

function listDiff(x: Tensor, y: Tensor, indexType: DType): Tensor[] {
  if (x.shape.length !== 1 || y.shape.length !== 1) refuse('both lists must have rank 1');
  const key = keysOf(concatTensors([x, y], 0), x.size + y.size);
  const taken = new Set(upTo(y.size).map((i) => key(x.size + i)));
  const kept = upTo(x.size).filter((i) => !taken.has(key(i)));
  const cells = Cells.make(x.dtype, kept.length);
  kept.forEach((i, k) => cells.copy(k, Cells.of(x), i, 1));
  return [cells.tensor([kept.length]), Tensor.fromNumbers(indexType, [kept.length], kept)];
}

function inTopK(predictions: Tensor, targets: Tensor, k: number): Tensor {
  const [rows, classes] = predictions.shape;
  if (predictions.shape.length !== 2 || targets.size !== rows)
    refuse('predictions and targets differ in rows');
  const v = widen(predictions);
  const hits = upTo(rows).map((r) => {
    const target = targets.at(r);
    const row = v.subarray(r * classes, (r + 1) * classes);
    // Without finite predictions nothing can be said.
    if (target < 0 || target >= classes || !row.every(Number.isFinite)) return 0;
    return row.filter((p) => p > row[target]).length < k ? 1 : 0;
  });
  return Tensor.fromNumbers('bool', [rows], hits);
}

const inTopKShape = (c: InferContext): OutputInfo[] =>
  out([mergeDims(c, dimsOfRank(c, 0, 2)[0], dimsOfRank(c, 1, 1)[0])]);

/** For each value the number of sorted elements before it, equal ones counted or not. */
function bound(sorted: Tensor, values: Tensor, indexType: DType, upper: boolean): Tensor {
  if (sorted.shape.length !== 2 || values.shape.length !== 2 || sorted.shape[0] !== values.shape[0]) {
    refuse('both tensors must be matrices with as many rows');
  }
  const [n, m] = [sorted.shape[1], values.shape[1]];
  const [s, v] = [comparable(sorted), comparable(values)];
  const places = upTo(values.size).map((i) => {
    const row = Math.floor(i / m) * n;
    let [low, high] = [0, n];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (upper ? s[row + mid] <= v[i] : s[row + mid] < v[i]) low = mid + 1;
      else high = mid;
    }
    return low;
  });
  return Tensor.fromNumbers(indexType, values.shape, places);
}

const boundRow = (upper: boolean): OpRow => ({
  infer: (c) => out(dimsOfRank(c, 1, 2)),
  evaluate: ([sorted, values], node) => [bound(sorted, values, node.type('out_type'), upper)],
});

const approxTopK: OpRow = {
  infer: (c) => {
    const input = rankAtLeast(c, 0, 1);
    if (input === null) return [{ shape: null }, { shape: null }];
    const axis = inferAxis(c, c.node.int('reduction_dimension'), input.length);
    // Without aggregation the number of candidates depends on the device.
    const shape = input.with(axis, c.node.bool('aggregate_to_topk') ? c.node.int('k') : null);
    return [{ shape }, { shape: [...shape] }];
  },
  // The exact answer is among the approximate ones; it is what TensorFlow's CPU kernel gives, for these cases only.
  evaluate: ([x], node) => {
    const rank = x.shape.length;
    if (!node.bool('is_max_k') || axisIn(node.int('reduction_dimension'), rank) !== rank - 1) {
      refuse('only the largest elements of the last dimension');
    }
    return topK(x, node.int('k'), 'int32');
  },
};

export const table: OpTable = {
  TopK: {
    infer: (c) => inferTopK(c, c.node.int('k')),
    evaluate: ([x], node) => topK(x, node.int('k'), 'int32'),
  },
  TopKV2: {
    infer: (c) => inferTopK(c, scalarInput(c, 1)),
    evaluate: ([x, k], node) => topK(x, k.at(0), node.type('index_type')),
  },
  ApproxTopK: approxTopK,
  NthElement: {
    infer: (c) => out(rankAtLeast(c, 0, 1)?.slice(0, -1) ?? null),
    evaluate: ([x, n], node) => {
      const [sorted] = topK(x, x.shape[x.shape.length - 1] ?? 0, 'int32', !node.bool('reverse'));
      const size = x.shape[x.shape.length - 1];
      if (n.at(0) < 0 || n.at(0) >= size) refuse(`there is no element ${n.at(0)} among ${size}`);
      const begin = [...x.shape.slice(0, -1).map(() => 0), n.at(0)];
      return [sliceTensor(sorted, begin, [...x.shape.slice(0, -1), 1]).reshape(x.shape.slice(0, -1))];
    },
  },
  Unique: uniqueRow(2),
  UniqueWithCounts: uniqueRow(3),
  UniqueV2: uniqueV2Row(2),
  UniqueWithCountsV2: uniqueV2Row(3),
  Where: {
    infer: (c) => out([null, c.shape(0)?.length ?? null]),
    evaluate: ([x]) => [where(x)],
  },
  ListDiff: {
    infer: (c) => {
      const [n] = dimsOfRank(c, 0, 1);
      dimsOfRank(c, 1, 1);
      return n === 0 ? [{ shape: [0] }, { shape: [0] }] : [{ shape: [null] }, { shape: [null] }];
    },
    evaluate: ([x, y], node) => listDiff(x, y, node.type('out_idx')),
  },
  InTopK: { infer: inTopKShape, evaluate: ([p, t], node) => [inTopK(p, t, node.int('k'))] },
  InTopKV2: { infer: inTopKShape, evaluate: ([p, t, k]) => [inTopK(p, t, k.at(0))] },
  LowerBound: boundRow(false),
  UpperBound: boundRow(true),
};
