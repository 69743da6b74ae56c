/**
 * Given:  y = RESHAPE(FULLY_CONNECTED(RESHAPE(x)))
 * Result: y = FULLY_CONNECTED(x, keep_num_dims)
 *
 * Given:  y = RESHAPE(FULLY_CONNECTED(RESHAPE(x)))      the last axis of x is another
 * Result: y = FULLY_CONNECTED(RESHAPE(x), keep_num_dims)
 *
 * The operator takes its input as rows of the last axis. A RESHAPE before that leaves the last axis does nothing, and
 * one behind that gives the other axes back neither.
 */
import { TfliteTensor, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { intConstant, SubgraphEdit } from './edit';
import { agrees } from './match';

export function fuseDenseReshapes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const dense = op.code === 'FULLY_CONNECTED' ? op : edit.plain(op.inputs[0], 'FULLY_CONNECTED');
    if (!dense || edit.isRemoved(op)) continue;
    const x = dense.inputs[0] as TfliteTensor;
    if (op === dense) {
      if (dense.options?.keep_num_dims) continue;
      const source = edit.plain(x, 'RESHAPE')?.inputs[0];
      const last = source?.shape?.at(-1) ?? -1;
      if (source && last > 0 && last === x.shape?.at(-1)) edit.setInput(op, 0, source);
    } else if (op.code === 'RESHAPE' && x.shape && op.outputs[0].shape && edit.usedOnce(dense.outputs[0])) {
      const [outer, inner] = dense.inputs[1]?.shape ?? [];
      const rows = x.shape.at(-1) === inner ? x.shape.slice(0, -1) : undefined;
      const wanted = op.outputs[0].shape;
      if (!rows || (!agrees([...rows, outer], wanted) && !reshapeInto(edit, dense, wanted))) continue;
      dense.options = { ...dense.options!, keep_num_dims: true };
      edit.absorb(dense, op);
    }
  }
  return edit.commit();
}

/** The RESHAPE before a dense layer gives what it reads the axes that its result is to have. */
function reshapeInto(edit: SubgraphEdit, dense: TfliteOp, wanted: readonly number[]): boolean {
  const x = dense.inputs[0] as TfliteTensor;
  const [outer, inner] = dense.inputs[1]!.shape!;
  const reshape = edit.plain(x, 'RESHAPE');
  if (!reshape || !edit.usedOnce(x) || wanted.at(-1) !== outer || wanted.some((d) => d < 0)) return false;
  const shape = [...wanted.slice(0, -1), inner];
  const rows = new TfliteTensor(x.name, x.type, shape);
  edit.become(reshape, 'RESHAPE', [reshape.inputs[0], intConstant(`${x.name}/shape`, shape)]);
  edit.setOutput(reshape, rows);
  edit.setInput(dense, 0, rows);
  return true;
}
