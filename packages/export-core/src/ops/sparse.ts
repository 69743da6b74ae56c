/** Sparse tensors: a matrix of indices, a vector of values, a dense shape. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { Cells } from './kernels/cells';
import { narrow, widen } from './kernels/numbers';
import {
  addDims,
  always,
  dimsOfRank,
  lengthOf,
  mergeDims,
  out,
  rankAtLeast,
  refuse,
  scalarInput,
  shapeInput,
  upTo,
} from './kernels/shape-rules';
import { elementCount, stridesOf, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

/** Rows of an index matrix; a vector holds one index a row, a scalar is one row. */
function indexRows(indices: Tensor): number[][] {
  const depth = indices.shape.length === 2 ? indices.shape[1] : 1;
  const list = indices.toNumbers();
  const rows = indices.shape.length === 0 ? 1 : indices.shape[0];
  return upTo(rows).map((r) => list.slice(r * depth, (r + 1) * depth));
}

function positionOf(row: readonly number[], shape: readonly number[], strides: readonly number[]): number {
  if (row.length !== shape.length || row.some((k, d) => k < 0 || k >= shape[d])) {
    refuse(`index [${row.join(',')}] is outside of [${shape.join(',')}]`);
  }
  return row.reduce((sum, k, d) => sum + k * strides[d], 0);
}

const sparseToDense: OpRow = {
  infer: (c) => out(shapeInput(c, 1)),
  evaluate: ([indices, shapeTensor, values, fallback], node) => {
    const shape = shapeTensor.toNumbers();
    const strides = stridesOf(shape);
    const cells = Cells.make(values.dtype, elementCount(shape));
    cells.fill(0, Cells.of(fallback), 0, elementCount(shape));
    const rows = indexRows(indices);
    const one = values.shape.length === 0;
    if (!one && values.size !== rows.length) refuse(`${values.size} values for ${rows.length} indices`);
    let before = -1;
    rows.forEach((row, i) => {
      const at = positionOf(row, shape, strides);
      if (node.bool('validate_indices') && at <= before) refuse('the indices must be sorted and distinct');
      before = at;
      cells.copy(at, Cells.of(values), one ? 0 : i, 1);
    });
    return [cells.tensor(shape)];
  },
};

const sparseReshape: OpRow = {
  infer: (c) => {
    const [n] = dimsOfRank(c, 0, 2);
    const rank = lengthOf(c, 2);
    const target = c.elements(2);
    return [{ shape: [n, rank] }, { shape: [rank], elements: target?.map((d) => (d === -1 ? null : d)) }];
  },
  evaluate: ([indices, oldShape, newShape]) => {
    const from = oldShape.toNumbers();
    const to = newShape.toNumbers();
    const open = to.indexOf(-1);
    const rest = elementCount(to.filter((d) => d !== -1));
    if (open >= 0) {
      if (to.lastIndexOf(-1) !== open || rest === 0 || elementCount(from) % rest)
        refuse('the shape cannot be completed');
      to[open] = elementCount(from) / rest;
    }
    if (elementCount(from) !== elementCount(to))
      refuse(`[${from.join(',')}] cannot be reshaped to [${to.join(',')}]`);
    const [a, b] = [stridesOf(from), stridesOf(to)];
    const moved = indexRows(indices).flatMap((row) => {
      const at = row.reduce((sum, k, d) => sum + k * a[d], 0);
      return to.map((size, d) => Math.floor(at / b[d]) % size);
    });
    return [
      Tensor.fromNumbers('int64', [indices.shape[0], to.length], moved),
      Tensor.fromNumbers('int64', [to.length], to),
    ];
  },
};

