/** Whether a graph is one at all: no cycles, each node as its op wants it, its functions there. Needs neither contract nor target. */
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import { reachableFunctions } from '../passes/function-calls';
import { checkCycles } from './cycles';
import { checkFunctions } from './functions';
import { checkOpFit } from './op-fit';

/**
 * Checks a graph and the functions it calls.
 *
 * @param nodes only these of the main graph, and the functions that they call; default: all
 */
export function checkGraph(graph: Graph, diagnostics: Diagnostics, nodes?: ReadonlySet<Node>): void {
  checkCycles(graph, diagnostics);
  checkOpFit(graph, nodes ?? graph.nodes.values(), diagnostics);
  checkFunctions(graph, nodes ?? graph.nodes.values(), diagnostics);
  for (const body of reachableFunctions(graph, nodes).order) {
    checkCycles(body, diagnostics);
    checkOpFit(graph, body.nodes.values(), diagnostics);
    checkFunctions(graph, body.nodes.values(), diagnostics);
  }
}
