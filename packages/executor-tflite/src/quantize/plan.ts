/**
 * What is to be done to a model, before anything is done: each operator says in which form it takes its inputs and
 * gives its outputs. `apply.ts` edits by it; reports and verification read it.
 */
import type { Quantization as Mode } from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import type { Quantization, TensorType, TfliteModel, TfliteOp, TfliteTensor } from '../tflite/model';

export type { Mode };

/** How a float value is held: as it is (undefined), or in a smaller type. */
export interface Form {
  type: TensorType;
  quantization?: Quantization;
}

export interface OperandPlan {
  /** The form in which the operator takes the value. */
  form?: Form;
  /** A constant that the operator takes as float, but that is held in this form and read back. */
  stored?: Form;
  /** Taken in place of the operand. */
  constant?: TfliteTensor;
}

export interface OpPlan {
  op: TfliteOp;
  mode: Mode;
  /** By input; undefined: unchanged. */
  inputs: (OperandPlan | undefined)[];
  /** By output; undefined: unchanged. */
  outputs: (Form | undefined)[];
  options?: FlatObject;
  /** Tensors of the operator's own that only integer kernels want. */
  intermediates?: TfliteTensor[];
}

/** An operator that computes in float although something else was asked for. */
export interface LeftInFloat {
  op: TfliteOp;
  /** Completes "X stays in float: …". */
  reason: string;
}

export interface Plan {
  ops: Map<TfliteOp, OpPlan>;
  left: LeftInFloat[];
}

/** Forms are equal when their keys are. */
export function formKey(form: Form | undefined): string {
  if (!form) return '';
  const { type, quantization: q } = form;
  return q ? `${type} ${q.scale} ${q.zeroPoint} ${q.scale.length > 1 ? q.axis : ''}` : type;
}

/** An operator's name for people and for rules: that of its node, which the converter keeps on its first output. */
export function nameOf(op: TfliteOp): string {
  return op.outputs[0]?.name ?? op.code;
}

export function isFloat(tensor: TfliteTensor | undefined): tensor is TfliteTensor {
  return tensor?.type === 'FLOAT32';
}

/** A float constant with elements in it. */
export function isFloatConstant(tensor: TfliteTensor | undefined): tensor is TfliteTensor {
  return isFloat(tensor) && tensor.isConstant && tensor.isStatic && tensor.elements > 0;
}

/** What of a plan people want to know: operators by what they compute in. */
export interface PlanSummary {
  integer: number;
  hybrid: number;
  float: number;
}

/** Counts a model's operators with float values by what they will compute in. */
export function summarize(model: TfliteModel, plan: Plan): PlanSummary {
  const summary = { integer: 0, hybrid: 0, float: 0 };
  for (const op of model.subgraphs.flatMap((g) => g.ops)) {
    if (![...op.inputs, ...op.outputs].some((t) => isFloat(t))) continue;
    const planned = plan.ops.get(op);
    if (
      planned?.outputs.some(Boolean) ||
      planned?.inputs.some((o, i) => o?.form && !op.inputs[i]?.isConstant)
    )
      summary.integer++;
    else if (planned?.inputs.some((o) => o?.form)) summary.hybrid++;
    else summary.float++;
  }
  return summary;
}
