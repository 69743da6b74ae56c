/**
 * Class predictions and how they become scores. The postprocessor converts them and cuts the background off, which is
 * the first class: Slice(convert(predictions), [0, 0, 1]). That slice is what is looked for.
 */
import type { Graph, Node, Value } from '../graph/graph';
import type { ScoreConverter } from './detection';
import { inScope, numbersOf, origin, source } from './patterns';

export interface Scores {
  predictions: Value;
  converter: ScoreConverter;
  /** True where the first class is the background. */
  hasBackground: boolean;
}

/** The scores that a suppression reads; `needed` is all that it needs. */
export function findScores(graph: Graph, needed: ReadonlySet<Node>): Scores | undefined {
  const nodes = [...graph.nodes.values()].filter((node) => needed.has(node));
  const slices = nodes.filter(cutsBackground);
  // The postprocessor's own, where the network has slices of that form too.
  const slice = slices.find((node) => inScope(node, 'Postprocessor')) ?? slices[0];
  if (slice) return { ...convertedFrom(slice.inputs[0]), hasBackground: true };
  const converter = nodes.find((node) => node.name.endsWith('/convert_scores'));
  return converter && { ...convertedFrom(converter.output()), hasBackground: false };
}

/** Takes the classes after the first of [batch, boxes, classes]. */
function cutsBackground(node: Node): boolean {
  if (node.op !== 'Slice' && node.op !== 'StridedSlice') return false;
  const begin = numbersOf(node.inputs[1]);
  if (begin?.length !== 3 || begin[0] !== 0 || begin[1] !== 0 || begin[2] !== 1) return false;
  const end = numbersOf(node.inputs[2]);
  if (node.op === 'Slice') return end === undefined || end[2] !== 1;
  // With steps of one, and no dimension dropped.
  return node.int('shrink_axis_mask') === 0 && (node.int('end_mask') & 4) !== 0;
}

/** What scores are made of: the op before them, and what it reads. */
export function convertedFrom(scores: Value): Omit<Scores, 'hasBackground'> {
  const value = source(scores);
  if (value.node.op === 'Sigmoid') return { converter: 'sigmoid', predictions: source(value.node.inputs[0]) };
  // Old versions flatten, convert and shape again.
  const inner = origin(value);
  if (inner.node.op === 'Softmax') {
    const flat = source(inner.node.inputs[0]);
    const wasReshaped = value !== inner && flat.node.op === 'Reshape';
    return { converter: 'softmax', predictions: source(wasReshaped ? flat.node.inputs[0] : flat) };
  }
  return { converter: 'none', predictions: value };
}
