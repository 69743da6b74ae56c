/** Suppression of boxes that overlap better ones. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { narrow, widen } from './kernels/numbers';
import { dimsOfRank, mergeDims, refuse, scalarInput, upTo } from './kernels/shape-rules';
import { suppress, type Candidates } from './kernels/suppression';
import type { Dim } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

/** Checks the shapes that all versions share. */
function checkInputs(c: InferContext): void {
  const boxes = dimsOfRank(c, 0, 2);
  mergeDims(c, boxes[0], dimsOfRank(c, 1, 1)[0]);
  mergeDims(c, boxes[1], 4);
}

/** Number of selected boxes: the most there can be where the result is padded to that. */
const selected = (c: InferContext): Dim =>
  c.node.attr('pad_to_max_output_size') !== undefined && c.node.bool('pad_to_max_output_size')
    ? scalarInput(c, 2)
    : null;

function candidates(boxes: Tensor, scores: Tensor): Candidates {
  if (boxes.shape.length !== 2 || boxes.shape[1] !== 4 || scores.size !== boxes.shape[0])
    refuse('boxes and scores do not fit');
  const v = widen(boxes);
  return { boxes: (i) => v.subarray(4 * i, 4 * i + 4), scores: widen(scores) };
}

interface Thresholds {
  overlap: number;
  score: number;
  sigma: number;
}

function select(
  boxes: Tensor,
  scores: Tensor,
  max: Tensor,
  { overlap, score, sigma }: Thresholds,
  padded: boolean,
) {
  if (max.at(0) < 0) refuse(`the number of boxes is ${max.at(0)}`);
  if (overlap < 0 || overlap > 1) refuse(`the overlap threshold ${overlap} is not between 0 and 1`);
  const found = suppress(candidates(boxes, scores), max.at(0), overlap, score, sigma);
  const valid = found.length;
  const size = padded ? max.at(0) : valid;
  const indices = upTo(size).map((i) => found[i]?.index ?? 0);
  const kept = Float64Array.from(upTo(size), (i) => found[i]?.score ?? 0);
  return {
    indices: Tensor.fromNumbers('int32', [size], indices),
    scores: narrow(scores.dtype, [size], kept),
    valid: Tensor.scalar('int32', valid),
  };
}

const inferIndices = (c: InferContext): OutputInfo[] => {
  checkInputs(c);
  return [{ shape: [selected(c)] }];
};

const LOWEST = -Infinity;

const combined: OpRow = {
  infer: (c) => {
    const [batch, , , four] = dimsOfRank(c, 0, 4);
    const scores = dimsOfRank(c, 1, 3);
    mergeDims(c, four, 4);
    const n = mergeDims(c, batch, scores[0]);
    const [perClass, total] = [scalarInput(c, 2), scalarInput(c, 3)];
    let size = total;
    if (c.node.bool('pad_per_class')) {
      size =
        total === null || perClass === null || scores[2] === null
          ? null
          : Math.min(total, perClass * scores[2]);
    }
    return [{ shape: [n, size, 4] }, { shape: [n, size] }, { shape: [n, size] }, { shape: [n] }];
  },
  evaluate: ([boxTensor, scoreTensor, perClassTensor, totalTensor, overlap, threshold], node) => {
    const [batch, count, q] = boxTensor.shape;
    const classes = scoreTensor.shape[2];
    if (boxTensor.shape.length !== 4 || scoreTensor.shape.length !== 3 || (q !== 1 && q !== classes))
      refuse('boxes and scores do not fit');
    const [perClass, total] = [perClassTensor.at(0), totalTensor.at(0)];
    if (perClass <= 0 || total <= 0) refuse('the numbers of boxes must be positive');
    const size = node.bool('pad_per_class') ? Math.min(total, perClass * classes) : total;
    const [boxes, scores] = [widen(boxTensor), widen(scoreTensor)];
    const clip = node.bool('clip_boxes') ? (x: number) => Math.min(1, Math.max(0, x)) : (x: number) => x;
    const result = {
      boxes: new Float64Array(batch * size * 4),
      scores: new Float64Array(batch * size),
      classes: new Float64Array(batch * size),
    };
    const valid: number[] = [];
    for (let b = 0; b < batch; b++) {
      const box = (i: number, k: number) => {
        const at = 4 * ((b * count + i) * q + (q === 1 ? 0 : k));
        return boxes.subarray(at, at + 4);
      };
      const found = upTo(classes).flatMap((k) => {
        const own = Float64Array.from(upTo(count), (i) => scores[(b * count + i) * classes + k]);
        const kept = suppress(
          { boxes: (i) => box(i, k), scores: own },
          Math.min(perClass, count),
          overlap.at(0),
          threshold.at(0),
          0,
        );
        return kept.map(({ index, score }) => ({ box: box(index, k), score, k }));
      });
      found.sort((x, y) => y.score - x.score);
      valid.push(Math.min(size, found.length));
      found.slice(0, size).forEach((f, i) => {
        result.boxes.set(Float64Array.from(f.box, clip), 4 * (b * size + i));
        result.scores[b * size + i] = f.score;
        result.classes[b * size + i] = f.k;
      });
    }
    return [
      narrow('float32', [batch, size, 4], result.boxes),
      narrow('float32', [batch, size], result.scores),
      narrow('float32', [batch, size], result.classes),
      Tensor.fromNumbers('int32', [batch], valid),
    ];
  },
};

export const table: OpTable = {
  NonMaxSuppression: {
    infer: inferIndices,
    evaluate: ([boxes, scores, max], node) => {
      const limits = { overlap: Math.fround(node.float('iou_threshold')), score: LOWEST, sigma: 0 };
      return [select(boxes, scores, max, limits, false).indices];
    },
  },
  NonMaxSuppressionV2: {
    infer: inferIndices,
    evaluate: ([boxes, scores, max, overlap]) => {
      return [select(boxes, scores, max, { overlap: overlap.at(0), score: LOWEST, sigma: 0 }, false).indices];
    },
  },
  NonMaxSuppressionV3: {
    infer: inferIndices,
    evaluate: ([boxes, scores, max, overlap, score]) => {
      return [
        select(boxes, scores, max, { overlap: overlap.at(0), score: score.at(0), sigma: 0 }, false).indices,
      ];
    },
  },
  NonMaxSuppressionV4: {
    infer: (c) => [...inferIndices(c), { shape: [] }],
    evaluate: ([boxes, scores, max, overlap, score], node) => {
      const limits = { overlap: overlap.at(0), score: score.at(0), sigma: 0 };
      const { indices, valid } = select(boxes, scores, max, limits, node.bool('pad_to_max_output_size'));
      return [indices, valid];
    },
  },
  NonMaxSuppressionV5: {
    infer: (c) => [...inferIndices(c), { shape: [selected(c)] }, { shape: [] }],
    evaluate: ([boxes, scores, max, overlap, score, sigma], node) => {
      const limits = { overlap: overlap.at(0), score: score.at(0), sigma: sigma.at(0) };
      const all = select(boxes, scores, max, limits, node.bool('pad_to_max_output_size'));
      return [all.indices, all.scores, all.valid];
    },
  },
  NonMaxSuppressionWithOverlaps: { infer: () => [{ shape: [null] }] },
  CombinedNonMaxSuppression: combined,
};
