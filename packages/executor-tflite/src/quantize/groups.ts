/**
 * Scales of activations. Operators that move or select values have one scale for what goes in and comes out; so the
 * tensors of a subgraph fall into groups that share parameters.
 */
import type { Quantization, TensorType, TfliteOp, TfliteTensor } from '../tflite/model';
import { activationParams, rangeOf, union, type Range } from './affine';
import { isFloat, isFloatConstant } from './plan';
import { policyOf } from './policy';

/** What is known of a tensor's values: measured, and trained into the model. */
export interface KnownRanges {
  /** @param type of the integers that are to hold the values */
  measured(tensor: TfliteTensor, type: TensorType): Range | undefined;
  trained(tensor: TfliteTensor): Quantization | undefined;
  /** Mean of each channel, element i of the tensor being of channel i mod their number. Absent: biases stay. */
  means?(tensor: TfliteTensor): readonly number[] | undefined;
}

/** Training simulates 8 bits: its parameters hold for int8, for other types its range. */
const TRAINED_TYPE = 'INT8';

interface Group {
  tensors: TfliteTensor[];
  range?: Range;
  params?: Quantization;
}

export class ScaleGroups {
  private readonly parents = new Map<TfliteTensor, TfliteTensor>();
  private readonly groups = new Map<TfliteTensor, Group>();
  /** Parameters that a kernel gives its output. */
  private readonly fixed = new Map<TfliteTensor, Quantization>();

  /**
   * @param ops the operators that will compute in integers
   * @param readers all that read a tensor; undefined where the graph itself gives it
   */
  constructor(
    private readonly ops: ReadonlySet<TfliteOp>,
    private readonly readers: (tensor: TfliteTensor) => readonly TfliteOp[] | undefined,
    private readonly known: KnownRanges,
    private readonly constantRange: (tensor: TfliteTensor) => Range | undefined,
    private readonly type: TensorType,
  ) {
    for (const op of ops) {
      const integer = policyOf(op).integer;
      if (integer?.scales === 'same') this.joinAll(sharedTensors(op));
      const given = integer?.fixed?.[type as 'INT8'];
      if (given) this.fixed.set(op.outputs[0], { scale: [given[0]], zeroPoint: [given[1]], axis: 0 });
    }
    for (const tensor of this.parents.keys()) this.groupOf(tensor).tensors.push(tensor);
  }

  private root(tensor: TfliteTensor): TfliteTensor {
    let at = tensor;
    for (let up = this.parents.get(at); up && up !== at; up = this.parents.get(at)) at = up;
    return at;
  }

  private joinAll(tensors: TfliteTensor[]): void {
    const [first, ...rest] = tensors;
    if (!first) return;
    if (!this.parents.has(first)) this.parents.set(first, first);
    for (const other of rest) {
      if (!this.parents.has(other)) this.parents.set(other, other);
      this.parents.set(this.root(other), this.root(first));
    }
  }

  private groupOf(tensor: TfliteTensor): Group {
    const root = this.root(tensor);
    let group = this.groups.get(root);
    if (!group) this.groups.set(root, (group = { tensors: [] }));
    return group;
  }

  /** Values of a tensor, whatever is known of them: how it was trained, what was measured, what a kernel gives. */
  private rangeOne(tensor: TfliteTensor): Range | undefined {
    if (tensor.isConstant) return this.constantRange(tensor);
    const trained = this.known.trained(tensor);
    if (trained) return rangeOf(trained, TRAINED_TYPE);
    const measured = this.known.measured(tensor, this.type);
    if (measured) return measured;
    const fixed = this.fixed.get(tensor);
    return fixed && rangeOf(fixed, this.type);
  }

  private trained(tensor: TfliteTensor): Quantization | undefined {
    return this.type === TRAINED_TYPE ? this.known.trained(tensor) : undefined;
  }

  /** Parameters of the group, in which operators that share scales take and give the tensor. */
  shared(tensor: TfliteTensor): Quantization | undefined {
    if (!this.parents.has(tensor)) return this.own(tensor);
    const group = this.groupOf(tensor);
    if (!group.range) {
      const counted = group.tensors.filter((t) => !this.isOnlyPicked(t));
      group.range = counted.reduce<Range | undefined>((all, t) => union(all, this.rangeOne(t)), undefined);
      group.params = this.groupParams(group);
    }
    return group.params;
  }

  /**
   * Whether all that reads a tensor takes single values of it into an output of the same scale, always the same ones:
   * what counts of the tensor shows there, and the rest may be cut off. Of a matrix of products of which half is
   * gathered the diagonal may be far larger. What a run chooses it may choose otherwise than calibration did.
   */
  private isOnlyPicked(tensor: TfliteTensor): boolean {
    const readers = this.readers(tensor);
    // Of a constant table calibration sees some rows alone.
    if (!readers?.length || tensor.isConstant || this.known.trained(tensor)) return false;
    return readers.every((op) => {
      const integer = policyOf(op).integer;
      const isFixed = op.inputs.every((t) => !t || t.isConstant || isFloat(t));
      return this.ops.has(op) && integer?.scales === 'same' && !integer.mixes && isFixed;
    });
  }

  private groupParams({ tensors, range }: Group): Quantization | undefined {
    if (!range) return undefined;
    // What a kernel or the training gives holds for the group when it is the only one and nothing is cut off.
    const given = new Map<string, Quantization>();
    for (const t of tensors) {
      const q = this.fixed.get(t) ?? this.trained(t);
      if (q) given.set(`${q.scale} ${q.zeroPoint}`, q);
    }
    const [only] = given.values();
    if (given.size === 1 && covers(rangeOf(only, this.type), range, only.scale[0])) return only;
    return activationParams(range, this.type);
  }

  /** Parameters in which an operator with scales of its own gives the tensor. */
  own(tensor: TfliteTensor): Quantization | undefined {
    const fixed = this.fixed.get(tensor);
    if (fixed) return fixed;
    if (this.parents.has(tensor)) return this.shared(tensor);
    const trained = this.trained(tensor);
    if (trained) return trained;
    const range = this.rangeOne(tensor);
    return range && activationParams(range, this.type);
  }
}

/** `wide` holds `narrow` but for half a step. */
function covers(wide: Range, narrow: Range, step: number): boolean {
  return wide.min - step <= narrow.min && narrow.max <= wide.max + step;
}

/**
 * The tensors of an operator that share a scale. A constant has no say in it, unless all there is are constants (a
 * table that rows are picked of): what counts of it shows in the output, the rest may be cut off.
 */
export function sharedTensors(op: TfliteOp): TfliteTensor[] {
  const inputs = op.inputs.filter(isFloat);
  const computed = inputs.filter((t) => !t.isConstant);
  const constants = computed.length ? [] : inputs.filter(isFloatConstant);
  return [...new Set([...computed, ...constants, ...op.outputs.filter(isFloat)])];
}
