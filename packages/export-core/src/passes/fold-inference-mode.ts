/**
 * Given:  PlaceholderWithDefault(d), and a bool Placeholder `is_training` that the contract does not name
 * Result: Identity(d); Const(false)
 *
 * A placeholder that is neither an input nor has a default is an error (G006): TensorFlow would ask for it at every
 * run.
 */
import { contractInputs } from '../contract/contract';
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { Tensor } from '../tensor/tensor';
import type { FreezeContext } from './freeze-context';

const TRAINING_FLAG =
  /(^|[/_])(is_?training|training|train|is_?train|phase(_train)?|train_?(flag|phase|mode)|learning_phase|keras_learning_phase)(_\d+)?$/i;

export function foldInferenceMode(graph: Graph, { contract, diagnostics }: FreezeContext): void {
  const inputs = new Set(contractInputs(contract).map((s) => parseInput(s.tensor).name));
  for (const node of graph.nodes.values()) {
    if (inputs.has(node.name)) continue;
    if (node.op === 'PlaceholderWithDefault') {
      node.op = 'Identity';
      node.attrs = new Map([['T', attr.type(node.type('dtype'))]]);
    } else if (node.op === 'Placeholder' && isTrainingFlag(node)) {
      becomeFalse(graph, node);
      diagnostics.note('G006', `placeholder "${node.name}" is no input of the contract: frozen as false`, {
        node: node.name,
      });
    } else if (node.op === 'Placeholder') {
      diagnostics.error(
        'G006',
        `the outputs need placeholder "${node.name}" (${node.type('dtype')}), which is no input`,
        {
          hint: `declare it under inputs: { name: ${node.name.replace(/.*\//, '')}, tensor: "${node.name}:0" }`,
          node: node.name,
        },
      );
    }
  }
}

function isTrainingFlag(node: Node): boolean {
  return node.type('dtype') === 'bool' && TRAINING_FLAG.test(node.name);
}

function becomeFalse(graph: Graph, node: Node): void {
  const value = Tensor.scalar('bool', 0);
  graph.become(node, 'Const', [], { dtype: attr.type('bool'), value: attr.tensor(value) });
}
