/**
 * Which values of a tensor count. Attention hides positions by adding −10⁹, or by selecting it: held in one scale with
 * such numbers nothing else would be left. Behind a softmax they are zero whatever they are, as everything is that
 * lies far enough below the largest of its row; so they may be cut off, and with them the operands that they come of.
 *
 * From readers to what they read: what an operator's output cuts off need not be in its operands either.
 */
import type { TensorType, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { activationParams, type Range } from './affine';
import { HIDES, Peaks, type RangeLookup } from './peaks';
import { isFloat } from './plan';
import { policyOf } from './policy';

const ALL: Range = { min: -Infinity, max: Infinity };

/** Below the largest value of a row, from where on softmax gives nothing that the type could hold. */
const NOTHING_BELOW: Partial<Record<TensorType, number>> = { INT8: 8, INT16: 16 };

/** A QUANTIZE rounds to int32 first: larger quotients come out as anything. */
const MAX_QUOTIENT = 2 ** 30;

/** How far a factor that makes hidden positions stays above what counts of them, so that none is let through. */
const BEYOND = 1000;

export class KeptRanges {
  private readonly kept = new Map<TfliteTensor, Range>();
  private readonly producers: ReadonlyMap<TfliteTensor, TfliteOp>;
  private readonly peaks: Peaks;
  private readonly consumers: ReadonlyMap<TfliteTensor, TfliteOp[]>;
  private readonly given: ReadonlySet<TfliteTensor>;

  /**
   * @param ops the operators that will compute in integers
   * @param whole what is known of a tensor's values
   */
  constructor(
    graph: TfliteSubgraph,
    private readonly ops: ReadonlySet<TfliteOp>,
    private readonly whole: RangeLookup,
    private readonly type: TensorType,
  ) {
    this.producers = graph.producers();
    this.peaks = new Peaks(this.producers, whole);
    this.consumers = graph.consumers();
    this.given = new Set(graph.outputs);
  }

  /** The range of a tensor's values, as far as they count. */
  rangeOf(tensor: TfliteTensor): Range | undefined {
    const whole = this.whole(tensor);
    return whole && cut(whole, this.of(tensor));
  }

  /** What of a computed tensor counts, for all that read it. */
  private of(tensor: TfliteTensor): Range {
    let range = this.kept.get(tensor);
    if (!range) {
      range = this.ofReaders(tensor);
      if (!this.canBeCut(tensor, range)) range = ALL;
      this.kept.set(tensor, range);
    }
    return range;
  }

  private ofReaders(tensor: TfliteTensor): Range {
    const readers = this.consumers.get(tensor);
    if (tensor.isConstant || this.given.has(tensor) || !readers?.length) return ALL;
    let [min, max] = [Infinity, -Infinity];
    for (const op of readers) {
      for (const [i, t] of op.inputs.entries()) {
        if (t !== tensor) continue;
        const range = this.by(op, i);
        min = Math.min(min, range.min);
        max = Math.max(max, range.max);
        if (min === -Infinity && max === Infinity) return ALL;
      }
    }
    return { min, max };
  }

  /** What of its input `i` counts for an operator. */
  by(op: TfliteOp, i: number): Range {
    const output = op.outputs[0];
    if (op.code.startsWith('SELECT')) return i > 0 ? this.of(output) : ALL;
    if (!this.ops.has(op)) return ALL;
    if (op.code === 'SOFTMAX' || op.code === 'ARG_MAX') return { min: this.lowestOf(op), max: Infinity };
    if (op.code === 'ADD' || op.code === 'SUB') return this.byAddition(op, i);
    const integer = policyOf(op).integer;
    if (integer?.scales !== 'same' || integer.mixes) return ALL;
    // What a run chooses it may choose otherwise than calibration did.
    const isFixed = op.inputs.every((t) => !t || t.isConstant || isFloat(t));
    const isOne = op.inputs.filter(isFloat).length === 1;
    return (isFixed && isOne && this.rangeOf(output)) || this.of(output);
  }

  private lowestOf(op: TfliteOp): number {
    const beta = (op.options?.beta as number | undefined) ?? 1;
    const peak = this.peaks.of(op.inputs[0]);
    if (peak === undefined || !(beta > 0)) return -Infinity;
    // A little below, so that the largest is not equal to what is cut off.
    if (op.code === 'ARG_MAX') return peak - Math.abs(this.whole(op.inputs[0]!)!.max - peak) / 50;
    return peak - (NOTHING_BELOW[this.type] ?? Infinity) / beta;
  }

  /** With the other operand as large as it gets, the sum is outside: so it is with any. */
  private byAddition(op: TfliteOp, i: number): Range {
    const other = op.inputs[1 - i] && this.whole(op.inputs[1 - i]!);
    const sum = this.rangeOf(op.outputs[0]);
    if (!other || !sum) return ALL;
    if (op.code === 'ADD') return { min: sum.min - other.max, max: sum.max - other.min };
    if (i === 0) return { min: sum.min + other.min, max: sum.max + other.max };
    return { min: other.min - sum.max, max: other.max - sum.min };
  }

  /** An operator that computes in float gives all there is to a QUANTIZE. */
  private canBeCut(tensor: TfliteTensor, range: Range): boolean {
    const producer = this.producers.get(tensor);
    const whole = this.whole(tensor);
    if (!whole || (producer && this.ops.has(producer))) return true;
    const scale = activationParams(cut(whole, range), this.type).scale[0];
    const values = producer ? this.withoutHidden(producer, whole, range) : whole;
    return magnitude(values) / scale < MAX_QUOTIENT;
  }

  /** The values of a float selection once its constants are cut too, and what integers give it alone. */
  private withoutHidden(op: TfliteOp, whole: Range, range: Range): Range {
    if (!op.code.startsWith('SELECT')) return whole;
    const [a, b] = op.inputs.slice(1).map((t) => {
      const known = t && this.whole(t);
      const isCut = t && (t.isConstant || this.isGivenTo(t, op));
      return known && isCut ? cut(known, range) : known;
    });
    return a && b ? { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) } : whole;
  }

  private isGivenTo(tensor: TfliteTensor, op: TfliteOp): boolean {
    const producer = this.producers.get(tensor);
    const isAlone = this.consumers.get(tensor)?.every((reader) => reader === op) ?? false;
    return isAlone && !this.given.has(tensor) && producer !== undefined && this.ops.has(producer);
  }

  /**
   * Whether an operand is lost in the scale of a sum or selection, all of its values in one step, although it counts
   * where the other operand hides nothing.
   */
  loses(op: TfliteOp): boolean {
    if (op.code === 'MUL') return this.losesFactor(op);
    const isSelection = op.code.startsWith('SELECT');
    if (!isSelection && op.code !== 'ADD' && op.code !== 'SUB') return false;
    const output = this.rangeOf(op.outputs[0]);
    if (!output) return false;
    const step = activationParams(output, this.type).scale[0];
    const operands = isSelection ? op.inputs.slice(1) : op.inputs;
    return operands.some((t, i) => {
      const range = t && !t.isConstant ? this.whole(t) : undefined;
      const other = operands[1 - i] && this.whole(operands[1 - i]!);
      if (!range || !other || range.max === range.min || range.max - range.min >= step) return false;
      const [largest, smallest] = [magnitude(other), Math.max(other.min, -other.max)];
      return largest >= HIDES && (isSelection || smallest < step);
    });
  }

  /** One step of a factor is more than the product ever is: it was hidden by the other one being zero. */
  private losesFactor(op: TfliteOp): boolean {
    const product = this.whole(op.outputs[0]);
    return [0, 1].some((i) => {
      const [factor, other] = [op.inputs[i], op.inputs[1 - i]];
      const range = factor && !factor.isConstant ? this.rangeOf(factor) : undefined;
      const times = other && this.whole(other);
      if (!product || !range || !times || magnitude(range) < HIDES || magnitude(product) === 0) return false;
      return activationParams(range, this.type).scale[0] * magnitude(times) > magnitude(product);
    });
  }

  /**
   * The largest magnitude that a constant factor may have where its product is cut off: what is hidden stays hidden,
   * and the kernel's arithmetic does not overflow. Undefined: as large as it is.
   */
  factorLimit(op: TfliteOp, i: number): number | undefined {
    const other = op.inputs[1 - i];
    if (op.code !== 'MUL' || !op.inputs[i]?.isConstant || !other || other.isConstant) return undefined;
    const [whole, left, times] = [this.whole(op.outputs[0]), this.rangeOf(op.outputs[0]), this.whole(other)];
    if (!whole || !left || !times) return undefined;
    const limits = [left.min > whole.min ? -left.min : 0, left.max < whole.max ? left.max : 0];
    const largest = Math.max(...limits);
    const most = magnitude(times);
    return largest > 0 && most > 0 ? (BEYOND * largest) / most : undefined;
  }
}

/**
 * A range of which only what is kept counts: what lies outside is held at its end. Where nothing of it counts, all is
 * held there, unless that is farther from zero.
 */
export function cut(whole: Range, kept: Range): Range {
  if (!(kept.min <= kept.max)) return whole;
  const within = (v: number): number => Math.max(kept.min, Math.min(kept.max, v));
  const range = { min: within(whole.min), max: within(whole.max) };
  return magnitude(range) <= magnitude(whole) ? range : whole;
}

function magnitude({ min, max }: Range): number {
  return Math.max(-min, max);
}
