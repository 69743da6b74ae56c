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
  const children = new Map<Frame | undefined, Map<string, Frame>>();
  const frameOf = new Map<Node, Frame>();
  const child = (parent: Frame | undefined, name: string): Frame => {
    let named = children.get(parent);
    if (!named) children.set(parent, (named = new Map()));
    let frame = named.get(name);
    if (!frame) named.set(name, (frame = { name, parent, depth: (parent?.depth ?? 0) + 1, nodes: [] }));
    return frame;
  };
  const sources = (node: Node) => [...node.inputs.map((v) => v.node), ...node.controls];
  const place = (node: Node) => {
    let outer: Frame | undefined;
    for (const source of sources(node)) {
      const frame = isExit(source) ? frameOf.get(source)?.parent : frameOf.get(source);
      // A value of an outer frame may be read without an Enter where passes have removed it.
      if ((frame?.depth ?? 0) > (outer?.depth ?? 0)) outer = frame;
    }
    const frame = isEnter(node) ? child(outer, node.string('frame_name')) : outer;
    if (frame && node.op !== 'Const') frameOf.set(node, frame);
  };
  const order = graph.sorted();
  for (const node of order) if (!isNextIteration(node)) place(node);
  // What closes a loop stands before what it reads in that order.
  for (const node of order) if (isNextIteration(node)) place(node);
  for (const node of graph.nodes.values()) frameOf.get(node)?.nodes.push(node);
  const frames = [...children.values()].flatMap((named) => [...named.values()]);
  return frames.sort((a, b) => b.depth - a.depth);
}
