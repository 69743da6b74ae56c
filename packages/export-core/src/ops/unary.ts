/**
 * Elementwise mathematics of one operand. Activations are in activations.ts, Cast and Bitcast in cast.ts.
 *
 * Exact where TensorFlow's result is the rounded true one (Sqrt, Floor, …); transcendental functions differ from
 * it by a few units in the last place.
 */
import { roundHalfEven } from '../bytes/half';
import { dtypeKind } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import { unchanged, unchangedWith } from './elementwise-shapes';
import * as cx from './kernels/complex';
import { isInteger, mapPredicate, mapUnary, noKernel, type UnaryKernel } from './kernels/elementwise';
import { digamma, erf, erfc, erfinv, lgamma, ndtri } from './kernels/special';
import type { OpRow, OpTable } from './op-row';

const math = (kernel: UnaryKernel): OpRow => ({
  infer: unchanged,
  evaluate: ([x]) => [mapUnary(x, kernel)],
});
const predicate = (test: (x: number) => boolean): OpRow => ({
  infer: unchanged,
  evaluate: ([x]) => [mapPredicate(x, test)],
});
/** Shapes only: functions that no model needs folded. */
const shapeOnly: OpRow = { infer: unchanged };

/** Ties to even; NaN, infinities and signed zeros stay. */
function rint(x: number): number {
  return Math.abs(x) < 2 ** 52 ? Math.sign(x) * roundHalfEven(Math.abs(x)) : x;
}

function bitCount(x: bigint): number {
  let n = 0;
  for (; x; x >>= 1n) n += Number(x & 1n);
  return n;
}

const reciprocal: UnaryKernel = {
  float: (x) => 1 / x,
  complex: (a, b) => cx.complexDiv(1, 0, a, b),
};

export const table: OpTable = {
  Abs: math({ float: Math.abs, int: Math.abs, big: (x) => (x < 0n ? -x : x) }),
  Neg: {
    infer: unchangedWith((x) => -x),
    evaluate: ([x]) => [
      mapUnary(x, { float: (v) => -v, int: (v) => -v, big: (v) => -v, complex: (a, b) => [-a, -b] }),
    ],
  },
  Sign: math({
    float: (x) => (x > 0 ? 1 : x < 0 ? -1 : Number.isNaN(x) ? NaN : 0),
    int: Math.sign,
    big: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
    complex: (a, b) => {
      const m = Math.hypot(a, b);
      return m === 0 ? [0, 0] : [a / m, b / m];
    },
  }),
  Square: math({
    float: (x) => x * x,
    int: (x) => Math.imul(x, x),
    big: (x) => x * x,
    complex: (a, b, round) => cx.complexMul(a, b, a, b, round),
  }),
  Sqrt: math({ float: Math.sqrt, complex: cx.complexSqrt }),
  Rsqrt: math({
    float: (x) => 1 / Math.sqrt(x),
    complex: (a, b) => (a === 0 && b === 0 ? [Infinity, NaN] : cx.complexDiv(1, 0, ...cx.complexSqrt(a, b))),
  }),
  Reciprocal: math(reciprocal),
  Inv: math(reciprocal),

  Ceil: math({ float: Math.ceil }),
  Floor: math({ float: Math.floor }),
  Rint: math({ float: rint }),
  // For integers TensorFlow's kernels do nothing by contract, although those of 2.21 return zeros.
  Round: math({ float: rint, int: (x) => x, big: (x) => x }),

  Exp: math({ float: Math.exp, complex: cx.complexExp }),
  Expm1: math({
    float: Math.expm1,
    // exp(a) cos b - 1 without cancellation near 0.
    complex: (a, b) => [Math.expm1(a) * Math.cos(b) - 2 * Math.sin(b / 2) ** 2, Math.exp(a) * Math.sin(b)],
  }),
  Log: math({ float: Math.log, complex: cx.complexLog }),
  Log1p: math({
    float: Math.log1p,
    complex: (a, b) => (a === -1 && b === 0 ? [-Infinity, NaN] : cx.complexLog(1 + a, b)),
  }),
  Sin: math({ float: Math.sin, complex: cx.complexSin }),
  Cos: math({ float: Math.cos, complex: cx.complexCos }),
  Tan: math({ float: Math.tan, complex: cx.complexTan }),
  Asin: math({ float: Math.asin }),
  Acos: math({ float: Math.acos }),
  Atan: math({ float: Math.atan }),
  Sinh: math({ float: Math.sinh, complex: cx.complexSinh }),
  Cosh: math({ float: Math.cosh, complex: cx.complexCosh }),
  Tanh: math({ float: Math.tanh, complex: cx.complexTanh }),
  Asinh: math({ float: Math.asinh }),
  Acosh: math({ float: Math.acosh }),
  Atanh: math({ float: Math.atanh }),
  Sigmoid: math({
    float: (x) => 1 / (1 + Math.exp(-x)),
    complex: (a, b) => {
      const [re, im] = cx.complexExp(-a, -b);
      return cx.complexDiv(1, 0, 1 + re, im);
    },
  }),

  Erf: math({ float: erf }),
  Erfc: math({ float: erfc }),
  Erfinv: math({ float: erfinv }),
  Ndtri: math({ float: ndtri }),
  Lgamma: math({ float: lgamma }),
  Digamma: math({ float: digamma }),
  BesselI0: shapeOnly,
  BesselI0e: shapeOnly,
  BesselI1: shapeOnly,
  BesselI1e: shapeOnly,
  BesselJ0: shapeOnly,
  BesselJ1: shapeOnly,
  BesselK0: shapeOnly,
  BesselK0e: shapeOnly,
  BesselK1: shapeOnly,
  BesselK1e: shapeOnly,
  BesselY0: shapeOnly,
  BesselY1: shapeOnly,
  Dawsn: shapeOnly,
  Expint: shapeOnly,
  FresnelCos: shapeOnly,
  FresnelSin: shapeOnly,
  Spence: shapeOnly,

  IsFinite: predicate(Number.isFinite),
  IsInf: predicate((x) => Math.abs(x) === Infinity),
  IsNan: predicate(Number.isNaN),
  LogicalNot: {
    infer: unchanged,
    evaluate: ([x]) => [
      Tensor.fromArray(
        'bool',
        x.shape,
        (x.data as Uint8Array).map((v) => (v ? 0 : 1)),
      ),
    ],
  },
  Invert: math({ int: (x) => ~x, big: (x) => ~x }),
  PopulationCount: {
    infer: unchanged,
    evaluate: ([x]) => {
      if (!isInteger(x.dtype)) throw noKernel(x.dtype);
      const bits = 8 * x.data.BYTES_PER_ELEMENT;
      return [
        Tensor.fromArray(
          'uint8',
          x.shape,
          Uint8Array.from(x.data as ArrayLike<number | bigint> & Iterable<number | bigint>, (v) =>
            bitCount(BigInt.asUintN(bits, BigInt(v))),
          ),
        ),
      ];
    },
  },
  /** A chain of the ops above, made by TensorFlow's own graph optimiser. */
  _UnaryOpsComposition: {
    infer: unchanged,
    evaluate: ([x], node) => {
      const names = node.attr('op_names');
      if (names?.kind !== 'list' || dtypeKind(x.dtype) !== 'float') throw noKernel(x.dtype);
      for (const name of names.value) {
        const op = Buffer.from(name.value as Uint8Array).toString();
        const evaluate = Object.hasOwn(table, op) ? table[op].evaluate : undefined;
        if (!evaluate) throw new RangeError(`no kernel for ${op}`);
        [x] = evaluate([x], node);
      }
      return [x];
    },
  },
};
