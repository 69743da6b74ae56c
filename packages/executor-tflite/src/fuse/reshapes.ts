/**
 * Given:  y = RESHAPE(SQUEEZE(RESHAPE(x)))       at most one size unknown
 * Result: y = RESHAPE(x); nothing where the shape does not change
 *
 * SQUEEZE and EXPAND_DIMS are RESHAPEs, and so are TRANSPOSEs that only move axes of size 1. Sizes that were computed
 * and are known become a constant.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { intConstant, ints, SubgraphEdit } from './edit';
import { agrees } from './match';

export function fuseReshapes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (edit.isRemoved(op) || !movesNothing(op)) continue;
    const input = op.inputs[0] as TfliteTensor;
    const output = op.outputs[0];
    if (op.code === 'RESHAPE' && isShapeOf(edit, op.inputs[1], input)) {
      output.shape ??= input.shape;
      if (edit.bypass(op)) continue;
    }
    if (!isInferable(output)) continue;
    const before = edit.producer(input);
    const together = before && movesNothing(before) && !edit.isOutput(input);
    if (together) edit.setInput(op, 0, before.inputs[0]);
    if (op.code !== 'RESHAPE' || !op.inputs[1]?.buffer) becomeReshape(edit, op);
    if (op.inputs[0]?.shape && agrees(op.inputs[0].shape, output.shape!)) edit.bypass(op);
  }
  return edit.commit();
}

/** Only the shape differs, not the order of elements. */
function movesNothing(op: TfliteOp): boolean {
  if (!/^(RESHAPE|SQUEEZE|EXPAND_DIMS|TRANSPOSE)$/.test(op.code)) return false;
  const [input] = op.inputs;
  return !!input && !input.quantization && (op.code !== 'TRANSPOSE' || movesOnlyOnes(op));
}

function movesOnlyOnes(op: TfliteOp): boolean {
  const perm = ints(op.inputs[1]);
  const shape = op.inputs[0]?.shape;
  if (!perm || !shape) return false;
  const moved = perm.filter((p) => shape[p] !== 1);
  return moved.every((p, i) => i === 0 || p > moved[i - 1]);
}

/** One size may be unknown: it follows from the others, but not in an empty tensor. */
function isInferable({ shape }: TfliteTensor): boolean {
  const unknown = shape?.filter((d) => d < 0).length;
  return unknown === 0 || (unknown === 1 && !shape!.includes(0));
}

function isShapeOf(edit: SubgraphEdit, sizes: TfliteTensor | undefined, tensor: TfliteTensor): boolean {
  return edit.plain(sizes, 'SHAPE')?.inputs[0] === tensor;
}

function becomeReshape(edit: SubgraphEdit, op: TfliteOp): void {
  const output = op.outputs[0];
  const sizes = intConstant(`${output.name}/shape`, output.shape as number[]);
  edit.become(op, 'RESHAPE', [op.inputs[0], sizes]);
}
