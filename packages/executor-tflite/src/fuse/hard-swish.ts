/**
 * Given:  y = x · RELU6(x + 3) / 6      in any order, the sixth as a factor or a divisor
 * Result: y = HARD_SWISH(x)
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { activationOf, SubgraphEdit } from './edit';
import { besidesNumber, isPlain, numberOf, sameShape } from './match';

export function fuseHardSwish(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!isPlain(op, 'MUL', 'DIV')) continue;
    for (const gate of factors(edit, op)?.leaves ?? []) {
      const x = gated(edit, gate);
      const parts = x && factors(edit, op, x);
      if (!x || !parts || !sameShape(x, op.outputs[0]) || parts.leaves.length !== 2) continue;
      const both = parts.leaves.includes(x) && parts.leaves.includes(gate) && x !== gate;
      if (!both || Math.abs(parts.scale * 6 - 1) > 1e-6) continue;
      edit.become(op, 'HARD_SWISH', [x]);
      break;
    }
  }
  return edit.commit();
}

/** Deeper than the pattern is written in any order. */
const MAX_DEPTH = 3;

/** A product as what is multiplied and one number; `x` is not looked into. */
function factors(
  edit: SubgraphEdit,
  op: TfliteOp,
  x?: TfliteTensor,
  depth = 0,
): { leaves: TfliteTensor[]; scale: number } | undefined {
  const leaves: TfliteTensor[] = [];
  let scale = 1;
  const [a, b] = op.inputs as TfliteTensor[];
  if (op.code === 'DIV') {
    const divisor = numberOf(b);
    if (divisor === undefined) return undefined;
    scale = 1 / divisor;
  }
  for (const operand of op.code === 'DIV' ? [a] : [a, b]) {
    const number = numberOf(operand);
    const inner = operand === x || depth === MAX_DEPTH ? undefined : edit.plain(operand, 'MUL', 'DIV');
    const parts = inner && factors(edit, inner, x, depth + 1);
    if (number !== undefined) scale *= number;
    else if (parts) {
      leaves.push(...parts.leaves);
      scale *= parts.scale;
    } else leaves.push(operand);
  }
  return { leaves, scale };
}

/** x of RELU6(x + 3). */
function gated(edit: SubgraphEdit, gate: TfliteTensor): TfliteTensor | undefined {
  const last = edit.producer(gate);
  if (last?.code === 'ADD' && activationOf(last) === 'RELU6') return besidesNumber(last, 3);
  return last?.code === 'RELU6' ? besidesNumber(edit.plain(last.inputs[0], 'ADD'), 3) : undefined;
}
