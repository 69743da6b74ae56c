/**
 * Given:  y = TRANSPOSE(TRANSPOSE(x, p), q)
 * Result: y = TRANSPOSE(x, q∘p); nothing where the two cancel
 */
import { Tensor } from '@floe/export-core';
import { TfliteTensor, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';

export function fuseTransposes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'TRANSPOSE' || edit.isRemoved(op)) continue;
    const before = edit.producer(op.inputs[0]);
    const perm = ints(op.inputs[1]);
    const first = before?.code === 'TRANSPOSE' ? ints(before.inputs[1]) : undefined;
    if (before && perm && first) {
      edit.setInput(op, 0, before.inputs[0]);
      setPermutation(
        edit,
        op,
        perm.map((p) => first[p]),
      );
    }
    if (ints(op.inputs[1])?.every((p, i) => p === i)) edit.bypass(op);
  }
  return edit.commit();
}

function setPermutation(edit: SubgraphEdit, op: TfliteOp, perm: number[]): void {
  const tensor = new TfliteTensor(`${op.outputs[0].name}/perm`, 'INT32', [perm.length]);
  tensor.buffer = { bytes: Tensor.fromNumbers('int32', [perm.length], perm).bytes };
  edit.setInput(op, 1, tensor);
}
