/**
 * Given:  y = ADD(x, 0), MUL(x, 1), …, where the constant adds no size to x
 * Result: readers of y read x; what is left of a fused activation is an operator of its own
 *
 * A FULLY_CONNECTED has no bias of zeros. Zero itself may change its sign.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { activationOf, floats, SubgraphEdit } from './edit';

/** The number that changes nothing, and whether it may stand on the left. */
const NEUTRAL: Record<string, { number: number; either: boolean }> = {
  ADD: { number: 0, either: true },
  SUB: { number: 0, either: false },
  MUL: { number: 1, either: true },
  DIV: { number: 1, either: false },
};

export function removeNeutral(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code === 'FULLY_CONNECTED') dropZeroBias(edit, op);
    const row = NEUTRAL[op.code];
    if (!row) continue;
    for (const side of row.either ? [1, 0] : [1]) {
      const constant = op.inputs[side] as TfliteTensor;
      const x = op.inputs[1 - side] as TfliteTensor;
      if (!keepsShape(x, constant) || !floats(constant)?.every((v) => v === row.number)) continue;
      const activation = activationOf(op);
      if (activation) edit.become(op, activation, [x]);
      else edit.bypass(op, 1 - side);
      break;
    }
  }
  return edit.commit();
}

function dropZeroBias(edit: SubgraphEdit, op: TfliteOp): void {
  if (floats(op.inputs[2])?.every((v) => v === 0)) edit.setInput(op, 2, undefined);
}

/** Broadcasting the constant changes no size of x. */
function keepsShape(x: TfliteTensor, constant: TfliteTensor): boolean {
  const shape = constant.shape ?? [];
  if (!x.shape || !constant.buffer || shape.length > x.shape.length) return false;
  const shift = x.shape.length - shape.length;
  return shape.every((d, i) => d === 1 || d === x.shape![i + shift]);
}
