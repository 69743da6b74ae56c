/** Scattering into tensors, and sums over segments. */
import { elementCount, isStatic, Tensor, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape } from '../dims';
import { tensorOf, type Rewriter, type RewriteTable } from '../rewrite';

const made =
  (build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined) =>
  (_: unknown, node: Node, b: Rewriter) => {
    const value = build(b, node.inputs, node);
    return value && [value];
  };

function shapeOf(b: Rewriter, x: Value): Value {
  return isStatic(x.shape) ? b.ints(x.shape) : b.op('Shape', [x]);
}

const asInt = (b: Rewriter, v: Value) => b.cast(v, 'int32');

/** Of known indices that name a place twice, the last update only; SCATTER_ND would add them. */
function lastOnly(b: Rewriter, indices: Value, updates: Value): [Value, Value] {
  const tensor = indices.node.constant;
  const depth = tensor?.shape.at(-1) ?? 0;
  if (!tensor || depth === 0 || tensor.shape.length !== 2) return [indices, updates];
  const all = tensor.toNumbers();
  const rows = range(tensor.shape[0]).map((i) => all.slice(i * depth, (i + 1) * depth));
  const last = new Map(rows.map((row, i) => [String(row), i]));
  if (last.size === rows.length) return [indices, updates];
  const kept = [...last.values()];
  const unique = Tensor.fromNumbers(
    'int32',
    [kept.length, depth],
    kept.flatMap((i) => rows[i]),
  );
  return [b.const(unique), b.op('GatherV2', [updates, b.ints(kept), b.ints(0)])];
}

/** The updates where indices point, x elsewhere. Indices that repeat must be known for the last to win. */
function update(b: Rewriter, [x, allIndices, allUpdates]: Value[]): Value {
  const [indices, updates] = lastOnly(b, allIndices, allUpdates);
  const shape = shapeOf(b, x);
  const places = asInt(b, indices);
  // How often each place is named: a mask, for repeated indices too.
  const dtype = x.dtype ?? 'float32';
  const ones = b.op('Fill', [shapeOf(b, updates), b.const(Tensor.scalar('int32', 1))]);
  const named = b.op('Greater', [b.op('ScatterNd', [places, ones, shape]), 0]);
  const scattered = b.op('ScatterNd', [places, updates, shape]);
  scattered.dtype = dtype;
  return b.op('SelectV2', [named, scattered, x]);
}

const extreme = (op: 'Maximum' | 'Minimum') =>
  made((b, [x, indices, updates]) => {
    const depth = indices.shape?.at(-1);
    const n = x.shape?.[0];
    if (depth !== 1 || n == null || !isStatic(updates.shape)) return undefined;
    const ids = reshape(b, asInt(b, indices), [elementCount(indices.shape as number[])]);
    const rows = reshape(b, updates, [
      elementCount(indices.shape as number[]),
      ...(x.shape as number[]).slice(1),
    ]);
    const segments = b.op(op === 'Maximum' ? 'UnsortedSegmentMax' : 'UnsortedSegmentMin', [
      rows,
      ids,
      b.ints(n),
    ]);
    return b.op(op, [x, segments]);
  });

/** The kernels take float32 and int32, and leave those types' limits in empty segments: cut to the narrower type's. */
const LIMITS: Partial<Record<string, [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  float16: [-65504, 65504],
};

const narrowSegments =
  (op: string) =>
  (_: unknown, node: Node, b: Rewriter): Value[] | undefined => {
    const [x, ids, num] = node.inputs;
    const limits = LIMITS[x.dtype ?? ''];
    if (!limits) return undefined;
    const wide = b.cast(x, x.dtype === 'float16' ? 'float32' : 'int32');
    const result = b.op(op, [wide, ids, num]);
    const clamped =
      op === 'UnsortedSegmentMax'
        ? b.op('Maximum', [result, limits[0]])
        : b.op('Minimum', [result, limits[1]]);
    return [b.cast(clamped, x.dtype!)];
  };

/** Segment ids that are known say how many segments there are, and which are empty. */
function segmentIds(node: Node): { count: number; sizes: number[] } | undefined {
  const ids = numbers(node.inputs[1]);
  if (!ids) return undefined;
  const count = ids.length ? ids[ids.length - 1] + 1 : 0;
  const sizes = range(count).map((s) => ids.filter((id) => id === s).length);
  return { count, sizes };
}

