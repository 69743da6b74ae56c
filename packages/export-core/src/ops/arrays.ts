/** Ops that hand a tensor on or give it another shape. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { transposeTensor, Cells } from './kernels/cells';
import { dimSource, originOf } from './kernels/dim-source';
import {
  always,
  axisIn,
  inferAxis,
  knownInts,
  lengthOf,
  likeInput,
  mergeKnown,
  moving,
  mulDims,
  out,
  productOf,
  rankAtLeast,
  refuse,
  scalarInput,
  shapeInput,
  unknownDims,
  upTo,
} from './kernels/shape-rules';
import { compatible, elementCount, type Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

const identity: OpRow = moving([0], likeInput(), ([x]) => [x]);

/** A placeholder's own shape, or what a graph written by TensorFlow says of its argument nodes. */
const declared: OpRow = {
  infer: ({ node }) => {
    const shape = node.attrs.get('shape');
    if (shape?.kind === 'shape') return out(shape.value);
    const outputs = node.attrs.get('_output_shapes');
    return out(
      outputs?.kind === 'list' && outputs.value[0]?.kind === 'shape' ? outputs.value[0].value : null,
    );
  },
};

function checkNumerics([x]: readonly Tensor[]): Tensor[] {
  for (let i = 0; i < x.size; i++) if (!Number.isFinite(x.at(i))) refuse('the tensor has Inf or NaN values');
  return [x];
}

/**
 * Unknown sizes that the new shape takes over from the input itself, as in reshape(x, [shape(x)[0], -1]): pairs of
 * the input's dimension and the output's.
 */
function keptDims(c: InferContext, input: readonly Dim[], target: readonly Dim[]): [number, number][] {
  const x = originOf(c.node.inputs[0]);
  const pairs: [number, number][] = [];
  target.forEach((d, to) => {
    const source = d === null && c.elements(1)?.[to] === null ? dimSource(c.node.inputs[1], to) : undefined;
    if (source?.value !== x || input[source.dim] !== null || pairs.some(([from]) => from === source.dim))
      return;
    pairs.push([source.dim, to]);
  });
  return pairs;
}

function inferReshape(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const target = shapeInput(c, 1);
  if (target === null || input === null) return out(target);
  const kept = keptDims(c, input, target);
  const rest = input.filter((_, i) => !kept.some(([from]) => from === i));
  const open = target.flatMap((d, i) => (d === null && !kept.some(([, to]) => to === i) ? [i] : []));
  const have = input.includes(0) ? 0 : productOf(rest);
  const want = productOf(target.filter((d) => d !== null)) as number;
  if (have === null) return out(target);
  if (open.length === 0) {
    if (have !== want && kept.length === 0) c.fail(`${have} elements do not fit [${target.join(',')}]`);
  } else if (open.length === 1 && want > 0) {
    if (have % want) c.fail(`${have} elements do not divide by ${want}`);
    target[open[0]] = have / want;
  }
  return out(target);
}

function reshape([x, shape]: readonly Tensor[]): Tensor[] {
  const dims = shape.toNumbers();
  const open = dims.indexOf(-1);
  if (open !== dims.lastIndexOf(-1) || dims.some((d) => d < -1))
    refuse(`a tensor cannot have shape [${dims.join(',')}]`);
  if (open >= 0) {
    const rest = elementCount(dims.filter((d) => d !== -1));
    if (rest === 0 ? x.size !== 0 : x.size % rest !== 0)
      refuse(`${x.size} elements do not divide by ${rest}`);
    dims[open] = rest === 0 ? 0 : x.size / rest;
  }
  return [x.reshape(dims)];
}

/** Axes counted from the front, each of them once; undefined when the list is no permutation. */
function permutation(axes: readonly number[], rank: number): number[] | undefined {
  const order = axes.map((a) => (a < 0 ? a + rank : a));
  const valid =
    order.length === rank && new Set(order).size === rank && order.every((a) => a >= 0 && a < rank);
  return valid ? order : undefined;
}

function inferTranspose(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const perm = knownInts(c, 1);
  const rank = input?.length ?? perm?.length ?? lengthOf(c, 1);
  if (rank === null) return out(null);
  // A permutation of length 1 goes with a scalar too: that is the one input of unknown rank that stays so.
  if (!input && rank < 2) return out(null);
  const length = lengthOf(c, 1);
  if (length !== null && length !== rank) c.fail(`a permutation of ${length} axes does not fit rank ${rank}`);
  if (!perm) return out(unknownDims(rank));
  const order = permutation(perm, rank) ?? c.fail(`[${perm.join(',')}] is no permutation`);
  return out(order.map((p) => (input ? input[p] : null)));
}

function transpose([x, perm]: readonly Tensor[]): Tensor[] {
  const order = permutation(perm.toNumbers(), x.shape.length);
  return [
    transposeTensor(
      x,
      order ?? refuse(`[${perm.toNumbers().join(',')}] does not permute [${x.shape.join(',')}]`),
    ),
  ];
}

function conjugate(x: Tensor): Tensor {
  if (x.dtype !== 'complex64' && x.dtype !== 'complex128') return x;
  const data = x.data.slice() as Float32Array | Float64Array;
  for (let i = 1; i < data.length; i += 2) data[i] = -data[i];
  return Tensor.fromArray(x.dtype, x.shape, data);
}

