/**
 * Given:  y = Op(x, ^Assert, ^summary, ^save)
 * Result: y = Op(x)
 *
 * Control edges go unless the node at their end writes state (a kept Assign, a table's initialiser) or belongs to
 * TF1 control flow, where they hold constants in their branch or loop. Assertions, prints and summaries are never
 * reasons to keep anything.
 */
import type { Graph, Node } from '../graph/graph';

/** Checks and messages: their data flows nowhere. */
const SILENT = /^(Assert|NoOp|ControlTrigger|Print|PrintV2|\w*Summary(V2)?|CheckNumerics|Timestamp)$/;
const CONTROL_FLOW = /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^LoopCond$/;
const WRITES =
  /^(Assign\w*|\w*Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)|CountUpTo|\w*Apply\w+|InitializeTable\w*|LookupTable(Import|Insert|Remove)\w*|Stack(Push|Pop)\w*|TensorArray(Write|Scatter|Split|Unpack)\w*|While|If|Case|StatefulPartitionedCall)$/;

export function dropTraining(graph: Graph): void {
  const matters = new Set<Node>();
  for (const node of graph.sorted()) {
    const sources = [...node.inputs.map((v) => v.node), ...node.controls];
    if (WRITES.test(node.op) || CONTROL_FLOW.test(node.op) || sources.some((s) => matters.has(s)))
      matters.add(node);
  }
  const gone = new Set(
    [...graph.nodes.values()].filter(
      (n) => SILENT.test(n.op) && n.op !== 'CheckNumerics' && n.op !== 'Print',
    ),
  );
  for (const node of graph.nodes.values()) {
    if (node.controls.length === 0) continue;
    const kept = new Set<Node>();
    for (const control of node.controls) {
      // What a silent node waited for, its follower still waits for.
      for (const real of gone.has(control) ? beyond(control, gone) : [control])
        if (matters.has(real)) kept.add(real);
    }
    for (const input of node.inputs) kept.delete(input.node);
    node.controls = [...kept];
  }
}

/** The nodes that a chain of silent nodes waits for through control edges. */
function beyond(node: Node, gone: ReadonlySet<Node>, seen = new Set<Node>()): Node[] {
  if (seen.has(node)) return [];
  seen.add(node);
  return node.controls.flatMap((c) => (gone.has(c) ? beyond(c, gone, seen) : [c]));
}
