/**
 * Given:  y = Op(…, ^x) where x only computes
 * Result: y = Op(…)
 *
 * An order matters where variables are written. Other edges told the branches of TF1 apart, and checks apart from
 * results; what they led to alone is gone with them.
 */
import { functionRefs, type Graph, type Node } from '@floe/export-core';

/** Ops that write to what outlives a node: variables, tables, queues. */
const WRITES =
  /^(Assign|Resource(Scatter|Apply|SparseApply|StridedSliceAssign)|Scatter(Add|Sub|Update|Nd)|LookupTable(Import|Insert|Remove)|InitializeTable|CountUpTo)/;

export function dropControlEdges(graph: Graph): void {
  const library = new Map<string, boolean>();
  const writing = new Set<Node>();
  for (const node of graph.sorted()) {
    const reads = [...node.inputs.map((v) => v.node), ...node.controls];
    if (writes(graph, node, library) || reads.some((n) => writing.has(n))) writing.add(node);
  }
  for (const node of graph.nodes.values()) {
    if (node.controls.length) node.controls = node.controls.filter((c) => writing.has(c));
  }
}

/** A node that writes itself, or calls a function that does; `library` remembers which functions do. */
function writes(graph: Graph, node: Node, library: Map<string, boolean>): boolean {
  if (WRITES.test(node.op) && node.def?.stateful === true) return true;
  return functionRefs(node).some(({ name }) => {
    const known = library.get(name);
    if (known !== undefined) return known;
    library.set(name, false);
    const body = graph.functions.get(name);
    const found = body !== undefined && [...body.nodes.values()].some((n) => writes(graph, n, library));
    library.set(name, found);
    return found;
  });
}
