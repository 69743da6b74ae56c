/**
 * Given:  y = RELU6(CONV_2D(x, w, b))
 * Result: y = CONV_2D(x, w, b, fused_activation_function = RELU6)
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';

const ACTIVATIONS = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1']);
/** Operators whose float kernels apply an activation. */
const CARRIERS = new Set([
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'FULLY_CONNECTED',
  'CONV_3D',
  'TRANSPOSE_CONV',
  'ADD',
  'SUB',
  'MUL',
  'DIV',
  'AVERAGE_POOL_2D',
  'MAX_POOL_2D',
]);

export function fuseActivations(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!ACTIVATIONS.has(op.code)) continue;
    const value = op.inputs[0] as TfliteTensor;
    const carrier = edit.producer(value);
    if (!carrier || !CARRIERS.has(carrier.code) || value.type !== 'FLOAT32' || !edit.usedOnce(value))
      continue;
    const present = carrier.options?.fused_activation_function;
    if (present !== undefined && present !== 'NONE') continue;
    carrier.options = { ...carrier.options!, fused_activation_function: op.code };
    edit.absorb(carrier, op);
  }
  return edit.commit();
}