/** Empty segments are 0 here, but the type's limit or 1 in the unsorted kinds. */
const segment =
  (op: string) =>
  (_: unknown, node: Node, b: Rewriter): Value[] | undefined => {
    const found = segmentIds(node);
    const [x] = node.inputs;
    const rank = x.shape?.length;
    if (!found || !rank) return undefined;
    const result = b.op(op, [x, asInt(b, node.inputs[1]), b.ints(found.count)]);
    if (found.sizes.every((n) => n > 0) || op === 'UnsortedSegmentProd') return [result];
    const shape = [found.count, ...range(rank - 1).map(() => 1)];
    const full = Tensor.fromNumbers(
      'bool',
      shape,
      found.sizes.map((n) => (n > 0 ? 1 : 0)),
    );
    return [b.op('SelectV2', [full, result, b.scalar(x, 0)])];
  };

function perRow(b: Rewriter, sum: Value, divisors: number[]): Value {
  const rank = sum.shape!.length;
  const shape = [divisors.length, ...range(rank - 1).map(() => 1)];
  return b.op('RealDiv', [sum, tensorOf(sum.dtype ?? 'float32', shape, divisors)]);
}

/** Sums of gathered rows; means and the like divide by counts, known or counted. */
const sparseSegment = (kind: 'Sum' | 'Mean' | 'SqrtN') =>
  made((b, [data, indices, ids, num]) => {
    const rows = b.op('GatherV2', [data, indices, b.ints(0)]);
    const withNum = num !== undefined;
    const segments = asInt(b, ids);
    const sumOf = (v: Value) =>
      withNum ? b.op('UnsortedSegmentSum', [v, segments, asInt(b, num)]) : b.op('SegmentSum', [v, segments]);
    const sum = sumOf(rows);
    const rank = data.shape?.length;
    if (kind === 'Sum') return sum;
    if (!rank) return undefined;
    const known = withNum ? undefined : segmentIds({ inputs: [data, ids] } as unknown as Node);
    const root = (n: number) => Math.max(1, kind === 'Mean' ? n : Math.sqrt(n));
    if (known) return perRow(b, sum, known.sizes.map(root));
    const ones = b.op('Fill', [b.op('Shape', [segments]), b.scalar(data, 1)]);
    const counts = b.op('Maximum', [sumOf(ones), 1]);
    const divisor = kind === 'Mean' ? counts : b.op('Sqrt', [counts]);
    return b.op('RealDiv', [sum, b.op('Reshape', [divisor, [-1, ...range(rank - 1).map(() => 1)]])]);
  });

export const table: RewriteTable = {
  TensorScatterUpdate: made(update),
  TensorScatterAdd: made((b, [x, indices, updates]) =>
    b.op('AddV2', [x, b.op('ScatterNd', [asInt(b, indices), updates, shapeOf(b, x)])]),
  ),
  TensorScatterSub: made((b, [x, indices, updates]) =>
    b.op('Sub', [x, b.op('ScatterNd', [asInt(b, indices), updates, shapeOf(b, x)])]),
  ),
  TensorScatterMax: extreme('Maximum'),
  TensorScatterMin: extreme('Minimum'),
  ScatterNdNonAliasingAdd: made((b, [x, indices, updates]) =>
    b.op('TensorScatterAdd', [x, indices, updates]),
  ),
  UnsortedSegmentMax: narrowSegments('UnsortedSegmentMax'),
  UnsortedSegmentMin: narrowSegments('UnsortedSegmentMin'),
  SegmentMax: segment('UnsortedSegmentMax'),
  SegmentMin: segment('UnsortedSegmentMin'),
  SegmentProd: segment('UnsortedSegmentProd'),
  // The kernel wants ids from 0 on without gaps.
  SegmentSum: (_, node, b) => {
    const found = segmentIds(node);
    if (!found || found.sizes.every((n) => n > 0)) return undefined;
    return [b.op('UnsortedSegmentSum', [node.inputs[0], asInt(b, node.inputs[1]), b.ints(found.count)])];
  },
  SegmentMean: (_, node, b) => {
    const found = segmentIds(node);
    const [x, ids] = node.inputs;
    if (!found || !x.shape) return undefined;
    return [
      perRow(
        b,
        b.op('SegmentSum', [x, ids]),
        found.sizes.map((n) => Math.max(1, n)),
      ),
    ];
  },
  SparseSegmentSum: sparseSegment('Sum'),
  SparseSegmentMean: sparseSegment('Mean'),
  SparseSegmentSqrtN: sparseSegment('SqrtN'),
  SparseSegmentSumWithNumSegments: sparseSegment('Sum'),
  SparseSegmentMeanWithNumSegments: sparseSegment('Mean'),
  SparseSegmentSqrtNWithNumSegments: sparseSegment('SqrtN'),
};
