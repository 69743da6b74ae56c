/**
 * Diagonals and bands of matrices.
 *
 * Diagonal d of a matrix holds the elements (m, n) with n - m = d. Several diagonals are stored as the rows of a
 * matrix, from the uppermost down, aligned left or right where they are shorter than the longest.
 */
import { arrayType, dtypeKind, type TypedArray } from '../tensor/dtype';
import { elementCount, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import {
  knownInts,
  mergeDims,
  mergeKnown,
  out,
  rankAtLeast,
  refuse,
  scalarInput,
  unknownDims,
} from './kernels/shape-rules';
import type { Node } from '../graph/graph';
import type { InferContext, OpRow, OpTable } from './op-row';

/** Element `i` of the result is `source[index[i]]`, or where that is -1, element `i` of `other` (or its only one). */
function pick(source: Tensor, shape: readonly number[], index: Int32Array, other?: Tensor): Tensor {
  const lanes = dtypeKind(source.dtype) === 'complex' ? 2 : 1;
  const result = new (arrayType(source.dtype))(index.length * lanes);
  const [to, x, y] = [result, source.data, other?.data] as unknown as Record<number, number>[];
  const lone = other?.size === 1;
  for (let i = 0; i < index.length; i++) {
    const from = index[i] >= 0 ? x : y;
    if (!from) continue;
    const at = index[i] >= 0 ? index[i] : lone ? 0 : i;
    for (let l = 0; l < lanes; l++) to[i * lanes + l] = from[at * lanes + l];
  }
  return Tensor.fromArray(source.dtype, shape, result as TypedArray);
}

/** A run of diagonals, `lower` to `upper`. */
interface Band {
  lower: number;
  upper: number;
}

/** The operand `k`: one diagonal, or the lowest and the highest. */
function bandOf(k: readonly number[], fail: (message: string) => never): Band {
  const [lower, upper = lower] = k;
  if (k.length < 1 || k.length > 2 || lower > upper) fail(`k [${k}] is no range of diagonals`);
  return { lower, upper };
}

const lengthOf = (rows: number, columns: number, d: number) =>
  Math.min(columns - Math.max(d, 0), rows + Math.min(d, 0));

/** The length of the longest diagonal of a band. */
const longest = (rows: number, columns: number, { lower, upper }: Band) =>
  Math.min(rows + Math.min(upper, 0), columns - Math.max(lower, 0));

/** Where (m, n) is stored among a band's diagonals, each of the longest one's length; -1 outside of the band. */
function storedAt(m: number, n: number, rows: number, columns: number, band: Band, align: string): number {
  const d = n - m;
  if (d < band.lower || d > band.upper) return -1;
  const width = longest(rows, columns, band);
  const [upperSide, lowerSide] = align.split('_');
  const right = (d >= 0 && upperSide === 'RIGHT') || (d <= 0 && lowerSide === 'RIGHT');
  const shift = right ? width - lengthOf(rows, columns, d) : 0;
  return (band.upper - d) * width + n - Math.max(d, 0) + shift;
}

/** The alignment of version 3 is an attribute; version 2 always aligned left. */
const alignOf = (node: Node) => (node.op.endsWith('V3') ? node.string('align') : 'LEFT_LEFT');

/** For each element of matrices, where it is stored among their diagonals, or -1. */
function matrixIndex(batch: number, rows: number, columns: number, band: Band, align: string): Int32Array {
  const stored = (band.upper - band.lower + 1) * longest(rows, columns, band);
  const index = new Int32Array(batch * rows * columns);
  let i = 0;
  for (let b = 0; b < batch; b++) {
    for (let m = 0; m < rows; m++) {
      for (let n = 0; n < columns; n++, i++) {
        const at = storedAt(m, n, rows, columns, band, align);
        index[i] = at < 0 ? -1 : b * stored + at;
      }
    }
  }
  return index;
}

/** Rows and columns that hold diagonals of a length; -1 where the size is left to be the smallest. */
function matrixSize(length: number, band: Band, rows: number, columns: number): [number, number] {
  const leastRows = length - Math.min(band.upper, 0);
  const leastColumns = length + Math.max(band.lower, 0);
  if (rows < 0 && columns < 0) return [Math.max(leastRows, leastColumns), Math.max(leastRows, leastColumns)];
  return [rows < 0 ? leastRows : rows, columns < 0 ? leastColumns : columns];
}

const MAIN: Band = { lower: 0, upper: 0 };

/** Shape of the diagonals of [..., rows, columns]. */
function diagonalShape(batch: readonly number[], rows: number, columns: number, band: Band): number[] {
  const count = band.upper - band.lower + 1;
  return [...batch, ...(count > 1 ? [count] : []), Math.max(0, longest(rows, columns, band))];
}

function matrixDiag(
  diagonal: Tensor,
  band: Band,
  rows: number,
  columns: number,
  padding?: Tensor,
  align = 'LEFT_LEFT',
) {
  const single = band.lower === band.upper;
  if (diagonal.shape.length < (single ? 1 : 2)) refuse(`[${diagonal.shape}] holds no diagonals`);
  const batch = diagonal.shape.slice(0, single ? -1 : -2);
  const length = diagonal.shape.at(-1) as number;
  const [m, n] = matrixSize(length, band, rows, columns);
  if (longest(m, n, band) !== length) refuse(`diagonals of ${length} elements do not fit a ${m}×${n} matrix`);
  return pick(diagonal, [...batch, m, n], matrixIndex(elementCount(batch), m, n, band, align), padding);
}

function matrixOf(x: Tensor): { batch: number[]; rows: number; columns: number } {
  if (x.shape.length < 2) refuse(`[${x.shape}] is no matrix`);
  const [rows, columns] = x.shape.slice(-2);
  return { batch: x.shape.slice(0, -2), rows, columns };
}

function matrixDiagPart(x: Tensor, band: Band, padding?: Tensor, align = 'LEFT_LEFT'): Tensor {
  const { batch, rows, columns } = matrixOf(x);
  const shape = diagonalShape(batch, rows, columns, band);
  const index = new Int32Array(elementCount(shape)).fill(-1);
  matrixIndex(elementCount(batch), rows, columns, band, align).forEach((at, i) => {
    if (at >= 0) index[at] = i;
  });
  return pick(x, shape, index, padding);
}

function matrixSetDiag(x: Tensor, diagonal: Tensor, band: Band, align = 'LEFT_LEFT'): Tensor {
  const { batch, rows, columns } = matrixOf(x);
  const want = diagonalShape(batch, rows, columns, band);
  if (want.join() !== diagonal.shape.join()) refuse(`diagonals of shape [${diagonal.shape}], not [${want}]`);
  return pick(diagonal, x.shape, matrixIndex(elementCount(batch), rows, columns, band, align), x);
}

function inferMatrixDiag(c: InferContext): Shape {
  const shape = rankAtLeast(c, 0, 1);
  const k = knownInts(c, 1);
  if (!shape || !k) return null;
  const band = bandOf(k, (m) => c.fail(m));
  const single = band.lower === band.upper;
  if (!single && shape.length < 2) return c.fail(`[${shape}] holds no diagonals`);
  const batch = shape.slice(0, single ? -1 : -2);
  const [rows, columns] = [scalarInput(c, 2), scalarInput(c, 3)];
  const length = shape.at(-1) as Dim;
  // A size that is given stands; what is left open follows from the diagonals.
  if (length === null || rows === null || columns === null) {
    return [
      ...batch,
      rows !== null && rows >= 0 ? rows : null,
      columns !== null && columns >= 0 ? columns : null,
    ];
  }
  return [...batch, ...matrixSize(length, band, rows, columns)];
}

function inferDiagPart(c: InferContext): Shape {
  const shape = rankAtLeast(c, 0, 2);
  const k = knownInts(c, 1);
  if (!shape || !k) return null;
  const band = bandOf(k, (m) => c.fail(m));
  const [rows, columns] = shape.slice(-2);
  const count = band.upper - band.lower + 1;
  const length = rows === null || columns === null ? null : Math.max(0, longest(rows, columns, band));
  return [...shape.slice(0, -2), ...(count > 1 ? [count] : []), length];
}

function inferSetDiag(c: InferContext): Shape {
  const shape = rankAtLeast(c, 0, 2);
  const diagonal = rankAtLeast(c, 1, 1);
  const k = c.node.op.endsWith('SetDiag') ? [0] : knownInts(c, 2);
  const single = k && bandOf(k, (m) => c.fail(m)).lower === bandOf(k, (m) => c.fail(m)).upper;
  if (!diagonal || single === undefined) return shape;
  const batch = diagonal.slice(0, single ? -1 : -2);
  // A square matrix has the length of its main diagonal, but a wide one has too: only the batch is certain.
  const whole = [...batch, null, null];
  return mergeKnown(c, shape, whole);
}

const main: { diag: OpRow; part: OpRow; set: OpRow } = {
  diag: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 1);
      return out(shape && [...shape, shape.at(-1)!]);
    },
    evaluate: ([d]) => [matrixDiag(d, MAIN, -1, -1)],
  },
  part: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 2);
      if (!shape) return out(null);
      const [rows, columns] = shape.slice(-2);
      const none = rows === 0 || columns === 0;
      const length = none ? 0 : rows === null || columns === null ? null : Math.min(rows, columns);
      return out([...shape.slice(0, -2), length]);
    },
    evaluate: ([x]) => [matrixDiagPart(x, MAIN)],
  },
  set: {
    infer: (c) => out(inferSetDiag(c)),
    evaluate: ([x, d]) => [matrixSetDiag(x, d, MAIN)],
  },
};

