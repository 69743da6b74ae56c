/** Gathering and scattering by index. */
import type { Node } from '@floe/export-core';
import { kernel, refuseType } from './kernel-types';
import type { LoweringRow, LoweringTable } from './row';

function gather(axis: (node: Node) => number | undefined, batchDims: (node: Node) => number): LoweringRow {
  return {
    to: ['GATHER'],
    note: 'constant axis',
    refuse: (node) =>
      refuseType('GATHER', node.inputs[0].dtype) ??
      (axis(node) === undefined ? { reason: 'the axis is not constant' } : undefined),
    build: (c) =>
      c.emit('GATHER', [c.input(0), c.input(1)], [c.output()], {
        type: 'GatherOptions',
        axis: axis(c.node),
        batch_dims: batchDims(c.node),
      }),
  };
}

/** Sums and others over groups of rows; the kernels read int32 ids only. */
function segments(code: string): LoweringRow {
  return {
    to: [code, 'CAST'],
    refuse: (node) => refuseType(code, node.inputs[0].dtype),
    build: (c) =>
      c.emit(code, [c.input(0), ...c.node.inputs.slice(1).map((_, i) => c.asInt32(i + 1))], [c.output()]),
  };
}

export const table: LoweringTable = {
  Gather: gather(
    () => 0,
    () => 0,
  ),
  GatherV2: gather(
    (node) => node.inputs[2].node.constant?.at(0),
    (node) => node.int('batch_dims'),
  ),
  GatherNd: kernel('GATHER_ND'),
  ScatterNd: {
    to: ['SCATTER_ND', 'CAST'],
    refuse: (node) => refuseType('SCATTER_ND', node.inputs[1].dtype),
    build: (c) =>
      c.emit('SCATTER_ND', [c.asInt32(0), c.input(1), c.asInt32(2)], [c.output()], {
        type: 'ScatterNdOptions',
      }),
  },
  SegmentSum: segments('SEGMENT_SUM'),
  UnsortedSegmentSum: segments('UNSORTED_SEGMENT_SUM'),
  UnsortedSegmentProd: segments('UNSORTED_SEGMENT_PROD'),
  UnsortedSegmentMax: segments('UNSORTED_SEGMENT_MAX'),
  UnsortedSegmentMin: segments('UNSORTED_SEGMENT_MIN'),
  SparseToDense: {
    to: ['SPARSE_TO_DENSE'],
    refuse: (node) => refuseType('SPARSE_TO_DENSE', node.inputs[2].dtype),
    build: (c) =>
      c.emit('SPARSE_TO_DENSE', c.inputs(), [c.output()], {
        type: 'SparseToDenseOptions',
        validate_indices: c.node.bool('validate_indices'),
      }),
  },
  XlaDynamicUpdateSlice: kernel('DYNAMIC_UPDATE_SLICE'),
};
