/** Moving and counting elements. */
import { attr, isStatic, Tensor, type DType, type Node, type Value } from '@floe/export-core';
import { axisOf, numbers, product, range, reshape, sizeOf } from '../dims';
import { tensorOf, type Rewriter, type RewriteTable } from '../rewrite';

/** A node of one output per row from a function of inputs. */
const made =
  (build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined) =>
  (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs, node);
    return value && [value];
  };

/** x rolled along axes, one after the other: the end, then the beginning. Shifts of one axis add up. */
function roll(b: Rewriter, [x, shift, axis]: Value[]): Value | undefined {
  const shifts = numbers(shift);
  const axes = numbers(axis);
  const { shape } = x;
  if (!shape) return undefined;
  if (!axes) return rollByGather(b, x, shiftsByAxis(b, shape.length, shift, axis), range(shape.length));
  if (!shifts || axes.some((a) => shape[axisOf(a, shape.length)] === null))
    return rollByGather(b, x, shift, axes);
  const byAxis = new Map<number, number>();
  axes.forEach((a, i) => {
    const at = axisOf(a, shape.length);
    byAxis.set(at, (byAxis.get(at) ?? 0) + shifts[i]);
  });
  let rolled = x;
  for (const [at, by] of byAxis) {
    const size = shape[at];
    if (size === null) return undefined;
    const first = size === 0 ? 0 : (size - (((by % size) + size) % size)) % size;
    if (first === 0) continue;
    const part = (from: number, length: number) => {
      const begin = shape.map((_, k) => (k === at ? from : 0));
      return b.op('Slice', [rolled, b.ints(begin), b.ints(shape.map((_, k) => (k === at ? length : -1)))]);
    };
    rolled = b.op('ConcatV2', [part(first, size - first), part(0, first), b.ints(at)]);
  }
  return rolled;
}

/** How far each axis of a tensor is shifted, where only a run tells the axes: one that is named twice adds up. */
function shiftsByAxis(b: Rewriter, rank: number, shift: Value, axis: Value): Value {
  const flat = (v: Value) => b.op('Reshape', [b.cast(v, 'int32'), [-1]]);
  const named = b.op('FloorMod', [flat(axis), rank]);
  const each = b.op('Equal', [b.op('ExpandDims', [named, 0]), b.const(column(rank))]);
  return b.op('Sum', [b.op('Mul', [b.cast(each, 'int32'), flat(shift)]), [1]]);
}

const column = (n: number) => Tensor.fromNumbers('int32', [n, 1], range(n));

/** The same where a shift or a size is computed: element i comes from (i − shift) mod n. */
function rollByGather(b: Rewriter, x: Value, shift: Value, axes: readonly number[]): Value | undefined {
  const rank = x.shape!.length;
  const each = b.op('Reshape', [b.cast(shift, 'int32'), [-1]]);
  return axes.reduce((rolled, a, i) => {
    const axis = axisOf(a, rank);
    const size = sizeOf(b, x, axis);
    const places = typeof size === 'number' ? b.ints(range(size)) : b.op('Range', [0, size, 1]);
    const by = b.op('StridedSlice', [each, [i], [i + 1], [1]]);
    const from = b.op('FloorMod', [b.op('Sub', [places, by]), size]);
    return b.op('GatherV2', [rolled, from, b.ints(axis)]);
  }, x);
}

/**
 * The axes along which a gradient is summed to undo broadcasting: those of size 1, missing ones in front included;
 * none where both shapes are the same.
 */
function broadcastGradientArgs(b: Rewriter, shapes: Value[], dtype: DType): Value[] {
  const ranks = shapes.map((s) => b.op('Reshape', [b.op('Shape', [s]), []]));
  const rank = b.op('Maximum', ranks);
  const padded = shapes.map((s, i) => {
    const missing = b.op('Reshape', [b.op('Sub', [rank, ranks[i]]), [1]]);
    return b.op('ConcatV2', [b.op('Fill', [missing, b.scalar(s, 1)]), s, b.ints(0)]);
  });
  const differ = b.op('LogicalOr', [b.op('NotEqual', ranks), b.op('Any', [b.op('NotEqual', padded), [0]])]);
  return padded.map((s) => {
    const axes = b.op('Where', [b.op('LogicalAnd', [b.op('Equal', [s, b.scalar(s, 1)]), differ])]);
    return b.cast(b.op('Reshape', [axes, [-1]]), dtype);
  });
}

