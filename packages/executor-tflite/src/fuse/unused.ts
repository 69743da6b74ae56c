/**
 * Given:  operators whose results nobody reads
 * Result: they are gone, unless they do more than compute
 */
import type { TfliteSubgraph } from '../tflite/model';
import { SubgraphEdit } from './edit';

export function removeUnusedOps(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (let i = graph.ops.length - 1; i >= 0; i--) {
    const op = graph.ops[i];
    if (!op.hasEffect && op.outputs.every((t) => edit.isUnused(t))) edit.remove(op);
  }
  return edit.commit();
}
