/** Functions of one number, out of those that have kernels. Errors against the exact value are said where any. */
import { attr, type Node, type Value } from '@floe/export-core';
import { kernelBroadcasts } from '../../lower/kernel-types';
import { range, sizeOf } from '../dims';
import type { Operand, Rewriter, RewriteTable } from '../rewrite';

/** c0 + x (c1 + x (c2 + …)) */
function polynomial(b: Rewriter, x: Value, coefficients: readonly number[]): Value {
  let sum = b.op('Mul', [x, coefficients.at(-1)!]);
  for (let i = coefficients.length - 2; i > 0; i--) {
    sum = b.op('Mul', [b.op('AddV2', [sum, coefficients[i]]), x]);
  }
  return b.op('AddV2', [sum, coefficients[0]]);
}

/** erf(x)/x as a quotient of polynomials in x², a minimax fit up to where erf rounds to 1; relative error 4e-7. */
const ERF_TOP = [1.12837915, 0.190396873, 0.0527472764, 0.00376515887, 0.000284864861, 2.05006178e-6];
const ERF_BOTTOM = [1, 0.502067579, 0.114104986, 0.0149683021, 0.00116241046, 3.80905158e-5];
const ERF_IS_ONE = 3.92;

function erf(b: Rewriter, x: Value): Value {
  const clamped = b.op('Minimum', [b.op('Maximum', [x, -ERF_IS_ONE]), ERF_IS_ONE]);
  const square = b.op('Square', [clamped]);
  const top = b.op('Mul', [clamped, polynomial(b, square, ERF_TOP)]);
  return b.op('RealDiv', [top, polynomial(b, square, ERF_BOTTOM)]);
}

/** log(erfc(x)/t) + x² for x ≥ 0 as a polynomial in t = 1/(1 + x/2), a fit; relative error of erfc 8e-6. */
const ERFC_LOG = [
  -1.26551276, 1.0000503, 0.373663706, 0.100038592, -0.199931285, 0.312804955, -1.18653697, 1.53484359,
  -0.845079774, 0.17565972,
];

function erfc(b: Rewriter, x: Value): Value {
  const t = b.op('RealDiv', [1, b.op('AddV2', [b.op('Mul', [b.op('Abs', [x]), 0.5]), 1])]);
  const exponent = b.op('Sub', [polynomial(b, t, ERFC_LOG), b.op('Square', [x])]);
  const positive = b.op('Mul', [t, b.op('Exp', [exponent])]);
  return b.op('SelectV2', [b.op('Less', [x, 0]), b.op('Sub', [2, positive]), positive]);
}

const isFloat = (v: Value) => v.dtype === undefined || /^(b?float)/.test(v.dtype);

/** x of the shape of `like`, for kernels that do not broadcast. */
function filledLike(b: Rewriter, like: Value, n: number): Value {
  return b.op('Fill', [b.op('Shape', [like]), b.scalar(like, n)]);
}

/** √(1 − x²) without cancellation near 1. */
function cathetus(b: Rewriter, x: Value): Value {
  return b.op('Sqrt', [b.op('Mul', [b.op('Sub', [1, x]), b.op('AddV2', [x, 1])])]);
}

function cosh(b: Rewriter, x: Value): Value {
  return b.op('Mul', [b.op('AddV2', [b.op('Exp', [x]), b.op('Exp', [b.op('Neg', [x])])]), 0.5]);
}

/** A row of one float operand. */
function unary(build: (b: Rewriter, x: Value, node: Node) => Value) {
  return (_: unknown, node: Node, b: Rewriter): Value[] | undefined =>
    isFloat(node.inputs[0]) ? [build(b, node.inputs[0], node)] : undefined;
}

/** A row of operands of any real type. */
function formula(build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined) {
  return (_: unknown, node: Node, b: Rewriter): Value[] | undefined => {
    if (node.inputs.some((v) => /^complex/.test(v.dtype ?? ''))) return undefined;
    const value = build(b, node.inputs, node);
    return value && [value];
  };
}

