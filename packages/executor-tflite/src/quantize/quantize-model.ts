/** The quantiser: a float model in, what is to be done to it out; no files. */
import { Diagnostics, type Variant } from '@floe/export-core';
import type { TfliteModel, TfliteOp } from '../tflite/model';
import { multiplyByReciprocals } from './divisions';
import type { KnownRanges } from './groups';
import { nameOf, type LeftInFloat, type Mode, type OpPlan, type Plan } from './plan';
import { planInteger, type Activation } from './plan-integer';
import { planDynamic, planFloat16, planWeightOnly, rememberedWeights } from './plan-weights';
import { RuleBook } from './rules';

export interface QuantizeSettings {
  quantization: Mode;
  onUnsupported?: Variant['onUnsupported'];
  rules?: Variant['rules'];
}

const INTEGER_MODES: Partial<Record<Mode, Activation>> = { int8: 'INT8', int16x8: 'INT16' };

/** Plans every operator of the model; what cannot be done as asked is in `diagnostics`. */
export function planModel(
  model: TfliteModel,
  settings: QuantizeSettings,
  known: KnownRanges,
  diagnostics: Diagnostics,
): Plan {
  const rules = new RuleBook(settings.quantization, settings.rules);
  const modes = new Map<TfliteOp, Mode>();
  for (const op of model.subgraphs.flatMap((g) => g.ops)) modes.set(op, rules.modeOf(op));
  multiplyByReciprocals([...modes.keys()].filter((op) => INTEGER_MODES[modes.get(op) as Mode]));
  const weights = rememberedWeights();
  const plans: OpPlan[] = [];
  const left: LeftInFloat[] = [];
  for (const graph of model.subgraphs) {
    for (const op of graph.ops) {
      const plan = planWeights(op, modes.get(op) as Mode, weights);
      if (plan) plans.push(plan);
    }
    for (const [mode, type] of Object.entries(INTEGER_MODES)) {
      const part = planInteger(graph, { type, known, weights, asked: (op) => modes.get(op) === mode });
      plans.push(...part.plans);
      left.push(...part.left);
    }
  }
  for (const i of rules.unused()) {
    diagnostics.warning('Q005', `the rule for "${settings.rules![i].match}" matches no operator`, {
      hint: 'patterns are compared with whole node names; * stands for any characters: "head/*"',
    });
  }
  reportLeft(left, settings, diagnostics);
  return { ops: new Map(plans.map((plan) => [plan.op, plan])), left };
}

function planWeights(
  op: TfliteOp,
  mode: Mode,
  weights: ReturnType<typeof rememberedWeights>,
): OpPlan | undefined {
  switch (mode) {
    case 'float16':
      return planFloat16(op);
    case 'dynamic':
      return planDynamic(op, weights);
    case 'weight-only-int8':
      return planWeightOnly(op, 'INT8', weights);
    case 'weight-only-int4':
      return planWeightOnly(op, 'INT4', weights);
    default:
      return undefined;
  }
}

/** Operators are named in full where that is an error; otherwise by kind, as one note. */
function reportLeft(left: LeftInFloat[], settings: QuantizeSettings, diagnostics: Diagnostics): void {
  if (settings.onUnsupported === 'error') {
    for (const { op, reason } of left) {
      diagnostics.error('Q003', `${op.code} "${nameOf(op)}" cannot be quantised: ${reason}`, {
        node: nameOf(op),
        hint: 'keep it in float by a rule: { match: "…", quantization: none }, or set onUnsupported: float',
      });
    }
    return;
  }
  const byKind = new Map<string, string[]>();
  for (const { op, reason } of left) {
    const key = `${op.customCode ?? op.code}: ${reason.replace(/"[^"]*"/g, '…')}`;
    byKind.set(key, [...(byKind.get(key) ?? []), nameOf(op)]);
  }
  for (const [key, names] of byKind) {
    const which = names.length > 1 ? `${names.length} operators, the first "${names[0]}"` : `"${names[0]}"`;
    diagnostics.note('Q003', `${key}; stays in float (${which})`);
  }
}
