/**
 * G007 for cycles: an op that waits for its own result never runs. TF1 loops close one cycle, through NextIteration,
 * which is no fault.
 */
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';

/** How many nodes of a cycle a message names. */
const MAX_NAMED = 6;

/** Reports every group of nodes that wait for one another, each once. */
export function checkCycles(graph: Graph, diagnostics: Diagnostics): void {
  for (const group of knots(graph)) {
    const path = cycleIn(group);
    const names = path.slice(0, MAX_NAMED).map((n) => `"${n.name}" (${n.op})`);
    if (path.length > MAX_NAMED) names.push('…');
    diagnostics.error(
      'G007',
      `the graph has a cycle outside of loops, so that none of it can ever run: ${names.join(' reads ')} reads "${path[0].name}"`,
      {
        hint: `one of these edges is wrong: write the graph again from the code that builds it, or remove the edge from "${path[path.length - 1].name}" to "${path[0].name}"`,
        node: path[0].name,
      },
    );
  }
}

function sources(node: Node): Node[] {
  if (node.op === 'NextIteration' || node.op === 'RefNextIteration') return [];
  return [...node.inputs.map((v) => v.node), ...node.controls];
}

interface Mark {
  /** When the walk came to the node. */
  index: number;
  /** The earliest node, by `index`, that is known to be reached from it. */
  low: number;
  open: boolean;
}

/** Strongly connected components that are cycles (Tarjan's algorithm, without recursion). */
function knots(graph: Graph): Node[][] {
  const marks = new Map<Node, Mark>();
  const open: Node[] = [];
  const found: Node[][] = [];
  for (const root of graph.nodes.values()) {
    if (marks.has(root)) continue;
    const walk: { node: Node; edges: Node[]; next: number }[] = [];
    const enter = (node: Node): void => {
      marks.set(node, { index: marks.size, low: marks.size, open: true });
      open.push(node);
      walk.push({ node, edges: sources(node), next: 0 });
    };
    enter(root);
    while (walk.length) {
      const top = walk[walk.length - 1];
      const mark = marks.get(top.node)!;
      if (top.next < top.edges.length) {
        const source = top.edges[top.next++];
        const seen = marks.get(source);
        if (!seen) enter(source);
        else if (seen.open) mark.low = Math.min(mark.low, seen.index);
        continue;
      }
      walk.pop();
      const parent = walk[walk.length - 1];
      if (parent) {
        const above = marks.get(parent.node)!;
        above.low = Math.min(above.low, mark.low);
      }
      if (mark.low !== mark.index) continue;
      const group = open.splice(open.lastIndexOf(top.node));
      for (const node of group) marks.get(node)!.open = false;
      if (group.length > 1 || sources(top.node).includes(top.node)) found.push(group);
    }
  }
  return found;
}

/** One cycle through the group's first node: each reads the next, the last the first. */
function cycleIn(group: readonly Node[]): Node[] {
  const inside = new Set(group);
  const [start] = group;
  const from = new Map<Node, Node>();
  const queue = [start];
  for (const node of queue) {
    for (const source of sources(node)) {
      if (!inside.has(source)) continue;
      if (source === start) {
        const path = [node];
        for (let back = from.get(node); back; back = from.get(back)) path.unshift(back);
        return path;
      }
      if (!from.has(source)) {
        from.set(source, node);
        queue.push(source);
      }
    }
  }
  return [start];
}
