/**
 * Given:  a graph and its contract
 * Result: only what the contract's outputs and initialisers need, and of the library what that uses
 *
 * Of a function's body what its results need stays, and what writes state.
 */
import { contractInputs, contractOutputs } from '../contract/contract';
import type { FunctionGraph, Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import type { FreezeContext } from './freeze-context';
import { reachableFunctions } from './function-calls';

export function prune(
  graph: Graph,
  { contract, initializers }: Pick<FreezeContext, 'contract' | 'initializers'>,
): void {
  // Inputs stay although no output may need them: the contract is kept to the letter.
  const specs = [...contractOutputs(contract), ...contractInputs(contract)];
  const roots = specs
    .map((s) => graph.node(parseInput(s.tensor).name))
    .filter((n): n is Node => n !== undefined);
  keepOnly(graph, [...roots, ...initializers]);
  if (graph.functions.size === 0) return;
  // Callers before callees: what is cut from a body may be the last use of a function.
  const { order, cycle } = reachableFunctions(graph);
  // Recursion is an error of its own, told where calls are inlined.
  if (cycle) return;
  const kept = new Set<FunctionGraph>();
  for (const body of order.reverse()) {
    keepOnly(body, [...body.args, ...body.results.map((v) => v.node), ...body.controlResults]);
    kept.add(body);
  }
  for (const [name, body] of graph.functions) if (!kept.has(body)) graph.functions.delete(name);
}

function keepOnly(graph: Graph, roots: Iterable<Node>): void {
  const alive = graph.ancestors(roots);
  graph.remove(new Set([...graph.nodes.values()].filter((n) => !alive.has(n))));
}