/** `value` where x is 0, else `otherwise`. */
function atZero(b: Rewriter, x: Value, value: Operand, otherwise: Value): Value {
  return b.op('SelectV2', [b.op('Equal', [x, 0]), value, otherwise]);
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

function selu(b: Rewriter, x: Value): Value {
  const below = b.op('Mul', [b.op('Expm1', [x]), SELU_SCALE * SELU_ALPHA]);
  return b.op('SelectV2', [b.op('Greater', [x, 0]), b.op('Mul', [x, SELU_SCALE]), below]);
}

function clip(b: Rewriter, [x, low, high]: Value[]): Value {
  const lo = low.node.constant;
  const hi = high.node.constant;
  if (lo?.size === 1 && hi?.size === 1 && lo.dtype === 'float32' && lo.at(0) === 0 && hi.at(0) === 6) {
    return b.op('Relu6', [x]);
  }
  return b.op('Maximum', [b.op('Minimum', [x, high]), low]);
}

/** log Γ by Lanczos' series, mirrored below ½. */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function lgamma(b: Rewriter, x: Value): Value {
  const mirrored = b.op('Less', [x, 0.5]);
  const z = b.op('Sub', [b.op('SelectV2', [mirrored, b.op('Sub', [1, x]), x]), 1]);
  let sum: Operand = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) {
    sum = b.op('AddV2', [b.op('RealDiv', [LANCZOS[i], b.op('AddV2', [z, i])]), sum]);
  }
  const t = b.op('AddV2', [z, LANCZOS_G + 0.5]);
  // (z + ½) log t − t, with log t = log(g + ½) + log1p(z/(g + ½)), which loses less.
  const logT = b.op('AddV2', [
    b.op('Log1p', [b.op('Mul', [z, 1 / (LANCZOS_G + 0.5)])]),
    Math.log(LANCZOS_G + 0.5),
  ]);
  const scaled = b.op('Mul', [b.op('Sub', [b.op('AddV2', [z, 0.5]), b.op('RealDiv', [t, logT])]), logT]);
  const right = b.op('AddV2', [
    b.op('AddV2', [scaled, b.op('Log', [sum as Value])]),
    Math.log(2 * Math.PI) / 2,
  ]);
  // Γ(x) Γ(1 − x) = π / sin πx
  const fraction = b.op('Sub', [b.op('Abs', [x]), b.op('Floor', [b.op('Abs', [x])])]);
  const sine = b.op('Abs', [b.op('Sin', [b.op('Mul', [fraction, Math.PI])])]);
  const left = b.op('Sub', [b.op('Sub', [Math.log(Math.PI), b.op('Log', [sine])]), right]);
  return b.op('SelectV2', [mirrored, left, right]);
}

