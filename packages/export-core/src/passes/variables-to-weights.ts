/**
 * Given:  c = ReadVariableOp(h), h = VarHandleOp whose value the bundle has
 * Result: c = Const; what saved and restored h falls away when pruned
 *
 * The way back of weights-to-variables.ts: nodes stand where they stood, under the same names.
 */
import { attr } from '../graph/attr';
import type { Graph } from '../graph/graph';
import type { Tensor } from '../tensor/tensor';
import { sharedName } from './variable-uses';

/** @param value the value of a variable by its name in the bundle; undefined where it has none */
export function variablesToWeights(graph: Graph, value: (name: string) => Tensor | undefined): void {
  for (const node of graph.nodes.values()) {
    const handle = node.op === 'ReadVariableOp' ? node.inputs[0]?.node : undefined;
    if (handle?.op !== 'VarHandleOp') continue;
    const tensor = value(sharedName(handle).slice(1));
    if (tensor)
      graph.become(node, 'Const', [], { dtype: attr.type(tensor.dtype), value: attr.tensor(tensor) });
  }
}
