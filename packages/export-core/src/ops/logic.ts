/** Comparison, logic, bits, and choosing between operands. */
import { broadcastShapes, elementCount, isStatic, type Dim, type Shape } from '../tensor/shape';
import { arrayType, dtypeKind, type TypedArray } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import {
  broadcasting,
  broadcastingWith,
  broadcastOfInputs,
  known,
  merged,
  spreadElements,
  unchanged,
} from './elementwise-shapes';
import { broadcastIndices, broadcastOf, broadcastRuns } from './kernels/broadcast';
import { floatsOf, mapBinary, noKernel, type BinaryKernel } from './kernels/elementwise';
import { mergeDims, mergeKnown, out } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';

type Test = (x: number | bigint, y: number | bigint) => boolean;

/** A bool tensor: a test of every pair of broadcast elements. */
function compare(a: Tensor, b: Tensor, test: Test): Tensor {
  if (a.dtype !== b.dtype) throw new RangeError(`operands are ${a.dtype} and ${b.dtype}`);
  const x = dtypeKind(a.dtype) === 'float' ? floatsOf(a) : a.data;
  const y = dtypeKind(b.dtype) === 'float' ? floatsOf(b) : b.data;
  const shape = broadcastOf(a.shape, b.shape);
  const result = new Uint8Array(elementCount(shape));
  broadcastRuns([a.shape, b.shape], shape, (at, n, [i, j], [p, q]) => {
    for (let e = 0; e < n; e++) result[at + e] = test(x[i + e * p], y[j + e * q]) ? 1 : 0;
  });
  return Tensor.fromArray('bool', shape, result);
}

function ordering(test: Test): OpRow {
  return {
    infer: broadcastingWith(known((x, y) => Number(test(x, y)))),
    evaluate: ([x, y]) => {
      const kind = dtypeKind(x.dtype);
      if (kind !== 'float' && kind !== 'int' && kind !== 'uint') throw noKernel(x.dtype);
      return [compare(x, y, test)];
    },
  };
}

/** 1 for each pair of equal elements; strings and complex numbers have elements of more than one array entry. */
function equalElements(a: Tensor, b: Tensor): Tensor {
  const kind = dtypeKind(a.dtype);
  if (kind !== 'string' && kind !== 'complex') return compare(a, b, (x, y) => x === y);
  if (a.dtype !== b.dtype) throw new RangeError(`operands are ${a.dtype} and ${b.dtype}`);
  const shape = broadcastOf(a.shape, b.shape);
  const [i, j] = [broadcastIndices(a.shape, shape), broadcastIndices(b.shape, shape)];
  const same: (l: number, r: number) => boolean =
    kind === 'string'
      ? (l, r) => Buffer.compare(a.strings[l], b.strings[r]) === 0
      : (l, r) => a.data[2 * l] === b.data[2 * r] && a.data[2 * l + 1] === b.data[2 * r + 1];
  return Tensor.fromArray(
    'bool',
    shape,
    Uint8Array.from(i, (l, k) => Number(same(l, j[k]))),
  );
}

/** Equal and NotEqual. Shapes that do not broadcast are an error, or simply unequal, as an attribute says. */
function equality(equal: boolean): OpRow {
  return {
    infer: (c) => {
      if (c.node.bool('incompatible_shape_error')) {
        return broadcastingWith(known((x, y) => Number((x === y) === equal)))(c);
      }
      const [a, b] = [c.shape(0), c.shape(1)];
      const shape = broadcastShapes(a, b);
      return out(shape === undefined ? [] : shape);
    },
    evaluate: ([x, y], node) => {
      if (!node.bool('incompatible_shape_error') && !broadcastShapes([...x.shape], [...y.shape])) {
        return [Tensor.fromArray('bool', [], Uint8Array.of(equal ? 0 : 1))];
      }
      const result = equalElements(x, y);
      return [
        equal
          ? result
          : Tensor.fromArray(
              'bool',
              result.shape,
              (result.data as Uint8Array).map((v) => 1 - v),
            ),
      ];
    },
  };
}

