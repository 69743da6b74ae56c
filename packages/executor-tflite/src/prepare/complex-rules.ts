/**
 * What ops on complex numbers are on their two parts, one row an op. `given(i)` is the pair of operand i. Undefined: the
 * op stays.
 */
import { attr, Tensor, type Attr, type DType, type Node, type Value } from '@floe/export-core';
import { numbers } from './dims';
import type { Rewriter } from './rewrite';
import { complexTransform, fitted, realTransform, type Pair } from './rewrites/dft';
import { irfft, irfft2d } from './rewrites/fft';

export interface ComplexNode {
  node: Node;
  b: Rewriter;
  given(i: number): Pair;
}

/** Ops with complex outputs, each as a pair. */
export type PairRule = (c: ComplexNode) => (Pair | undefined)[] | undefined;
/** Ops that read complex numbers and give others. */
export type RealRule = (c: ComplexNode) => Value | undefined;

export const isComplex = (value: Value): boolean => /^complex/.test(value.dtype ?? '');

/** The type of the parts. */
export function partType(dtype: DType | undefined): DType {
  return dtype === 'complex128' ? 'float64' : 'float32';
}

function imagOf(b: Rewriter, { re, im }: Pair): Value {
  return im ?? b.op('ZerosLike', [re]);
}

/** Attributes without the types, which are those of the parts now. */
function attrsWithoutTypes(node: Node): Record<string, Attr> {
  const isType = ({ kind, value }: Attr) => kind === 'type' && /^complex/.test(String(value));
  return Object.fromEntries([...node.attrs].filter(([, value]) => !isType(value)));
}

/** The same op on each part: it moves, selects, adds or negates elements. */
const eachPart: PairRule = ({ node, b, given }) => {
  const pairs = node.inputs.map((value, i) => (isComplex(value) ? given(i) : undefined));
  const isReal = pairs.every((pair) => !pair?.im);
  const attrs = attrsWithoutTypes(node);
  const on = (part: (pair: Pair) => Value): Node =>
    b.add(
      node.op,
      node.inputs.map((value, i) => (pairs[i] ? part(pairs[i]) : value)),
      attrs,
    );
  const re = on((pair) => pair.re);
  const im = isReal ? undefined : on((pair) => imagOf(b, pair));
  return node.knownOutputs.map((_, i) => ({ re: re.output(i), im: im?.output(i) }));
};

const one =
  (rule: (c: ComplexNode) => Pair | undefined): PairRule =>
  (c) => {
    const pair = rule(c);
    return pair && [pair];
  };

/** An op that is linear in each of two operands: (a + ib) ∘ (c + id) = (a∘c − b∘d) + i (a∘d + b∘c). */
function bilinear(b: Rewriter, f: (x: Value, y: Value) => Value, x: Pair, y: Pair): Pair {
  const minus = (p: Value, q: Value | undefined) => (q ? b.op('Sub', [p, q]) : p);
  const plus = (p: Value | undefined, q: Value | undefined) => (p && q ? b.op('AddV2', [p, q]) : (p ?? q));
  return {
    re: minus(f(x.re, y.re), x.im && y.im && f(x.im, y.im)),
    im: plus(y.im && f(x.re, y.im), x.im && f(x.im, y.re)),
  };
}

function conjugate(b: Rewriter, { re, im }: Pair): Pair {
  return { re, im: im && b.op('Neg', [im]) };
}

/** Products of matrices; what is adjoint is transposed by the op itself, and conjugated here. */
const matrixProduct: PairRule = one(({ node, b, given }) => {
  const attrs = attrsWithoutTypes(node);
  const isAdjoint = (key: string) => node.attr(key)?.value === true;
  const side = (i: number, key: string) => (isAdjoint(key) ? conjugate(b, given(i)) : given(i));
  return bilinear(b, (x, y) => b.op(node.op, [x, y], attrs), side(0, 'adj_x'), side(1, 'adj_y'));
});