function linSpace(b: Rewriter, [start, stop, num]: Value[]): Value | undefined {
  const [n] = numbers(num) ?? [];
  if (n === undefined) return undefined;
  if (n === 1) return b.op('Reshape', [start, [1]]);
  const step = b.op('RealDiv', [b.op('Sub', [stop, start]), n - 1]);
  const steps = b.const(Tensor.fromNumbers(start.dtype ?? 'float32', [n], range(n)));
  return b.op('AddV2', [b.op('Mul', [steps, step]), start]);
}

/**
 * Blocks of other ranks than the kernels take (3 with one block size, 4 with two). Missing block sizes are 1; beyond
 * rank 4 the blocks are moved by RESHAPE and TRANSPOSE.
 */
function spaceToBatch(b: Rewriter, [x, block, paddings]: Value[]): Value | undefined {
  const found = blockOf(x, block, paddings);
  if (!found || !x.shape) return undefined;
  const { sizes, pads, rank } = found;
  if (rank <= 4) {
    return narrowBlocks(b, x, (wide) => {
      const missing = wide.shape!.length - 2 - sizes.length;
      const zeros = range(2 * missing).map(() => 0);
      const all = Tensor.fromNumbers('int32', [sizes.length + missing, 2], [...pads, ...zeros]);
      return b.op('SpaceToBatchND', [wide, [...sizes, ...range(missing).map(() => 1)], all]);
    });
  }
  const spatial = sizes.length;
  const rest = rank - 1 - spatial;
  const all = [0, 0, ...pads, ...range(2 * rest).map(() => 0)];
  const padded = b.op('Pad', [x, Tensor.fromNumbers('int32', [rank, 2], all)]);
  const at = (i: number) => padded.shape?.[i];
  if (!sizes.every((_, i) => typeof at(i + 1) === 'number')) return undefined;
  const inner = sizes.map((_, i) => (at(i + 1) as number) / sizes[i]);
  const tail = range(rest, 1 + spatial).map((i) => sizeOf(b, padded, i));
  const batch = sizeOf(b, padded, 0);
  const cut = reshape(b, padded, [batch, ...inner.flatMap((n, i) => [n, sizes[i]]), ...tail]);
  const perm = [
    ...sizes.map((_, i) => 2 + 2 * i),
    0,
    ...sizes.map((_, i) => 1 + 2 * i),
    ...range(rest, 1 + 2 * spatial),
  ];
  return reshape(b, b.op('Transpose', [cut, perm]), [product(b, [batch, ...sizes]), ...inner, ...tail]);
}

function batchToSpace(b: Rewriter, [x, block, crops]: Value[]): Value | undefined {
  const found = blockOf(x, block, crops);
  if (!found || !x.shape) return undefined;
  const { sizes, pads, rank } = found;
  if (rank <= 4) {
    return narrowBlocks(b, x, (wide) => {
      const missing = wide.shape!.length - 2 - sizes.length;
      const zeros = range(2 * missing).map(() => 0);
      const all = Tensor.fromNumbers('int32', [sizes.length + missing, 2], [...pads, ...zeros]);
      return b.op('BatchToSpaceND', [wide, [...sizes, ...range(missing).map(() => 1)], all]);
    });
  }
  const spatial = sizes.length;
  const rest = rank - 1 - spatial;
  if (!isStatic(x.shape)) return undefined;
  const batch = x.shape[0] / sizes.reduce((p, n) => p * n, 1);
  const inner = x.shape.slice(1, 1 + spatial);
  const tail = x.shape.slice(1 + spatial);
  const cut = reshape(b, x, [...sizes, batch, ...inner, ...tail]);
  const pairs = sizes.flatMap((_, i) => [spatial + 1 + i, i]);
  const moved = b.op('Transpose', [cut, [spatial, ...pairs, ...range(rest, 1 + 2 * spatial)]]);
  const whole = reshape(b, moved, [batch, ...inner.map((n, i) => n * sizes[i]), ...tail]);
  if (pads.every((p) => p === 0)) return whole;
  const begin = [0, ...sizes.map((_, i) => pads[2 * i]), ...tail.map(() => 0)];
  const size = [batch, ...inner.map((n, i) => n * sizes[i] - pads[2 * i] - pads[2 * i + 1]), ...tail];
  return b.op('Slice', [whole, b.ints(begin), b.ints(size)]);
}

