/**
 * Given:  PlaceholderWithDefault(d); a bool Placeholder `is_training` and a float `keep_prob` that the contract does
 *         not name
 * Result: Identity(d); Const(false); Const(1)
 *
 * A default that trains (`is_training` true, `keep_prob` 0.5) gives way to the value of inference, with a warning.
 * A placeholder that is neither an input nor has a default is an error (G006): TensorFlow would ask for it at every
 * run.
 */
import { inferenceValue, unfedPlaceholder } from '../checks/placeholders';
import { contractInputs } from '../contract/contract';
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { Tensor } from '../tensor/tensor';
import type { FreezeContext } from './freeze-context';

export function foldInferenceMode(graph: Graph, { contract, diagnostics }: FreezeContext): void {
  const inputs = new Set(contractInputs(contract).map((s) => parseInput(s.tensor).name));
  for (const node of graph.nodes.values()) {
    if (inputs.has(node.name)) continue;
    const hasDefault = node.op === 'PlaceholderWithDefault';
    if (!hasDefault && node.op !== 'Placeholder') continue;
    const inference = inferenceValue(node);
    const value = inference && Tensor.scalar(node.type('dtype'), inference.value);
    if (hasDefault && !(value && trains(node, value))) {
      node.op = 'Identity';
      node.attrs = new Map([['T', attr.type(node.type('dtype'))]]);
    } else if (!value) {
      diagnostics.add(unfedPlaceholder(graph, node, contract));
    } else {
      const told = `is no input of the contract: frozen as ${inference.told}`;
      if (hasDefault)
        diagnostics.warning('G006', `placeholder "${node.name}" has a default for training, and ${told}`, {
          hint: `what it is by default TensorFlow keeps: declare it as an input to choose at run time`,
          node: node.name,
        });
      else diagnostics.note('G006', `placeholder "${node.name}" ${told}`, { node: node.name });
      graph.become(node, 'Const', [], { dtype: attr.type(value.dtype), value: attr.tensor(value) });
    }
  }
}

/** Whether the default is known and not the value of inference. */
function trains(node: Node, inference: Tensor): boolean {
  const byDefault = node.inputs[0]?.node.constant;
  return byDefault?.dtype === inference.dtype && byDefault.size === 1 && byDefault.at(0) !== inference.at(0);
}
