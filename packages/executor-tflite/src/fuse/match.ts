/** What the passes that look for patterns have in common: numbers, shapes, operands in either order. */
import type { TfliteOp, TfliteTensor } from '../tflite/model';
import { activationOf, floats } from './edit';

/** The number of a float32 constant of one element. */
export function numberOf(tensor: TfliteTensor | undefined): number | undefined {
  return tensor?.elements === 1 ? floats(tensor)?.[0] : undefined;
}

/** Equal but for the rounding of a float32. */
export function isNumber(tensor: TfliteTensor | undefined, n: number): boolean {
  const value = numberOf(tensor);
  return value !== undefined && Math.abs(value - n) <= Math.abs(n) * 1e-6;
}

/** The other operand of an operator with two, where one of them is the number. */
export function besidesNumber(op: TfliteOp | undefined, n: number): TfliteTensor | undefined {
  const i = op ? op.inputs.findIndex((t) => isNumber(t, n)) : -1;
  return i < 0 ? undefined : op?.inputs[1 - i];
}

/** Both orders of the operands of an operator with two. */
export function orders(op: TfliteOp): [TfliteTensor, TfliteTensor][] {
  const [a, b] = op.inputs as TfliteTensor[];
  return [
    [a, b],
    [b, a],
  ];
}

/** Of that kind, without an activation, over float32. */
export function isPlain(op: TfliteOp, ...codes: string[]): boolean {
  return codes.includes(op.code) && !activationOf(op) && op.outputs[0].type === 'FLOAT32';
}

export function sameShape(a: TfliteTensor, b: TfliteTensor): boolean {
  return a.shape !== undefined && b.shape !== undefined && String(a.shape) === String(b.shape);
}

/** The same shape at run time, as far as element counts tell: one size may be unknown. */
export function agrees(before: readonly number[], after: readonly number[]): boolean {
  if (before.length !== after.length) return false;
  const open = before.filter((d, i) => d !== after[i] || d < 0);
  if (before.some((d, i) => d !== after[i] && d >= 0 && after[i] >= 0)) return false;
  return open.length === 0 || (open.length === 1 && !before.includes(0) && !after.includes(0));
}

/** The axes of a reduction, counted from the front. */
export function axesOf(axes: readonly number[] | undefined, rank: number): number[] | undefined {
  return axes?.map((a) => (a < 0 ? a + rank : a));
}