function logical(f: (x: number, y: number) => number): OpRow {
  return {
    infer: broadcasting,
    evaluate: ([x, y]) => {
      if (x.dtype !== 'bool') throw noKernel(x.dtype);
      return [compare(x, y, (a, b) => f(Number(a), Number(b)) !== 0)];
    },
  };
}

const bitwise = (kernel: BinaryKernel): OpRow => ({
  infer: broadcasting,
  evaluate: ([x, y]) => [mapBinary(x, y, kernel)],
});

/** Shift counts are kept within the dtype's bits, where C would leave the result undefined. */
const count = (y: number, bits: number) => (y < 0 ? 0 : y > bits - 1 ? bits - 1 : y);
const bigCount = (y: bigint) => (y < 0n ? 0n : y > 63n ? 63n : y);
const bitsOf = (dtype: Parameters<typeof arrayType>[0]) => 8 * arrayType(dtype).BYTES_PER_ELEMENT;

/** Copies elements (or strings) `source[k][index[i]]`, where `k` is what `choice` says for element `i`. */
function choose(
  shape: readonly number[],
  condition: ArrayLike<number>,
  options: readonly [Tensor, Tensor],
): Tensor {
  const [t, e] = options;
  if (t.dtype !== e.dtype) throw new RangeError(`operands are ${t.dtype} and ${e.dtype}`);
  const size = elementCount(shape);
  const indices = options.map((o) => broadcastIndices(o.shape, shape));
  if (t.dtype === 'string') {
    const texts = Array.from({ length: size }, (_, i) =>
      condition[i] ? t.strings[indices[0][i]] : e.strings[indices[1][i]],
    );
    return Tensor.fromStrings(shape, texts);
  }
  const lanes = dtypeKind(t.dtype) === 'complex' ? 2 : 1;
  const result = new (arrayType(t.dtype))(size * lanes) as unknown as Record<number, number>;
  const [x, y] = [t.data, e.data] as unknown as Record<number, number>[];
  for (let i = 0; i < size; i++) {
    const from = condition[i] ? x : y;
    const at = condition[i] ? indices[0][i] : indices[1][i];
    for (let l = 0; l < lanes; l++) result[i * lanes + l] = from[at * lanes + l];
  }
  return Tensor.fromArray(t.dtype, shape, result as unknown as TypedArray);
}

/** A vector condition of Select chooses whole rows: seen as [n, 1, 1, …] it broadcasts. */
function rowsOf(condition: readonly number[], data: readonly number[]): number[] {
  return condition.length === 1 && data.length > 1
    ? [condition[0], ...data.slice(1).map(() => 1)]
    : [...condition];
}

function inferSelect(c: InferContext): Shape {
  const data = mergeKnown(c, c.shape(1), c.shape(2));
  const condition = c.shape(0);
  if (!data || !condition || condition.length === 0) return data;
  if (condition.length !== 1 || data.length < 1) return mergeKnown(c, data, condition);
  return [mergeDims(c, data[0], condition[0]), ...data.slice(1)];
}

/** The elements that a known condition chooses, or on which both sides agree. */
function selectElements(c: InferContext, shape: Shape, conditionShape: Shape): Dim[] | undefined {
  if (!isStatic(shape) || !isStatic(conditionShape) || elementCount(shape) > 64) return undefined;
  const [t, e] = [spreadElements(c, 1, shape), spreadElements(c, 2, shape)];
  if (!t || !e) return undefined;
  const truth: (Dim | undefined)[] = c.constant(0)?.toNumbers() ?? c.elements(0) ?? [];
  const at = broadcastIndices(conditionShape, shape);
  return t.map((x, i) => {
    const chosen = truth[at[i]] ?? null;
    return chosen === null ? (x === e[i] ? x : null) : chosen ? x : e[i];
  });
}

// Comparisons, not Math.min and max: a NaN of the tensor passes through both.
const lower = (x: number, bound: number) => (bound < x ? bound : x);
const upper = (x: number, bound: number) => (x < bound ? bound : x);

