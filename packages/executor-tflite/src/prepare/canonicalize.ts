/**
 * Given:  ops that do nothing, or two where one does: Square(a − b), Minimum(Relu(x), 6), Tile by ones
 * Result: the operand, or the one: SquaredDifference(a, b), Relu6(x)
 *
 * The results are equal, bit for bit but for the sign of zeros.
 */
import { attr, isStatic, sameShape, Tensor, type Graph, type Node, type Value } from '@floe/export-core';
import { axisOf, numbers, range, reshape } from './dims';
import type { PrepareContext } from './prepare';
import { applyRewrites, type Rewrite, type Rewriter, type RewriteTable } from './rewrite';

/** The operand, where the op leaves it as it is. */
const nothing =
  (is: (node: Node) => boolean, operand = 0): Rewrite =>
  (_, node) =>
    is(node) ? [node.inputs[operand]] : undefined;

/** The first row that applies. */
const first =
  (...rows: Rewrite[]): Rewrite =>
  (graph, node, b) => {
    for (const row of rows) {
      const values = row(graph, node, b);
      if (values) return values;
    }
    return undefined;
  };

const keepsShape = (node: Node) =>
  isStatic(node.inputs[0].shape) && sameShape(node.inputs[0].shape, node.output().shape);

/** A Slice from the start to the end of every axis. */
function takesAll({ inputs: [x, begin, size] }: Node): boolean {
  const { shape } = x;
  return (
    !!shape &&
    isAll(begin, 0) &&
    !!numbers(size)?.every((n, i) => n === -1 || (n === shape[i] && shape[i] !== null))
  );
}

/** Every element of a constant operand is this number. */
function isAll(value: Value | undefined, n: number): boolean {
  const tensor = value?.node.constant;
  return (
    !!tensor &&
    tensor.dtype !== 'string' &&
    tensor.size > 0 &&
    tensor.size <= 64 &&
    tensor.toNumbers().every((v) => v === n)
  );
}

/** A constant of this number that changes no shape, although it is no scalar. */
function isNeutral(node: Node, i: number, n: number): boolean {
  const other = node.inputs[1 - i];
  if (isScalar(node.inputs[i], n)) return true;
  return isEvery(node.inputs[i], n) && isStatic(other.shape) && sameShape(other.shape, node.output().shape);
}

/** Like `isAll`, of any size. */
function isEvery(value: Value, n: number): boolean {
  const tensor = value.node.constant;
  return (
    tensor?.dtype === 'float32' && tensor.size > 0 && (tensor.data as Float32Array).every((v) => v === n)
  );
}

/** Values that are never infinite: gates of recurrent cells, also a part of several computed together. */
function isBounded(value: Value): boolean {
  const { op, inputs } = value.node;
  if (op === 'Split') return isBounded(inputs[1]);
  if (op === 'SplitV' || op === 'StridedSlice' || op === 'Slice') return isBounded(inputs[0]);
  return op === 'Sigmoid' || op === 'Tanh' || op === 'Softmax';
}

/** A gate times a state that starts as zeros. */
const timesZero: Rewrite = (_, node, b) => {
  const { shape } = node.output();
  const [x, y] = node.inputs;
  if (!isStatic(shape)) return undefined;
  const zero = (isEvery(x, 0) && isBounded(y)) || (isEvery(y, 0) && isBounded(x));
  return zero ? [b.const(Tensor.filled('float32', shape, new Uint8Array(4)))] : undefined;
};

/** A single number: broadcasting it changes no shape. */
const isScalar = (value: Value, n: number) => isAll(value, n) && value.node.constant!.shape.length === 0;

const isFloat32 = (value: Value) => value.dtype === 'float32';

/** x op c for a neutral c on the right, or on either side. */
const neutral = (n: number, either: boolean): Rewrite =>
  first(
    nothing((node) => isNeutral(node, 1, n)),
    nothing((node) => either && isNeutral(node, 0, n), 1),
  );

const inverseOf =
  (op: string): Rewrite =>
  (_, node) =>
    node.inputs[0].node.op === op ? [node.inputs[0].node.inputs[0]] : undefined;

/** The operand that is not the scalar `n`. */
function besides(node: Node, n: number): Value | undefined {
  if (!isFloat32(node.inputs[0])) return undefined;
  if (isScalar(node.inputs[1], n)) return node.inputs[0];
  return isScalar(node.inputs[0], n) ? node.inputs[1] : undefined;
}

const one = (value: Value | undefined): Value[] | undefined => value && [value];

