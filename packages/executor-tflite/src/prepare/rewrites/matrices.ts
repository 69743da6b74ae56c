/** Diagonals, bands and products of matrices. Which element comes from where is constant for known sizes. */
import { attr, isStatic, Tensor, type Attr, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape, sizeOf, type Size } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

const made =
  (build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined) =>
  (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs, node);
    return value && [value];
  };

/** Diagonals `low` to `high` of a rows × columns matrix, as the V2 and V3 ops lay them out: highest first. */
interface Layout {
  rows: number;
  columns: number;
  low: number;
  high: number;
  width: number;
  /** For each place of the layout, the element of the matrix it holds (row · columns + column), or -1. */
  places: number[];
}

function layout(rows: number, columns: number, low: number, high: number, align: string): Layout {
  const lengthOf = (d: number) => Math.min(rows + Math.min(d, 0), columns - Math.max(d, 0));
  const width = Math.max(...range(high - low + 1, low).map(lengthOf));
  const [above, below] = align.split('_').map((side) => side === 'LEFT');
  const places: number[] = [];
  for (let d = high; d >= low; d--) {
    const length = lengthOf(d);
    const left = (d >= 0 && above) || (d <= 0 && below);
    const offset = left ? 0 : width - length;
    for (let n = 0; n < width; n++) {
      const i = n - offset;
      const inside = i >= 0 && i < length;
      places.push(inside ? (i - Math.min(d, 0)) * columns + i + Math.max(d, 0) : -1);
    }
  }
  return { rows, columns, low, high, width, places };
}

function diagonals(k: Value): [number, number] | undefined {
  const list = numbers(k);
  return list && [list[0], list[list.length - 1]];
}

const alignOf = (node: Node) => (node.attr('align') ? node.string('align') : 'LEFT_LEFT');

/** Elements of the flattened last axis, by number; -1 takes the padding. */
function pick(b: Rewriter, flat: Value, places: readonly number[], padding: Value | undefined): Value {
  const axis = flat.shape!.length - 1;
  const picked = b.op('GatherV2', [flat, b.ints(places.map((p) => Math.max(p, 0))), b.ints(axis)]);
  if (!padding || places.every((p) => p >= 0)) return picked;
  const inside = Tensor.fromNumbers(
    'bool',
    [places.length],
    places.map((p) => (p >= 0 ? 1 : 0)),
  );
  return b.op('SelectV2', [inside, picked, padding]);
}

function diagPart(b: Rewriter, [x, kValue, padding]: Value[], node: Node): Value | undefined {
  const k = kValue ? diagonals(kValue) : ([0, 0] as [number, number]);
  const [rows, columns] = x.shape?.slice(-2) ?? [];
  if (!k || rows == null || columns == null) return undefined;
  const batch = range(x.shape!.length - 2).map((i) => sizeOf(b, x, i));
  const plan = layout(rows, columns, k[0], k[1], alignOf(node));
  const part = pick(b, reshape(b, x, [...batch, rows * columns]), plan.places, padding);
  const several = k[0] === k[1] ? [] : [k[1] - k[0] + 1];
  return reshape(b, part, [...batch, ...several, plan.width]);
}

/** For each element of the matrix, its place in the layout, or -1. */
function inverse(plan: Layout): number[] {
  const from = new Array<number>(plan.rows * plan.columns).fill(-1);
  plan.places.forEach((element, place) => {
    if (element >= 0) from[element] = place;
  });
  return from;
}

function matrixDiag(
  b: Rewriter,
  [x, kValue, rowsValue, columnsValue, padding]: Value[],
  node: Node,
): Value | undefined {
  const k = diagonals(kValue);
  const [wantRows, wantColumns] = [numbers(rowsValue)?.[0], numbers(columnsValue)?.[0]];
  const zero = padding.node.constant?.size === 1 && padding.node.constant.at(0) === 0;
  const width = x.shape?.at(-1);
  if (!k || wantRows === undefined || wantColumns === undefined || width == null) return undefined;
  // That one has a kernel.
  if (k[0] === 0 && k[1] === 0 && wantRows === -1 && wantColumns === -1 && zero) return undefined;
  const leastRows = width - Math.min(k[1], 0);
  const leastColumns = width + Math.max(k[0], 0);
  // One unknown side is as short as the diagonals allow, two make a square.
  const square = Math.max(leastRows, leastColumns);
  const rows = wantRows >= 0 ? wantRows : wantColumns >= 0 ? leastRows : square;
  const columns = wantColumns >= 0 ? wantColumns : wantRows >= 0 ? leastColumns : square;
  const plan = layout(rows, columns, k[0], k[1], alignOf(node));
  const own = k[0] === k[1] ? 1 : 2;
  const batch = range(x.shape!.length - own).map((i) => sizeOf(b, x, i));
  const flat = reshape(b, x, [...batch, (k[1] - k[0] + 1) * width]);
  return reshape(b, pick(b, flat, inverse(plan), padding), [...batch, rows, columns]);
}

function setDiag(b: Rewriter, [x, diagonal, kValue]: Value[], node: Node): Value | undefined {
  const k = diagonals(kValue);
  const [rows, columns] = x.shape?.slice(-2) ?? [];
  if (!k || rows == null || columns == null || (k[0] === 0 && k[1] === 0)) return undefined;
  const plan = layout(rows, columns, k[0], k[1], alignOf(node));
  const batch = range(x.shape!.length - 2).map((i) => sizeOf(b, x, i));
  const flat = reshape(b, diagonal, [...batch, (k[1] - k[0] + 1) * plan.width]);
  const merged = pick(b, flat, inverse(plan), reshape(b, x, [...batch, rows * columns]));
  return reshape(b, merged, [...batch, rows, columns]);
}

