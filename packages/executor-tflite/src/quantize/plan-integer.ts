/** Plans of operators that compute in integers: `int8` (int8 weights and activations), `int16x8` (int16 activations). */
import { bufferOf, floats } from '../fuse/edit';
import type { FlatObject } from '../tflite/flatbuffer';
import {
  TfliteTensor,
  type Quantization,
  type TensorType,
  type TfliteOp,
  type TfliteSubgraph,
} from '../tflite/model';
import { activationParams, biasParams, extent, fitBias, perTensor, type Range } from './affine';
import { correctedBias, meansReadBy } from './bias-correction';
import { ScaleGroups, sharedTensors, type KnownRanges } from './groups';
import { cut, KeptRanges } from './kept-ranges';
import { isFloat, isFloatConstant, type Form, type LeftInFloat, type OperandPlan, type OpPlan } from './plan';
import { LSTM_INPUTS, planLstm, whyNotLstm } from './plan-lstm';
import { policyOf, type OperatorPolicy } from './policy';
import type { WeightParams } from './plan-weights';

export type Activation = 'INT8' | 'INT16';

const BIAS_TYPE: Record<Activation, TensorType> = { INT8: 'INT32', INT16: 'INT64' };

/** Options of 16x8 kernels that are otherwise left at their defaults, by operator. */
const OPTIONS_16: Record<string, FlatObject> = {
  // Scales of any value, not of powers of two only.
  ADD: { type: 'AddOptions', pot_scale_int16: false },
  SUB: { type: 'SubOptions', pot_scale_int16: false },
  CONV_2D: { type: 'Conv2DOptions', quantized_bias_type: 'INT64' },
  FULLY_CONNECTED: { type: 'FullyConnectedOptions', quantized_bias_type: 'INT64' },
  TRANSPOSE_CONV: { type: 'TransposeConvOptions', quantized_bias_type: 'INT64' },
};

export interface IntegerContext {
  type: Activation;
  known: KnownRanges;
  weights: WeightParams;
  /** Operators that were asked to compute in these integers. */
  asked(op: TfliteOp): boolean;
}

/** Plans for one subgraph, and what has to stay in float. */
export function planInteger(
  graph: TfliteSubgraph,
  context: IntegerContext,
): { plans: OpPlan[]; left: LeftInFloat[] } {
  const lost = new Set<TfliteTensor>();
  let attempt: Attempt;
  do attempt = attemptPlan(graph, context, lost);
  while (findLost(graph, attempt, lost));
  const { ops, left, planner } = attempt;
  const plans: OpPlan[] = [];
  for (const op of ops) {
    const plan = planner.plan(op);
    if (typeof plan === 'string') left.push({ op, reason: plan });
    else plans.push(plan);
  }
  for (const { op } of left) {
    const plan = planner.planSelection(op);
    if (plan) plans.push(plan);
  }
  return { plans, left };
}

interface Attempt {
  ops: Set<TfliteOp>;
  left: LeftInFloat[];
  planner: Planner;
}

/** @param lost values of which integers would keep nothing */
function attemptPlan(
  graph: TfliteSubgraph,
  context: IntegerContext,
  lost: ReadonlySet<TfliteTensor>,
): Attempt {
  const left: LeftInFloat[] = [];
  const ops = new Set<TfliteOp>();
  for (const op of graph.ops) {
    if (!context.asked(op) || !touchesFloat(op)) continue;
    const reason = [...op.inputs, ...op.outputs].some((t) => t && lost.has(t))
      ? 'beside its largest values nothing would be left of the others'
      : whyNot(op, context);
    if (reason) left.push({ op, reason });
    else ops.add(op);
  }
  for (const op of strayMoves(graph, ops)) ops.delete(op);
  return { ops, left, planner: new Planner(graph, ops, context) };
}

