/**
 * Given:  PlaceholderWithDefault(d); a bool Placeholder `is_training` and a float `keep_prob` that the contract does
 *         not name
 * Result: Identity(d); Const(false); Const(1)
 *
 * A placeholder that is neither an input nor has a default is an error (G006): TensorFlow would ask for it at every
 * run.
 */
import { inferenceValue, unfedPlaceholder } from '../checks/placeholders';
import { contractInputs } from '../contract/contract';
import { attr } from '../graph/attr';
import type { Graph } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { Tensor } from '../tensor/tensor';
import type { FreezeContext } from './freeze-context';

export function foldInferenceMode(graph: Graph, { contract, diagnostics }: FreezeContext): void {
  const inputs = new Set(contractInputs(contract).map((s) => parseInput(s.tensor).name));
  for (const node of graph.nodes.values()) {
    if (inputs.has(node.name)) continue;
    if (node.op === 'PlaceholderWithDefault') {
      node.op = 'Identity';
      node.attrs = new Map([['T', attr.type(node.type('dtype'))]]);
    } else if (node.op === 'Placeholder') {
      const inference = inferenceValue(node);
      if (!inference) {
        diagnostics.add(unfedPlaceholder(graph, node, contract));
        continue;
      }
      const value = Tensor.scalar(node.type('dtype'), inference.value);
      diagnostics.note(
        'G006',
        `placeholder "${node.name}" is no input of the contract: frozen as ${inference.told}`,
        {
          node: node.name,
        },
      );
      graph.become(node, 'Const', [], { dtype: attr.type(value.dtype), value: attr.tensor(value) });
    }
  }
}
