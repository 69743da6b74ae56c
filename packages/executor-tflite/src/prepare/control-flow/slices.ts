/** Parts of a graph that become functions: everything some values need, up to given borders. */
import { type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { addResult, copyNodes } from './functions';

export interface Border {
  /** The value that is read in its place: what Switch lets through is what it was given. */
  through(value: Value): Value;
  /** What stands inside for a value that comes from outside; undefined where its node is copied. */
  outside(value: Value): Value | undefined;
}

/** Copies what `results` need into a function and makes them its results. */
export function copySlice(
  graph: Graph,
  body: FunctionGraph,
  results: readonly { name: string; value: Value }[],
  border: Border,
): void {
  const inside = new Set<Node>();
  const outside = new Map<Value, Value>();
  const stack: Node[] = [];
  const visitNode = (node: Node) => {
    if (inside.has(node)) return;
    inside.add(node);
    stack.push(node);
  };
  const visit = (read: Value) => {
    const value = border.through(read);
    const replacement = outside.get(value) ?? border.outside(value);
    if (replacement) outside.set(value, replacement);
    else visitNode(value.node);
  };
  for (const { value } of results) visit(value);
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const value of node.inputs) visit(value);
    for (const control of node.controls) if (orders(control)) visitNode(control);
  }
  // In the order of the graph: names and everything made from them are the same every time.
  const nodes = [...graph.nodes.values()].filter((n) => inside.has(n));
  const copies = copyNodes(nodes, body, (value) => value);
  const moved = (read: Value): Value => {
    const value = border.through(read);
    return outside.get(value) ?? copies.get(value.node)!.output(value.index);
  };
  for (const [node, copy] of copies) copy.inputs = node.inputs.map(moved);
  for (const { name, value } of results) addResult(body, name, moved(value));
}

/** A control edge to a node that does something when it runs; edges to others only told branches apart. */
function orders(node: Node): boolean {
  return node.def?.stateful === true && node.inputs.length > 0;
}
