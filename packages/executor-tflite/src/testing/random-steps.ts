/** The steps of random graphs: one op each, with settings that fit its operand. */
import { attr, type Attr, type DType } from '@floe/export-core';
import type { Choices, Known, RandomGraph } from './random-graphs';

export interface Step {
  takes(x: Known): boolean;
  apply(graph: RandomGraph, x: Known, c: Choices): void;
}

const isFloat = ({ tensor }: Known) => tensor.dtype === 'float32';
const isNumber = ({ tensor }: Known) => tensor.dtype !== 'bool';
const isExact = (x: Known) => x.exact;
const rank = ({ tensor }: Known) => tensor.shape.length;
const hasRank =
  (low: number, high = 6) =>
  (x: Known) =>
    rank(x) >= low && rank(x) <= high;
const isImage = (x: Known) => isFloat(x) && rank(x) === 4;

type Test = (x: Known) => boolean;
const step = (tests: Test[], apply: Step['apply'], weight = 1): Step[] =>
  new Array<Step>(weight).fill({ takes: (x) => tests.every((t) => t(x)), apply });

const unary = (ops: string, tests: Test[], exact = false, weight = 1): Step[] =>
  step(tests, (g, x, c) => g.add(c.of(ops.split(' ')), [x], {}, exact), weight);

const allAbove =
  (limit: number): Test =>
  ({ tensor }) =>
    tensor.toNumbers().every((v) => v > limit);
const allWithin =
  (limit: number): Test =>
  ({ tensor }) =>
    tensor.toNumbers().every((v) => Math.abs(v) <= limit);

const PADDING = ['SAME', 'VALID'];
const format = { data_format: attr.string('NHWC') };

/** Another operand of that type: a value that broadcasts, or a constant of a shape that people write. */
function partner(g: RandomGraph, { tensor }: Known, c: Choices): Known {
  const { shape, dtype } = tensor;
  const kind = c.below(6);
  const seed = c.below(1000);
  const others = g.values.filter((v) => v.tensor.dtype === dtype && broadcasts(v.tensor.shape, shape));
  if (kind === 4 && others.length) return c.of(others);
  if (kind === 0) return g.constant(dtype, [], seed);
  if (kind === 1) return g.constant(dtype, shape.slice(-1), seed);
  if (kind === 2) {
    const kept = c.below(Math.max(1, shape.length));
    return g.constant(
      dtype,
      shape.map((d, i) => (i === kept ? d : 1)),
      seed,
    );
  }
  return g.constant(dtype, shape, seed);
}

function broadcasts(a: readonly number[], b: readonly number[]): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const rest = long.slice(long.length - short.length);
  return short.every((d, i) => d === rest[i] || d === 1 || rest[i] === 1);
}

const binary = (ops: string, tests: Test[], exact = false, second: Test = () => true, weight = 1): Step[] =>
  step(
    tests,
    (g, x, c) => {
      const op = c.of(ops.split(' '));
      const y = partner(g, x, c);
      const swaps = c.below(2) === 1;
      if (!second(swaps ? x : y)) return;
      g.add(op, swaps ? [y, x] : [x, y], {}, exact);
    },
    weight,
  );

function axesOf(x: Known, c: Choices): number[] {
  const axes = x.tensor.shape.map((_, i) => i).filter(() => c.below(2) === 0);
  return axes.length ? axes : [-1];
}

const ARITHMETIC: Step[] = [
  ...unary('Relu Relu6', [isFloat], true, 4),
  ...unary('Tanh Sigmoid Softplus Elu Selu Softsign Sin Cos Square', [isFloat]),
  ...unary('Neg Abs', [(x) => isFloat(x) || x.tensor.dtype === 'int32'], true),
  ...unary('Exp Expm1', [isFloat, allWithin(4)]),
  ...unary('Sqrt Rsqrt Log', [isFloat, allAbove(0.1)]),
  ...unary('Floor Ceil Round Sign', [isFloat, isExact], true),
  ...unary('LogicalNot', [(x) => x.tensor.dtype === 'bool'], true),
  ...step([isFloat], (g, x, c) => g.add('LeakyRelu', [x], { alpha: attr.float(c.of([0.2, 0.01])) })),
  ...binary('AddV2 Mul Sub', [isNumber], false, undefined, 5),
  ...binary('Maximum Minimum', [isNumber], true),
  ...binary('RealDiv', [isFloat], false, (y) => y.tensor.toNumbers().every((v) => Math.abs(v) > 0.1), 2),
  ...binary('SquaredDifference', [isFloat]),
  ...binary(
    'FloorDiv FloorMod',
    [(x) => x.tensor.dtype === 'int32'],
    true,
    (y) => !y.tensor.toNumbers().includes(0),
  ),
  ...binary('Less LessEqual Greater GreaterEqual Equal NotEqual', [isExact, isNumber], true),
  ...binary('LogicalAnd LogicalOr', [(x) => x.tensor.dtype === 'bool'], true),
  ...step([(x) => isExact(x) && isNumber(x)], (g, x, c) => {
    const DstT = attr.type(c.of<DType>(['float32', 'int32', 'int64', 'bool']));
    g.add('Cast', [x], { SrcT: attr.type(x.tensor.dtype), DstT }, true);
  }),
  ...step([(x) => x.tensor.dtype === 'bool'], (g, x, c) => {
    const [a, b] = [0, 1].map((i) => g.constant('float32', x.tensor.shape, c.below(1000) + i));
    g.add('SelectV2', [x, a, b], {}, true);
  }),
];

