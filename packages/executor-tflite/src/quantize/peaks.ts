/**
 * How large the largest value of each row is, at least. Rows are taken to have one position at least that no mask
 * hides: of one where all are hidden nothing sensible would come anyway.
 */
import { floats } from '../fuse/edit';
import type { TfliteOp, TfliteTensor } from '../tflite/model';
import type { Range } from './affine';

export type RangeLookup = (tensor: TfliteTensor) => Range | undefined;

/** What hides a position is that far below what does not. */
export const HIDES = 1000;

const VIEWS = new Set(['RESHAPE', 'EXPAND_DIMS', 'SQUEEZE', 'BROADCAST_TO', 'TILE']);

/** Chains of masks are short. */
const MAX_DEPTH = 12;

export class Peaks {
  constructor(
    private readonly producers: ReadonlyMap<TfliteTensor, TfliteOp>,
    private readonly whole: RangeLookup,
  ) {}

  /** A lower bound of the largest value of every row along the last axis; undefined where nothing is known. */
  of(tensor: TfliteTensor | undefined): number | undefined {
    const bounds = [this.visible(tensor, 1)];
    const op = tensor && this.producers.get(tensor);
    // Where a row of a constant is largest, the other operand is no smaller than it gets anywhere.
    if (op?.code === 'ADD')
      for (const i of [0, 1]) bounds.push(add(this.least(op.inputs[1 - i], 1), rowPeak(op.inputs[i], 1)));
    if (op?.code === 'SUB') bounds.push(add(this.least(op.inputs[0], 1), rowPeak(op.inputs[1], -1)));
    const known = bounds.filter((n) => n !== undefined);
    return known.length ? Math.max(...known) : undefined;
  }

  private least(tensor: TfliteTensor | undefined, sign: 1 | -1): number | undefined {
    const range = tensor && this.whole(tensor);
    return range && (sign > 0 ? range.min : -range.max);
  }

  /** All of the values hide. */
  private isHidden(tensor: TfliteTensor | undefined, sign: 1 | -1): boolean {
    const least = this.least(tensor, sign > 0 ? -1 : 1);
    return least !== undefined && least >= HIDES;
  }

  /** The least value of `sign` · a tensor at positions that no mask hides. */
  private visible(tensor: TfliteTensor | undefined, sign: 1 | -1, depth = 0): number | undefined {
    if (!tensor) return undefined;
    if (tensor.isConstant) return leastVisible(tensor, sign);
    const op = depth < MAX_DEPTH ? this.producers.get(tensor) : undefined;
    const [a, b, c] = op?.inputs ?? [];
    const of = (t: TfliteTensor | undefined, s = sign): number | undefined => this.visible(t, s, depth + 1);
    const least = this.least(tensor, sign);
    // What is large at no position is hidden at none.
    if (!op || least === undefined || least > -HIDES) return least;
    switch (op.code) {
      case 'ADD':
        return add(of(a), of(b)) ?? least;
      case 'SUB':
        return add(of(a), of(b, sign > 0 ? -1 : 1)) ?? least;
      case 'MUL':
        // 0 · number for what is seen, 1 · number for what is not.
        return hides(a) || hides(b) ? -this.least(tensor, sign > 0 ? -1 : 1)! : least;
      case 'SELECT':
      case 'SELECT_V2':
        if (this.isHidden(c, sign)) return of(b) ?? least;
        return this.isHidden(b, sign) ? (of(c) ?? least) : least;
      case 'MINIMUM':
      case 'MAXIMUM':
        return smaller(of(a), of(b)) ?? least;
      default:
        return VIEWS.has(op.code) ? (of(a) ?? least) : least;
    }
  }
}

function add(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function hides(factor: TfliteTensor | undefined): boolean {
  return factor?.isConstant === true && (floats(factor)?.every((v) => Math.abs(v) >= HIDES) ?? false);
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}

function leastVisible(constant: TfliteTensor, sign: 1 | -1): number | undefined {
  const values = floats(constant)?.map((v) => sign * v);
  if (!values?.length) return undefined;
  const largest = values.reduce((m, v) => Math.max(m, v));
  return values.reduce((m, v) => (v > largest - HIDES ? Math.min(m, v) : m), largest);
}

function rowPeak(tensor: TfliteTensor | undefined, sign: 1 | -1): number | undefined {
  const values = tensor?.isConstant ? floats(tensor) : undefined;
  if (!values?.length) return undefined;
  const row = tensor!.shape?.at(-1) ?? 1;
  let least = Infinity;
  for (let start = 0; start < values.length; start += row) {
    let peak = -Infinity;
    for (const v of values.subarray(start, start + row)) peak = Math.max(peak, sign * v);
    least = Math.min(least, peak);
  }
  return least;
}
