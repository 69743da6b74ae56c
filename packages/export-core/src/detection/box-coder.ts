/**
 * The box coder: how four numbers a box and its anchor become corners. All detectors of the Object Detection API share
 * one formula, and its shape in the graph tells where encodings and anchors come from.
 *
 *   y, x, h, w = unstack(transpose(encodings))         each divided by its scale, or not
 *   centre = y · anchor_height + anchor_y              anchor_height = ymax − ymin of the unstacked anchors
 *   height = exp(h) · anchor_height
 */
import type { Graph, Node, Value } from '../graph/graph';
import type { BoxScales } from './detection';
import { origin, source, numberOf, readersOf, type Readers } from './patterns';

export interface BoxCoder {
  /** Box encodings as the network gives them: [batch, boxes, 4]. */
  encodings: Value;
  scales: BoxScales;
  /** Corners of the anchors, as the graph computes them: [boxes, 4]. */
  anchors?: Value;
  /** The node that takes the encodings apart. */
  node: Node;
}

/** Every box coder of a graph, in its order. Two-stage detectors have several. */
export function findBoxCoders(graph: Graph): BoxCoder[] {
  const readers = readersOf(graph);
  const coders: BoxCoder[] = [];
  for (const node of graph.nodes.values()) {
    const coder = boxCoder(node, readers);
    if (coder) coders.push(coder);
  }
  return coders;
}

function boxCoder(node: Node, readers: Readers): BoxCoder | undefined {
  const parts = fourParts(node);
  if (!parts) return undefined;
  const [y, x, h, w] = parts.outputs.map((value) => scaled(value, readers));
  const growth = [h, w].map((part) => product(applied(part.value, 'Exp', readers), readers));
  const shift = [y, x].map((part) => product(part.value, readers));
  const [height] = growth;
  if (!height || !growth[1] || shift.includes(undefined)) return undefined;
  const anchorParts = height.other.node.inputs[0]?.node;
  const anchors = anchorParts && fourParts(anchorParts);
  return {
    node,
    encodings: encodingsBefore(parts.input),
    scales: { y: y.scale, x: x.scale, h: h.scale, w: w.scale },
    anchors: anchors && origin(anchors.input),
  };
}

/** A node that takes a tensor of four columns or rows apart. */
function fourParts(node: Node): { input: Value; outputs: Value[] } | undefined {
  const isUnpack = node.op === 'Unpack' && node.int('num') === 4;
  const isSplit = node.op === 'Split' && node.int('num_split') === 4;
  if (!isUnpack && !isSplit) return undefined;
  return { input: node.inputs[isSplit ? 1 : 0], outputs: [0, 1, 2, 3].map((i) => node.output(i)) };
}

/** The value after its division by a constant, where there is one. */
function scaled(value: Value, readers: Readers): { value: Value; scale: number } {
  for (const reader of readers.get(value) ?? []) {
    const [a, b] = reader.inputs;
    if (/^(RealDiv|Div)$/.test(reader.op) && a === value) {
      const scale = numberOf(b);
      if (scale !== undefined) return { value: reader.output(), scale };
    }
    if (reader.op === 'Mul') {
      const factor = numberOf(a === value ? b : a);
      if (factor) return { value: reader.output(), scale: 1 / factor };
    }
  }
  return { value, scale: 1 };
}

function applied(value: Value, op: string, readers: Readers): Value | undefined {
  return (readers.get(value) ?? []).find((n) => n.op === op)?.output();
}

/** The product of a value with another that is not constant. */
function product(value: Value | undefined, readers: Readers): { other: Value } | undefined {
  if (!value) return undefined;
  for (const reader of readers.get(value) ?? []) {
    if (reader.op !== 'Mul') continue;
    const other = reader.inputs[reader.inputs[0] === value ? 1 : 0];
    if (numberOf(other) === undefined) return { other: source(other) };
  }
  return undefined;
}

/** The encodings before they were flattened to one list of boxes for the whole batch. */
function encodingsBefore(value: Value): Value {
  let found = source(value);
  if (found.node.op === 'Transpose') found = source(found.node.inputs[0]);
  if (found.node.op === 'Reshape') found = source(found.node.inputs[0]);
  return found;
}
