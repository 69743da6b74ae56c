/**
 * Given:  y = RESHAPE(FULLY_CONNECTED(RESHAPE(x)))
 * Result: y = FULLY_CONNECTED(x, keep_num_dims)
 *
 * The operator takes its input as rows of the last axis. A RESHAPE before that leaves the last axis does nothing, and
 * one behind that gives the other axes back neither.
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { agrees } from './match';

export function fuseDenseReshapes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const dense = op.code === 'FULLY_CONNECTED' ? op : edit.plain(op.inputs[0], 'FULLY_CONNECTED');
    if (!dense || dense.options?.keep_num_dims || edit.isRemoved(op)) continue;
    const x = dense.inputs[0] as TfliteTensor;
    if (op === dense) {
      const source = edit.plain(x, 'RESHAPE')?.inputs[0];
      const last = source?.shape?.at(-1) ?? -1;
      if (source && last > 0 && last === x.shape?.at(-1)) edit.setInput(op, 0, source);
    } else if (op.code === 'RESHAPE' && x.shape && op.outputs[0].shape && edit.usedOnce(dense.outputs[0])) {
      const rows = x.shape.at(-1) === dense.inputs[1]?.shape?.[1] ? x.shape.slice(0, -1) : undefined;
      if (!rows || !agrees([...rows, dense.inputs[1]!.shape![0]], op.outputs[0].shape)) continue;
      dense.options = { ...dense.options!, keep_num_dims: true };
      edit.absorb(dense, op);
    }
  }
  return edit.commit();
}