/** max(x, 0), and the clamps that have an operator. */
function maximum(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const rectified = besides(node, 0);
  const below = besides(node, -1);
  if (below?.node.op === 'Minimum') {
    const x = besides(below.node, 1);
    if (x) return [b.builtin('ReluN1To1', [x], x)];
  }
  if (rectified?.node.op === 'Minimum') {
    const six = besides(rectified.node, 6);
    if (six) return [b.op('Relu6', [six])];
    const x = besides(rectified.node, 1);
    if (x) return [b.builtin('Relu0To1', [x], x)];
  }
  return one(rectified && b.op('Relu', [rectified]));
}

/** min(max(x, c), d) of scalars c ≥ d is d, whatever x is, so long as that is one number too. */
function bounded(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const scalar = (v: Value | undefined) => (v?.node.constant?.shape.length === 0 ? v : undefined);
  const top = node.inputs.find(scalar);
  const inner = node.inputs.find((v) => v !== top)?.node;
  const bottom = inner?.op === 'Maximum' ? inner.inputs.find(scalar) : undefined;
  if (!top || !bottom || !/^u?int/.test(top.dtype ?? '') || node.output().shape?.length !== 0)
    return undefined;
  return bottom.node.constant!.at(0) >= top.node.constant!.at(0) ? [b.const(top.node.constant!)] : undefined;
}

function minimum(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const six = besides(node, 6);
  if (six?.node.op === 'Relu') return [b.op('Relu6', [six.node.inputs[0]])];
  const above = besides(node, 1);
  if (above?.node.op === 'Maximum') {
    const x = besides(above.node, -1);
    if (x) return [b.builtin('ReluN1To1', [x], x)];
  }
  const rectified = above?.node.op === 'Relu' ? above.node.inputs[0] : undefined;
  return one(rectified && b.builtin('Relu0To1', [rectified], rectified));
}

const NEVER_NEGATIVE = new Set([
  'Square',
  'SquaredDifference',
  'Abs',
  'Exp',
  'Sigmoid',
  'Softmax',
  'Relu',
  'Relu6',
]);

function relu(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const [x] = node.inputs;
  if (NEVER_NEGATIVE.has(x.node.op)) return [x];
  const six = x.node.op === 'Minimum' ? besides(x.node, 6) : undefined;
  const unit = x.node.op === 'Minimum' ? besides(x.node, 1) : undefined;
  return one((six && b.op('Relu6', [six])) ?? (unit && b.builtin('Relu0To1', [unit], unit)));
}

const POWERS: [number, string | undefined][] = [
  [1, undefined],
  [2, 'Square'],
  [0.5, 'Sqrt'],
  [-0.5, 'Rsqrt'],
];

function pow(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const [x, exponent] = node.inputs;
  if (!isFloat32(x)) return undefined;
  const found = POWERS.find(([n]) => isScalar(exponent, n));
  return found && [found[1] ? b.op(found[1], [x]) : x];
}

/** A product or quotient that is 0 where the second operand is: an ordinary one where that is never so. */
const neverByZero =
  (op: string): Rewrite =>
  (_, node, b) =>
    hasNoZero(node.inputs[1]) ? [b.op(op, node.inputs)] : undefined;

function hasNoZero({ node: { constant } }: Value): boolean {
  if (!constant || constant.dtype === 'string') return false;
  // Of complex numbers real and imaginary parts stand side by side.
  const parts = constant.size && constant.data.length / constant.size;
  return range(constant.size).every((i) => range(parts).some((k) => constant.at(parts * i + k) !== 0));
}

const OPPOSITE: Record<string, string> = { Equal: 'NotEqual', NotEqual: 'Equal' };
/** Their opposite differs on NaN, so of integers only. */
const OPPOSITE_ORDER: Record<string, string> = {
  Less: 'GreaterEqual',
  LessEqual: 'Greater',
  Greater: 'LessEqual',
  GreaterEqual: 'Less',
};

function logicalNot(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const inner = node.inputs[0].node;
  if (inner.op === 'LogicalNot') return [inner.inputs[0]];
  const integer = /^u?int/.test(inner.inputs[0]?.dtype ?? '');
  const opposite = OPPOSITE[inner.op] ?? (integer ? OPPOSITE_ORDER[inner.op] : undefined);
  if (!opposite || inner.attrs.get('incompatible_shape_error')?.value === false) return undefined;
  return [b.op(opposite, inner.inputs)];
}

/** Joining one value, or some of them empty. */
function concat(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const values = node.inputs.slice(0, -1);
  const filled = values.filter((v) => !v.shape?.includes(0));
  if (values.length === 1) return [values[0]];
  if (filled.length === values.length || filled.length === 0) return undefined;
  return [filled.length === 1 ? filled[0] : b.op('ConcatV2', [...filled, node.inputs.at(-1)!])];
}