const REDUCTIONS: Step[] = [
  ...step([isFloat, hasRank(1)], (g, x, c) => {
    const keep = { keep_dims: attr.bool(c.below(2) === 1) };
    const op = c.of(['Mean', 'Sum', 'Max', 'Min']);
    g.add(op, [x, axesOf(x, c)], keep, op.startsWith('M') && op !== 'Mean');
  }),
  ...step([isExact, isNumber, hasRank(1)], (g, x, c) =>
    g.add(c.of(['ArgMax', 'ArgMin']), [x, c.below(rank(x))], { output_type: attr.type('int32') }, true),
  ),
  ...step([isFloat, hasRank(1)], (g, x) => g.add('Softmax', [x])),
  ...step([isFloat, hasRank(1)], (g, x, c) => g.add('Cumsum', [x, c.below(rank(x))])),
];

const MOVES: Step[] = [
  ...step(
    [hasRank(2)],
    (g, x, c) => {
      const perm = x.tensor.shape.map((_, i) => i);
      for (let i = perm.length - 1; i > 0; i--) {
        const j = c.below(i + 1);
        [perm[i], perm[j]] = [perm[j], perm[i]];
      }
      g.add('Transpose', [x, perm], {}, true);
    },
    4,
  ),
  ...step(
    [hasRank(1, 5)],
    (g, x, c) => {
      const { shape } = x.tensor;
      const at = c.below(shape.length);
      const joined = at + 1 < shape.length ? [...shape.slice(0, at), -1, ...shape.slice(at + 2)] : [-1];
      g.add('Reshape', [x, c.of([joined, [shape[0], -1], [...shape, 1], [1, ...shape]])], {}, true);
    },
    3,
  ),
  ...step([hasRank(0, 5)], (g, x, c) => g.add('ExpandDims', [x, c.below(rank(x) + 1)], {}, true)),
  ...step([(x) => x.tensor.shape.includes(1)], (g, x) => g.add('Squeeze', [x], {}, true)),
  ...step([hasRank(1)], (g, x, c) => {
    const axis = c.below(rank(x));
    const others = g.values.filter(
      (v) =>
        v.tensor.dtype === x.tensor.dtype &&
        v.tensor.shape.length === rank(x) &&
        v.tensor.shape.every((d, i) => i === axis || d === x.tensor.shape[i]),
    );
    const more = Array.from({ length: c.between(1, 2) }, () => c.of(others));
    g.add('ConcatV2', [x, ...more, axis], { N: attr.int(1 + more.length) }, true);
  }),
  ...step([hasRank(0, 4)], (g, x, c) =>
    g.add('Pack', [x, x], { N: attr.int(2), axis: attr.int(c.below(rank(x) + 1)) }, true),
  ),
  ...step([hasRank(1)], (g, x, c) => {
    const axis = c.below(rank(x));
    const num = attr.int(x.tensor.shape[axis]);
    g.add('Unpack', [x], { num, axis: attr.int(axis) }, true);
  }),
  ...step([hasRank(1)], (g, x, c) => {
    const axis = c.below(rank(x));
    const count = x.tensor.shape[axis] % 2 ? 1 : 2;
    g.add('Split', [axis, x], { num_split: attr.int(count) }, true);
  }),
  ...step([hasRank(1, 5)], (g, x, c) => {
    const begin = x.tensor.shape.map((d) => c.below(d));
    const size = x.tensor.shape.map((d, i) => (c.below(2) ? -1 : 1 + c.below(d - begin[i])));
    g.add('Slice', [x, begin, size], {}, true);
  }),
  ...step([hasRank(1, 5)], (g, x, c) => {
    const strides = x.tensor.shape.map(() => c.of([1, 2, -1]));
    const shrinks = c.below(3) === 2 ? 1 : 0;
    if (shrinks) strides[0] = 1;
    const zeros = strides.map(() => 0);
    const settings = {
      begin_mask: attr.int(63 - shrinks),
      end_mask: attr.int(63),
      shrink_axis_mask: attr.int(shrinks),
    };
    g.add('StridedSlice', [x, zeros, zeros, strides], settings, true);
  }),
  ...step(
    [hasRank(1, 4)],
    (g, x, c) => {
      const pads = x.tensor.shape.map((_, i) => (i === 0 ? [0, 0] : [c.below(3), c.below(2)]));
      g.add('Pad', [x, g.constantInts(pads)], {}, true);
    },
    2,
  ),
  ...step([hasRank(1, 4)], (g, x, c) =>
    g.add('Tile', [x, x.tensor.shape.map(() => c.between(1, 2))], { Tmultiples: attr.type('int32') }, true),
  ),
  ...step([hasRank(1, 5)], (g, x, c) =>
    g.add('ReverseV2', [x, [c.below(rank(x))]], { Tidx: attr.type('int32') }, true),
  ),
  ...step([hasRank(1, 5)], (g, x, c) => {
    const axis = c.below(rank(x));
    const indices = Array.from({ length: c.between(1, 3) }, () => c.below(x.tensor.shape[axis]));
    g.add('GatherV2', [x, indices, axis], {}, true);
  }),
];

