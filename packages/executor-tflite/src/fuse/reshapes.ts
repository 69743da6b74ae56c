/**
 * Given:  y = RESHAPE(SQUEEZE(RESHAPE(x)))       sizes known
 * Result: y = RESHAPE(x); nothing where the shape does not change
 *
 * SQUEEZE and EXPAND_DIMS of known sizes are RESHAPEs, and so are TRANSPOSEs that only move axes of size 1.
 */
import { Tensor } from '@floe/export-core';
import { TfliteTensor, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';

export function fuseReshapes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (edit.isRemoved(op) || !isReshape(op)) continue;
    const input = op.inputs[0] as TfliteTensor;
    const output = op.outputs[0];
    const before = edit.producer(input);
    if (before && isReshape(before) && output.isStatic && !edit.isOutput(input)) {
      edit.setInput(op, 0, before.inputs[0]);
      becomeReshape(edit, op);
    } else if (op.code !== 'RESHAPE') {
      becomeReshape(edit, op);
    }
    if (sameShape(op.inputs[0] as TfliteTensor, output)) edit.bypass(op);
  }
  return edit.commit();
}

/** Moves no data: only the shape differs. */
function isReshape(op: TfliteOp): boolean {
  if (!/^(RESHAPE|SQUEEZE|EXPAND_DIMS|TRANSPOSE)$/.test(op.code)) return false;
  const [input] = op.inputs;
  if (!input || input.quantization || !op.outputs[0].isStatic) return false;
  if (op.code === 'RESHAPE') return true;
  return input.isStatic && (op.code !== 'TRANSPOSE' || movesOnlyOnes(op));
}

function movesOnlyOnes(op: TfliteOp): boolean {
  const perm = ints(op.inputs[1]);
  const shape = op.inputs[0]?.shape;
  if (!perm || !shape) return false;
  const moved = perm.filter((p) => shape[p] !== 1);
  return moved.every((p, i) => i === 0 || p > moved[i - 1]);
}

function becomeReshape(edit: SubgraphEdit, op: TfliteOp): void {
  const output = op.outputs[0];
  const shape = output.shape as number[];
  const sizes = new TfliteTensor(`${output.name}/shape`, 'INT32', [shape.length]);
  sizes.buffer = { bytes: Tensor.fromNumbers('int32', [shape.length], shape).bytes };
  for (let i = op.inputs.length - 1; i >= 1; i--) edit.setInput(op, i, undefined);
  op.inputs.length = 1;
  op.inputs.push(undefined);
  edit.setInput(op, 1, sizes);
  op.code = 'RESHAPE';
  op.options = undefined;
}

function sameShape(a: TfliteTensor, b: TfliteTensor): boolean {
  return a.isStatic && b.isStatic && String(a.shape) === String(b.shape);
}