const product = (b: Rewriter, x: Pair, y: Pair): Pair => bilinear(b, (p, q) => b.op('Mul', [p, q]), x, y);

/** |z|² */
function squaredMagnitude(b: Rewriter, { re, im }: Pair): Value {
  const square = b.op('Square', [re]);
  return im ? b.op('AddV2', [square, b.op('Square', [im])]) : square;
}

function magnitude(b: Rewriter, pair: Pair): Value {
  return pair.im ? b.op('Sqrt', [squaredMagnitude(b, pair)]) : b.op('Abs', [pair.re]);
}

function angle(b: Rewriter, pair: Pair): Value {
  return b.op('Atan2', [imagOf(b, pair), pair.re]);
}

/** x / y = x · conj(y) / |y|² */
const quotient = (op: string): PairRule =>
  one(({ b, given }) => {
    const [x, y] = [given(0), given(1)];
    const { re, im } = y.im ? product(b, x, conjugate(b, y)) : x;
    const by = y.im ? squaredMagnitude(b, y) : y.re;
    return { re: b.op(op, [re, by]), im: im && b.op(op, [im, by]) };
  });

const transformed = (rank: 1 | 2, inverse: boolean): PairRule =>
  one(({ b, given }) => {
    const rows = complexTransform(b, given(0), -1, inverse);
    return rows && rank === 2 ? complexTransform(b, rows, -2, inverse) : rows;
  });

/** Complex takes parts of different shapes; those of a pair have one. */
function joined(b: Rewriter, re: Value, im: Value): Pair {
  const isSame = re.shape && !re.shape.includes(null) && String(re.shape) === String(im.shape);
  const wide = (part: Value, like: Value) =>
    isSame ? part : b.op('AddV2', [part, b.op('ZerosLike', [like])]);
  const isZero = im.constant?.toNumbers().every((v) => v === 0) === true;
  return { re: wide(re, im), im: isZero ? undefined : wide(im, re) };
}

const constant: PairRule = one(({ node, b }) => {
  const tensor = node.constant;
  if (!tensor) return undefined;
  const data = tensor.data as Float32Array | Float64Array;
  const part = (at: 0 | 1): Value => {
    const values = data.filter((_, i) => i % 2 === at);
    return b.const(Tensor.fromArray(partType(tensor.dtype), tensor.shape, values));
  };
  return { re: part(0), im: data.some((v, i) => i % 2 === 1 && v !== 0) ? part(1) : undefined };
});

/** Ops that do the same to each part. */
const EACH_PART =
  `Identity Snapshot Reshape ExpandDims Squeeze StridedSlice Slice Transpose Concat ConcatV2 Pack Unpack
Split SplitV Tile Gather GatherV2 GatherNd ReverseV2 BroadcastTo Roll Select SelectV2 Sum Mean Cumsum Add AddV2 Sub Neg
AddN Pad PadV2 MirrorPad Fill ZerosLike MatrixDiag MatrixDiagPart DiagPart Diag UnsortedSegmentSum SegmentSum
TensorScatterUpdate TensorScatterAdd TensorScatterSub ScatterNd BiasAdd`.split(/\s+/);

