/** Parts of a graph that become functions: everything some values need, up to given borders. */
import { type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { addResult, copyNodes } from './functions';

/**
 * Copies what `results` need into a function and makes them its results.
 *
 * @param border what stands for a value that is not computed inside; undefined where its node is copied
 */
export function copySlice(
  graph: Graph,
  body: FunctionGraph,
  results: readonly { name: string; value: Value }[],
  border: (value: Value) => Value | undefined,
): void {
  const inside = new Set<Node>();
  const outside = new Map<Value, Value>();
  const stack: Node[] = [];
  const visit = (value: Value) => {
    const replacement = outside.get(value) ?? border(value);
    if (replacement) outside.set(value, replacement);
    else visitNode(value.node);
  };
  const visitNode = (node: Node) => {
    if (inside.has(node)) return;
    inside.add(node);
    stack.push(node);
  };
  for (const { value } of results) visit(value);
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const value of node.inputs) visit(value);
    for (const control of node.controls) if (orders(control)) visitNode(control);
  }
  // In the order of the graph: names and everything made from them are the same every time.
  const nodes = [...graph.nodes.values()].filter((n) => inside.has(n));
  const copies = copyNodes(nodes, body, (value) => outside.get(value) ?? value);
  for (const { name, value } of results) {
    addResult(body, name, outside.get(value) ?? copies.get(value.node)!.output(value.index));
  }
  // What reads a value twice under two names of the graph reads it once inside.
  const moved = (value: Value) => outside.get(value);
  for (const copy of copies.values()) copy.inputs = copy.inputs.map((v) => moved(v) ?? v);
}

/** A control edge to a node that does something when it runs; edges to others only told branches apart. */
function orders(node: Node): boolean {
  return node.def?.stateful === true && node.inputs.length > 0;
}