export const table: RewriteTable = {
  Expm1: unary((b, x) => b.op('Sub', [b.op('Exp', [x]), 1])),
  Log1p: unary((b, x) => b.op('Log', [b.op('AddV2', [x, 1])])),
  // As TensorFlow's converter writes it: infinite beyond 88.
  Softplus: unary((b, x) => b.op('Log', [b.op('AddV2', [b.op('Exp', [x]), 1])])),
  Softsign: unary((b, x) => b.op('RealDiv', [x, b.op('AddV2', [b.op('Abs', [x]), 1])])),
  Selu: unary(selu),
  Erf: unary(erf),
  Erfc: unary(erfc),
  Lgamma: unary(lgamma),
  Tan: unary((b, x) => b.op('RealDiv', [b.op('Sin', [x]), b.op('Cos', [x])])),
  // tanh keeps the small ones, where the difference of two exponentials cancels.
  Sinh: unary((b, x) => b.op('Mul', [b.op('Tanh', [x]), cosh(b, x)])),
  Cosh: unary(cosh),
  Asin: unary((b, x) => b.op('Atan2', [x, cathetus(b, x)])),
  Acos: unary((b, x) => b.op('Atan2', [cathetus(b, x), x])),
  Atan: unary((b, x) => b.op('Atan2', [x, filledLike(b, x, 1)])),
  Asinh: unary((b, x) => {
    const root = b.op('Sqrt', [b.op('AddV2', [b.op('Square', [x]), 1])]);
    return b.op('Mul', [b.op('Sign', [x]), b.op('Log', [b.op('AddV2', [b.op('Abs', [x]), root])])]);
  }),
  Acosh: unary((b, x) => {
    const root = b.op('Sqrt', [b.op('Mul', [b.op('Sub', [x, 1]), b.op('AddV2', [x, 1])])]);
    return b.op('Log', [b.op('AddV2', [x, root])]);
  }),
  Atanh: unary((b, x) => {
    const quotient = b.op('RealDiv', [b.op('AddV2', [x, 1]), b.op('Sub', [1, x])]);
    return b.op('Mul', [b.op('Log', [quotient]), 0.5]);
  }),

  Reciprocal: unary((b, x) => b.op('RealDiv', [1, x])),
  Inv: unary((b, x) => b.op('RealDiv', [1, x])),
  Round: (_, node) => (isFloat(node.inputs[0]) ? undefined : [node.inputs[0]]),
  IsFinite: unary((b, x) => {
    const difference = b.op('Sub', [x, x]);
    return b.op('Equal', [difference, 0]);
  }),
  IsInf: unary((b, x) => b.op('Equal', [b.op('Abs', [x]), Infinity])),
  IsNan: unary((b, x) => b.op('NotEqual', [x, x])),

  // SQUARE and ABS have few types.
  Square: formula((b, [x]) => (x.dtype === 'float32' ? undefined : b.op('Mul', [x, x]))),
  SquaredDifference: formula((b, [x, y]) => {
    // SUB broadcasts further.
    const narrow = !kernelBroadcasts('SQUARED_DIFFERENCE', [x, y]) && kernelBroadcasts('SUB', [x, y]);
    const kept = /^(float32|int32)$/.test(x.dtype ?? '') && !narrow;
    return kept ? undefined : b.op('Square', [b.op('Sub', [x, y])]);
  }),
  Abs: formula((b, [x]) => (x.dtype === 'int64' ? b.op('Maximum', [x, b.op('Neg', [x])]) : undefined)),
  Sign: formula((b, [x]) => {
    if (x.dtype !== 'int64') return undefined;
    return b.op('Maximum', [b.op('Minimum', [x, 1]), -1]);
  }),
  Relu6: formula((b, [x]) =>
    /^(int32|int64)$/.test(x.dtype ?? '') ? b.op('Minimum', [b.op('Maximum', [x, 0]), 6]) : undefined,
  ),

  DivNoNan: formula((b, [x, y]) => atZero(b, y, 0, b.op('RealDiv', [x, y]))),
  MulNoNan: formula((b, [x, y]) => atZero(b, y, 0, b.op('Mul', [x, y]))),
  Xdivy: formula((b, [x, y]) => atZero(b, x, 0, b.op('RealDiv', [x, y]))),
  Xlogy: formula((b, [x, y]) => atZero(b, x, 0, b.op('Mul', [x, b.op('Log', [y])]))),
  Xlog1py: formula((b, [x, y]) => atZero(b, x, 0, b.op('Mul', [x, b.op('Log1p', [y])]))),
  ClipByValue: formula(clip),
  ApproximateEqual: formula((b, [x, y], node) =>
    b.op('Less', [b.op('Abs', [b.op('Sub', [x, y])]), node.float('tolerance')]),
  ),

  // Integers have a kernel.
  TruncateDiv: (_, node, b) => {
    if (node.inputs[0].dtype !== 'float32') return undefined;
    const quotient = b.op('RealDiv', node.inputs);
    return [
      b.op('SelectV2', [b.op('Less', [quotient, 0]), b.op('Ceil', [quotient]), b.op('Floor', [quotient])]),
    ];
  },
  // The sign of the dividend: what FloorMod gives is moved by one divisor where signs differ.
  Mod: formula(truncateMod),
  TruncateMod: formula(truncateMod),
  Invert: formula((b, [x]) => b.op('BitwiseXor', [x, /^u/.test(x.dtype ?? '') ? maxOf(x) : -1])),
  BitwiseOr: formula((b, [x, y]) =>
    b.op('BitwiseXor', [b.op('BitwiseXor', [x, y]), b.op('BitwiseAnd', [x, y])]),
  ),

  SigmoidGrad: formula((b, [y, dy]) => b.op('Mul', [dy, b.op('Mul', [y, b.op('Sub', [1, y])])])),
  TanhGrad: formula((b, [y, dy]) => b.op('Mul', [dy, b.op('Sub', [1, b.op('Square', [y])])])),
  SqrtGrad: formula((b, [y, dy]) => b.op('RealDiv', [b.op('Mul', [dy, 0.5]), y])),
  RsqrtGrad: formula((b, [y, dy]) => {
    const cube = b.op('Mul', [b.op('Square', [y]), y]);
    return b.op('Mul', [b.op('Mul', [dy, -0.5]), cube]);
  }),
  ReciprocalGrad: formula((b, [y, dy]) => b.op('Neg', [b.op('Mul', [dy, b.op('Square', [y])])])),
  InvGrad: formula((b, [y, dy]) => b.op('Neg', [b.op('Mul', [dy, b.op('Square', [y])])])),
  ReluGrad: formula((b, [dy, x]) => b.op('SelectV2', [b.op('Greater', [x, 0]), dy, b.scalar(dy, 0)])),
  Relu6Grad: formula((b, [dy, x]) => {
    const inside = b.op('LogicalAnd', [b.op('Greater', [x, 0]), b.op('Less', [x, 6])]);
    return b.op('SelectV2', [inside, dy, b.scalar(dy, 0)]);
  }),
  LeakyReluGrad: formula((b, [dy, x], node) =>
    b.op('SelectV2', [b.op('Greater', [x, 0]), dy, b.op('Mul', [dy, node.float('alpha')])]),
  ),
  EluGrad: formula((b, [dy, y]) =>
    b.op('SelectV2', [b.op('Less', [y, 0]), b.op('Mul', [b.op('AddV2', [y, 1]), dy]), dy]),
  ),
  SeluGrad: formula((b, [dy, y]) => {
    const below = b.op('Mul', [dy, b.op('AddV2', [y, SELU_SCALE * SELU_ALPHA])]);
    return b.op('SelectV2', [b.op('Less', [y, 0]), below, b.op('Mul', [dy, SELU_SCALE])]);
  }),
  SoftplusGrad: formula((b, [dy, x]) => b.op('Mul', [dy, b.op('Sigmoid', [x])])),
  SoftsignGrad: formula((b, [dy, x]) =>
    b.op('RealDiv', [dy, b.op('Square', [b.op('AddV2', [b.op('Abs', [x]), 1])])]),
  ),

  BiasAddGrad: formula((b, [x], node) => {
    const rank = x.shape?.length;
    if (!rank) return undefined;
    const channels = node.string('data_format') === 'NCHW' ? 1 : rank - 1;
    return b.op('Sum', [x, range(rank).filter((axis) => axis !== channels)]);
  }),
  L2Loss: formula((b, [x]) => b.op('Mul', [sumAll(b, b.op('Square', [x])), 0.5])),
  EuclideanNorm: formula((b, [x, axes], node) => {
    const sum = b.op('Sum', [b.op('Square', [x]), axes], { keep_dims: attr.bool(node.bool('keep_dims')) });
    return b.op('Sqrt', [sum]);
  }),
  AccumulateNV2: (_, node, b) => [b.op('AddN', node.inputs)],
  // One operand has no kernel, and only float32 and int32 have one.
  AddN: (_, node, b) => {
    const [first, ...rest] = node.inputs;
    if (!rest.length) return [first];
    if (first.dtype === 'float32' || first.dtype === 'int32') return undefined;
    return [rest.reduce((sum, v) => b.op('AddV2', [sum, v]), first)];
  },
  SoftmaxCrossEntropyWithLogits: (_, node, b) => {
    const [logits, labels] = node.inputs;
    const products = b.op('Mul', [labels, b.op('LogSoftmax', [logits])]);
    const loss = b.op('Neg', [b.op('Sum', [products, [-1]])]);
    return [loss, b.op('Sub', [b.op('Softmax', [logits]), labels])];
  },
  SparseSoftmaxCrossEntropyWithLogits: (_, node, b) => {
    const [logits, labels] = node.inputs;
    const classes = sizeOf(b, logits, 1);
    const rows = b.op('OneHot', [labels, classes, b.scalar(logits, 1), b.scalar(logits, 0)]);
    const both = b.add('SoftmaxCrossEntropyWithLogits', [logits, rows]);
    return [both.output(0), both.output(1)];
  },
};

function sumAll(b: Rewriter, x: Value): Value {
  const rank = x.shape?.length;
  const axes: Operand = rank === undefined ? b.op('Range', [0, b.op('Rank', [x]), 1]) : range(rank);
  return b.op('Sum', [x, axes]);
}

function truncateMod(b: Rewriter, [x, y]: Value[]): Value {
  const m = b.op('FloorMod', [x, y]);
  const differ = b.op('NotEqual', [b.op('Less', [x, 0]), b.op('Less', [y, 0])]);
  const repaired = b.op('SelectV2', [differ, b.op('Sub', [m, y]), m]);
  return atZero(b, m, m, repaired);
}

function maxOf({ dtype }: Value): number {
  return 2 ** Number((dtype ?? 'uint8').slice(4)) - 1;
}
