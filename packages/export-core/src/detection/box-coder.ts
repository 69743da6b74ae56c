/**
 * The box coder: how four numbers a box and its anchor become corners. All detectors of the Object Detection API share
 * one formula, and its shape in the graph tells where encodings and anchors come from.
 *
 *   y, x, h, w = unstack(transpose(encodings))         each divided by its scale, or not
 *   centre = y · anchor_height + anchor_y              anchor_height = ymax − ymin of the unstacked anchors
 *   height = exp(h) · anchor_height
 */
import type { Graph, Node, Value } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import type { BoxScales } from './detection';
import { origin, source, numberOf, readersOf, type Readers } from './patterns';

export interface BoxCoder {
  /** Box encodings as the network gives them: [batch, boxes, 4 and more]. */
  encodings: Value;
  scales: BoxScales;
  /** Corners of the anchors, as the graph computes them; centres and sizes where they are constants. [boxes, 4] */
  anchors?: Value | Tensor;
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
  const parts = columnsOf(node);
  if (!parts) return undefined;
  const [y, x, h, w] = parts.outputs.map((value) => scaled(value, readers));
  const growth = [h, w].map((part) => product(applied(part.value, 'Exp', readers), readers));
  const shift = [y, x].map((part) => product(part.value, readers));
  if (growth.includes(undefined) || shift.includes(undefined)) return undefined;
  return {
    node,
    encodings: encodingsBefore(parts.input),
    scales: { y: y.scale, x: x.scale, h: h.scale, w: w.scale },
    anchors: corners(growth[0]!) ?? centers(shift as Product[], growth as Product[], readers),
  };
}

/** A node that takes a tensor apart, with its first four columns or rows. Keypoints follow the numbers of a box. */
function columnsOf(node: Node): { input: Value; outputs: Value[] } | undefined {
  const isUnpack = node.op === 'Unpack' && node.int('num') >= 4;
  const isSplit = node.op === 'Split' && node.int('num_split') >= 4;
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

/** The tensor whose columns give the height that a box's is a multiple of. */
function corners({ other }: Product): Value | undefined {
  const taken = other.node.inputs[0]?.node;
  const parts = taken && columnsOf(taken);
  return parts && origin(parts.input);
}

/** What is left where sizes are fixed: freezing computes each column of centres and sizes. */
function centers(shift: Product[], growth: Product[], readers: Readers): Tensor | undefined {
  const places = shift.map(({ value }) => {
    const sum = (readers.get(value) ?? []).find((n) => /^(Add|AddV2)$/.test(n.op));
    return sum && sum.inputs[sum.inputs[0] === value ? 1 : 0];
  });
  const columns = [...places, ...growth.map(({ other }) => other)].map((v) => v && source(v).constant);
  const [first] = columns;
  if (!first || columns.some((c) => c?.dtype !== 'float32' || c.size !== first.size)) return undefined;
  const numbers = columns.map((c) => c!.toNumbers());
  const rows = Array.from({ length: first.size }, (_, i) => numbers.map((column) => column[i])).flat();
  return Tensor.fromNumbers('float32', [first.size, 4], rows);
}

interface Product {
  value: Value;
  other: Value;
}

/** The product of a value with another that is no number. */
function product(value: Value | undefined, readers: Readers): Product | undefined {
  if (!value) return undefined;
  for (const reader of readers.get(value) ?? []) {
    if (reader.op !== 'Mul') continue;
    const other = reader.inputs[reader.inputs[0] === value ? 1 : 0];
    if (numberOf(other) === undefined) return { value: reader.output(), other: source(other) };
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