/** No axes, or axes of size 1 that stay; not the last one, over which SOFTMAX and L2_NORMALIZATION are recognised. */
const reducesNothing = nothing((node) => {
  const [x, axes] = node.inputs;
  const rank = x.shape?.length;
  if (rank === 0 || axes.node.constant?.size === 0) return true;
  const list = numbers(axes);
  return rank !== undefined && !!list?.every((a) => axisOf(a, rank) !== rank - 1) && keepsShape(node);
});

const zeroPads = (node: Node) => isAll(node.inputs[1], 0);

const TABLE: RewriteTable = {
  Cast: nothing((node) => node.type('SrcT') === node.type('DstT')),
  Bitcast: nothing((node) => node.type('T') === node.type('type')),
  Reshape: first(
    nothing(keepsShape),
    // One after another: the last decides.
    (_, node, b) =>
      node.inputs[0].node.op === 'Reshape'
        ? [b.op('Reshape', [node.inputs[0].node.inputs[0], node.inputs[1]])]
        : undefined,
  ),
  Squeeze: nothing(keepsShape),
  BroadcastTo: nothing(keepsShape),
  Tile: nothing((node) => isAll(node.inputs[1], 1)),
  Slice: nothing(takesAll),
  Pad: nothing(zeroPads),
  PadV2: nothing(zeroPads),
  MirrorPad: nothing(zeroPads),
  Transpose: nothing((node) => numbers(node.inputs[1])?.every((p, i) => p === i) ?? false),
  ConcatV2: concat,
  Pack: (_, node, b) => {
    const { shape } = node.output();
    return node.inputs.length === 1 && isStatic(shape) ? [reshape(b, node.inputs[0], shape)] : undefined;
  },
  Sum: reducesNothing,
  Mean: reducesNothing,
  Prod: reducesNothing,
  Max: reducesNothing,
  Min: reducesNothing,
  All: reducesNothing,
  Any: reducesNothing,
  LeakyRelu: nothing((node) => node.float('alpha') === 1),
  Neg: inverseOf('Neg'),
  Invert: inverseOf('Invert'),
  Reciprocal: inverseOf('Reciprocal'),
  LogicalNot: logicalNot,

  AddV2: first(neutral(0, true), (_, node, b) => {
    const [x, y] = node.inputs;
    if (y.node.op === 'Neg') return [b.op('Sub', [x, y.node.inputs[0]])];
    return x.node.op === 'Neg' ? [b.op('Sub', [y, x.node.inputs[0]])] : undefined;
  }),
  Sub: first(neutral(0, false), (_, node, b) => {
    const [x, y] = node.inputs;
    return y.node.op === 'Neg' ? [b.op('AddV2', [x, y.node.inputs[0]])] : undefined;
  }),
  Mul: first(neutral(1, true), timesZero),
  MulNoNan: neverByZero('Mul'),
  DivNoNan: neverByZero('RealDiv'),
  RealDiv: neutral(1, false),
  Div: neutral(1, false),
  Pow: pow,
  Square: (_, node, b) => {
    const [x] = node.inputs;
    return x.node.op === 'Sub' && isFloat32(x) ? [b.op('SquaredDifference', x.node.inputs)] : undefined;
  },
  Log: (_, node, b) => {
    const inner = node.inputs[0].node;
    return inner.op === 'Softmax' ? [b.op('LogSoftmax', inner.inputs)] : undefined;
  },
  Maximum: maximum,
  Minimum: first(bounded, minimum),
  Relu: relu,
  ToBool: (_, node, b) => {
    const [x] = node.inputs;
    if (x.shape?.length !== 0 || x.dtype === 'string') return undefined;
    return [x.dtype === 'bool' ? x : b.op('NotEqual', [x, 0])];
  },
  Shape: (_, node) => {
    const { node: inner } = node.inputs[0];
    const [dims] = inner.inputs;
    const same = inner.op === 'Fill' && dims.dtype === node.type('out_type');
    return same ? [dims] : undefined;
  },
};

/** What has no elements is a constant, whatever computes it; kernels do not all take it. */
function foldEmpty(graph: Graph): void {
  for (const node of graph.sorted()) {
    if (node.op === 'Const' || node.op === 'Placeholder' || node.def?.stateful !== false) continue;
    if (node.def.outputs.length !== 1 || node.def.outputs[0].type.startsWith('*')) continue;
    const { dtype, shape } = node.output();
    if (!dtype || !isStatic(shape) || !shape.includes(0) || dtype === 'resource' || dtype === 'variant')
      continue;
    const empty =
      dtype === 'string' ? Tensor.fromStrings(shape, []) : Tensor.fromBytes(dtype, shape, new Uint8Array(0));
    graph.become(node, 'Const', [], { dtype: attr.type(dtype), value: attr.tensor(empty) });
  }
}

export function canonicalize(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  foldEmpty(graph);
  applyRewrites(graph, TABLE, signatures);
}
