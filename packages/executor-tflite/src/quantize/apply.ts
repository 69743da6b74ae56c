/**
 * Carries out a plan: operators get their operands in the forms they ask for. Where a value is given in one form and
 * asked for in another, a QUANTIZE or DEQUANTIZE stands between, once for all who ask.
 *
 * Inputs and outputs of subgraphs keep their form: models, loops and branches look the same from outside.
 */
import { TfliteOp, TfliteTensor, type TfliteModel, type TfliteSubgraph } from '../tflite/model';
import { ConstantForms } from './constants';
import { formKey, isFloat, type Form, type OperandPlan, type Plan } from './plan';

export function applyPlan(model: TfliteModel, plan: Plan): void {
  const constants = new ConstantForms();
  for (const graph of model.subgraphs) new SubgraphEditor(graph, plan, constants).run();
}

class SubgraphEditor {
  private readonly ops: TfliteOp[] = [];
  /** In which form a value is given; absent: as the model has it. */
  private readonly given = new Map<TfliteTensor, Form>();
  /** By the model's own tensor and the form. */
  private readonly versions = new Map<TfliteTensor, Map<string, TfliteTensor>>();
  private readonly outputs: ReadonlySet<TfliteTensor>;

  constructor(
    private readonly graph: TfliteSubgraph,
    private readonly plan: Plan,
    private readonly constants: ConstantForms,
  ) {
    this.outputs = new Set(graph.outputs);
  }

  run(): void {
    for (const op of this.graph.ops) {
      const planned = this.plan.ops.get(op);
      op.inputs = op.inputs.map((tensor, i) => {
        const operand = planned?.inputs[i];
        return isFloat(tensor) ? this.operand(operand?.constant ?? tensor, operand) : tensor;
      });
      if (planned?.options) op.options = planned.options;
      if (planned?.intermediates) op.intermediates = planned.intermediates;
      this.ops.push(op);
      op.outputs = op.outputs.map((tensor, i) => {
        const form = planned?.outputs[i];
        return form ? this.giveAs(tensor, form) : tensor;
      });
    }
    // Adds what turns outputs back; the tensors of the model's own outputs stay.
    for (const tensor of this.graph.outputs) this.version(tensor, undefined);
    this.graph.ops = this.ops;
  }

  private operand(tensor: TfliteTensor, planned: OperandPlan | undefined): TfliteTensor {
    if (tensor.isVariable) return planned?.form ? this.stateIn(tensor, planned.form) : tensor;
    if (!tensor.isConstant) return this.version(tensor, planned?.form);
    if (planned?.stored) {
      const stored = this.constants.get(tensor, planned.stored);
      const versions = this.versionsOf(tensor);
      let read = versions.get('');
      if (!read) {
        read = new TfliteTensor(`${tensor.name}/float`, 'FLOAT32', tensor.shape);
        versions.set('', read);
        this.ops.push(new TfliteOp('DEQUANTIZE', [stored], [read]));
      }
      return read;
    }
    return planned?.form ? this.constants.get(tensor, planned.form) : tensor;
  }

  /** State that an operator keeps for itself: nobody else reads it, so it changes its type. */
  private stateIn(tensor: TfliteTensor, form: Form): TfliteTensor {
    const state = new TfliteTensor(tensor.name, form.type, tensor.shape);
    state.quantization = form.quantization;
    state.isVariable = true;
    return state;
  }

  /** The operator now gives the value in a form. The new tensor keeps the name, unless the model's outputs need it. */
  private giveAs(tensor: TfliteTensor, form: Form): TfliteTensor {
    const isOutput = this.outputs.has(tensor);
    const name = isOutput ? `${tensor.name}/${form.type.toLowerCase()}` : tensor.name;
    const result = new TfliteTensor(name, form.type, tensor.shape);
    result.quantization = form.quantization;
    this.given.set(tensor, form);
    this.versionsOf(tensor).set(formKey(form), result);
    return result;
  }

  private version(tensor: TfliteTensor, form: Form | undefined): TfliteTensor {
    const given = this.given.get(tensor);
    if (formKey(given) === '' && !form) return tensor;
    const versions = this.versionsOf(tensor);
    const key = formKey(form);
    const known = versions.get(key);
    if (known) return known;
    const source = given ? (versions.get(formKey(given)) as TfliteTensor) : tensor;
    const result = this.newVersion(tensor, form);
    versions.set(key, result);
    this.ops.push(new TfliteOp(form ? 'QUANTIZE' : 'DEQUANTIZE', [source], [result]));
    return result;
  }

  private newVersion(tensor: TfliteTensor, form: Form | undefined): TfliteTensor {
    if (!form && this.outputs.has(tensor)) return tensor;
    const added = this.versionsOf(tensor).size;
    const suffix = form ? form.type.toLowerCase() + (added ? `_${added}` : '') : 'float';
    const result = new TfliteTensor(`${tensor.name}/${suffix}`, form?.type ?? 'FLOAT32', tensor.shape);
    if (form) result.quantization = form.quantization;
    return result;
  }

  private versionsOf(tensor: TfliteTensor): Map<string, TfliteTensor> {
    let versions = this.versions.get(tensor);
    if (!versions) this.versions.set(tensor, (versions = new Map<string, TfliteTensor>()));
    return versions;
  }
}
