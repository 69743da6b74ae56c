/**
 * Given:  nodes that no output needs any more
 * Result: they are gone; initialisers, inputs of the contract and arguments of functions stay
 */
import { FunctionGraph, parseInput, type Graph, type Node } from '@floe/export-core';
import type { PrepareContext } from './prepare';

export function removeUnused(graph: Graph, { signatures, initializers = [] }: PrepareContext): void {
  const specs = signatures.flatMap((s) => [...s.outputs, ...s.inputs]);
  const roots = [...specs.map((s) => parseInput(s.tensor).name), ...initializers]
    .map((name) => graph.node(name))
    .filter((n): n is Node => n !== undefined);
  if (graph instanceof FunctionGraph)
    roots.push(...graph.args, ...graph.results.map((v) => v.node), ...graph.controlResults);
  const alive = graph.ancestors(roots);
  graph.remove(new Set([...graph.nodes.values()].filter((n) => !alive.has(n))));
}
