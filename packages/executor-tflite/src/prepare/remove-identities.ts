/**
 * Given:  y = Identity(x), StopGradient(x), IdentityN(x, …), …
 * Result: readers of y read x
 *
 * One that is an output of the contract stays, as Identity: lowering copies there.
 */
import { attr, type Graph, type Node, type Value } from '@floe/export-core';
import type { PrepareContext } from './prepare';

const IDENTITIES = new Set([
  'Identity',
  'IdentityN',
  'StopGradient',
  'PreventGradient',
  'Snapshot',
  'CheckNumerics',
  'CheckNumericsV2',
  'EnsureShape',
  'DebugGradientIdentity',
  'DeepCopy',
  'PlaceholderWithDefault',
  'XlaSharding',
  'Print',
  'Copy',
  'CopyHost',
  'HostConst',
]);

/** The spelling that the lowering table knows. */
function becomeIdentity(graph: Graph, node: Node): void {
  if (node.op === 'Identity' || node.op === 'IdentityN') return;
  const { dtype, shape, partial } = node.output();
  graph.become(node, 'Identity', [node.inputs[0]], { T: attr.type(dtype ?? 'float32') });
  Object.assign(node.output(), { dtype, shape, partial });
}

export function removeIdentities(graph: Graph, { signatures }: PrepareContext): void {
  const results = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  const inputs = new Set(signatures.flatMap((s) => s.inputs.map((o) => o.tensor)));
  const replaced = new Map<Value, Value>();
  for (const node of graph.sorted()) {
    if (!IDENTITIES.has(node.op)) continue;
    const pairs =
      node.op === 'IdentityN'
        ? node.inputs.map((v, i) => [node.output(i), v] as const)
        : [[node.output(), node.inputs[0]] as const];
    for (const [from, to] of pairs) {
      if (results.has(from.name)) {
        becomeIdentity(graph, node);
        continue;
      }
      // EnsureShape and declared shapes know more than what they name.
      if (from.shape && !to.shape && !inputs.has(to.name)) to.shape = from.shape;
      replaced.set(from, to);
    }
  }
  graph.replace(replaced);
}
