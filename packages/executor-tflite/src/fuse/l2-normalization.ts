/**
 * Given:  y = x · RSQRT(MAXIMUM(SUM(x²), ε))     over the last axis; also x / SQRT(…), ε added, or none
 * Result: y = L2_NORMALIZATION(x)
 *
 * The kernel divides by √sum, or by 1e-6 where that is more. Another small ε matters to vectors that are next to zero
 * only, as TensorFlow's own converter has it.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';
import { axesOf, isPlain, numberOf, orders, sameShape } from './match';

const MAX_EPSILON = 1e-6;
/** What the kernel takes. */
const MAX_RANK = 4;

export function fuseL2Normalization(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!isPlain(op, 'MUL', 'DIV')) continue;
    const root = op.code === 'MUL' ? 'RSQRT' : 'SQRT';
    for (const [x, norm] of op.code === 'MUL' ? orders(op) : orders(op).slice(0, 1)) {
      const squared = edit.plain(norm, root)?.inputs[0];
      if (!squared || !sameShape(x, op.outputs[0]) || !isNorm(edit, x, squared)) continue;
      edit.become(op, 'L2_NORMALIZATION', [x], { type: 'L2NormOptions' });
      break;
    }
  }
  return edit.commit();
}

function isNorm(edit: SubgraphEdit, x: TfliteTensor, squared: TfliteTensor): boolean {
  const rank = x.shape!.length;
  if (rank === 0 || rank > MAX_RANK) return false;
  const sum = edit.plain(withoutEpsilon(edit, squared), 'SUM');
  const axes = sum && axesOf(ints(sum.inputs[1]), rank);
  if (!sum || String(axes) !== String([rank - 1]) || (!sum.options?.keep_dims && rank > 1)) return false;
  const square = edit.plain(sum.inputs[0], 'SQUARE', 'MUL');
  return !!square && square.inputs.every((t) => t === x);
}

function withoutEpsilon(edit: SubgraphEdit, value: TfliteTensor): TfliteTensor {
  const guard: TfliteOp | undefined = edit.plain(value, 'MAXIMUM', 'ADD');
  for (const [sum, epsilon] of guard ? orders(guard) : []) {
    const n = numberOf(epsilon);
    if (n !== undefined && n >= 0 && n <= MAX_EPSILON) return sum;
  }
  return value;
}
