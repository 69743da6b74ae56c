/**
 * Given:  y = Op(…, ^x) where x only computes
 * Result: y = Op(…)
 *
 * An order matters where variables are written. Other edges told the branches of TF1 apart, and checks apart from
 * results; what they led to alone is gone with them.
 */
import type { Graph, Node } from '@floe/export-core';

/** Ops that write to what outlives a node: variables, tables, queues. */
const WRITES =
  /^(Assign|Resource(Scatter|Apply|SparseApply|StridedSliceAssign)|Scatter(Add|Sub|Update|Nd)|LookupTable(Import|Insert|Remove)|InitializeTable|CountUpTo)/;
const CALLS = new Set(['While', 'If', 'Case', 'StatefulPartitionedCall']);

export function dropControlEdges(graph: Graph): void {
  const writing = new Set<Node>();
  for (const node of graph.sorted()) {
    const writes = (WRITES.test(node.op) && node.def?.stateful === true) || CALLS.has(node.op);
    if (writes || [...node.inputs.map((v) => v.node), ...node.controls].some((n) => writing.has(n)))
      writing.add(node);
  }
  for (const node of graph.nodes.values()) {
    if (node.controls.length) node.controls = node.controls.filter((c) => writing.has(c));
  }
}
