/** Comparisons, logic and selection. */
import { broadcastShapes, isStatic, sameShape, type Node } from '@floe/export-core';
import { kernel, refuseBroadcast, refuseType } from './kernel-types';
import { direct, type LoweringTable, type Refusal } from './row';

/** TF1's Equal of shapes that do not broadcast is false instead of an error; TFLite has no such thing. */
function mustBroadcast(node: Node): Refusal | undefined {
  const tolerant = node.attr('incompatible_shape_error');
  if (tolerant?.kind !== 'bool' || tolerant.value) return undefined;
  const [a, b] = node.inputs;
  return isStatic(a.shape) && isStatic(b.shape) && broadcastShapes(a.shape, b.shape)
    ? undefined
    : { reason: 'with incompatible_shape_error=false its shapes must be known to broadcast' };
}

function sameStaticShapes(node: Node): boolean {
  const [first] = node.inputs;
  return node.inputs.every((v) => isStatic(v.shape) && sameShape(v.shape, first.shape));
}

export const table: LoweringTable = {
  Equal: kernel('EQUAL', undefined, { refuse: mustBroadcast }),
  NotEqual: kernel('NOT_EQUAL', undefined, { refuse: mustBroadcast }),
  Less: kernel('LESS'),
  LessEqual: kernel('LESS_EQUAL'),
  Greater: kernel('GREATER'),
  GreaterEqual: kernel('GREATER_EQUAL'),

  LogicalAnd: kernel('LOGICAL_AND'),
  LogicalOr: kernel('LOGICAL_OR'),
  LogicalNot: direct('LOGICAL_NOT'),

  Select: {
    to: ['SELECT'],
    note: 'the condition may be a scalar, or a vector that picks rows',
    refuse: (node) => refuseType('SELECT', node.inputs[1].dtype),
    build: (c) => c.emit('SELECT', c.inputs(), [c.output()], { type: 'SelectOptions' }),
  },
  SelectV2: {
    to: ['SELECT', 'SELECT_V2'],
    note: 'SELECT_V2 where operands broadcast',
    refuse: (node) =>
      refuseType('SELECT_V2', node.inputs[1].dtype) ?? refuseBroadcast('SELECT_V2', node.inputs),
    build: (c) => {
      if (sameStaticShapes(c.node)) c.emit('SELECT', c.inputs(), [c.output()], { type: 'SelectOptions' });
      else c.emit('SELECT_V2', c.inputs(), [c.output()], { type: 'SelectV2Options' });
    },
  },
  Where: kernel('WHERE'),
};