const sparseFillEmptyRows: OpRow = {
  infer: (c) => {
    const [n, rank] = dimsOfRank(c, 0, 2);
    const values = mergeDims(c, n, dimsOfRank(c, 1, 1)[0]);
    const rows = c.elements(2)?.[0] ?? null;
    const depth = mergeDims(c, rank, lengthOf(c, 2));
    return [{ shape: [null, depth] }, { shape: [null] }, { shape: [rows] }, { shape: [values] }];
  },
  evaluate: ([indices, values, shape, fallback]) => {
    const rows = shape.at(0);
    const depth = shape.size;
    const list = indexRows(indices);
    const byRow: number[][] = upTo(rows).map(() => []);
    list.forEach((row, i) => {
      if (row[0] < 0 || row[0] >= rows) refuse(`row ${row[0]} is outside of [0, ${rows})`);
      byRow[row[0]].push(i);
    });
    const empty = byRow.map((r) => r.length === 0);
    const order = byRow.flatMap((r, k) => (r.length ? r.map((i) => ({ i, k })) : [{ i: -1, k }]));
    const cells = Cells.make(values.dtype, order.length);
    order.forEach(({ i }, to) =>
      i < 0 ? cells.copy(to, Cells.of(fallback), 0, 1) : cells.copy(to, Cells.of(values), i, 1),
    );
    const filled = order.flatMap(({ i, k }) =>
      i < 0 ? [k, ...new Array<number>(depth - 1).fill(0)] : list[i],
    );
    const back = upTo(list.length).map((i) => order.findIndex((o) => o.i === i));
    return [
      Tensor.fromNumbers('int64', [order.length, depth], filled),
      cells.tensor([order.length]),
      Tensor.fromNumbers('bool', [rows], empty.map(Number)),
      Tensor.fromNumbers('int64', [list.length], back),
    ];
  },
};

const sparseTensorDenseMatMul: OpRow = {
  infer: (c) => {
    const shape = c.elements(2);
    const [rows, inner]: Dim[] = c.node.bool('adjoint_a')
      ? [shape?.[1] ?? null, shape?.[0] ?? null]
      : [shape?.[0] ?? null, shape?.[1] ?? null];
    const dense = dimsOfRank(c, 3, 2);
    const [depth, columns] = c.node.bool('adjoint_b') ? [dense[1], dense[0]] : dense;
    mergeDims(c, inner, depth);
    return out([rows, columns]);
  },
  evaluate: ([indices, values, shape, dense], node) => {
    const [flipA, flipB] = [node.bool('adjoint_a'), node.bool('adjoint_b')];
    const [m, k] = flipA ? shape.toNumbers().reverse() : shape.toNumbers();
    const [p, n] = flipB ? [...dense.shape].reverse() : dense.shape;
    if (shape.size !== 2 || dense.shape.length !== 2 || k !== p)
      refuse(`[${m},${k}] and [${p},${n}] do not multiply`);
    // Complex numbers are pairs; the adjoint of a matrix conjugates them.
    const complex = dense.dtype.startsWith('complex');
    const per = complex ? 2 : 1;
    const [v, b] = complex ? [values.data, dense.data] : [widen(values), widen(dense)];
    const sums = new Float64Array(m * n * per);
    indexRows(indices).forEach((index, i) => {
      const [row, inner] = flipA ? [index[1], index[0]] : index;
      if (row < 0 || row >= m || inner < 0 || inner >= k)
        refuse(`index [${index.join(',')}] is outside of the matrix`);
      for (let c = 0; c < n; c++) {
        const at = flipB ? c * k + inner : inner * n + c;
        if (!complex) sums[row * n + c] += Number(v[i]) * Number(b[at]);
        else {
          const [x, y] = [Number(v[2 * i]), Number(v[2 * i + 1]) * (flipA ? -1 : 1)];
          const [z, w] = [Number(b[2 * at]), Number(b[2 * at + 1]) * (flipB ? -1 : 1)];
          sums[2 * (row * n + c)] += x * z - y * w;
          sums[2 * (row * n + c) + 1] += x * w + y * z;
        }
      }
    });
    if (!complex) return [narrow(dense.dtype, [m, n], sums)];
    const data = dense.dtype === 'complex64' ? Float32Array.from(sums) : sums;
    return [Tensor.fromArray(dense.dtype, [m, n], data)];
  },
};