const SAMPLINGS: Record<string, Attr>[] = [
  {},
  { half_pixel_centers: attr.bool(true) },
  { align_corners: attr.bool(true) },
];

const channels = ({ tensor }: Known) => tensor.shape.at(-1)!;

const LAYERS: Step[] = [
  ...step(
    [isImage],
    (g, x, c) => {
      const [kh, kw] = [c.between(1, 3), c.between(1, 3)];
      const stride = c.between(1, 2);
      const dilation = stride === 1 ? c.between(1, 2) : 1;
      const settings = {
        strides: attr.ints([1, stride, stride, 1]),
        dilations: attr.ints([1, dilation, dilation, 1]),
        padding: attr.string(c.of(PADDING)),
        ...format,
      };
      const deep = c.below(3) === 2;
      const last = c.between(1, deep ? 2 : 4);
      const filter = g.constant('float32', [kh, kw, channels(x), last], c.below(1000));
      g.add(deep ? 'DepthwiseConv2dNative' : 'Conv2D', [x, filter], settings);
    },
    5,
  ),
  ...step(
    [isImage],
    (g, x, c) => g.add('BiasAdd', [x, g.constant('float32', [channels(x)], c.below(1000))], format),
    2,
  ),
  ...step(
    [isImage],
    (g, x, c) => {
      const statistics = [0, 1, 2].map((i) => g.constant('float32', [channels(x)], c.below(1000) + i));
      const variance = g.positive([channels(x)], c.below(1000));
      const settings = { is_training: attr.bool(false), U: attr.type('float32'), ...format };
      g.add('FusedBatchNormV3', [x, ...statistics, variance], settings);
    },
    2,
  ),
  ...step(
    [isImage],
    (g, x, c) => {
      const size = c.between(1, 3);
      const settings = {
        ksize: attr.ints([1, size, size, 1]),
        strides: attr.ints([1, c.between(1, 2), c.between(1, 2), 1]),
        padding: attr.string(c.of(PADDING)),
        ...format,
      };
      const op = c.of(['MaxPool', 'AvgPool']);
      g.add(op, [x], settings, op === 'MaxPool');
    },
    2,
  ),
  ...step([isImage], (g, x, c) =>
    g.add(
      c.of(['ResizeBilinear', 'ResizeNearestNeighbor']),
      [x, [c.between(1, 6), c.between(1, 6)]],
      c.of(SAMPLINGS),
    ),
  ),
  ...step(
    [isFloat, hasRank(2, 2)],
    (g, x, c) => {
      const transposed = c.below(2) === 1;
      const shape = transposed ? [c.between(1, 4), channels(x)] : [channels(x), c.between(1, 4)];
      const weights = g.constant('float32', shape, c.below(1000));
      g.add('MatMul', [x, weights], { transpose_b: attr.bool(transposed) });
    },
    3,
  ),
  ...step([isFloat, hasRank(2, 4)], (g, x, c) => {
    const adjoint = c.below(2) === 1;
    const weights = g.constant(
      'float32',
      adjoint ? [c.between(1, 4), channels(x)] : [channels(x), c.between(1, 4)],
      c.below(1000),
    );
    g.add('BatchMatMulV2', [x, weights], { adj_y: attr.bool(adjoint) });
  }),
  ...step([isFloat, hasRank(3, 4)], (g, x) => g.add('BatchMatMulV2', [x, x], { adj_y: attr.bool(true) })),
];

export const STEPS: Step[] = [...LAYERS, ...ARITHMETIC, ...MOVES, ...REDUCTIONS];
