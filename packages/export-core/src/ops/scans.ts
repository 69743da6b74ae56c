/** Running totals along one axis, each step rounded to the dtype. */
import { arrayType, dtypeKind, dtypeSize, type DType } from '../tensor/dtype';
import { stridesOf } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { unchanged } from './elementwise-shapes';
import { complexMul } from './kernels/complex';
import {
  floatArray,
  floatsOf,
  fromFloats,
  isBig,
  isInteger,
  noKernel,
  rounder,
  type Complex,
  type FloatArray,
  type Round,
} from './kernels/elementwise';
import { groupsOf } from './kernels/groups';
import { axisIn } from './kernels/shape-rules';
import type { OpRow, OpTable } from './op-row';

interface Scan {
  float(a: number, b: number): number;
  int?(a: number, b: number): number;
  big?(a: bigint, b: bigint): bigint;
  complex?(a: number, b: number, c: number, d: number, round: Round): Complex;
  /** What an exclusive scan starts with. */
  start: number;
}

function scan(kernel: Scan): OpRow {
  return {
    infer: unchanged,
    evaluate: ([x, axis], node) => {
      const at = axisIn(axis.at(0), x.shape.length);
      const [exclusive, reverse] = [node.bool('exclusive'), node.bool('reverse')];
      const count = x.shape[at];
      const step = stridesOf(x.shape)[at] * (reverse ? -1 : 1);
      const kind = dtypeKind(x.dtype);
      const floating = (kind === 'float' && dtypeSize(x.dtype) > 1) || kind === 'complex';
      const data = floating ? floatsOf(x) : x.data;
      const result = floating ? floatArray(x.dtype, data.length) : new (arrayType(x.dtype))(data.length);
      const round = floating ? rounder(x.dtype) : undefined;
      const line = lineOf(kernel, x.dtype, data as never, result as never, round);
      for (const base of groupsOf(x.shape, [at]).bases) {
        line(reverse ? base - (count - 1) * step : base, step, count, exclusive);
      }
      return [
        floating
          ? fromFloats(x.dtype, x.shape, result as FloatArray)
          : Tensor.fromArray(x.dtype, x.shape, result),
      ];
    },
  };
}

type Line = (first: number, step: number, count: number, exclusive: boolean) => void;

/** The loop over one line of elements for a dtype. */
function lineOf(
  kernel: Scan,
  dtype: DType,
  x: Record<number, number>,
  result: Record<number, number>,
  round: Round | undefined,
): Line {
  if (dtypeKind(dtype) === 'complex' && kernel.complex && round) {
    const f = kernel.complex;
    return (first, step, count, exclusive) => {
      let [re, im] = [kernel.start, 0];
      for (let k = 0, i = 2 * first; k < count; k++, i += 2 * step) {
        const next = f(re, im, x[i], x[i + 1], round);
        [result[i], result[i + 1]] = exclusive ? [re, im] : next;
        [re, im] = next;
      }
    };
  }
  const wrap = isBig(dtype)
    ? (v: bigint) => (dtype === 'int64' ? BigInt.asIntN(64, v) : BigInt.asUintN(64, v))
    : (round ?? ((v: number) => v | 0));
  const f = (round ? kernel.float : isBig(dtype) ? kernel.big : isInteger(dtype) ? kernel.int : undefined) as
    ((a: number, b: number) => number) | undefined;
  if (!f) throw noKernel(dtype);
  const store = wrap as (v: number) => number;
  const start = (isBig(dtype) ? BigInt(kernel.start) : kernel.start) as number;
  return (first, step, count, exclusive) => {
    let value = start;
    for (let k = 0, i = first; k < count; k++, i += step) {
      const next = store(f(value, x[i]));
      result[i] = exclusive ? value : next;
      value = next;
    }
  };
}

/** log(exp(a) + exp(b)) without overflow. */
function logAddExp(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low === -Infinity ? high : high + Math.log1p(Math.exp(low - high));
}

export const table: OpTable = {
  Cumsum: scan({
    start: 0,
    float: (a, b) => a + b,
    int: (a, b) => a + b,
    big: (a, b) => a + b,
    complex: (a, b, c, d) => [a + c, b + d],
  }),
  Cumprod: scan({
    start: 1,
    float: (a, b) => a * b,
    int: Math.imul,
    big: (a, b) => a * b,
    complex: complexMul,
  }),
  CumulativeLogsumexp: scan({ start: -Infinity, float: logAddExp }),
};
