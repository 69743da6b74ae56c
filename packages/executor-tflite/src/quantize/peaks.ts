/** How large the largest value of each row is, at least. */
import { floats } from '../fuse/edit';
import type { TfliteOp, TfliteTensor } from '../tflite/model';
import type { Range } from './affine';

export type RangeLookup = (tensor: TfliteTensor) => Range | undefined;

/** Products with a number that reaches it hide something: 0 · number for what is seen, 1 · number for what is not. */
export const HIDES = 1000;

/** Operators that keep rows, and what more stand in the way of a mask. */
const VIEWS = new Set(['RESHAPE', 'EXPAND_DIMS', 'SQUEEZE', 'BROADCAST_TO', 'TILE']);

/**
 * A lower bound of the largest value of every row along the last axis; undefined where nothing is known. Each row is
 * taken to have one position at least that is not hidden: of one where all are nothing sensible would come anyway.
 */
export function peakOf(
  tensor: TfliteTensor | undefined,
  producers: ReadonlyMap<TfliteTensor, TfliteOp>,
  whole: RangeLookup,
): number | undefined {
  if (!tensor) return undefined;
  const least = (t: TfliteTensor | undefined): number | undefined => t && whole(t)?.min;
  const op = producers.get(tensor);
  const [a, b, c] = op?.inputs ?? [];
  const bounds = [least(tensor)];
  switch (op?.code) {
    case 'ADD':
      bounds.push(sum(least(a), maskPeak(b, 1, producers, whole)));
      bounds.push(sum(least(b), maskPeak(a, 1, producers, whole)));
      break;
    case 'SUB':
      bounds.push(sum(least(a), maskPeak(b, -1, producers, whole)));
      break;
    case 'SELECT':
    case 'SELECT_V2':
      // What is selected of the constant is hidden, if it lies below all else.
      if (c?.isConstant && !b?.isConstant) bounds.push(least(b));
      if (b?.isConstant && !c?.isConstant) bounds.push(least(c));
      break;
    default:
      if (op && VIEWS.has(op.code)) bounds.push(peakOf(a, producers, whole));
  }
  const known = bounds.filter((n): n is number => n !== undefined && Number.isFinite(n));
  return known.length ? Math.max(...known) : undefined;
}

/** The same of `sign` · a mask that is added: what hides nothing in a row is 0, or the largest of a constant row. */
function maskPeak(
  tensor: TfliteTensor | undefined,
  sign: 1 | -1,
  producers: ReadonlyMap<TfliteTensor, TfliteOp>,
  whole: RangeLookup,
): number | undefined {
  if (!tensor) return undefined;
  if (tensor.isConstant) return constantPeak(tensor, sign);
  const op = producers.get(tensor);
  if (op && VIEWS.has(op.code)) return maskPeak(op.inputs[0], sign, producers, whole);
  const range = whole(tensor);
  if (op?.code !== 'MUL' || !range || !op.inputs.some((t) => hides(t))) return undefined;
  return sign > 0 ? range.max : -range.min;
}

function hides(factor: TfliteTensor | undefined): boolean {
  return factor?.isConstant === true && (floats(factor)?.every((v) => Math.abs(v) >= HIDES) ?? false);
}

function constantPeak(tensor: TfliteTensor, sign: 1 | -1): number | undefined {
  const values = floats(tensor);
  if (!values?.length) return undefined;
  const row = tensor.shape?.at(-1) ?? 1;
  let least = Infinity;
  for (let start = 0; start < values.length; start += row) {
    let peak = -Infinity;
    for (const v of values.subarray(start, start + row)) peak = Math.max(peak, sign * v);
    least = Math.min(least, peak);
  }
  return least;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
