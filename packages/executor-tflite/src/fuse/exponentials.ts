/**
 * Given:  1 / (1 + EXP(−x))
 *         SELECT(x > 0, x, EXP(x) − 1)
 *         MAXIMUM(x, a · x)      0 < a < 1
 * Result: LOGISTIC(x), ELU(x), LEAKY_RELU(x)
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { besidesNumber, isNumber, isPlain, numberOf, orders, sameShape } from './match';

export function fuseExponentials(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (isPlain(op, 'DIV')) replace(edit, op, 'LOGISTIC', logistic(edit, op));
    else if (isPlain(op, 'SELECT', 'SELECT_V2')) replace(edit, op, 'ELU', elu(edit, op));
    else if (isPlain(op, 'MAXIMUM')) leakyRelu(edit, op);
  }
  return edit.commit();
}

function replace(edit: SubgraphEdit, op: TfliteOp, code: string, x: TfliteTensor | undefined): void {
  if (x && sameShape(x, op.outputs[0])) edit.become(op, code, [x]);
}

function logistic(edit: SubgraphEdit, op: TfliteOp): TfliteTensor | undefined {
  if (!isNumber(op.inputs[0], 1)) return undefined;
  const power = edit.plain(besidesNumber(edit.plain(op.inputs[1], 'ADD'), 1), 'EXP');
  return edit.plain(power?.inputs[0], 'NEG')?.inputs[0];
}

function elu(edit: SubgraphEdit, op: TfliteOp): TfliteTensor | undefined {
  const [condition, x, below] = op.inputs;
  const compare = edit.plain(condition, 'GREATER');
  const minus = edit.plain(below, 'SUB');
  const power = edit.plain(minus?.inputs[0], 'EXP');
  const fits = compare?.inputs[0] === x && numberOf(compare?.inputs[1]) === 0;
  return fits && isNumber(minus?.inputs[1], 1) && power?.inputs[0] === x ? x : undefined;
}

function leakyRelu(edit: SubgraphEdit, op: TfliteOp): void {
  for (const [x, scaled] of orders(op)) {
    const product = edit.plain(scaled, 'MUL');
    if (!product || !sameShape(x, op.outputs[0])) continue;
    const factor = product.inputs.find((t) => t !== x);
    const alpha = numberOf(factor);
    if (!product.inputs.includes(x) || alpha === undefined || alpha <= 0 || alpha >= 1) continue;
    edit.become(op, 'LEAKY_RELU', [x], { type: 'LeakyReluOptions', alpha });
    return;
  }
}