const sparseReorder: OpRow = {
  infer: (c) => {
    const [n, rank] = dimsOfRank(c, 0, 2);
    const values = mergeDims(c, n, dimsOfRank(c, 1, 1)[0]);
    return [{ shape: [values, rank] }, { shape: [values] }];
  },
  evaluate: ([indices, values, shapeTensor]) => {
    const shape = shapeTensor.toNumbers();
    const strides = stridesOf(shape);
    const rows = indexRows(indices);
    const at = rows.map((row) => positionOf(row, shape, strides));
    const order = upTo(rows.length).sort((a, b) => at[a] - at[b] || a - b);
    const cells = Cells.make(values.dtype, order.length);
    order.forEach((from, to) => cells.copy(to, Cells.of(values), from, 1));
    const sorted = order.flatMap((i) => rows[i]);
    return [Tensor.fromNumbers('int64', indices.shape, sorted), cells.tensor(values.shape)];
  },
};

/** Indices, values and shape of a sparse result of this rank. */
const sparseResult = (rank: Dim): OutputInfo[] => [
  { shape: [null, rank] },
  { shape: [null] },
  { shape: [rank] },
];

const depthOf = (c: InferContext, indices: number, shape: number): Dim =>
  mergeDims(c, dimsOfRank(c, indices, 2)[1], lengthOf(c, shape));

const sparseSoftmax: OpRow = { infer: (c) => out([dimsOfRank(c, 0, 2)[0]]) };

/** The axes that a reduction leaves, of a tensor whose shape is an input. */
const sparseReduce: OpRow = {
  infer: (c) => {
    const shape = shapeInput(c, 2);
    const axes = c.elements(3);
    if (shape === null || !axes || axes.includes(null)) return out(null);
    const gone = new Set(axes.map((a) => ((a as number) < 0 ? (a as number) + shape.length : (a as number))));
    return out(
      c.node.bool('keep_dims')
        ? shape.map((d, i) => (gone.has(i) ? 1 : d))
        : shape.filter((_, i) => !gone.has(i)),
    );
  },
};

/** Matrix and ragged counterparts that inference graphs seldom hold: their ranks. */
const bincountShape = (c: InferContext): Shape => {
  const rank = lengthOf(c, 2);
  return rank === 1
    ? [scalarInput(c, 3)]
    : rank === 2
      ? [c.elements(2)?.[0] ?? null, scalarInput(c, 3)]
      : null;
};

export const table: OpTable = {
  SparseToDense: sparseToDense,
  SparseReshape: sparseReshape,
  SparseFillEmptyRows: sparseFillEmptyRows,
  SparseTensorDenseMatMul: sparseTensorDenseMatMul,
  SparseReorder: sparseReorder,
  SparseSoftmax: sparseSoftmax,
  SparseSlice: { infer: (c) => sparseResult(depthOf(c, 0, 2)) },
  SparseAdd: { infer: (c) => sparseResult(depthOf(c, 0, 2)) },
  SparseConcat: {
    infer: (c) => {
      const n = c.count / 3;
      const rank = upTo(n).reduce<Dim>((r, i) => mergeDims(c, r, depthOf(c, i, 2 * n + i)), null);
      const values = upTo(n).reduce<Dim>((sum, i) => addDims(sum, dimsOfRank(c, i, 2)[0]), 0);
      return [{ shape: [values, rank] }, { shape: [values] }, { shape: [rank] }];
    },
  },
  SparseCross: { infer: always([null, 2], [null], [2]) },
  SparseCrossV2: { infer: always([null, 2], [null], [2]) },
  SparseCrossHashed: { infer: always([null, 2], [null], [2]) },
  SparseReduceSum: sparseReduce,
  SparseReduceMax: sparseReduce,
  SparseDenseCwiseMul: sparseSoftmax,
  SparseDenseCwiseDiv: sparseSoftmax,
  SparseDenseCwiseAdd: sparseSoftmax,
  SparseTensorDenseAdd: { infer: (c) => out(rankAtLeast(c, 3, 0)) },
  SparseBincount: { infer: (c) => out(bincountShape(c)) },
};
