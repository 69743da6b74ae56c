/**
 * Given:  z = RESHAPE(MUL(RESHAPE(x), a))        z of the shape of x; a constant, the same along the axes that change
 * Result: z = MUL(x, a)
 *
 * Likewise for other operators that work element by element.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { agrees } from './match';

const ELEMENTWISE = new Set(
  (
    'ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE POW ABS NEG EXP LOG SQRT RSQRT SQUARE SIN COS FLOOR CEIL ' +
    'ROUND RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU ELU GELU LOGISTIC TANH HARD_SWISH'
  ).split(' '),
);

export function fuseReshapesAround(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'RESHAPE' || edit.isRemoved(op)) continue;
    const value = op.inputs[0] as TfliteTensor;
    const inner = edit.producer(value);
    const result = op.outputs[0];
    if (!inner || !ELEMENTWISE.has(inner.code) || !edit.usedOnce(value) || value.quantization) continue;
    const i = variableOperand(inner);
    const reshaped = inner.inputs[i];
    const source = edit.plain(reshaped, 'RESHAPE')?.inputs[0];
    if (!source?.shape || !result.shape || !agrees(source.shape, result.shape)) continue;
    const constant = inner.inputs[1 - i];
    if (constant && !sameBroadcast(constant, reshaped!, source)) continue;
    edit.setInput(inner, i, source);
    edit.absorb(inner, op);
  }
  return edit.commit();
}

/** The operand that is no constant, of an operator with one such; −1 for others. */
function variableOperand({ inputs }: TfliteOp): number {
  const variable = inputs.flatMap((t, i) => (t?.buffer ? [] : [i]));
  return variable.length === 1 ? variable[0] : -1;
}

/** A constant meets the same elements of a tensor in both shapes: they end in the same sizes, as far as it varies. */
function sameBroadcast(constant: TfliteTensor, before: TfliteTensor, after: TfliteTensor): boolean {
  const shape = constant.shape ?? [];
  const first = shape.findIndex((d) => d !== 1);
  const own = first < 0 ? [] : shape.slice(first);
  const end = (t: TfliteTensor) => t.shape?.slice(t.shape.length - own.length);
  const fits = [before, after].every((t) => t.shape !== undefined && t.shape.length >= shape.length);
  return fits && own.every((_, k) => end(before)![k] > 0 && end(before)![k] === end(after)![k]);
}
