/**
 * Given:  y = e / SUM(e)      e = EXP(x − REDUCE_MAX(x)), over the last axis
 *         y = d − LOG(SUM(EXP(d)))      d = x − REDUCE_MAX(x), or x itself
 * Result: y = SOFTMAX(x), y = LOG_SOFTMAX(x)
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';
import { axesOf, isPlain, sameShape } from './match';

export function fuseSoftmax(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const [value, norm] = op.inputs as TfliteTensor[];
    if (isPlain(op, 'DIV') && reduced(edit, norm, 'SUM') === value) {
      const x = shifted(edit, edit.plain(value, 'EXP')?.inputs[0]);
      if (x && sameShape(x, op.outputs[0]))
        edit.become(op, 'SOFTMAX', [x], { type: 'SoftmaxOptions', beta: 1 });
    } else if (isPlain(op, 'SUB')) {
      const sum = reduced(edit, edit.plain(norm, 'LOG')?.inputs[0], 'SUM');
      const inner = edit.plain(sum, 'EXP')?.inputs[0];
      if (!inner || inner !== value || !sameShape(value, op.outputs[0])) continue;
      edit.become(op, 'LOG_SOFTMAX', [shifted(edit, value) ?? value], { type: 'LogSoftmaxOptions' });
    }
  }
  return edit.commit();
}

/** What is reduced over its last axis, which stays with size 1. */
function reduced(
  edit: SubgraphEdit,
  tensor: TfliteTensor | undefined,
  code: string,
): TfliteTensor | undefined {
  const op = edit.plain(tensor, code);
  const rank = op?.inputs[0]?.shape?.length;
  if (!op || !rank || !op.options?.keep_dims) return undefined;
  return String(axesOf(ints(op.inputs[1]), rank)) === String([rank - 1]) ? op.inputs[0] : undefined;
}

/** x of x − REDUCE_MAX(x). */
function shifted(edit: SubgraphEdit, tensor: TfliteTensor | undefined): TfliteTensor | undefined {
  const op = edit.plain(tensor, 'SUB');
  return op && reduced(edit, op.inputs[1], 'REDUCE_MAX') === op.inputs[0] ? op.inputs[0] : undefined;
}
