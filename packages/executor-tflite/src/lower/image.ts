/** Resizing of images and the choice of boxes. */
import { Tensor, type Node } from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import { kernelTakes, refuseType } from './kernel-types';
import type { LoweringContext, LoweringTable, Refusal } from './row';

function resizeOptions(type: string, node: Node): FlatObject {
  return {
    type,
    align_corners: node.bool('align_corners'),
    half_pixel_centers: node.bool('half_pixel_centers'),
  };
}

function refuseBoth(node: Node): Refusal | undefined {
  return node.bool('align_corners') && node.bool('half_pixel_centers')
    ? { reason: 'align_corners together with half_pixel_centers' }
    : undefined;
}

/** Suppresses identical boxes only. The kernel needs that: a box suppresses itself so as not to be taken again. */
const IDENTICAL = 1;

/**
 * The threshold that makes the kernel suppress as TensorFlow does: it takes boxes away at the threshold, not beyond
 * it, and also where suppression is soft. Undefined where the threshold is computed.
 */
function thresholdFor(node: Node): number | undefined {
  const [threshold, , sigma] = node.inputs.slice(3).map((v) => v.node.constant);
  if (node.op === 'NonMaxSuppressionV5' && sigma && sigma.at(0) > 0) return IDENTICAL;
  if (!threshold || threshold.dtype !== 'float32') return undefined;
  // The next larger float; of 0 the smallest that is not flushed to 0.
  const value = threshold.at(0);
  if (value < 0 || value >= IDENTICAL) return undefined;
  if (value === 0) return 2 ** -126;
  const bits = new Int32Array(new Float32Array([value]).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

/**
 * The indices of a padded suppression, cut to the number found: the kernels always pad to `max_output_size`, as
 * TensorFlow does with pad_to_max_output_size only.
 */
function suppress(c: LoweringContext, code: string, count: number): void {
  const { node } = c;
  const inputs = c.inputs();
  const threshold = thresholdFor(node);
  if (threshold !== undefined) inputs[3] = c.constant('iou', Tensor.scalar('float32', threshold));
  const pad = node.attr('pad_to_max_output_size');
  const outputs = node.def!.outputs.map((_, i) => c.output(i));
  const cut = pad?.kind === 'bool' && !pad.value;
  if (!cut) {
    c.emit(code, inputs, outputs);
    return;
  }
  const max = node.inputs[2].node.constant?.at(0) ?? null;
  const padded = outputs.map((tensor, i) =>
    i === count ? tensor : c.temporary(`padded_${i}`, node.output(i).dtype!, [max]),
  );
  c.emit(code, inputs, padded);
  const size = c.temporary('size', 'int32', [1]);
  c.emit('RESHAPE', [padded[count], c.ints('one', [1])], [size]);
  outputs.forEach((tensor, i) => {
    if (i !== count) c.emit('SLICE', [padded[i], c.ints('begin', [0]), size], [tensor]);
  });
}

export const table: LoweringTable = {
  ResizeBilinear: {
    to: ['RESIZE_BILINEAR', 'CAST'],
    note: 'integer images are cast to float32 first',
    refuse: (node) => refuseBoth(node) ?? refuseType('CAST', node.inputs[0].dtype),
    build: (c) => {
      const { dtype, shape } = c.node.inputs[0];
      let image = c.input(0);
      if (!kernelTakes('RESIZE_BILINEAR', dtype)) {
        image = c.temporary('float', 'float32', shape ?? null);
        c.emit('CAST', [c.input(0)], [image]);
      }
      c.emit(
        'RESIZE_BILINEAR',
        [image, c.input(1)],
        [c.output()],
        resizeOptions('ResizeBilinearOptions', c.node),
      );
    },
  },
  ResizeNearestNeighbor: {
    to: ['RESIZE_NEAREST_NEIGHBOR'],
    refuse: (node) => refuseBoth(node) ?? refuseType('RESIZE_NEAREST_NEIGHBOR', node.inputs[0].dtype),
    build: (c) =>
      c.emit(
        'RESIZE_NEAREST_NEIGHBOR',
        c.inputs(),
        [c.output()],
        resizeOptions('ResizeNearestNeighborOptions', c.node),
      ),
  },
  NonMaxSuppressionV4: {
    to: ['NON_MAX_SUPPRESSION_V4', 'RESHAPE', 'SLICE'],
    note: 'cut to the number found unless pad_to_max_output_size',
    refuse: (node) => refuseType('NON_MAX_SUPPRESSION_V4', node.inputs[0].dtype),
    build: (c) => suppress(c, 'NON_MAX_SUPPRESSION_V4', 1),
  },
  NonMaxSuppressionV5: {
    to: ['NON_MAX_SUPPRESSION_V5', 'RESHAPE', 'SLICE'],
    note: 'cut to the number found unless pad_to_max_output_size',
    refuse: (node) => refuseType('NON_MAX_SUPPRESSION_V5', node.inputs[0].dtype),
    build: (c) => suppress(c, 'NON_MAX_SUPPRESSION_V5', 2),
  },
};