function lastSizes(b: Rewriter, x: Value): [Size, Size] {
  const rank = x.shape?.length;
  if (rank !== undefined) return [sizeOf(b, x, rank - 2), sizeOf(b, x, rank - 1)];
  const sizes = b.op('Shape', [x]);
  const at = (begin: number, mask: Record<string, Attr>) =>
    b.op('StridedSlice', [sizes, [begin], [begin + 1], [1]], { shrink_axis_mask: attr.int(1), ...mask });
  return [at(-2, {}), at(-1, { end_mask: attr.int(1) })];
}

/** Keeps what lies at most `lower` below and at most `upper` above the diagonal; a negative limit is none. */
function bandPart(b: Rewriter, [x, lower, upper]: Value[]): Value | undefined {
  const [rows, columns] = lastSizes(b, x);
  const [low, high] = [numbers(lower)?.[0], numbers(upper)?.[0]];
  const select = (inside: Value | Tensor) => b.op('SelectV2', [inside, x, b.scalar(x, 0)]);
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    const counted = (n: Size) => b.op('Range', [0, n, 1]);
    const below = b.op('Sub', [b.op('ExpandDims', [counted(rows), b.ints(1)]), counted(columns)]);
    const inside = inBand(b, below, lower, upper);
    return inside ? select(inside) : b.op('Identity', [x]);
  }
  const below = range(rows).flatMap((i) => range(columns).map((j) => i - j));
  if (low === undefined || high === undefined) {
    const inside = inBand(b, b.const(Tensor.fromNumbers('int32', [rows, columns], below)), lower, upper);
    return select(inside!);
  }
  const inside = below.map((d) => ((low < 0 || d <= low) && (high < 0 || -d <= high) ? 1 : 0));
  return select(Tensor.fromNumbers('bool', [rows, columns], inside));
}

/** Where a distance below the diagonal lies within the band; undefined where both limits are known to be none. */
function inBand(b: Rewriter, below: Value, lower: Value, upper: Value): Value | undefined {
  const within = (limit: Value, compare: (bound: Value) => Value) => {
    const known = numbers(limit)?.[0];
    if (known !== undefined && known < 0) return undefined;
    const bound = b.cast(limit, 'int32');
    const isNear = compare(bound);
    return known === undefined ? b.op('LogicalOr', [b.op('Less', [bound, 0]), isNear]) : isNear;
  };
  const under = within(lower, (bound) => b.op('LessEqual', [below, bound]));
  const over = within(upper, (bound) => b.op('GreaterEqual', [below, b.op('Neg', [bound])]));
  return under && over ? b.op('LogicalAnd', [under, over]) : (under ?? over);
}

/** The diagonal of a tensor whose second half of axes repeats the first. */
function tensorDiagPart(b: Rewriter, [x]: Value[]): Value | undefined {
  if (!isStatic(x.shape)) return undefined;
  const half = x.shape.slice(0, x.shape.length / 2);
  const n = half.reduce((p, d) => p * d, 1);
  return reshape(
    b,
    pick(
      b,
      reshape(b, x, [n * n]),
      range(n).map((i) => i * (n + 1)),
      undefined,
    ),
    half,
  );
}

function tensorDiag(b: Rewriter, [x]: Value[]): Value | undefined {
  if (!isStatic(x.shape)) return undefined;
  const n = x.shape.reduce((p, d) => p * d, 1);
  return reshape(b, b.op('MatrixDiag', [reshape(b, x, [n])]), [...x.shape, ...x.shape]);
}

/** FULLY_CONNECTED and BATCH_MATMUL are float: short integers are exact in it, others have no kernel. */
function sparseMatMul(b: Rewriter, [x, y]: Value[], node: Node): Value {
  const transposed = { transpose_a: node.attr('transpose_a')!, transpose_b: node.attr('transpose_b')! };
  return b.op('MatMul', [b.cast(x, 'float32'), b.cast(y, 'float32')], transposed);
}

/** A constant sparse matrix is written out. */
function sparseDense(b: Rewriter, [indices, values, shape, dense]: Value[], node: Node): Value | undefined {
  const places = numbers(indices);
  const tensor = values.node.constant;
  const size = numbers(shape);
  if (!places || !tensor || !size || tensor.dtype !== 'float32') return undefined;
  const full = new Float32Array(size[0] * size[1]);
  for (let i = 0; i < tensor.size; i++) full[places[2 * i] * size[1] + places[2 * i + 1]] += tensor.at(i);
  const adjoint = {
    transpose_a: attr.bool(node.bool('adjoint_a')),
    transpose_b: attr.bool(node.bool('adjoint_b')),
  };
  return b.op('MatMul', [Tensor.fromArray('float32', size, full), dense], adjoint);
}

export const table: RewriteTable = {
  MatrixDiagPart: made(diagPart),
  MatrixDiagPartV2: made(diagPart),
  MatrixDiagPartV3: made(diagPart),
  MatrixDiagV2: made(matrixDiag),
  MatrixDiagV3: made(matrixDiag),
  MatrixSetDiagV2: made(setDiag),
  MatrixSetDiagV3: made(setDiag),
  MatrixBandPart: made(bandPart),
  Diag: made(tensorDiag),
  DiagPart: made(tensorDiagPart),
  SparseMatMul: made(sparseMatMul),
  SparseTensorDenseMatMul: made(sparseDense),
};
