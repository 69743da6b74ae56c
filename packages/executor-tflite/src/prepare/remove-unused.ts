/**
 * Given:  nodes that no output needs any more
 * Result: they are gone; inputs of the contract and arguments of functions stay
 */
import { FunctionGraph, parseInput, type Graph, type Node } from '@floe/export-core';
import type { PrepareContext } from './prepare';

export function removeUnused(graph: Graph, { signatures }: PrepareContext): void {
  const specs = signatures.flatMap((s) => [...s.outputs, ...s.inputs]);
  const roots = specs
    .map((s) => graph.node(parseInput(s.tensor).name))
    .filter((n): n is Node => n !== undefined);
  if (graph instanceof FunctionGraph)
    roots.push(...graph.args, ...graph.results.map((v) => v.node), ...graph.controlResults);
  const alive = graph.ancestors(roots);
  graph.remove(new Set([...graph.nodes.values()].filter((n) => !alive.has(n))));
}
