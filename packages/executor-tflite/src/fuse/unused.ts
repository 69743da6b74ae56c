/**
 * Given:  operators whose results nobody reads
 * Result: they are gone, unless they do more than compute
 */
import type { TfliteSubgraph } from '../tflite/model';
import { SubgraphEdit } from './edit';

const EFFECTS = new Set(['ASSIGN_VARIABLE', 'CALL_ONCE', 'HASHTABLE_IMPORT', 'WHILE', 'IF']);

export function removeUnusedOps(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (let i = graph.ops.length - 1; i >= 0; i--) {
    const op = graph.ops[i];
    if (!EFFECTS.has(op.code) && op.outputs.every((t) => edit.isUnused(t))) edit.remove(op);
  }
  return edit.commit();
}
