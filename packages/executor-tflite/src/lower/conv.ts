/**
 * Convolutions and matrix products. Filters are constants or tensors; TFLite wants output channels first:
 *
 *   Conv2D            HWIO       → OHWI
 *   Depthwise         HWI·M      → 1 H W I·M
 *   Conv2DBackprop    HWOI       → OHWI
 *   MatMul            [in, out]  → [out, in]
 *   Conv3D            DHWIO      as it is
 *
 * Layouts are NHWC here (prepare/to-nhwc.ts); explicit paddings were made Pads (prepare/explicit-padding.ts).
 */
import { isStatic, Tensor, type Node, type Value } from '@floe/export-core';
import type { TfliteTensor } from '../tflite/model';
import type { FlatObject } from '../tflite/flatbuffer';
import { refuseRank, refuseType } from './kernel-types';
import type { LoweringContext, LoweringRow, LoweringTable, Refusal } from './row';
import { transposeTensor } from './transpose-tensor';

function nhwc(node: Node): Refusal | undefined {
  const format = node.string('data_format');
  return format === 'NHWC' || format === 'NDHWC'
    ? undefined
    : { reason: `data_format ${format} of this shape` };
}

/** A zero bias: TFLite's kernels want one, and fusions add to it. */
function zeroBias(c: LoweringContext, channels: number): TfliteTensor {
  return c.constant('bias', Tensor.fromNumbers('float32', [channels], new Array<number>(channels).fill(0)));
}

/** The filter in another order of its axes: folded for constants, a TRANSPOSE for others. */
function transposed(c: LoweringContext, value: Value, perm: readonly number[], name: string): TfliteTensor {
  const constant = value.node.constant;
  if (constant)
    return c.constant(
      name,
      c.derived(constant, `transposed ${perm}`, () => transposeTensor(constant, perm)),
    );
  const shape = value.shape ? perm.map((p) => value.shape![p]) : null;
  const out = c.temporary(name, value.dtype!, shape);
  c.emit('TRANSPOSE', [c.tensorOf(value), c.ints(`${name}/perm`, perm)], [out]);
  return out;
}

function channelsOf(node: Node): number | undefined {
  const shape = node.output().shape;
  return shape?.at(-1) ?? undefined;
}

function knownChannels(node: Node): Refusal | undefined {
  return channelsOf(node) === undefined ? { reason: 'the number of output channels is unknown' } : undefined;
}

/** All four sizes: TensorFlow also takes height and width alone. */
function outputSizes(c: LoweringContext): TfliteTensor {
  const { shape } = c.node.output();
  return isStatic(shape) && c.node.inputs[0].node.constant ? c.ints('output_shape', shape) : c.asInt32(0);
}

/** The kernel takes four sizes and refuses others when it runs: a vector of unknown length is left to it. */
function fourSizes(node: Node): Refusal | undefined {
  const count = node.inputs[0].shape?.[0] ?? 4;
  return count === 4 || isStatic(node.output().shape)
    ? undefined
    : { reason: 'its output sizes are not known' };
}

function sameOrValid(node: Node): Refusal | undefined {
  const padding = node.string('padding');
  return padding === 'SAME' || padding === 'VALID' ? undefined : { reason: `padding ${padding}` };
}

function undilated(node: Node): Refusal | undefined {
  return node.ints('dilations').every((d) => d === 1) ? undefined : { reason: 'its kernel has no dilations' };
}

function conv3dOptions(node: Node): FlatObject {
  const [, strideD, strideH, strideW] = node.ints('strides');
  const [, dilationD, dilationH, dilationW] = node.ints('dilations');
  return {
    type: 'Conv3DOptions',
    padding: node.string('padding'),
    stride_d: strideD,
    stride_w: strideW,
    stride_h: strideH,
    dilation_d_factor: dilationD,
    dilation_w_factor: dilationW,
    dilation_h_factor: dilationH,
  };
}

/** Constant weights are those of a layer: the quantiser and faster kernels know FULLY_CONNECTED. */
function isDense(node: Node): boolean {
  const weights = node.inputs[1].node.constant;
  const rank = node.inputs[0].shape?.length;
  return weights?.shape.length === 2 && rank !== undefined && rank >= 2 && !node.bool('adj_x');
}

const BATCH_MATMUL: LoweringRow = {
  to: ['BATCH_MATMUL', 'FULLY_CONNECTED'],
  note: 'FULLY_CONNECTED where the second operand is a constant matrix',
  refuse: (node) =>
    refuseType('BATCH_MATMUL', node.inputs[0].dtype) ??
    (isDense(node)
      ? undefined
      : (refuseRank('BATCH_MATMUL', node.inputs[0].shape) ??
        refuseRank('BATCH_MATMUL', node.inputs[1].shape))),
  build: (c) => {
    const { node } = c;
    if (isDense(node)) {
      const weights = node.bool('adj_y') ? c.input(1) : transposed(c, node.inputs[1], [1, 0], 'weights');
      c.emit('FULLY_CONNECTED', [c.input(0), weights, undefined], [c.output()], {
        type: 'FullyConnectedOptions',
        keep_num_dims: node.inputs[0].shape!.length > 2,
      });
      return;
    }
    c.emit('BATCH_MATMUL', [c.input(0), c.input(1)], [c.output()], {
      type: 'BatchMatMulOptions',
      adj_x: node.bool('adj_x'),
      adj_y: node.bool('adj_y'),
    });
  },
};

