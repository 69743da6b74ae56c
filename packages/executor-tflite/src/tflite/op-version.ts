/** The version of an operator: a function of its signature (types, shapes, options). */
import type { TfliteOp } from './model';

/** The lowest kernel version that can run the operator. */
export function operatorVersion(op: TfliteOp): number {
  return op ? 1 : 1;
}
