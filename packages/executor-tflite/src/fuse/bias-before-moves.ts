/**
 * Given:  y = RELU(ADD(RESHAPE(CONV_2D(x)), a))      a constant: one number, or one an output channel
 * Result: y = RESHAPE(RELU(ADD(CONV_2D(x), a)))      where the ADD and the RELU go into the convolution
 *
 * Likewise BATCH_TO_SPACE_ND, SUB, MUL, DIV: layers over one axis, dense layers with several, dilations.
 */
import { TfliteTensor, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { constantSide, biasChannels } from './convolutions';
import { SubgraphEdit } from './edit';
import { sameShape } from './match';

const MOVES = ['RESHAPE', 'BATCH_TO_SPACE_ND'];
const ACTIVATIONS = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1']);

export function fuseBiasBeforeMoves(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const side = ACTIVATIONS.has(op.code) ? 1 : constantSide(edit, op);
    if (side < 0) continue;
    const value = op.inputs[1 - side] as TfliteTensor;
    const move = edit.plain(value, ...MOVES);
    const channels = move && channelsBehind(edit, value);
    if (!move?.inputs[0]?.shape || channels === undefined || !sameShape(value, op.outputs[0])) continue;
    const constant = op.inputs[side];
    const moved = constant && movedConstant(constant, channels, value, move.code);
    if (constant && !moved) continue;
    swap(edit, move, op, side, moved);
  }
  return edit.commit();
}

/** Output channels of the convolution behind one move or several, none of which anything else reads. */
function channelsBehind(edit: SubgraphEdit, value: TfliteTensor): number | undefined {
  let tensor = value;
  let op = edit.plain(tensor, ...MOVES);
  while (op && edit.usedOnce(tensor) && op.inputs[0]) {
    tensor = op.inputs[0];
    op = edit.plain(tensor, ...MOVES);
  }
  const conv = edit.producer(tensor);
  const channels = biasChannels(conv);
  return edit.usedOnce(tensor) && channels === tensor.shape?.at(-1) ? channels : undefined;
}

/** The constant for the shape before the move; undefined where it varies along other axes than the channels. */
function movedConstant(
  constant: TfliteTensor,
  channels: number,
  value: TfliteTensor,
  move: string,
): TfliteTensor | undefined {
  let shape: number[] | undefined;
  if (constant.elements === 1) shape = [];
  else if (constant.elements === channels) {
    const own = constant.shape!.slice(constant.shape!.findIndex((d) => d !== 1));
    const last = value.shape!.slice(-own.length);
    const fits = String(own) === String(last) && (move === 'RESHAPE' || own.length === 1);
    shape = fits ? [channels] : undefined;
  }
  if (!shape) return undefined;
  const moved = new TfliteTensor(constant.name, constant.type, shape);
  moved.buffer = constant.buffer;
  return moved;
}

/** The move comes first in the list and its result is read once: each takes the other's place. */
function swap(
  edit: SubgraphEdit,
  move: TfliteOp,
  op: TfliteOp,
  side: number,
  constant: TfliteTensor | undefined,
): void {
  const [before, ...sizes] = move.inputs as TfliteTensor[];
  const between = new TfliteTensor(`${op.outputs[0].name}/flat`, before.type, before.shape);
  const { code, options } = move;
  const operands = constant ? (side === 0 ? [constant, before] : [before, constant]) : [before];
  edit.become(move, op.code, operands, op.options);
  edit.setOutput(move, between);
  edit.become(op, code, [between, ...sizes], options);
  [move.source, op.source] = [op.source, move.source];
}
