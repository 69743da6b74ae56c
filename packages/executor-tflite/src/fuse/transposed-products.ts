/**
 * Given:  y = BATCH_MATMUL(x, TRANSPOSE(z))       where the TRANSPOSE exchanges the last two axes
 * Result: y = BATCH_MATMUL(x, z, adj_y)
 */
import type { TfliteSubgraph } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';

const SIDES = ['adj_x', 'adj_y'];

export function fuseTransposedProducts(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'BATCH_MATMUL') continue;
    for (const [i, side] of SIDES.entries()) {
      const transpose = edit.producer(op.inputs[i]);
      const perm = transpose?.code === 'TRANSPOSE' ? ints(transpose.inputs[1]) : undefined;
      if (!transpose?.inputs[0] || !perm || !exchangesLastTwo(perm)) continue;
      edit.setInput(op, i, transpose.inputs[0]);
      op.options = { ...op.options!, [side]: !op.options?.[side] };
    }
  }
  return edit.commit();
}

function exchangesLastTwo(perm: readonly number[]): boolean {
  const last = perm.length - 1;
  return last > 0 && perm.every((p, i) => p === (i === last ? last - 1 : i === last - 1 ? last : i));
}
