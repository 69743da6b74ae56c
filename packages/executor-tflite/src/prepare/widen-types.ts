/**
 * Given:  y = Op(x) of a type that the kernel does not take
 * Result: y = Cast(Op(Cast(x)))   in a wider type that gives the same result
 *
 * Only where it does: elements that just move, comparisons, integer arithmetic that wraps (the cast back wraps as
 * well), and float16, which is rounded once after being computed in float32.
 */
import { attr, type DType, type Graph, type Node, type Value } from '@floe/export-core';
import { loweringRow } from '../lower/table';
import { applyRewrites, argTypes, type Rewriter, type RewriteTable } from './rewrite';

const MOVES =
  'Pack Unpack ConcatV2 Pad PadV2 MirrorPad Tile BroadcastTo Fill Transpose ReverseV2 ReverseSequence SpaceToDepth ' +
  'DepthToSpace SpaceToBatchND BatchToSpaceND Slice StridedSlice Split SplitV Gather GatherV2 GatherNd Select ' +
  'SelectV2 MatrixDiag MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 OneHot ZerosLike ' +
  'ResizeNearestNeighbor Where SparseToDense XlaDynamicUpdateSlice';
const ORDER =
  'Maximum Minimum Max Min Less LessEqual Greater GreaterEqual Equal NotEqual ArgMax ArgMin TopKV2 Relu Relu6 Abs Sign ' +
  'MaxPool Unique FloorDiv FloorMod Div TruncateDiv Range Bucketize ' +
  'ResizeBilinear';
const WRAPS =
  'Add AddV2 Sub Mul Neg Square SquaredDifference AddN Sum Prod Cumsum SegmentSum UnsortedSegmentSum ' +
  'UnsortedSegmentProd ScatterNd Pow';
const FLOATS =
  'RealDiv Exp Log Sqrt Rsqrt Sin Cos Floor Ceil Round Rint Atan2 Elu LeakyRelu Sigmoid Tanh Softmax LogSoftmax Mean ' +
  'AvgPool LRN BiasAdd MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Conv2D DepthwiseConv2dNative ' +
  'Conv2DBackpropInput Conv3D Conv3DBackpropInputV2';

/** Types that hold every value of another, the nearest first. */
const WIDER: Partial<Record<DType, DType[]>> = {
  bool: ['int8', 'uint8', 'int32', 'float32'],
  int8: ['int16', 'int32', 'float32'],
  uint8: ['int32', 'float32'],
  int16: ['int32', 'float32'],
  uint16: ['int32', 'float32'],
  uint32: ['int64'],
  float16: ['float32'],
  bfloat16: ['float32'],
};
/** For arithmetic modulo the type's size a type of that size does, and sums need room in no type. */
const WRAPPING: Partial<Record<DType, DType[]>> = {
  int8: ['int32'],
  uint8: ['int32'],
  int16: ['int32'],
  uint16: ['int32'],
  uint32: ['int32', 'int64'],
  float16: ['float32'],
  bfloat16: ['float32'],
};
const HALVES: Partial<Record<DType, DType[]>> = { float16: ['float32'], bfloat16: ['float32'] };

/** The type attribute of the main operand, where it is not called `T`. */
const MAIN: Record<string, string> = {
  Gather: 'Tparams',
  GatherV2: 'Tparams',
  GatherNd: 'Tparams',
  Range: 'Tidx',
};

const widen =
  (wider: Partial<Record<DType, DType[]>>) =>
  (_: Graph, node: Node, b: Rewriter): Value[] | undefined => {
    const row = loweringRow(node.op);
    const name = MAIN[node.op] ?? 'T';
    const type = node.attr(name);
    if (!row?.refuse?.(node) || type?.kind !== 'type' || !node.def) return undefined;
    const inputTypes = argTypes(node.def, node.inputs.length);
    for (const dtype of wider[type.value] ?? []) {
      const inputs = node.inputs.map((v, i) => (inputTypes[i] === `@${name}` ? b.cast(v, dtype) : v));
      const attrs = { ...Object.fromEntries(node.attrs), [name]: attr.type(dtype) };
      const made = b.add(node.op, inputs, attrs);
      if (row.refuse(made)) continue;
      return outputsOf(node).map((isMain, i) =>
        isMain(name) ? b.cast(made.output(i), type.value) : made.output(i),
      );
    }
    return undefined;
  };

/** For each output, whether its type is that of a type attribute. */
function outputsOf(node: Node): ((name: string) => boolean)[] {
  return node.def!.outputs.flatMap(({ type }) => {
    if (!type.startsWith('*')) return [(name: string) => type === `@${name}`];
    const [count, of] = type.slice(1).split(':');
    return new Array(node.int(count)).fill((name: string) => of === `@${name}`) as ((
      name: string,
    ) => boolean)[];
  });
}

const rows = (ops: string, wider: Partial<Record<DType, DType[]>>): RewriteTable =>
  Object.fromEntries(ops.split(' ').map((op) => [op, widen(wider)]));

const TABLE: RewriteTable = {
  ...rows(MOVES, WIDER),
  ...rows(ORDER, WIDER),
  ...rows(WRAPS, WRAPPING),
  ...rows(FLOATS, HALVES),
};

export function widenTypes(graph: Graph): void {
  applyRewrites(graph, TABLE);
}
