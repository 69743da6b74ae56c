/**
 * Given:  y = RELU6(CONV_2D(x, w, b))
 * Result: y = CONV_2D(x, w, b, fused_activation_function = RELU6)
 *
 * Also where something between them only moves values.
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
/** Operators that give values of their first input and no others. */
const MOVES = new Set([
  'RESHAPE',
  'SQUEEZE',
  'EXPAND_DIMS',
  'TRANSPOSE',
  'DEPTH_TO_SPACE',
  'SPACE_TO_DEPTH',
  'BATCH_TO_SPACE_ND',
]);

export function fuseActivations(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!ACTIVATIONS.has(op.code)) continue;
    const value = op.inputs[0] as TfliteTensor;
    let carried = value;
    let carrier = edit.producer(carried);
    while (carrier && MOVES.has(carrier.code) && isOnlyFor(edit, carried)) {
      carried = carrier.inputs[0] as TfliteTensor;
      carrier = edit.producer(carried);
    }
    if (!carrier || !CARRIERS.has(carrier.code) || !isOnlyFor(edit, carried)) continue;
    const present = carrier.options?.fused_activation_function;
    if (present !== undefined && present !== 'NONE') continue;
    carrier.options = { ...carrier.options!, fused_activation_function: op.code };
    edit.absorb(edit.producer(value)!, op);
  }
  return edit.commit();
}

function isOnlyFor(edit: SubgraphEdit, value: TfliteTensor): boolean {
  return value.type === 'FLOAT32' && edit.usedOnce(value);
}
