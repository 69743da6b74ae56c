/** Order and sets. */
import { tensorType } from '../tflite/model';
import { kernel, refuseType } from './kernel-types';
import type { LoweringTable } from './row';

const INDICES = new Set(['int32', 'int16']);

export const table: LoweringTable = {
  TopKV2: {
    to: ['TOPK_V2'],
    refuse: (node) =>
      refuseType('TOPK_V2', node.inputs[0].dtype) ??
      (INDICES.has(node.output(1).dtype ?? 'int32')
        ? undefined
        : { reason: `TOPK_V2 makes no ${node.output(1).dtype} indices` }),
    build: (c) =>
      c.emit('TOPK_V2', [c.input(0), c.asInt32(1)], [c.output(0), c.output(1)], { type: 'TopKV2Options' }),
  },
  Unique: {
    to: ['UNIQUE'],
    refuse: (node) => refuseType('UNIQUE', node.inputs[0].dtype),
    build: (c) =>
      c.emit('UNIQUE', c.inputs(), [c.output(0), c.output(1)], {
        type: 'UniqueOptions',
        idx_out_type: tensorType(c.node.type('out_idx')),
      }),
  },
  Bucketize: kernel('BUCKETIZE', (node) => ({
    type: 'BucketizeOptions',
    boundaries: node.floats('boundaries'),
  })),
};