/** Block sizes and paddings where they are constant and the kernel does not take them. */
function blockOf(x: Value, block: Value, amounts: Value) {
  const sizes = numbers(block);
  const pads = numbers(amounts);
  const rank = x.shape?.length;
  if (!sizes || !pads || !rank) return undefined;
  if (rank === sizes.length + 2 && (rank === 3 || rank === 4)) return undefined;
  return { sizes, pads, rank };
}

/** Gives a matrix, which has no kernel, a third axis of size 1 meanwhile. */
function narrowBlocks(b: Rewriter, x: Value, run: (wide: Value) => Value): Value {
  const rank = x.shape!.length;
  if (rank !== 2) return run(x);
  const moved = run(reshape(b, x, [sizeOf(b, x, 0), sizeOf(b, x, 1), 1]));
  return reshape(b, moved, [sizeOf(b, moved, 0), sizeOf(b, moved, 1)]);
}

/** The kernel reverses neighbouring axes only, and wants one at least. */
function reverse(b: Rewriter, [x, axisValue]: Value[]): Value | undefined {
  const axes = numbers(axisValue);
  const rank = x.shape?.length;
  if (!axes || rank === undefined) return undefined;
  const sorted = axes.map((a) => axisOf(a, rank)).sort((p, q) => p - q);
  if (sorted.length && sorted.every((a, i) => a === sorted[0] + i)) return undefined;
  return sorted.reduce((v, axis) => b.op('ReverseV2', [v, [axis]]), x);
}

/** Fewer than k are larger than the target's prediction: ties count for it. */
function inTopK(b: Rewriter, predictions: Value, targets: Value, k: Value): Value {
  const places = b.op('ExpandDims', [b.cast(targets, 'int32'), b.ints(1)]);
  const wanted = b.op('GatherV2', [predictions, places, b.ints(1)], { batch_dims: attr.int(1) });
  const larger = b.op('Cast', [b.op('Greater', [predictions, wanted])], { DstT: attr.type('int32') });
  return b.op('Less', [b.op('Sum', [larger, [1]]), k]);
}

/** How often each number below a known size occurs, or the sum of its weights; no weights are an empty tensor. */
function counted(
  b: Rewriter,
  ids: Value,
  size: Value,
  weights: Value,
  flatten: boolean,
  binary: boolean,
): Value | undefined {
  const [n] = numbers(size) ?? [];
  if (n === undefined || !weights.shape) return undefined;
  const dtype = weights.dtype ?? 'float32';
  const rows = b.op('OneHot', [ids, b.ints(n), ...[1, 0].map((v) => tensorOf(dtype, [], [v]))]);
  if (binary) return b.op('Max', [rows, [-2]]);
  if (weights.shape.includes(0)) return b.op('Sum', [rows, [-2]]);
  const each = flatten ? b.op('Reshape', [weights, [-1]]) : weights;
  return b.op('Sum', [b.op('Mul', [rows, b.op('ExpandDims', [each, b.ints(-1)])]), [-2]]);
}

/** Running products along a short axis, one factor after the other. */
const MAX_UNROLLED = 64;

function cumprod(b: Rewriter, [x, axisValue]: Value[], node: Node): Value | undefined {
  const [at] = numbers(axisValue) ?? [];
  if (at === undefined || !x.shape) return undefined;
  const axis = axisOf(at, x.shape.length);
  const size = x.shape[axis];
  if (size === null || size > MAX_UNROLLED || size === 0) return undefined;
  const parts = range(size).map((i) => {
    const begin = b.ints(x.shape!.map((_, k) => (k === axis ? i : 0)));
    return b.op('Slice', [x, begin, b.ints(x.shape!.map((_, k) => (k === axis ? 1 : -1)))]);
  });
  const order = node.bool('reverse') ? range(size).reverse() : range(size);
  const result: Value[] = [];
  let running: Value | undefined;
  for (const i of order) {
    if (node.bool('exclusive'))
      result[i] = running ?? b.op('Fill', [b.op('Shape', [parts[i]]), b.scalar(x, 1)]);
    running = running ? b.op('Mul', [running, parts[i]]) : parts[i];
    if (!node.bool('exclusive')) result[i] = running;
  }
  return size === 1 ? result[0] : b.op('ConcatV2', [...result, b.ints(axis)]);
}

