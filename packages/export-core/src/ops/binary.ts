/** Elementwise arithmetic of two and more operands. Comparison, logic and selection are in logic.ts. */
import type { DType } from '../tensor/dtype';
import { dtypeKind } from '../tensor/dtype';
import { elementCount, isStatic, mergeShapes, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { broadcasting, broadcastingWith, known, merged } from './elementwise-shapes';
import { broadcastIndices, broadcastOf } from './kernels/broadcast';
import * as cx from './kernels/complex';
import { mapBinary, noKernel, type BinaryKernel, type Complex } from './kernels/elementwise';
import { mergeDims, out, rankAtLeast, upTo } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { sumTensor } from './reduce';

type Elements = (x: Dim, y: Dim) => Dim;

function arithmetic(kernel: BinaryKernel, elements?: Elements): OpRow {
  return {
    infer: elements ? broadcastingWith(elements) : broadcasting,
    evaluate: ([x, y]) => [mapBinary(x, y, kernel)],
  };
}

/** Shapes only: functions that no model needs folded. */
const shapeOnly: OpRow = { infer: broadcasting };

function divisor<T extends number | bigint>(y: T): T {
  if (!y) throw new RangeError('integer division by zero');
  return y;
}

// Truncating towards zero, as C's / does. `trunc` of the float64 quotient is exact for 32-bit operands.
const truncateInt = (x: number, y: number) => Math.trunc(x / divisor(y));
const truncateBig = (x: bigint, y: bigint) => x / divisor(y);
const floorInt = (x: number, y: number) => Math.floor(x / divisor(y));
function floorBig(x: bigint, y: bigint): bigint {
  const q = x / divisor(y);
  return q * y !== x && x < 0n !== y < 0n ? q - 1n : q;
}

/** The remainder with the divisor's sign, from the one with the dividend's. */
function floorMod(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && y < 0 !== r < 0 ? r + y : r;
}
function floorModBig(x: bigint, y: bigint): bigint {
  const r = x % divisor(y);
  return r !== 0n && y < 0n !== r < 0n ? r + y : r;
}

/** C's pow, which differs from JavaScript's in that 1 to whatever, and -1 to infinity, is 1. */
function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

function exponent<T extends number | bigint>(y: T): T {
  if (y < 0) throw new RangeError('integer to a negative power');
  return y;
}

function powInt(x: number, y: number): number {
  let result = 1;
  let base = x;
  for (let e = exponent(y); e > 0; e = Math.floor(e / 2)) {
    if (e % 2) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

function powBig(x: bigint, y: bigint): bigint {
  let result = 1n;
  let base = x;
  for (let e = exponent(y); e > 0n; e >>= 1n) {
    if (e & 1n) result = BigInt.asIntN(64, result * base);
    base = BigInt.asIntN(64, base * base);
  }
  return result;
}

const add: BinaryKernel = {
  float: (x, y) => x + y,
  loop: (o, at, n, x, i, p, y, j, q) => {
    for (let e = 0; e < n; e++) o[at + e] = x[i + e * p] + y[j + e * q];
  },
  int: (x, y) => x + y,
  big: (x, y) => x + y,
  complex: (a, b, c, d) => [a + c, b + d],
};
const sub: BinaryKernel = {
  float: (x, y) => x - y,
  loop: (o, at, n, x, i, p, y, j, q) => {
    for (let e = 0; e < n; e++) o[at + e] = x[i + e * p] - y[j + e * q];
  },
  int: (x, y) => x - y,
  big: (x, y) => x - y,
  complex: (a, b, c, d) => [a - c, b - d],
};
const mul: BinaryKernel = {
  float: (x, y) => x * y,
  loop: (o, at, n, x, i, p, y, j, q) => {
    for (let e = 0; e < n; e++) o[at + e] = x[i + e * p] * y[j + e * q];
  },
  int: Math.imul,
  big: (x, y) => x * y,
  complex: cx.complexMul,
};
const realDiv: BinaryKernel = {
  float: (x, y) => x / y,
  loop: (o, at, n, x, i, p, y, j, q) => {
    for (let e = 0; e < n; e++) o[at + e] = x[i + e * p] / y[j + e * q];
  },
  complex: cx.complexDiv,
};
/** Where one operand is 0 the result is 0, whatever the other is. */
const zeroIf = (a: number, b: number, f: () => Complex): Complex => (a === 0 && b === 0 ? [a, b] : f());

const addElements = known((x, y) => x + y);
const divElements = known((x, y) => (y === 0 ? null : Math.trunc(x / y)));
const floorElements = known((x, y) => (y === 0 ? null : Math.floor(x / y)));
const modElements = known((x, y) => (y === 0 ? null : x % y));

/** Strings are added by joining them. */
function addRow(): OpRow {
  const row = arithmetic(add, addElements);
  return {
    ...row,
    evaluate: ([x, y]) => {
      if (x.dtype !== 'string') return [mapBinary(x, y, add)];
      const shape = broadcastOf(x.shape, y.shape);
      const [i, j] = [broadcastIndices(x.shape, shape), broadcastIndices(y.shape, shape)];
      return [
        Tensor.fromStrings(
          shape,
          Array.from(i, (at, k) => Buffer.concat([x.strings[at], y.strings[j[k]]])),
        ),
      ];
    },
  };
}

const truncateMod: OpRow = arithmetic(
  { float: (x, y) => x % y, int: (x, y) => x % divisor(y), big: (x, y) => x % divisor(y) },
  modElements,
);

/** Sums tensors of one shape, left to right. */
function addAll(tensors: readonly Tensor[]): Tensor {
  if (tensors.some((t) => t.dtype !== tensors[0].dtype || t.size !== tensors[0].size)) {
    throw new RangeError('the tensors to add differ in dtype or shape');
  }
  return tensors.reduce((a, b) => mapBinary(a, b, add));
}

/** The axis of a tensor's channels under a data format. */
function channelAxis(format: string, rank: number): number {
  return format.startsWith('NC') ? 1 : rank - 1;
}

const formatOf = (node: InferContext['node']) =>
  node.op === 'BiasAddV1' ? 'NHWC' : node.string('data_format');

const biasAdd: OpRow = {
  infer: (c): OutputInfo[] => {
    const format = formatOf(c.node);
    const shape = rankAtLeast(c, 0, format.startsWith('NC') ? 3 : 2);
    const bias = c.shape(1);
    if (bias && bias.length !== 1) c.fail(`the bias must be a vector, not [${bias.join(',')}]`);
    if (!shape || !bias) return out(shape);
    const axis = channelAxis(format, shape.length);
    return out(shape.map((d, i) => (i === axis ? mergeDims(c, d, bias[0]) : d)));
  },
  evaluate: ([x, bias], node) => {
    const axis = channelAxis(formatOf(node), x.shape.length);
    if (x.shape.length < 2 || bias.shape.length !== 1 || bias.shape[0] !== x.shape[axis]) {
      throw new RangeError(`a bias of shape [${bias.shape}] does not fit [${x.shape}]`);
    }
    const spread = x.shape.map((d, i) => (i === axis ? d : 1));
    return [mapBinary(x, bias.reshape(spread), add)];
  },
};

/** The number next to `x` in the direction of `y`, through its bits. */
function nextAfter(x: number, y: number, dtype: DType): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  const wide = dtype === 'float64';
  const float = wide ? new Float64Array([x]) : new Float32Array([x]);
  const bits = wide ? new BigInt64Array(float.buffer) : new Int32Array(float.buffer);
  if (x === 0) {
    bits[0] = wide ? 1n : 1;
    return y > 0 ? float[0] : -float[0];
  }
  const up = y > x === x > 0;
  if (wide) (bits as BigInt64Array)[0] += up ? 1n : -1n;
  else (bits as Int32Array)[0] += up ? 1 : -1;
  return float[0];
}

export const table: OpTable = {
  Add: addRow(),
  AddV2: addRow(),
  Sub: arithmetic(
    sub,
    known((x, y) => x - y),
  ),
  Mul: arithmetic(mul, (x, y) => (x === 0 || y === 0 ? 0 : x === null || y === null ? null : x * y)),
  RealDiv: arithmetic(realDiv),
  Div: arithmetic({ ...realDiv, int: truncateInt, big: truncateBig }, divElements),
  TruncateDiv: arithmetic(
    { float: (x, y, round) => Math.trunc(round(x / y)), int: truncateInt, big: truncateBig },
    divElements,
  ),
  FloorDiv: arithmetic(
    { float: (x, y, round) => Math.floor(round(x / y)), int: floorInt, big: floorBig },
    floorElements,
  ),
  FloorMod: arithmetic(
    { float: floorMod, int: (x, y) => floorMod(x, divisor(y)), big: floorModBig },
    known((x, y) => (y === 0 ? null : floorMod(x, y))),
  ),
  Mod: truncateMod,
  TruncateMod: truncateMod,
  DivNoNan: arithmetic({
    float: (x, y) => (y === 0 ? 0 : x / y),
    complex: (a, b, c, d) => zeroIf(c, d, () => cx.complexDiv(a, b, c, d)),
  }),
  MulNoNan: arithmetic({
    float: (x, y) => (y === 0 ? 0 : x * y),
    complex: (a, b, c, d, round) => zeroIf(c, d, () => cx.complexMul(a, b, c, d, round)),
  }),
  Xdivy: arithmetic({
    float: (x, y) => (x === 0 ? x : x / y),
    complex: (a, b, c, d) => zeroIf(a, b, () => cx.complexDiv(a, b, c, d)),
  }),
  Xlogy: arithmetic({
    float: (x, y) => (x === 0 ? x : x * Math.log(y)),
    complex: (a, b, c, d) => zeroIf(a, b, () => cx.complexMul(a, b, ...cx.complexLog(c, d))),
  }),
  Xlog1py: arithmetic({
    float: (x, y) => (x === 0 ? x : x * Math.log1p(y)),
    complex: (a, b, c, d) => zeroIf(a, b, () => cx.complexMul(a, b, ...cx.complexLog(1 + c, d))),
  }),
  Pow: arithmetic({ float: pow, int: powInt, big: powBig, complex: cx.complexPow }),
  Maximum: arithmetic(
    { float: (x, y) => Math.max(x, y), int: (x, y) => Math.max(x, y), big: (x, y) => (x > y ? x : y) },
    known(Math.max),
  ),
  Minimum: arithmetic(
    { float: (x, y) => Math.min(x, y), int: (x, y) => Math.min(x, y), big: (x, y) => (x < y ? x : y) },
    known(Math.min),
  ),
  SquaredDifference: arithmetic({
    float: (x, y, round) => round(x - y) ** 2,
    int: (x, y) => Math.imul(x - y, x - y),
    big: (x, y) => (x - y) * (x - y),
    complex: (a, b, c, d, round) => {
      const [re, im] = [round(a - c), round(b - d)];
      return cx.complexMul(re, im, re, -im, round);
    },
  }),
  Atan2: arithmetic({ float: Math.atan2 }),
  NextAfter: {
    infer: broadcasting,
    evaluate: ([x, y]) => {
      if (x.dtype !== 'float32' && x.dtype !== 'float64') throw noKernel(x.dtype);
      return [mapBinary(x, y, { float: (a, b) => nextAfter(a, b, x.dtype) })];
    },
  },
  Igamma: shapeOnly,
  Igammac: shapeOnly,
  IgammaGradA: shapeOnly,
  RandomGammaGrad: shapeOnly,
  Zeta: shapeOnly,
  Polygamma: shapeOnly,
  Betainc: { infer: merged },

  AddN: {
    infer: (c) => {
      const lists = upTo(c.count).map((i) => c.elements(i));
      const [{ shape }] = merged(c);
      if (!isStatic(shape) || lists.some((l) => l?.length !== elementCount(shape))) return out(shape);
      const elements = (lists as Dim[][]).reduce((a, b) => a.map((x, i) => addElements(x, b[i])));
      return out(shape, elements);
    },
    evaluate: (tensors) => [addAll(tensors)],
  },
  AccumulateNV2: { infer: (c) => out(mergeShapes(merged(c)[0].shape, c.node.shape('shape'))) },
  BiasAdd: biasAdd,
  BiasAddV1: biasAdd,
  BiasAddGrad: {
    infer: (c) => {
      const format = formatOf(c.node);
      const shape = rankAtLeast(c, 0, format.startsWith('NC') ? 3 : 2);
      return out([shape ? shape[channelAxis(format, shape.length)] : null]);
    },
    evaluate: ([x], node) => {
      const axis = channelAxis(formatOf(node), x.shape.length);
      if (x.shape.length < 2 || dtypeKind(x.dtype) === 'bool') throw noKernel(x.dtype);
      return [
        sumTensor(
          x,
          upTo(x.shape.length).filter((d) => d !== axis),
        ),
      ];
    },
  },
};
