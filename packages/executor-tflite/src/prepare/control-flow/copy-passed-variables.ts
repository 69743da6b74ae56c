/**
 * Given:  While whose body gives variable b in place of variable a: a, b = b, a
 * Result: b is copied first
 *
 * The runtime writes a loop's results over its variables, one after the other: what is handed from one variable to
 * another must not have been overwritten by then.
 */
import { attr, type FunctionGraph, type Graph } from '@floe/export-core';
import { bodyOf, isLoop } from './functions';

export function copyPassedVariables(graph: Graph): void {
  for (const node of graph.nodes.values()) {
    const body = isLoop(node) ? bodyOf(graph, node, 'body') : undefined;
    if (body) copyIn(body);
  }
}

function copyIn(body: FunctionGraph): void {
  const { args } = body;
  body.results = body.results.map((value, i) => {
    const from = args.indexOf(value.node);
    if (from < 0 || from === i || body.results[from].node === args[from]) return value;
    const dtype = value.dtype ?? 'float32';
    const copy = body.add(`${value.node.name}/copy`, 'Identity', [value], { T: attr.type(dtype) }).output();
    Object.assign(copy, { dtype, shape: value.shape });
    return copy;
  });
}
