/**
 * Given:  a graph and its contract
 * Result: only what the contract's outputs and initialisers need
 */
import { contractInputs, contractOutputs } from '../contract/contract';
import type { Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import type { FreezeContext } from './freeze-context';

export function prune(graph: Graph, { contract, initializers }: FreezeContext): void {
  // Inputs stay although no output may need them: the contract is kept to the letter.
  const specs = [...contractOutputs(contract), ...contractInputs(contract)];
  const roots = specs
    .map((s) => graph.node(parseInput(s.tensor).name))
    .filter((n): n is Node => n !== undefined);
  const alive = graph.ancestors([...roots, ...initializers]);
  graph.remove(new Set([...graph.nodes.values()].filter((n) => !alive.has(n))));
}
