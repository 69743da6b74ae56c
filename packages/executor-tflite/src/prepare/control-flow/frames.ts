/**
 * The frames of TF1 loops: which loop each node belongs to.
 *
 * A loop's nodes stand between its Enter and Exit nodes. Constants belong to no frame: wherever they are read they
 * can be copied to.
 */
import { type Graph, type Node } from '@floe/export-core';

export const isEnter = (node: Node) => node.op === 'Enter' || node.op === 'RefEnter';
export const isExit = (node: Node) => node.op === 'Exit' || node.op === 'RefExit';
export const isMerge = (node: Node) => node.op === 'Merge' || node.op === 'RefMerge';
export const isSwitch = (node: Node) => node.op === 'Switch' || node.op === 'RefSwitch';
export const isNextIteration = (node: Node) => node.op === 'NextIteration' || node.op === 'RefNextIteration';

export interface Frame {
  /** What Enter's frame_name says. */
  name: string;
  parent: Frame | undefined;
  /** 1 for a loop of the graph itself, 2 for one inside of it. */
  depth: number;
  /** In graph order, Enters and Exits included. */
  nodes: Node[];
}

/** Every frame of a graph, innermost first. */
export function findFrames(graph: Graph): Frame[] {
  const frames = new Map<string, Frame>();
  const order = graph.sorted();
  // What closes a loop stands before what it reads in that order.
  const nodes = [...order.filter((n) => !isNextIteration(n)), ...order.filter(isNextIteration)];
  if (!nodes.some(isEnter)) return [];
  let frameOf = new Map<Node, Frame>();
  // An Enter of a constant does not tell in which frame it stands; another of the same loop does. As many rounds as
  // loops are nested.
  for (let changed = true; changed;) {
    changed = false;
    frameOf = new Map();
    for (const node of nodes) {
      const outer = outerFrame(node, frameOf);
      let frame = outer;
      if (isEnter(node)) {
        const name = node.string('frame_name');
        const known = frames.get(name);
        frame = known ?? { name, parent: outer, depth: 1, nodes: [] };
        frames.set(name, frame);
        if ((outer?.depth ?? 0) >= frame.depth && outer !== frame) {
          Object.assign(frame, { parent: outer, depth: outer!.depth + 1 });
          changed = true;
        }
      }
      if (frame) frameOf.set(node, frame);
    }
  }
  for (const node of graph.nodes.values()) {
    if (node.op !== 'Const') frameOf.get(node)?.nodes.push(node);
  }
  return [...frames.values()].sort((a, b) => b.depth - a.depth);
}

/** The innermost frame among those of what a node reads; what leaves a loop belongs to the frame outside. */
function outerFrame(node: Node, frameOf: ReadonlyMap<Node, Frame>): Frame | undefined {
  let outer: Frame | undefined;
  for (const source of [...node.inputs.map((v) => v.node), ...node.controls]) {
    const frame = isExit(source) ? frameOf.get(source)?.parent : frameOf.get(source);
    if ((frame?.depth ?? 0) > (outer?.depth ?? 0)) outer = frame;
  }
  return outer;
}
