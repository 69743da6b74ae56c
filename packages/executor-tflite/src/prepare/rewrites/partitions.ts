/** Rows dealt out to parts, and put together again: partitioned embeddings look up this way. */
import { isStatic, type Node, type Value } from '@floe/export-core';
import { numbers, range, reshape, sizeOf } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

/** A value's cells: its sizes behind the first `rank` axes; undefined where they are not known. */
function cellOf(x: Value, rank: number | undefined): number[] | undefined {
  const cell = rank === undefined ? undefined : x.shape?.slice(rank);
  return cell && isStatic(cell) ? cell : undefined;
}

/** A value as rows of cells. */
function rowsOf(b: Rewriter, x: Value, rank: number, cell: readonly number[]): Value {
  const sizes = range(rank).map((axis) => x.shape?.[axis]);
  const known = sizes.every((d) => typeof d === 'number');
  const count = known ? (sizes as number[]).reduce((n, d) => n * d, 1) : undefined;
  if (count === undefined) return b.op('Reshape', [x, b.ints([-1, ...cell])]);
  return reshape(b, x, [count, ...cell]);
}

/** One GATHER a part, of the rows that a mask gives it: known ones, or those that WHERE finds. */
function dynamicPartition(_: unknown, node: Node, b: Rewriter): Value[] | undefined {
  const [data, partitions] = node.inputs;
  const rank = partitions.shape?.length;
  const cell = cellOf(data, rank);
  // An empty cell cannot be told from an empty list of rows.
  if (!cell || cell.includes(0)) return undefined;
  const rows = rowsOf(b, data, rank!, cell);
  const places = numbers(partitions);
  const mask = places ? undefined : rowsOf(b, partitions, rank!, []);
  return range(node.int('num_partitions')).map((part) => {
    const picked = mask
      ? b.op('Reshape', [b.op('Where', [b.op('Equal', [mask, part])]), [-1]])
      : b.ints(places!.flatMap((p, i) => (p === part ? [i] : [])));
    return b.op('GatherV2', [rows, picked, b.ints(0)]);
  });
}

/**
 * One GATHER of all data: row i is the last one that names i. Places that no index names hold anything: TensorFlow
 * leaves memory there.
 */
function dynamicStitch(_: unknown, node: Node, b: Rewriter): Value[] | undefined {
  const n = node.int('N');
  const indices = node.inputs.slice(0, n);
  const data = node.inputs.slice(n);
  const [{ shape }] = indices;
  const cell = cellOf(data[0], shape?.length);
  if (!cell || cell.includes(0) || indices.some((v) => !v.shape)) return undefined;
  const joined = (parts: Value[]): Value =>
    parts.length === 1 ? parts[0] : b.op('ConcatV2', [...parts, b.ints(0)]);
  const all = joined(data.map((v, i) => rowsOf(b, v, indices[i].shape!.length, cell)));
  const known = indices.map(numbers);
  const from = known.every((list) => list !== undefined)
    ? b.ints(lastNaming(known.flat() as number[]))
    : b.op('Maximum', [
        lastNamingAtRunTime(b, joined(indices.map((v) => rowsOf(b, v, v.shape!.length, [])))),
        0,
      ]);
  return [b.op('GatherV2', [all, from, b.ints(0)])];
}

function lastNaming(indices: readonly number[]): number[] {
  const order: number[] = [];
  indices.forEach((index, row) => (order[index] = row));
  return Array.from(order, (row) => row ?? 0);
}

/** The same of indices that are computed; the type's lowest number where nothing names a place. */
function lastNamingAtRunTime(b: Rewriter, indices: Value): Value {
  const n = sizeOf(b, indices, 0);
  const rows = typeof n === 'number' ? b.ints(range(n)) : b.op('Range', [0, n, 1]);
  const size = b.op('AddV2', [b.op('Max', [indices, b.ints([0])]), 1]);
  // Of no indices at all the largest is the type's lowest number.
  return b.op('UnsortedSegmentMax', [rows, indices, b.op('Maximum', [size, 0])]);
}

export const table: RewriteTable = {
  DynamicPartition: dynamicPartition,
  DynamicStitch: dynamicStitch,
  ParallelDynamicStitch: dynamicStitch,
};
