/**
 * Given:  y = RELU(TRANSPOSE(x)), ADD(TRANSPOSE(x), TRANSPOSE(z)), CONCATENATION, PAD, MEAN, … of transposed tensors
 * Result: y = TRANSPOSE(RELU(x)), …
 *
 * What to-nhwc.ts puts around every operator moves towards the outputs until two meet and cancel, or an axis that is
 * reduced makes it nothing.
 */
import { kernelTakes } from '../lower/kernel-types';
import { dtypeOf, TfliteOp, TfliteTensor, type TfliteSubgraph } from '../tflite/model';
import { intConstant, ints, SubgraphEdit } from './edit';
import { axesOf, sameShape } from './match';
import { transposedConstant } from './transposed-constant';

const ELEMENTWISE = new Set(
  `RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU ELU LOGISTIC TANH HARD_SWISH GELU ABS NEG EXP LOG SQRT RSQRT SQUARE
  SIN COS FLOOR CEIL ROUND SIGN CAST LOGICAL_NOT ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE PRELU
  EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR`.split(/\s+/),
);
const REDUCTIONS = new Set('MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ALL REDUCE_ANY'.split(' '));

export function sinkTransposes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.outputs.length !== 1 || !op.outputs[0].shape) continue;
    // The type may be another behind it: that of a CAST.
    if (!kernelTakes('TRANSPOSE', dtypeOf(op.outputs[0].type))) continue;
    const data = REDUCTIONS.has(op.code) || op.code === 'PAD' ? op.inputs.slice(0, 1) : op.inputs;
    const perm = commonPermutation(edit, data);
    if (!perm) continue;
    if (ELEMENTWISE.has(op.code)) sinkElementwise(edit, op, perm);
    else if (op.code === 'CONCATENATION') sinkConcatenation(edit, op, perm);
    else if (op.code === 'PAD') sinkPad(edit, op, perm);
    else if (REDUCTIONS.has(op.code)) sinkReduction(edit, op, perm);
  }
  return edit.commit();
}

/** The one permutation of all operands that are no constants, of transposes that only this operator reads. */
function commonPermutation(
  edit: SubgraphEdit,
  operands: readonly (TfliteTensor | undefined)[],
): number[] | undefined {
  let common: number[] | undefined;
  for (const tensor of operands) {
    if (!tensor) return undefined;
    if (tensor.isConstant) continue;
    const perm = ints(edit.plain(tensor, 'TRANSPOSE')?.inputs[1]);
    if (!perm || edit.isOutput(tensor) || edit.readersOf(tensor).length !== 1) return undefined;
    if (common && String(common) !== String(perm)) return undefined;
    common = perm;
  }
  return common;
}

const untransposed = (edit: SubgraphEdit, tensor: TfliteTensor) =>
  edit.producer(tensor)!.inputs[0] as TfliteTensor;

function sinkElementwise(edit: SubgraphEdit, op: TfliteOp, perm: number[]): void {
  const [result] = op.outputs;
  const operands = op.inputs as TfliteTensor[];
  if (operands.some((t) => !t.isConstant && !sameShape(t, result))) return;
  const sources = operands.map((t) => (t.isConstant ? transposedConstant(t, perm) : untransposed(edit, t)));
  if (sources.every((t) => t !== undefined)) finish(edit, op, sources, op.options, perm);
}

function sinkConcatenation(edit: SubgraphEdit, op: TfliteOp, perm: number[]): void {
  if (op.inputs.some((t) => t?.isConstant)) return;
  const [axis] = axesOf([Number(op.options?.axis)], perm.length)!;
  const sources = op.inputs.map((t) => untransposed(edit, t!));
  finish(edit, op, sources, { ...op.options!, axis: perm[axis] }, perm);
}

function sinkPad(edit: SubgraphEdit, op: TfliteOp, perm: number[]): void {
  const pads = ints(op.inputs[1]);
  if (!pads || pads.length !== 2 * perm.length) return;
  const moved = new Array<number>(pads.length);
  perm.forEach((axis, i) => moved.splice(2 * axis, 2, pads[2 * i], pads[2 * i + 1]));
  const sizes = intConstant(`${op.outputs[0].name}/pads`, moved);
  sizes.shape = [perm.length, 2];
  finish(edit, op, [untransposed(edit, op.inputs[0]!), sizes], op.options, perm);
}

function sinkReduction(edit: SubgraphEdit, op: TfliteOp, perm: number[]): void {
  const axes = axesOf(ints(op.inputs[1]), perm.length);
  if (!axes) return;
  const reduced = axes.map((a) => perm[a]);
  const sources = [
    untransposed(edit, op.inputs[0]!),
    intConstant(
      `${op.outputs[0].name}/axes`,
      [...reduced].sort((a, b) => a - b),
    ),
  ];
  if (op.options?.keep_dims) return finish(edit, op, sources, op.options, perm);
  // The order of the axes that are left, counted without the others.
  const left = perm.filter((a) => !reduced.includes(a));
  const sorted = [...left].sort((a, b) => a - b);
  finish(
    edit,
    op,
    sources,
    op.options,
    left.map((a) => sorted.indexOf(a)),
  );
}

/** Lets the operator read what was transposed, and transposes what it makes. */
function finish(
  edit: SubgraphEdit,
  op: TfliteOp,
  sources: TfliteTensor[],
  options: TfliteOp['options'],
  perm: number[],
): void {
  const [result] = op.outputs;
  edit.become(op, op.code, sources, options);
  if (perm.every((p, i) => p === i)) return;
  const shape = new Array<number>(perm.length);
  perm.forEach((axis, i) => (shape[axis] = result.shape![i]));
  const inner = new TfliteTensor(`${result.name}/nhwc`, result.type, shape);
  edit.setOutput(op, inner);
  const order = intConstant(`${result.name}/perm`, perm);
  edit.insertAfter(op, new TfliteOp('TRANSPOSE', [inner, order], [result]));
}
