/** Why a node could not be rewritten, kept at the node until lowering refuses it with this reason. */
import { attr, type Node } from '@floe/export-core';
import type { Refusal } from '../../lower/row';

const REASON = '_floe_reason';
const HINT = '_floe_hint';
const FOLLOWS = '_floe_follows';

export function setFault(node: Node, { reason, hint, follows }: Refusal): void {
  node.set(REASON, attr.string(reason));
  if (hint) node.set(HINT, attr.string(hint));
  if (follows) node.set(FOLLOWS, attr.string(follows));
}

/** The reason that a pass left at a node. */
export function faultOf(node: Node): Refusal | undefined {
  if (!node.attrs.has(REASON)) return undefined;
  const told = (name: string): string | undefined => (node.attrs.has(name) ? node.string(name) : undefined);
  return { reason: node.string(REASON), hint: told(HINT), follows: told(FOLLOWS) };
}
