/**
 * Given:  y = SUM(x, axes, keep_dims), CUMSUM(x, axis)      over axes of size 1
 * Result: readers of y read x
 *
 * Behind the other passes: softmax and L2 normalization are recognised by such sums, of one channel too. Over other
 * axes than the last prepare/canonicalize.ts has removed them.
 */
import type { TfliteOp, TfliteSubgraph } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';
import { REDUCTIONS } from './keep-dims';
import { axesOf, sameShape } from './match';

export function removeIdleReductions(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) if (isIdle(op)) edit.bypass(op);
  return edit.commit();
}

function isIdle(op: TfliteOp): boolean {
  const [x, axesInput] = op.inputs;
  const running = op.code === 'CUMSUM' && !op.options?.exclusive;
  if (!x?.shape || !(running || REDUCTIONS.has(op.code)) || !sameShape(x, op.outputs[0])) return false;
  const axes = axesOf(ints(axesInput), x.shape.length);
  return !!axes?.every((axis) => x.shape![axis] === 1);
}
