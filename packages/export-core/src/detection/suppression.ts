/** Non-maximum suppression: the thresholds, which are constants beside the op or before it. */
import type { Graph, Node } from '../graph/graph';
import { numberOf, origin } from './patterns';

export interface Suppression {
  node: Node;
  /** How many there are: one a class where classes are suppressed one by one. */
  count: number;
  scoreThreshold?: number;
  iouThreshold?: number;
}

/** Where the thresholds stand among an op's inputs. */
interface Places {
  iou?: number;
  score?: number;
}

const OPS: Readonly<Record<string, Places>> = {
  // Its IoU threshold is an attribute.
  NonMaxSuppression: {},
  NonMaxSuppressionV2: { iou: 3 },
  NonMaxSuppressionV3: { iou: 3, score: 4 },
  NonMaxSuppressionV4: { iou: 3, score: 4 },
  NonMaxSuppressionV5: { iou: 3, score: 4 },
  CombinedNonMaxSuppression: { iou: 4, score: 5 },
};

export function isSuppression(node: Node): boolean {
  return Object.hasOwn(OPS, node.op);
}

/** The suppressions that read the given node's results; undefined where none does. */
export function findSuppression(graph: Graph, after: Node): Suppression | undefined {
  const found: Node[] = [];
  const reached = new Set<Node>([after]);
  for (const node of graph.sorted()) {
    if (!node.inputs.some((v) => reached.has(v.node))) continue;
    reached.add(node);
    if (isSuppression(node)) found.push(node);
  }
  const [node] = found;
  if (!node) return undefined;
  const { iou, score } = OPS[node.op];
  const own = score === undefined ? undefined : numberOf(node.inputs[score]);
  return {
    node,
    count: found.length,
    iouThreshold: iou === undefined ? Math.fround(node.float('iou_threshold')) : numberOf(node.inputs[iou]),
    // Ops without a limit of their own, or with none set, are given scores that were filtered before.
    scoreThreshold: own !== undefined && own > LOWEST ? own : filteredBefore(node),
  };
}

/** The lowest float32: TensorFlow's word for "no threshold". */
const LOWEST = -3.4e38;

/** The number that scores were compared with before the suppression. */
function filteredBefore(node: Node): number | undefined {
  const seen = new Set<Node>();
  let level = node.inputs.map((v) => v.node);
  for (let depth = 0; depth < 24 && level.length; depth++) {
    for (const candidate of level) {
      if (!/^(Greater|GreaterEqual)$/.test(candidate.op)) continue;
      const threshold = numberOf(candidate.inputs[1]);
      // Areas of clipped boxes are compared with zero in the same way.
      const isArea = origin(candidate.inputs[0]).node.op === 'Mul';
      if (threshold !== undefined && !isArea) return threshold;
    }
    level.forEach((n) => seen.add(n));
    level = [...new Set(level.flatMap((n) => n.inputs.map((v) => v.node)))].filter((n) => !seen.has(n));
  }
  return undefined;
}