function inferSqueeze(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const axes = c.node.ints('squeeze_dims');
  if (input === null) return out(null);
  if (axes.length === 0) return out(input.includes(null) ? null : input.filter((d) => d !== 1));
  const gone = new Set(axes.map((a) => inferAxis(c, a, input.length)));
  for (const a of gone)
    if (input[a] !== null && input[a] !== 1) c.fail(`axis ${a} of size ${input[a]} cannot go`);
  return out(input.filter((_, i) => !gone.has(i)));
}

const squeeze: OpRow = moving([0], inferSqueeze, ([x], node) => {
  const axes = node.ints('squeeze_dims').map((a) => axisIn(a, x.shape.length));
  if (axes.some((a) => x.shape[a] !== 1))
    refuse(`[${x.shape.join(',')}] cannot lose axes [${axes.join(',')}]`);
  return [x.reshape(x.shape.filter((d, i) => (axes.length ? !axes.includes(i) : d !== 1)))];
});

function inferExpandDims(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  if (input === null) return out(null);
  const axis = scalarInput(c, 1);
  if (axis === null) return out(unknownDims(input.length + 1));
  return out(input.toSpliced(inferAxis(c, axis, input.length + 1), 0, 1));
}

function inferTile(c: InferContext): OutputInfo[] {
  const input = c.shape(0);
  const multiples = shapeInput(c, 1) ?? (input && lengthOf(c, 1) === null ? unknownDims(input.length) : null);
  if (multiples === null) return out(null);
  if (input && input.length !== multiples.length)
    c.fail(`${multiples.length} multiples do not fit rank ${input.length}`);
  return out(multiples.map((m, i) => mulDims(input ? input[i] : null, m)));
}

function tile([x, multiples]: readonly Tensor[]): Tensor[] {
  const times = multiples.toNumbers();
  if (times.length !== x.shape.length || times.some((m) => m < 0)) {
    refuse(`multiples [${times.join(',')}] do not fit [${x.shape.join(',')}]`);
  }
  let result = x;
  // Innermost first: each step copies whole runs of what is there already.
  for (let d = x.shape.length - 1; d >= 0; d--) {
    if (times[d] === 1) continue;
    const run = elementCount(result.shape.slice(d));
    const outer = elementCount(result.shape.slice(0, d));
    const cells = Cells.make(x.dtype, outer * run * times[d]);
    const source = Cells.of(result);
    for (let i = 0; i < outer; i++) {
      for (let k = 0; k < times[d]; k++) cells.copy((i * times[d] + k) * run, source, i * run, run);
    }
    result = cells.tensor(result.shape.with(d, result.shape[d] * times[d]));
  }
  return [result];
}

export const table: OpTable = {
  Const: { infer: ({ node }) => out(node.constant ? [...node.constant.shape] : null) },
  Placeholder: declared,
  PlaceholderV2: declared,
  ImmutableConst: declared,
  _Arg: declared,
  _DeviceArg: declared,
  // The value of the default is no knowledge: it may be fed.
  PlaceholderWithDefault: { infer: (c) => out(c.node.shape('shape')) },
  Identity: identity,
  RefIdentity: { infer: identity.infer },
  StopGradient: identity,
  PreventGradient: identity,
  Snapshot: identity,
  DeepCopy: identity,
  DebugGradientIdentity: identity,
  DebugGradientRefIdentity: { infer: identity.infer },
  XlaSharding: { infer: identity.infer },
  CheckNumerics: { infer: likeInput(), evaluate: checkNumerics },
  CheckNumericsV2: { infer: likeInput(), evaluate: checkNumerics },
  IdentityN: {
    infer: (c) => upTo(c.count).map((i) => ({ shape: c.shape(i), elements: c.elements(i) })),
    evaluate: (inputs) => [...inputs],
  },
  EnsureShape: moving(
    [0],
    (c) => out(mergeKnown(c, c.shape(0), c.node.shape('shape'))),
    ([x], node) =>
      compatible(x.shape as number[], node.shape('shape')) ? [x] : refuse('the tensor has another shape'),
  ),
  Reshape: moving([0], inferReshape, reshape),
  Transpose: moving([0], inferTranspose, transpose),
  ConjugateTranspose: { infer: inferTranspose, evaluate: (inputs) => [conjugate(transpose(inputs)[0])] },
  Squeeze: squeeze,
  ExpandDims: moving([0], inferExpandDims, ([x, axis]) => {
    if (axis.size !== 1) refuse('the axis must be one number');
    return [x.reshape(x.shape.toSpliced(axisIn(axis.at(0), x.shape.length + 1), 0, 1))];
  }),
  Tile: moving([0], inferTile, tile),
  InvertPermutation: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 1);
      const perm = knownInts(c, 0);
      return out(shape ?? [null], perm && perm.map((_, i) => perm.indexOf(i)));
    },
    evaluate: ([x]) => {
      const inverse = new Array<number>(x.size).fill(-1);
      x.toNumbers().forEach((p, i) => (inverse[p] = i));
      if (inverse.length !== x.size || inverse.includes(-1)) refuse('the vector is no permutation');
      return [Tensor.fromNumbers(x.dtype, x.shape, inverse)];
    },
  },
  NoOp: { infer: always() },
};