export const table: LoweringTable = {
  Conv2D: {
    to: ['CONV_2D', 'TRANSPOSE'],
    note: 'NCHW between TRANSPOSEs; filter transposed to OHWI',
    refuse: (node) => refuseType('CONV_2D', node.inputs[0].dtype) ?? nhwc(node) ?? knownChannels(node),
    build: (c) => {
      const [, strideH, strideW] = c.node.ints('strides');
      const [, dilationH, dilationW] = c.node.ints('dilations');
      const filter = transposed(c, c.node.inputs[1], [3, 0, 1, 2], 'filter');
      c.emit('CONV_2D', [c.input(0), filter, zeroBias(c, channelsOf(c.node)!)], [c.output()], {
        type: 'Conv2DOptions',
        padding: c.node.string('padding'),
        stride_w: strideW,
        stride_h: strideH,
        dilation_w_factor: dilationW,
        dilation_h_factor: dilationH,
      });
    },
  },

  DepthwiseConv2dNative: {
    to: ['DEPTHWISE_CONV_2D', 'RESHAPE'],
    note: 'NCHW between TRANSPOSEs; filter reshaped to 1 H W C·M',
    refuse: (node) =>
      refuseType('DEPTHWISE_CONV_2D', node.inputs[0].dtype) ??
      nhwc(node) ??
      knownChannels(node) ??
      (isStatic(node.inputs[1].shape) ? undefined : { reason: 'the filter has an unknown shape' }),
    build: (c) => {
      const [, strideH, strideW] = c.node.ints('strides');
      const [, dilationH, dilationW] = c.node.ints('dilations');
      const value = c.node.inputs[1];
      const [height, width, channels, multiplier] = value.shape as number[];
      const shape = [1, height, width, channels * multiplier];
      const constant = value.node.constant;
      let filter: TfliteTensor;
      if (constant)
        filter = c.constant(
          'filter',
          c.derived(constant, `reshaped ${shape}`, () => constant.reshape(shape)),
        );
      else {
        filter = c.temporary('filter', value.dtype!, shape);
        c.emit('RESHAPE', [c.tensorOf(value), c.ints('filter/shape', shape)], [filter]);
      }
      c.emit('DEPTHWISE_CONV_2D', [c.input(0), filter, zeroBias(c, channels * multiplier)], [c.output()], {
        type: 'DepthwiseConv2DOptions',
        padding: c.node.string('padding'),
        stride_w: strideW,
        stride_h: strideH,
        depth_multiplier: multiplier,
        dilation_w_factor: dilationW,
        dilation_h_factor: dilationH,
      });
    },
  },

  MatMul: {
    to: ['FULLY_CONNECTED', 'BATCH_MATMUL'],
    note: 'float32; weights as [out, in]; BATCH_MATMUL where an operand would be transposed at run time',
    refuse: (node) =>
      node.type('T') === 'float32'
        ? undefined
        : { reason: `FULLY_CONNECTED has no ${node.type('T')} kernel` },
    build: (c) => {
      const { node } = c;
      const [adjX, adjY] = [node.bool('transpose_a'), node.bool('transpose_b')];
      const atRunTime = [adjX, !adjY].some((turn, i) => turn && !node.inputs[i].node.constant);
      if (atRunTime) {
        const options = { type: 'BatchMatMulOptions', adj_x: adjX, adj_y: adjY };
        c.emit('BATCH_MATMUL', [c.input(0), c.input(1)], [c.output()], options);
        return;
      }
      const a = adjX ? transposed(c, node.inputs[0], [1, 0], 'a') : c.input(0);
      const b = adjY ? c.input(1) : transposed(c, node.inputs[1], [1, 0], 'b');
      c.emit('FULLY_CONNECTED', [a, b, undefined], [c.output()], { type: 'FullyConnectedOptions' });
    },
  },

  Conv2DBackpropInput: {
    to: ['TRANSPOSE_CONV', 'TRANSPOSE'],
    note: 'no dilations; NCHW between TRANSPOSEs; filter transposed to OHWI',
    refuse: (node) =>
      refuseType('TRANSPOSE_CONV', node.inputs[2].dtype) ??
      nhwc(node) ??
      sameOrValid(node) ??
      undilated(node) ??
      fourSizes(node),
    build: (c) => {
      const [, strideH, strideW] = c.node.ints('strides');
      const filter = transposed(c, c.node.inputs[1], [2, 0, 1, 3], 'filter');
      c.emit('TRANSPOSE_CONV', [outputSizes(c), filter, c.input(2)], [c.output()], {
        type: 'TransposeConvOptions',
        padding: c.node.string('padding'),
        stride_w: strideW,
        stride_h: strideH,
      });
    },
  },

  Conv3D: {
    to: ['CONV_3D'],
    note: 'NDHWC',
    refuse: (node) => refuseType('CONV_3D', node.inputs[0].dtype) ?? nhwc(node),
    build: (c) => c.emit('CONV_3D', [c.input(0), c.input(1), undefined], [c.output()], conv3dOptions(c.node)),
  },

  Conv3DBackpropInputV2: {
    to: ['CONV_3D_TRANSPOSE', 'CAST'],
    note: 'NDHWC',
    refuse: (node) => refuseType('CONV_3D_TRANSPOSE', node.inputs[2].dtype) ?? nhwc(node),
    build: (c) => {
      const inputs = [c.asInt32(0), c.input(1), c.input(2), undefined];
      c.emit('CONV_3D_TRANSPOSE', inputs, [c.output()], conv3dOptions(c.node));
    },
  },

  BatchMatMul: BATCH_MATMUL,
  BatchMatMulV2: BATCH_MATMUL,
  BatchMatMulV3: BATCH_MATMUL,
};