/** Adds results of which nothing would be left, and what they are moved to. False when there are no more. */
function findLost(graph: TfliteSubgraph, { ops, planner }: Attempt, lost: Set<TfliteTensor>): boolean {
  const before = lost.size;
  for (const op of graph.ops) {
    const isMoved = policyOf(op).integer?.scales === 'same' && op.inputs.some((t) => t && lost.has(t));
    if (isMoved || (ops.has(op) && planner.loses(op)))
      for (const t of op.outputs.filter(isFloat)) lost.add(t);
  }
  return lost.size > before;
}

function touchesFloat(op: TfliteOp): boolean {
  return op.inputs.some(isFloat) || op.outputs.some(isFloat);
}

/** Why an operator cannot compute in integers; undefined when it can. */
function whyNot(op: TfliteOp, { type, known }: IntegerContext): string | undefined {
  const { integer, weights, bias } = policyOf(op);
  if (!integer) return 'it has no integer kernel';
  if (type === 'INT16' && !integer.int16) return 'it has no int16 kernel';
  if (integer.lstm) return whyNotLstm(op, known);
  if (weights?.constantOnly && !weights.inputs.every((i) => !op.inputs[i] || isFloatConstant(op.inputs[i])))
    return 'its weights are computed, and the integer kernel takes constants only';
  if (type === 'INT16' && weights?.perChannel && !isFloatConstant(op.inputs[weights.inputs[0]]))
    return 'its weights are computed, and the int16 kernel takes int8 constants only';
  if (bias !== undefined && op.inputs[bias] && !isFloatConstant(op.inputs[bias]))
    return 'its bias is computed, and the integer kernel takes a constant only';
  const values = [
    ...op.inputs.filter((t, i) => isActivation(op, i) && isFloat(t)),
    ...op.outputs.filter(isFloat),
  ];
  const isFixed = integer.scales === 'fixed';
  for (const t of values as TfliteTensor[]) {
    if (t.isConstant) {
      if (!isFloatConstant(t)) return 'it reads a constant without elements';
      continue;
    }
    if (known.trained(t) || known.measured(t, type) || (isFixed && op.outputs.includes(t))) continue;
    return `the range of "${t.name}" is not known`;
  }
  return undefined;
}

/** The input is neither weights nor bias. */
export function isActivation(op: TfliteOp, i: number): boolean {
  return !isWeights(op, i) && i !== policyOf(op).bias;
}

function isWeights(op: TfliteOp, i: number): boolean {
  const { weights } = policyOf(op);
  return (weights?.perChannel ?? false) && weights!.inputs.includes(i) && isFloatConstant(op.inputs[i]);
}

/**
 * Operators that only move values between operators that compute in float, or between those and the model's own
 * inputs and outputs: in integers they would cost precision and win nothing.
 */
function strayMoves(graph: TfliteSubgraph, ops: ReadonlySet<TfliteOp>): TfliteOp[] {
  const producers = graph.producers();
  const consumers = graph.consumers();
  const moves = [...ops].filter((op) => policyOf(op).integer?.moves);
  const anchored = new Set<TfliteOp>();
  const neighbours = (op: TfliteOp): TfliteOp[] => [
    ...op.inputs.filter(isFloat).flatMap((t) => producers.get(t) ?? []),
    ...op.outputs.filter(isFloat).flatMap((t) => consumers.get(t) ?? []),
  ];
  const work = moves.filter((op) => neighbours(op).some((n) => ops.has(n) && !policyOf(n).integer?.moves));
  for (let op = work.pop(); op; op = work.pop()) {
    if (anchored.has(op)) continue;
    anchored.add(op);
    work.push(...neighbours(op).filter((n) => ops.has(n) && policyOf(n).integer?.moves));
  }
  // A table is worth it by itself: it is stored in a quarter of the bytes.
  return moves.filter((op) => !anchored.has(op) && policyOf(op).table === undefined);
}

class Planner {
  private readonly groups: ScaleGroups;
  private readonly kept: KeptRanges;
  private readonly ranges = new Map<TfliteTensor, Range>();