export const table: OpTable = {
  Equal: equality(true),
  NotEqual: equality(false),
  Less: ordering((x, y) => x < y),
  LessEqual: ordering((x, y) => x <= y),
  Greater: ordering((x, y) => x > y),
  GreaterEqual: ordering((x, y) => x >= y),
  ApproximateEqual: {
    infer: merged,
    evaluate: ([x, y], node) => {
      if (x.dtype !== 'float32' && x.dtype !== 'float64') throw noKernel(x.dtype);
      const round = x.dtype === 'float32' ? Math.fround : Number;
      const limit = Math.fround(node.float('tolerance'));
      return [compare(x, y, (a, b) => Math.abs(round((a as number) - (b as number))) < limit)];
    },
  },

  LogicalAnd: logical((x, y) => x & y),
  LogicalOr: logical((x, y) => x | y),
  /** Whether a scalar is not zero (or an empty string), or a tensor has elements at all. */
  ToBool: {
    infer: () => out([]),
    evaluate: ([x]) => {
      const scalar = x.shape.length === 0;
      const truth = !scalar ? x.size > 0 : x.dtype === 'string' ? x.strings[0].length > 0 : x.at(0) !== 0;
      return [Tensor.fromArray('bool', [], Uint8Array.of(Number(truth)))];
    },
  },
  BitwiseAnd: bitwise({ int: (x, y) => x & y, big: (x, y) => x & y }),
  BitwiseOr: bitwise({ int: (x, y) => x | y, big: (x, y) => x | y }),
  BitwiseXor: bitwise({ int: (x, y) => x ^ y, big: (x, y) => x ^ y }),
  LeftShift: bitwise({ int: (x, y, dtype) => x << count(y, bitsOf(dtype)), big: (x, y) => x << bigCount(y) }),
  RightShift: bitwise({
    int: (x, y, dtype) => (x < 0 ? x >> count(y, bitsOf(dtype)) : x >>> count(y, bitsOf(dtype))),
    big: (x, y) => x >> bigCount(y),
  }),

  Select: {
    infer: (c): OutputInfo[] => {
      const shape = inferSelect(c);
      const condition = c.shape(0);
      const rows = isStatic(condition) && isStatic(shape) ? rowsOf(condition, shape) : null;
      return out(shape, selectElements(c, shape, rows));
    },
    evaluate: ([condition, t, e]) => {
      const rows = condition.reshape(rowsOf(condition.shape, t.shape));
      if (t.size !== e.size || broadcastOf(rows.shape, t.shape).length !== t.shape.length) {
        throw new RangeError(`[${condition.shape}] cannot choose between [${t.shape}] and [${e.shape}]`);
      }
      const spread = broadcastIndices(rows.shape, t.shape).map((i) => rows.data[i] as number);
      return [choose(t.shape, spread, [t, e])];
    },
  },
  SelectV2: {
    infer: (c): OutputInfo[] => {
      const branches = broadcastOfInputs(c, 1, 2);
      const shape = broadcastShapes(c.shape(0), branches);
      if (shape === undefined) return c.fail(`shapes [${c.shape(0)}] and [${branches}] do not broadcast`);
      return out(shape, selectElements(c, shape, c.shape(0)));
    },
    evaluate: ([condition, t, e]) => {
      const shape = broadcastOf(condition.shape, t.shape, e.shape);
      const spread = broadcastIndices(condition.shape, shape).map((i) => condition.data[i] as number);
      return [choose(shape, spread, [t, e])];
    },
  },
  ClipByValue: {
    infer: unchanged,
    evaluate: ([x, low, high]) => {
      for (const bound of [low, high]) {
        if (bound.size !== 1 && bound.size !== x.size)
          throw new RangeError(`a bound of shape [${bound.shape}]`);
      }
      const flat = (t: Tensor) => t.reshape([t.size]);
      const least = mapBinary(flat(x), flat(high), {
        float: lower,
        int: (a, b) => Math.min(a, b),
        big: (a, b) => (a < b ? a : b),
      });
      const result = mapBinary(least, flat(low), {
        float: upper,
        int: (a, b) => Math.max(a, b),
        big: (a, b) => (a > b ? a : b),
      });
      return [result.reshape(x.shape)];
    },
  },
};
