/** What of a graph the contract's outputs need: the rest (training, saving, summaries) is nobody's problem. */
import { contractInputs, contractOutputs, type Contract } from '../contract/contract';
import type { Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';

/** The node of a tensor's name. */
export function nodeOf(graph: Graph, tensor: string): Node | undefined {
  return graph.node(parseInput(tensor).name);
}

/** Everything that `of` needs, through data and control edges, not going beyond `stops` (which belong to it). */
export function neededBy(of: Iterable<Node>, stops: ReadonlySet<Node>): Set<Node> {
  const needed = new Set(of);
  // A Set being walked also gives what is added on the way.
  for (const node of needed) {
    if (stops.has(node)) continue;
    for (const { node: source } of node.inputs) needed.add(source);
    for (const source of node.controls) needed.add(source);
  }
  return needed;
}

/** What the outputs of a contract need from its inputs on. */
export function neededByContract(graph: Graph, contract: Contract): Set<Node> {
  const nodes = (specs: readonly { tensor: string }[]): Node[] =>
    specs.map((s) => nodeOf(graph, s.tensor)).filter((n) => n !== undefined);
  return neededBy(nodes(contractOutputs(contract)), new Set(nodes(contractInputs(contract))));
}