  constructor(
    graph: TfliteSubgraph,
    ops: ReadonlySet<TfliteOp>,
    private readonly context: IntegerContext,
  ) {
    const consumers = graph.consumers();
    const given = new Set(graph.outputs);
    const readers = (t: TfliteTensor) => (given.has(t) ? undefined : consumers.get(t));
    const { known, type } = context;
    const whole = (t: TfliteTensor): Range | undefined => {
      if (t.isConstant) return isFloatConstant(t) ? this.constantRange(t) : undefined;
      return known.trained(t) ? undefined : known.measured(t, type);
    };
    this.kept = new KeptRanges(graph, ops, whole, type);
    const counted = { ...known, measured: (t: TfliteTensor) => this.kept.rangeOf(t) };
    this.groups = new ScaleGroups(ops, readers, counted, (t) => this.constantRange(t), type);
  }

  private constantRange(tensor: TfliteTensor): Range | undefined {
    let range = this.ranges.get(tensor);
    if (!range) this.ranges.set(tensor, (range = extent(floats(tensor)!)));
    return Number.isFinite(range.min) && Number.isFinite(range.max) ? range : undefined;
  }

  /** The plan, or why there is none. */
  plan(op: TfliteOp): OpPlan | string {
    const policy = policyOf(op);
    const { type, known, weights } = this.context;
    if (policy.integer!.lstm) {
      const [input, output] = [op.inputs[LSTM_INPUTS.input], op.outputs[0]].map((t) => this.groups.own(t!)!);
      return planLstm(op, known, weights, input, output);
    }
    const same = policy.integer!.scales === 'same';
    const shared = same ? this.groups.shared(sharedTensors(op)[0]) : undefined;
    if (same && !shared) return 'the range of its values is not known';
    const inputs: (OperandPlan | undefined)[] = [];
    for (const [i, t] of op.inputs.entries()) {
      if (!isFloat(t) || !isActivation(op, i)) continue;
      const quantization = shared ?? (t.isConstant ? this.ofConstant(op, i) : this.groups.own(t));
      if (!quantization) return `the values of "${t.name}" are not finite`;
      inputs[i] = { form: { type, quantization } };
    }
    const problem = this.planWeights(op, policy, inputs);
    if (problem) return problem;
    const outputs = op.outputs.map((t): Form | undefined => {
      if (!isFloat(t)) return undefined;
      const quantization = shared ?? this.groups.own(t);
      return quantization && { type, quantization };
    });
    if (!addable(op, inputs, outputs, type)) return 'its scales are too far apart for the integer kernel';
    const more = type === 'INT16' ? OPTIONS_16[op.code] : undefined;
    const options = more && { ...more, ...op.options, ...more };
    const mode = type === 'INT16' ? 'int16x8' : 'int8';
    return { op, mode, inputs: op.inputs.map((_, i) => inputs[i]), outputs, ...(options && { options }) };
  }

  private ofConstant(op: TfliteOp, i: number): Quantization | undefined {
    const range = this.keptOfConstant(op, i);
    return range && activationParams(range, this.context.type);
  }

  /** The range of a constant operand as far as it counts. */
  private keptOfConstant(op: TfliteOp, i: number): Range | undefined {
    const range = this.constantRange(op.inputs[i] as TfliteTensor);
    const limit = this.kept.factorLimit(op, i);
    return range && cut(range, limit === undefined ? this.kept.by(op, i) : { min: -limit, max: limit });
  }

  loses(op: TfliteOp): boolean {
    return this.kept.loses(op);
  }

  /** A selection that stays in float between integers: what it hides is made no larger than counts. */
  planSelection(op: TfliteOp): OpPlan | undefined {
    if (!op.code.startsWith('SELECT')) return undefined;
    const inputs = op.inputs.map((t, i): OperandPlan | undefined => {
      const whole = i > 0 && isFloatConstant(t) ? this.constantRange(t) : undefined;
      const range = whole && this.keptOfConstant(op, i);
      if (!range || (range.min === whole.min && range.max === whole.max)) return undefined;
      const values = floats(t)!.map((v) => Math.max(range.min, Math.min(range.max, v)));
      const constant = new TfliteTensor(t!.name, 'FLOAT32', t!.shape);
      constant.buffer = bufferOf(values);
      return { constant };
    });
    if (!inputs.some(Boolean)) return undefined;
    const mode = this.context.type === 'INT16' ? 'int16x8' : 'int8';
    return { op, mode, inputs, outputs: op.outputs.map(() => undefined) };
  }

