/** Batch normalisation with the statistics of the batch itself, as graphs frozen in training mode have it. */
import { attr, type Node, type Value } from '@floe/export-core';
import type { Rewriter, RewriteTable } from '../rewrite';

function trainingNorm(node: Node, b: Rewriter): Value[] | undefined {
  const [x, scale, offset] = node.inputs;
  if (!node.bool('is_training') || node.string('data_format') !== 'NHWC' || x.dtype !== 'float32')
    return undefined;
  // Running averages and what the gradient wants are made of the statistics, with Bessel's correction: not here.
  if ([1, 2, 3, 4].some((i) => b.isUsed(node.output(i)))) return undefined;
  const axes = [0, 1, 2];
  const keep = { keep_dims: attr.bool(false) };
  const mean = b.op('Mean', [x, axes], keep);
  const variance = b.op('Mean', [b.op('SquaredDifference', [x, mean]), axes], keep);
  const inverse = b.op('Rsqrt', [b.op('AddV2', [variance, node.float('epsilon')])]);
  const factor = b.op('Mul', [scale, inverse]);
  const addend = b.op('Sub', [offset, b.op('Mul', [mean, factor])]);
  return [b.op('AddV2', [b.op('Mul', [x, factor]), addend])];
}

const row = (_: unknown, node: Node, b: Rewriter) => trainingNorm(node, b);

export const table: RewriteTable = { FusedBatchNorm: row, FusedBatchNormV2: row, FusedBatchNormV3: row };
