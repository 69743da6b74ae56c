/** Reductions over segments of the first dimension, and counts of integers. */
import type { InferContext, OpRow, OpTable } from './op-row';
import { Accumulator, type Combine } from './kernels/accumulate';
import { narrow, widen } from './kernels/numbers';
import {
  dimsOfRank,
  likeInput,
  mergeKnown,
  out,
  rankAtLeast,
  refuse,
  scalarInput,
} from './kernels/shape-rules';
import { dtypeKind } from '../tensor/dtype';
import { elementCount, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

interface Reduction {
  combine: Combine;
  /** What a segment's sum is divided by, from the number of its rows. */
  divide?: (count: number) => number;
}

/**
 * Rows of `data` combined into segments; `rows[i]` goes into segment `ids[i]`, negative ones nowhere. Segments
 * without rows hold `empty`: what the reduction starts from, or a number.
 */
function reduceSegments(
  data: Tensor,
  rows: readonly number[] | null,
  ids: readonly number[],
  segments: number,
  inner: number,
  reduction: Reduction,
  empty: 'neutral' | number,
): Tensor {
  const float = dtypeKind(data.dtype) === 'float';
  // Sums of floats are kept in float64 and rounded once.
  const target = new Accumulator(float ? 'float64' : data.dtype, segments * inner);
  target.neutral(reduction.combine, data.dtype);
  const source = float ? Float64Array.from(widen(data)) : data.data;
  const counts = new Array<number>(segments).fill(0);
  const limit = inner ? data.size / inner : 0;
  ids.forEach((id, i) => {
    if (id < 0) return;
    if (id >= segments) refuse(`segment ${id} is outside of [0, ${segments})`);
    const row = rows ? rows[i] : i;
    if (inner && (row < 0 || row >= limit)) refuse(`row ${row} is outside of [0, ${limit})`);
    target.apply(reduction.combine, id * inner, source, row * inner, inner);
    counts[id]++;
  });
  counts.forEach((n, id) => {
    if (n === 0 && empty !== 'neutral') target.set(id * inner, inner, empty);
    else if (n > 0 && reduction.divide) target.divide(id * inner, inner, reduction.divide(n));
  });
  const raw = target.tensor([segments, inner]);
  return float ? narrow(data.dtype, [segments, inner], raw.data as Float64Array) : raw;
}

/** Ids that must not fall, as the sorted reductions demand. */
function sortedIds(ids: Tensor): number[] {
  const list = ids.toNumbers();
  if (ids.shape.length !== 1) refuse('segment ids must have rank 1');
  if (list.some((id, i) => id < 0 || (i > 0 && id < list[i - 1]))) refuse('segment ids must be sorted');
  return list;
}

const last = (ids: readonly number[]): number => (ids.length ? ids[ids.length - 1] + 1 : 0);

/** SegmentSum and its kin: as many segments as the last id says; gaps hold `empty`. */
function segmentRow(reduction: Reduction, empty: number): OpRow {
  return {
    infer: (c) => {
      dimsOfRank(c, 1, 1);
      const data = rankAtLeast(c, 0, 1);
      return out(data && [null, ...data.slice(1)]);
    },
    evaluate: ([data, idTensor]) => {
      const ids = sortedIds(idTensor);
      if (data.shape[0] !== ids.length) refuse(`${ids.length} segment ids for ${data.shape[0]} rows`);
      const rest = data.shape.slice(1);
      const result = reduceSegments(data, null, ids, last(ids), elementCount(rest), reduction, empty);
      return [result.reshape([last(ids), ...rest])];
    },
  };
}

/** UnsortedSegmentSum and its kin: the number of segments is an input, ids have any rank. */
function unsortedRow(combine: Combine): OpRow {
  return {
    infer: (c) => {
      const [data, ids] = [c.shape(0), c.shape(1)];
      if (data === null || ids === null) return out(null);
      if (ids.length > data.length) c.fail(`ids of rank ${ids.length} for data of rank ${data.length}`);
      mergeKnown(c, data.slice(0, ids.length), ids);
      return out([scalarInput(c, 2), ...data.slice(ids.length)]);
    },
    evaluate: ([data, ids, count]) => {
      const n = count.at(0);
      const rest = data.shape.slice(ids.shape.length);
      if (n < 0 || data.shape.slice(0, ids.shape.length).join() !== ids.shape.join())
        refuse('ids do not fit the data');
      const result = reduceSegments(
        data,
        null,
        ids.toNumbers(),
        n,
        elementCount(rest),
        { combine },
        'neutral',
      );
      return [result.reshape([n, ...rest])];
    },
  };
}

/** SparseSegmentSum and its kin: rows are picked by index first. */
function sparseRow(reduction: Reduction, counted: boolean): OpRow {
  return {
    infer: (c) => {
      const data = rankAtLeast(c, 0, 1);
      dimsOfRank(c, 1, 1);
      dimsOfRank(c, 2, 1);
      return out(data && [counted ? scalarInput(c, 3) : null, ...data.slice(1)]);
    },
    evaluate: ([data, indices, idTensor, count]) => {
      const ids = sortedIds(idTensor);
      if (indices.size !== ids.length) refuse(`${ids.length} segment ids for ${indices.size} rows`);
      const n = counted ? count.at(0) : last(ids);
      const rest = data.shape.slice(1);
      const result = reduceSegments(data, indices.toNumbers(), ids, n, elementCount(rest), reduction, 0);
      return [result.reshape([n, ...rest])];
    },
  };
}

const SUM: Reduction = { combine: 'add' };
const MEAN: Reduction = { combine: 'add', divide: (n) => n };
const SQRT_N: Reduction = { combine: 'add', divide: Math.sqrt };

/** Counts of the integers 0 to size - 1, or sums of their weights. */
function bincount(values: Tensor, size: number, weights: Tensor, binary: boolean): Tensor {
  if (size < 0) refuse(`the number of bins is ${size}`);
  if (values.shape.length > 2) refuse('the values must have rank 1 or 2');
  const rows = values.shape.length === 2 ? values.shape[0] : 1;
  const weighted = weights.size > 0 && !binary;
  if (weighted && weights.size !== values.size) refuse('values and weights differ in size');
  const bins = new Accumulator(weights.dtype, rows * size);
  const source = Accumulator.source(weighted ? weights : Tensor.scalar(weights.dtype, 1));
  values.toNumbers().forEach((k, i) => {
    if (k < 0) refuse(`value ${k} is negative`);
    if (k >= size) return;
    const row = Math.floor(i / (values.size / rows));
    bins.apply(binary ? 'set' : 'add', row * size + k, source, weighted ? i : 0, 1);
  });
  return bins.tensor(values.shape.length === 2 ? [rows, size] : [size]);
}

function inferBincount(c: InferContext, rank: Dim): Dim[] | null {
  const size = scalarInput(c, 1);
  const shape = c.shape(0);
  if (rank === 1 || shape?.length === 1) return [size];
  return shape?.length === 2 ? [shape[0], size] : null;
}

function bucketize(x: Tensor, boundaries: readonly number[]): Tensor {
  if (boundaries.some((b, i) => i > 0 && b < boundaries[i - 1])) refuse('the boundaries must be sorted');
  const whole = dtypeKind(x.dtype) !== 'float';
  const v = widen(x);
  const buckets = Array.from(v, (value) => {
    // Integers are compared as float32, as C compares them with the boundaries.
    const at = whole ? Math.fround(value) : value;
    const i = boundaries.findIndex((b) => at < b);
    return i < 0 ? boundaries.length : i;
  });
  return Tensor.fromNumbers('int32', x.shape, buckets);
}

export const table: OpTable = {
  SegmentSum: segmentRow(SUM, 0),
  SegmentMean: segmentRow(MEAN, 0),
  SegmentProd: segmentRow({ combine: 'mul' }, 1),
  SegmentMin: segmentRow({ combine: 'min' }, 0),
  SegmentMax: segmentRow({ combine: 'max' }, 0),
  UnsortedSegmentSum: unsortedRow('add'),
  UnsortedSegmentProd: unsortedRow('mul'),
  UnsortedSegmentMin: unsortedRow('min'),
  UnsortedSegmentMax: unsortedRow('max'),
  SparseSegmentSum: sparseRow(SUM, false),
  SparseSegmentMean: sparseRow(MEAN, false),
  SparseSegmentSqrtN: sparseRow(SQRT_N, false),
  SparseSegmentSumWithNumSegments: sparseRow(SUM, true),
  SparseSegmentMeanWithNumSegments: sparseRow(MEAN, true),
  SparseSegmentSqrtNWithNumSegments: sparseRow(SQRT_N, true),
  Bincount: {
    infer: (c) => out(inferBincount(c, 1)),
    evaluate: ([values, size, weights]) => [
      bincount(values.reshape([values.size]), size.at(0), weights, false),
    ],
  },
  DenseBincount: {
    infer: (c) => out(inferBincount(c, null)),
    evaluate: ([values, size, weights], node) => [
      bincount(values, size.at(0), weights, node.bool('binary_output')),
    ],
  },
  Bucketize: {
    infer: likeInput(),
    evaluate: ([x], node) => [bucketize(x, node.floats('boundaries'))],
  },
};
