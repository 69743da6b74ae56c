/** Reductions over axes, and sums along one. */
import type { Node } from '@floe/export-core';
import { tensorType } from '../tflite/model';
import { refuseType } from './kernel-types';
import type { LoweringRow, LoweringTable } from './row';

function reduction(code: string): LoweringRow {
  return {
    to: [code],
    refuse: (node) => refuseType(code, node.inputs[0].dtype),
    build: (c) =>
      c.emit(code, [c.input(0), c.asInt32(1)], [c.output()], {
        type: 'ReducerOptions',
        keep_dims: c.node.bool('keep_dims'),
      }),
  };
}

function argOf(code: string, options: string): LoweringRow {
  const outputType = (node: Node) => node.type('output_type');
  return {
    to: [code],
    note: 'int32 or int64 output',
    refuse: (node) =>
      refuseType(code, node.inputs[0].dtype) ??
      (['int32', 'int64'].includes(outputType(node))
        ? undefined
        : { reason: `${code} makes no ${outputType(node)}` }),
    build: (c) =>
      c.emit(code, c.inputs(), [c.output()], { type: options, output_type: tensorType(outputType(c.node)) }),
  };
}

export const table: LoweringTable = {
  Sum: reduction('SUM'),
  Mean: reduction('MEAN'),
  Prod: reduction('REDUCE_PROD'),
  Max: reduction('REDUCE_MAX'),
  Min: reduction('REDUCE_MIN'),
  All: reduction('REDUCE_ALL'),
  Any: reduction('REDUCE_ANY'),
  ArgMax: argOf('ARG_MAX', 'ArgMaxOptions'),
  ArgMin: argOf('ARG_MIN', 'ArgMinOptions'),
  Cumsum: {
    to: ['CUMSUM'],
    refuse: (node) => refuseType('CUMSUM', node.inputs[0].dtype),
    build: (c) =>
      c.emit('CUMSUM', [c.input(0), c.asInt32(1)], [c.output()], {
        type: 'CumsumOptions',
        exclusive: c.node.bool('exclusive'),
        reverse: c.node.bool('reverse'),
      }),
  },
};