const diagAt: OpRow = {
  infer: (c) => out(inferMatrixDiag(c)),
  evaluate: ([d, k, rows, columns, padding], node) => [
    matrixDiag(d, bandOf(k.toNumbers(), refuse), rows.at(0), columns.at(0), padding, alignOf(node)),
  ],
};
const partAt: OpRow = {
  infer: (c) => out(inferDiagPart(c)),
  evaluate: ([x, k, padding], node) => [
    matrixDiagPart(x, bandOf(k.toNumbers(), refuse), padding, alignOf(node)),
  ],
};
const setAt: OpRow = {
  infer: (c) => out(inferSetDiag(c)),
  evaluate: ([x, d, k], node) => [matrixSetDiag(x, d, bandOf(k.toNumbers(), refuse), alignOf(node))],
};

const bandPart: OpRow = {
  infer: (c) => out(rankAtLeast(c, 0, 2)),
  evaluate: ([x, lower, upper]) => {
    const { rows, columns } = matrixOf(x);
    const [below, above] = [lower.at(0), upper.at(0)].map((n) => (n < 0 ? Infinity : n));
    const index = new Int32Array(x.size);
    for (let i = 0; i < index.length; i++) {
      const n = i % columns;
      const m = Math.floor(i / columns) % rows;
      index[i] = m - n <= below && n - m <= above ? i : -1;
    }
    return [pick(x, x.shape, index)];
  },
};

