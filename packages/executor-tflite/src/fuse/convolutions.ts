/** What passes know of operators that have a filter and a bias. */
import type { TfliteOp } from '../tflite/model';
import { activationOf, floats, type SubgraphEdit } from './edit';

export interface FilterRow {
  /** The axis of output channels in the filter. */
  axis: 'first' | 'last';
  /** Which input the bias is. */
  bias: number;
}

export const FILTERS: Record<string, FilterRow> = {
  CONV_2D: { axis: 'first', bias: 2 },
  DEPTHWISE_CONV_2D: { axis: 'last', bias: 2 },
  FULLY_CONNECTED: { axis: 'first', bias: 2 },
  CONV_3D: { axis: 'last', bias: 2 },
  TRANSPOSE_CONV: { axis: 'first', bias: 3 },
};

export function hasFloatFilter(op: TfliteOp): boolean {
  const filter = op.inputs[1];
  return op.code in FILTERS && filter?.buffer !== undefined && filter.type === 'FLOAT32' && !!filter.shape;
}

/** No bias, or one that may be changed. */
export function foldableBias(op: TfliteOp): boolean {
  const bias = op.inputs[FILTERS[op.code].bias];
  return !bias || floats(bias) !== undefined;
}

/** Number of output channels, where filter and bias are constants that may be changed. */
export function foldableChannels(op: TfliteOp | undefined): number | undefined {
  return op && hasFloatFilter(op) ? biasChannels(op) : undefined;
}

/** Number of output channels, where at least the bias may be changed: the filter may be computed. */
export function biasChannels(op: TfliteOp | undefined): number | undefined {
  if (!op || !(op.code in FILTERS) || activationOf(op) || !foldableBias(op)) return undefined;
  const filter = op.inputs[1];
  if (filter?.type !== 'FLOAT32' || !filter.shape) return undefined;
  const channels = FILTERS[op.code].axis === 'first' ? filter.shape[0] : filter.shape.at(-1);
  return channels !== undefined && channels > 0 ? channels : undefined;
}

/** A constant operand of ADD, SUB, MUL or DIV by which another is scaled or shifted; -1 for none. */
export function constantSide(edit: SubgraphEdit, op: TfliteOp): number {
  if (!/^(ADD|SUB|MUL|DIV)$/.test(op.code) || edit.isRemoved(op)) return -1;
  const side = op.inputs.findIndex((t) => t?.buffer && t.type === 'FLOAT32');
  // a − x and a / x are no scale or bias of x.
  return side === 0 && (op.code === 'SUB' || op.code === 'DIV') ? -1 : side;
}
