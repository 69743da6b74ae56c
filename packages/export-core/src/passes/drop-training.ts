/**
 * Given:  y = Op(x, ^Assert, ^summary, ^save)
 * Result: y = Op(x)
 *
 * Control edges go unless the node at their end writes state (a kept Assign, a table's initialiser, a function with
 * one of them in it) or belongs to TF1 control flow, where they hold constants in their branch or loop. What writes
 * state keeps its own: it may have to wait for reads. Assertions, prints and summaries are never reasons to keep
 * anything. The same in the bodies of functions.
 */
import { FunctionGraph, type Graph, type Node } from '../graph/graph';
import { SideEffects } from './side-effects';

/** Checks and messages: their data flows nowhere. */
const SILENT = /^(Assert|NoOp|ControlTrigger|PrintV2|\w*Summary(V2)?|Timestamp|DisableCopyOnRead)$/;
const CONTROL_FLOW = /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^LoopCond$/;

export function dropTraining(graph: Graph): void {
  const effects = new SideEffects(graph.functions);
  dropControls(graph, effects);
  for (const body of graph.functions.values()) dropControls(body, effects);
}

function dropControls(graph: Graph, effects: SideEffects): void {
  const matters = new Set<Node>();
  for (const node of graph.sorted()) {
    const follows = node.inputs.some((v) => matters.has(v.node)) || node.controls.some((n) => matters.has(n));
    if (follows || CONTROL_FLOW.test(node.op) || effects.writes(node)) matters.add(node);
  }
  const gone = new Set([...graph.nodes.values()].filter((n) => SILENT.test(n.op)));
  for (const node of graph.nodes.values()) {
    if (node.controls.length === 0) continue;
    const real = beyond(node.controls, gone);
    // What writes may have to wait for what reads: all of its edges stay.
    const kept = new Set(effects.writes(node) ? real : real.filter((n) => matters.has(n)));
    for (const input of node.inputs) kept.delete(input.node);
    node.controls = [...kept];
  }
  if (graph instanceof FunctionGraph)
    graph.controlResults = beyond(graph.controlResults, gone).filter((n) => effects.writes(n));
}

/** What a silent node waited for, its follower still waits for. */
function beyond(controls: readonly Node[], gone: ReadonlySet<Node>): Node[] {
  const seen = new Set(controls);
  const found: Node[] = [];
  // A Set being walked also gives what is added on the way.
  for (const node of seen) {
    if (gone.has(node)) node.controls.forEach((c) => seen.add(c));
    else found.push(node);
  }
  return found;
}