export const table: RewriteTable = {
  Roll: made(roll),
  BroadcastGradientArgs: (_, node, b) => broadcastGradientArgs(b, node.inputs, node.type('T')),
  LinSpace: made(linSpace),
  InvertPermutation: made((b, [p]) => {
    const n = sizeOf(b, p, 0);
    const counted = typeof n === 'number' ? b.ints(range(n)) : b.op('Range', [0, n, 1]);
    const places = b.op('ExpandDims', [p, b.ints(-1)]);
    const size = typeof n === 'number' ? b.ints([n]) : b.op('Shape', [p]);
    const inverse = b.op('ScatterNd', [b.cast(places, 'int32'), counted, size]);
    return b.cast(inverse, p.dtype ?? 'int32');
  }),
  SpaceToBatchND: made(spaceToBatch),
  BatchToSpaceND: made(batchToSpace),

  Size: made((b, [x], node) => b.op('Prod', [b.op('Shape', [x], { out_type: node.attr('out_type')! }), [0]])),
  OnesLike: made((b, [x]) => b.op('Fill', [b.op('Shape', [x]), b.scalar(x, 1)])),
  ZerosLike: made((b, [x]) =>
    /^(float32|int32|int64|string)$/.test(x.dtype ?? '')
      ? undefined
      : b.op('Fill', [b.op('Shape', [x]), b.scalar(x, 0)]),
  ),
  Empty: made((b, [dims], node) => b.op('Fill', [dims, tensorOf(node.type('dtype'), [], [0])])),
  ShapeN: (_, node, b) => node.inputs.map((v) => b.op('Shape', [v], { out_type: node.attr('out_type')! })),
  ReverseV2: made(reverse),
  // Of texts GATHER takes vectors only.
  GatherV2: made((b, [x, indices, axis], node) => {
    const isTable = x.dtype === 'string' && (x.shape?.length ?? 1) !== 1;
    if (!isTable || numbers(axis)?.[0] !== 0 || node.int('batch_dims') !== 0) return undefined;
    return b.op('GatherNd', [x, b.op('ExpandDims', [indices, b.ints(-1)])]);
  }),
  ConjugateTranspose: made((b, [x, perm]) =>
    /^complex/.test(x.dtype ?? '') ? undefined : b.op('Transpose', [x, perm]),
  ),
  ParallelConcat: made((b, inputs) =>
    inputs.length === 1 ? inputs[0] : b.op('ConcatV2', [...inputs, b.ints(0)]),
  ),

  TopK: (_, node, b) => {
    const top = b.add('TopKV2', [node.inputs[0], b.ints(node.int('k'))]);
    return [top.output(0), top.output(1)];
  },
  InTopK: made((b, [predictions, targets], node) => inTopK(b, predictions, targets, b.ints(node.int('k')))),
  InTopKV2: made((b, [predictions, targets, k]) => inTopK(b, predictions, targets, b.cast(k, 'int32'))),
  UniqueV2: (_, node, b) => {
    const [x] = node.inputs;
    if (x.shape?.length !== 1) return undefined;
    const unique = b.add('Unique', [x], { out_idx: node.attr('out_idx')! });
    return [unique.output(0), unique.output(1)];
  },
  Bincount: made((b, [ids, size, weights]) =>
    counted(b, b.op('Reshape', [ids, [-1]]), size, weights, true, false),
  ),
  DenseBincount: made((b, [ids, size, weights], node) =>
    counted(b, ids, size, weights, false, node.bool('binary_output')),
  ),
  Cumprod: made(cumprod),
  Cross: made((b, [x, y]) => {
    const rank = x.shape?.length;
    if (!rank) return undefined;
    const turned = (v: Value, order: number[]) => b.op('GatherV2', [v, b.ints(order), b.ints(rank - 1)]);
    const first = b.op('Mul', [turned(x, [1, 2, 0]), turned(y, [2, 0, 1])]);
    return b.op('Sub', [first, b.op('Mul', [turned(x, [2, 0, 1]), turned(y, [1, 2, 0])])]);
  }),
};