  /** Adds weights and bias to the operands; gives a reason where they cannot be quantised. */
  private planWeights(
    op: TfliteOp,
    { weights, bias: biasAt }: OperatorPolicy,
    inputs: (OperandPlan | undefined)[],
  ): string | undefined {
    const at = weights?.inputs[0];
    if (at === undefined || !isWeights(op, at)) return this.planBiasOfComputed(op, biasAt, inputs);
    const tensor = op.inputs[at] as TfliteTensor;
    let params = this.context.weights(tensor, weights!.axis, 'INT8');
    if (!params) return `the weights "${tensor.name}" are not finite`;
    const bias = biasAt === undefined ? undefined : op.inputs[biasAt];
    if (bias) {
      const type = BIAS_TYPE[this.context.type];
      const values = floats(bias)!;
      const inputScale = inputScaleOf(inputs);
      if (!values.every(Number.isFinite)) return `the bias "${bias.name}" is not finite`;
      params = fitBias(values, inputScale, params, type);
      const form = { type, quantization: biasParams(inputScale, params) };
      inputs[biasAt!] = { form, ...this.corrected(op, bias, values, params) };
    }
    inputs[at] = { form: { type: 'INT8', quantization: params } };
    return undefined;
  }

  /** A bias in place of the operator's own, where the means of the input are known. */
  private corrected(
    op: TfliteOp,
    bias: TfliteTensor,
    values: Float32Array,
    params: Quantization,
  ): { constant: TfliteTensor } | undefined {
    const read = meansReadBy(op);
    const means = read && this.context.known.means?.(read.tensor);
    if (!means) return undefined;
    const constant = new TfliteTensor(bias.name, bias.type, bias.shape);
    constant.buffer = { bytes: new Uint8Array(correctedBias(op, values, params, means).buffer) };
    return { constant };
  }

  /** A bias beside weights that are computed: their scale is that of an activation. */
  private planBiasOfComputed(
    op: TfliteOp,
    biasAt: number | undefined,
    inputs: (OperandPlan | undefined)[],
  ): string | undefined {
    const bias = biasAt === undefined ? undefined : op.inputs[biasAt];
    if (!bias) return undefined;
    const [input, weights] = inputs;
    const scale = weights?.form?.quantization?.scale[0] as number;
    const quantization = biasParams(input?.form?.quantization?.scale[0] as number, perTensor(scale, 0));
    inputs[biasAt!] = { form: { type: BIAS_TYPE[this.context.type], quantization } };
    return undefined;
  }
}

/** The scale of the one activation that an operator with weights reads. */
function inputScaleOf(inputs: readonly (OperandPlan | undefined)[]): number {
  return inputs.find((operand) => operand?.form)!.form!.quantization!.scale[0];
}

/** Bits by which kernels shift addends before they bring them to one scale. */
const SHIFT: Record<Activation, number> = { INT8: 20, INT16: 15 };

/** Kernels of sums take results that are finer than their operands up to a limit, and abort beyond it. */
function addable(
  op: TfliteOp,
  inputs: readonly (OperandPlan | undefined)[],
  [output]: readonly (Form | undefined)[],
  type: Activation,
): boolean {
  if (op.code !== 'ADD' && op.code !== 'SUB') return true;
  const largest = Math.max(...inputs.map((operand) => operand?.form?.quantization?.scale[0] ?? 0));
  return 2 * largest < 2 ** SHIFT[type] * (output?.quantization?.scale[0] ?? Infinity);
}
