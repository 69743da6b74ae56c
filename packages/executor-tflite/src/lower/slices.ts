/** Parts of tensors. */
import { elementCount, isStatic, type Node } from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import type { TfliteTensor } from '../tflite/model';
import { kernel, refuseRank, refuseType } from './kernel-types';
import type { LoweringContext, LoweringTable } from './row';

const MASKS = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'] as const;

/** A strided slice that takes every element in order, and only renames sizes. */
function keepsAll(node: Node): boolean {
  const from = node.inputs[0].shape;
  const to = node.output().shape;
  const strides = node.inputs[3].node.constant;
  if (!isStatic(from) || !isStatic(to) || !strides) return false;
  return (
    elementCount(from) === elementCount(to) &&
    elementCount(from) > 0 &&
    strides.toNumbers().every((s) => s === 1)
  );
}

/** One entry of a slice specification. */
interface Entry {
  begin: number;
  end: number;
  stride: number;
  bits: Set<string>;
}

/**
 * The entries of a constant specification with `...` written out. The kernel knows `...` and new axes, but not in
 * every place; what follows puts the new axes in.
 */
function entriesOf(node: Node): Entry[] | undefined {
  const rank = node.inputs[0].shape?.length;
  const [begin, end, stride] = [1, 2, 3].map((i) => node.inputs[i].node.constant?.toNumbers());
  if (rank === undefined || !begin || !end || !stride) return undefined;
  const masks = MASKS.map((name) => [name, node.int(name)] as const);
  const entries = begin.map((first, i): Entry => {
    const bits = new Set<string>(masks.flatMap(([name, mask]) => (mask & (1 << i) ? [name] : [])));
    return { begin: first, end: end[i], stride: stride[i], bits };
  });
  const named = entries.filter((e) => !e.bits.has('ellipsis_mask') && !e.bits.has('new_axis_mask')).length;
  return entries.flatMap((entry) => {
    if (entry.bits.has('ellipsis_mask')) {
      return Array.from({ length: rank - named }, () => ({
        begin: 0,
        end: 0,
        stride: 1,
        bits: new Set(['begin_mask', 'end_mask']),
      }));
    }
    return [entry];
  });
}

/** A shrunk axis is one element at `begin`, whatever the masks say. */
function masksOf(entries: readonly Entry[]): FlatObject {
  const mask = (name: string, unless?: string) =>
    entries.reduce(
      (m, { bits }, i) => (bits.has(name) && !(unless && bits.has(unless)) ? m | (1 << i) : m),
      0,
    );
  return {
    type: 'StridedSliceOptions',
    begin_mask: mask('begin_mask', 'shrink_axis_mask'),
    end_mask: mask('end_mask', 'shrink_axis_mask'),
    shrink_axis_mask: mask('shrink_axis_mask'),
  };
}

/** Axes of size 1 where the specification has them: by one RESHAPE, if at most one size is unknown. */
function putNewAxes(c: LoweringContext, from: TfliteTensor, entries: readonly Entry[]): void {
  const { shape, dtype } = c.node.output();
  if (shape && shape.filter((d) => d === null).length <= 1) {
    const sizes = shape.map((d) => d ?? -1);
    c.emit('RESHAPE', [from, c.ints('shape', sizes)], [c.output()]);
    return;
  }
  const kept = entries.filter((e) => !e.bits.has('shrink_axis_mask') || e.bits.has('new_axis_mask'));
  const places = kept.flatMap((e, i) => (e.bits.has('new_axis_mask') ? [i] : []));
  let value = from;
  places.forEach((axis, i) => {
    const result = i === places.length - 1 ? c.output() : c.temporary(`axis_${i}`, dtype!, null);
    c.emit('EXPAND_DIMS', [value, c.ints(`axis_${i}/axis`, axis)], [result], { type: 'ExpandDimsOptions' });
    value = result;
  });
}

function stridedSlice(c: LoweringContext): void {
  const { node } = c;
  const { shape } = node.output();
  if (keepsAll(node)) {
    c.emit('RESHAPE', [c.input(0), c.ints('shape', shape as number[])], [c.output()]);
    return;
  }
  const all = entriesOf(node);
  if (all) {
    const entries = all.filter((e) => !e.bits.has('new_axis_mask'));
    const list = (name: string, of: (e: Entry) => number) => c.ints(name, entries.map(of).map(clampInt32));
    const operands = [
      list('begin', (e) => e.begin),
      list('end', (e) => e.end),
      list('strides', (e) => e.stride),
    ];
    const plain = entries.length === all.length;
    const result = plain ? c.output() : c.temporary('sliced', node.output().dtype!, null);
    c.emit('STRIDED_SLICE', [c.input(0), ...operands], [result], masksOf(entries));
    if (!plain) putNewAxes(c, result, all);
    return;
  }
  const shrink = node.int('shrink_axis_mask');
  c.emit('STRIDED_SLICE', [c.input(0), c.asInt32(1), c.asInt32(2), c.asInt32(3)], [c.output()], {
    type: 'StridedSliceOptions',
    ...Object.fromEntries(MASKS.map((name) => [name, node.int(name)])),
    begin_mask: node.int('begin_mask') & ~shrink,
    end_mask: node.int('end_mask') & ~shrink,
  });
}

/** "To the end" is written as the largest int64. */
function clampInt32(n: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, n));
}

export const table: LoweringTable = {
  Slice: kernel('SLICE'),
  StridedSlice: {
    to: ['STRIDED_SLICE', 'RESHAPE', 'EXPAND_DIMS'],
    note: 'RESHAPE where every element is kept',
    refuse: (node) =>
      keepsAll(node)
        ? undefined
        : (refuseType('STRIDED_SLICE', node.inputs[0].dtype) ??
          refuseRank('STRIDED_SLICE', node.inputs[0].shape)),
    build: stridedSlice,
  },
  Split: {
    to: ['SPLIT'],
    refuse: (node) => refuseType('SPLIT', node.inputs[1].dtype),
    build: (c) => {
      const num = c.node.int('num_split');
      const outputs = Array.from({ length: num }, (_, i) => c.output(i));
      c.emit('SPLIT', c.inputs(), outputs, { type: 'SplitOptions', num_splits: num });
    },
  },
  SplitV: {
    to: ['SPLIT_V'],
    refuse: (node) => refuseType('SPLIT_V', node.inputs[0].dtype),
    build: (c) => {
      const num = c.node.int('num_split');
      const outputs = Array.from({ length: num }, (_, i) => c.output(i));
      c.emit('SPLIT_V', [c.input(0), c.asInt32(1), c.input(2)], outputs, {
        type: 'SplitVOptions',
        num_splits: num,
      });
    },
  },
};