export const table: OpTable = {
  MatrixDiag: main.diag,
  BatchMatrixDiag: main.diag,
  MatrixDiagV2: diagAt,
  MatrixDiagV3: diagAt,
  MatrixDiagPart: main.part,
  BatchMatrixDiagPart: main.part,
  MatrixDiagPartV2: partAt,
  MatrixDiagPartV3: partAt,
  MatrixSetDiag: main.set,
  BatchMatrixSetDiag: main.set,
  MatrixSetDiagV2: setAt,
  MatrixSetDiagV3: setAt,
  MatrixBandPart: bandPart,
  BatchMatrixBandPart: bandPart,
  /** The diagonal of a tensor of twice the rank: element (i…, i…) is the operand's (i…). */
  Diag: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 1);
      return out(shape && [...shape, ...shape]);
    },
    evaluate: ([d]) => [matrixDiag(d.reshape([d.size]), MAIN, -1, -1).reshape([...d.shape, ...d.shape])],
  },
  DiagPart: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 2);
      if (!shape) return out(null);
      if (shape.length % 2) return c.fail(`[${shape}] is of odd rank`);
      const half = shape.length / 2;
      return out(unknownDims(half).map((_, i) => mergeDims(c, shape[i], shape[i + half])));
    },
    evaluate: ([x]) => {
      const shape = x.shape.slice(0, x.shape.length / 2);
      if (shape.join() !== x.shape.slice(shape.length).join()) refuse(`[${x.shape}] has no diagonal`);
      const side = elementCount(shape);
      return [matrixDiagPart(x.reshape([side, side]), MAIN).reshape(shape)];
    },
  },
};