export const PAIR_RULES: Readonly<Record<string, PairRule>> = {
  ...Object.fromEntries(EACH_PART.map((op) => [op, eachPart])),
  Const: constant,
  Complex: one(({ node, b }) => joined(b, node.inputs[0], node.inputs[1])),
  Cast: one(({ node, b, given }) => {
    const [x] = node.inputs;
    const to = partType(node.output().dtype);
    if (!isComplex(x)) return { re: b.cast(x, to) };
    const { re, im } = given(0);
    return { re: b.cast(re, to), im: im && b.cast(im, to) };
  }),
  Conj: one(({ b, given }) => conjugate(b, given(0))),
  ConjugateTranspose: one(({ node, b, given }) => {
    const move = (part: Value) => b.op('Transpose', [part, node.inputs[1]]);
    const { re, im } = conjugate(b, given(0));
    return { re: move(re), im: im && move(im) };
  }),
  OnesLike: one(({ b, given }) => ({ re: b.op('OnesLike', [given(0).re]) })),
  Mul: one(({ b, given }) => product(b, given(0), given(1))),
  MulNoNan: one(({ b, given }) => bilinear(b, (x, y) => b.op('MulNoNan', [x, y]), given(0), given(1))),
  Square: one(({ b, given }) => product(b, given(0), given(0))),
  Div: quotient('RealDiv'),
  RealDiv: quotient('RealDiv'),
  DivNoNan: quotient('DivNoNan'),
  Exp: one(({ b, given }) => {
    const { re, im } = given(0);
    const size = b.op('Exp', [re]);
    if (!im) return { re: size };
    return { re: b.op('Mul', [size, b.op('Cos', [im])]), im: b.op('Mul', [size, b.op('Sin', [im])]) };
  }),
  Log: one(({ b, given }) => ({ re: b.op('Log', [magnitude(b, given(0))]), im: angle(b, given(0)) })),
  MatMul: one(({ node, b, given }) => {
    // Transposed, not adjoint.
    const attrs = attrsWithoutTypes(node);
    return bilinear(b, (x, y) => b.op('MatMul', [x, y], attrs), given(0), given(1));
  }),
  BatchMatMul: matrixProduct,
  BatchMatMulV2: matrixProduct,
  BatchMatMulV3: matrixProduct,
  Einsum: one(({ node, b, given }) => {
    const attrs = attrsWithoutTypes(node);
    if (node.inputs.length === 1) return eachPart({ node, b, given })?.[0];
    if (node.inputs.length !== 2) return undefined;
    return bilinear(b, (x, y) => b.op('Einsum', [x, y], attrs), given(0), given(1));
  }),
  RFFT: one(({ node, b }) => {
    const [n] = numbers(node.inputs[1]) ?? [];
    return n === undefined ? undefined : realTransform(b, node.inputs[0], n);
  }),
  RFFT2D: one(({ node, b }) => {
    const [height, width] = numbers(node.inputs[1]) ?? [];
    const signal = height && width ? fitted(b, node.inputs[0], [height, width]) : undefined;
    const rows = signal && realTransform(b, signal, width);
    return rows && complexTransform(b, rows, -2, false);
  }),
  FFT: transformed(1, false),
  IFFT: transformed(1, true),
  FFT2D: transformed(2, false),
  IFFT2D: transformed(2, true),
};

export const REAL_RULES: Readonly<Record<string, RealRule>> = {
  Real: ({ given }) => given(0).re,
  Imag: ({ b, given }) => imagOf(b, given(0)),
  ComplexAbs: ({ b, given }) => magnitude(b, given(0)),
  Angle: ({ b, given }) => angle(b, given(0)),
  Cast: ({ node, b, given }) => b.cast(given(0).re, node.output().dtype!),
  IRFFT: ({ node, b, given }) => irfft(b, given(0), node.inputs[1]),
  IRFFT2D: ({ node, b, given }) => irfft2d(b, given(0), node.inputs[1]),
  Equal: ({ b, given }) => equal(b, given(0), given(1)),
  NotEqual: ({ b, given }) => b.op('LogicalNot', [equal(b, given(0), given(1))]),
  Shape: ({ node, b, given }) => b.op('Shape', [given(0).re], { out_type: attr.type(node.output().dtype!) }),
  Size: ({ node, b, given }) => b.op('Size', [given(0).re], { out_type: attr.type(node.output().dtype!) }),
};

function equal(b: Rewriter, x: Pair, y: Pair): Value {
  const re = b.op('Equal', [x.re, y.re]);
  if (!x.im && !y.im) return re;
  return b.op('LogicalAnd', [re, b.op('Equal', [imagOf(b, x), imagOf(b, y)])]);
}
