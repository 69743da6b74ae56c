/** Parts of tensors. */
import { elementCount, isStatic, type Node } from '@floe/export-core';
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

function stridedSlice(c: LoweringContext): void {
  const { node } = c;
  if (keepsAll(node)) {
    c.emit('RESHAPE', [c.input(0), c.ints('shape', node.output().shape as number[])], [c.output()]);
    return;
  }
  const masks = Object.fromEntries(MASKS.map((name) => [name, node.int(name)]));
  c.emit('STRIDED_SLICE', [c.input(0), c.asInt32(1), c.asInt32(2), c.asInt32(3)], [c.output()], {
    type: 'StridedSliceOptions',
    ...masks,
  });
}

export const table: LoweringTable = {
  Slice: kernel('SLICE'),
  StridedSlice: {
    to: ['STRIDED_SLICE', 'RESHAPE'],
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
