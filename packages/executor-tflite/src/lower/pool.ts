/** Pooling over height and width, NHWC (prepare/to-nhwc.ts); explicit paddings were made Pads. */
import type { Node } from '@floe/export-core';
import { refuseType } from './kernel-types';
import type { LoweringRow, LoweringTable, Refusal } from './row';

function refuseWindow(node: Node): Refusal | undefined {
  const format = node.string('data_format');
  if (format !== 'NHWC') return { reason: `data_format ${format} of this shape` };
  const outside = [...new Set(['ksize', 'strides'].flatMap((a) => [node.ints(a)[0], node.ints(a)[3]]))];
  if (outside.some((n) => n !== 1)) return { reason: 'windows over batch or channels have no kernel' };
  const padding = node.string('padding');
  return padding === 'SAME' || padding === 'VALID' ? undefined : { reason: `padding ${padding}` };
}

function pool(code: string): LoweringRow {
  return {
    to: [code],
    note: 'NCHW between TRANSPOSEs; windows over height and width',
    refuse: (node) => refuseType(code, node.inputs[0].dtype) ?? refuseWindow(node),
    build: (c) => {
      const [, height, width] = c.node.ints('ksize');
      const [, strideH, strideW] = c.node.ints('strides');
      c.emit(code, c.inputs(), [c.output()], {
        type: 'Pool2DOptions',
        padding: c.node.string('padding'),
        stride_w: strideW,
        stride_h: strideH,
        filter_width: width,
        filter_height: height,
      });
    },
  };
}

export const table: LoweringTable = {
  AvgPool: pool('AVERAGE_POOL_2D'),
  MaxPool: pool('MAX_POOL_2D'),
};
