/** Matching small computations: which node makes a value, seen as one op with operands in any order. */
import type { Node, Value } from '@floe/export-core';

/** The node of a value if it is one of these ops. */
export function made(value: Value | undefined, ops: RegExp): Node | undefined {
  return value && ops.test(value.node.op) ? value.node : undefined;
}

export const ADD = /^(Add|AddV2|BiasAdd)$/;
export const MUL = /^Mul$/;

/** The operands of a commutative op, in the order in which `first` takes the first of them; undefined where neither. */
export function operands<T>(
  node: Node | undefined,
  first: (value: Value) => T | undefined,
): { found: T; other: Value } | undefined {
  if (node?.inputs.length !== 2) return undefined;
  const [a, b] = node.inputs;
  const left = first(a);
  if (left !== undefined) return { found: left, other: b };
  const right = first(b);
  return right === undefined ? undefined : { found: right, other: a };
}
