/**
 * What TFLite_Detection_PostProcess computes: box encodings, scores and anchors to detections.
 *
 * Boxes are decoded in double precision and rounded once, as the kernel does. Fast suppression looks at each box's best
 * class only, regular suppression at one class after the other.
 */
import { suppress } from './suppression';

export interface PostProcessSettings {
  scales: { y: number; x: number; h: number; w: number };
  numClasses: number;
  maxDetections: number;
  maxClassesPerDetection: number;
  detectionsPerClass: number;
  regular: boolean;
  scoreThreshold: number;
  iouThreshold: number;
}

export interface Detections {
  /** (ymin, xmin, ymax, xmax) of each place of the result, then zeros. */
  boxes: Float32Array;
  classes: Float32Array;
  scores: Float32Array;
  /** Boxes found. */
  count: number;
}

/** Places of the result: fast suppression gives each box its best classes. */
export function detectionPlaces(
  settings: Pick<PostProcessSettings, 'maxDetections' | 'maxClassesPerDetection'>,
): number {
  return settings.maxDetections * settings.maxClassesPerDetection;
}

/**
 * @param encodings four numbers a box (more are passed over): y, x, h, w, relative to its anchor
 * @param scores a number a class, each box's after the other; classes beyond `numClasses` stand first (background)
 * @param anchors centre y, centre x, height, width of each box's anchor
 */
export function postProcess(
  encodings: ArrayLike<number>,
  scores: ArrayLike<number>,
  anchors: ArrayLike<number>,
  settings: PostProcessSettings,
): Detections {
  const count = anchors.length / 4;
  const codeSize = encodings.length / count;
  const boxes = decode(encodings, codeSize, anchors, settings.scales);
  const perBox = scores.length / count;
  const background = perBox - settings.numClasses;
  const scoreOf = (box: number, category: number): number => scores[box * perBox + background + category];
  const select = settings.regular ? selectRegular : selectFast;
  const found = select(boxes, count, scoreOf, settings);
  const places = detectionPlaces(settings);
  const result: Detections = {
    boxes: new Float32Array(places * 4),
    classes: new Float32Array(places),
    scores: new Float32Array(places),
    count: found.count,
  };
  for (const { place, box, category } of found.entries) {
    result.boxes.set(boxes.subarray(box * 4, box * 4 + 4), place * 4);
    result.classes[place] = category;
    result.scores[place] = scoreOf(box, category);
  }
  return result;
}

/** Corners of the boxes that the encodings mean. */
function decode(
  encodings: ArrayLike<number>,
  codeSize: number,
  anchors: ArrayLike<number>,
  scales: PostProcessSettings['scales'],
): Float32Array {
  const boxes = new Float32Array(anchors.length);
  for (let box = 0; box * 4 < anchors.length; box++) {
    const [y, x, h, w] = [0, 1, 2, 3].map((i) => encodings[box * codeSize + i]);
    const [anchorY, anchorX, anchorH, anchorW] = [0, 1, 2, 3].map((i) => anchors[box * 4 + i]);
    const centerY = Math.fround((y / scales.y) * anchorH + anchorY);
    const centerX = Math.fround((x / scales.x) * anchorW + anchorX);
    const halfH = Math.fround(0.5 * Math.exp(h / scales.h) * anchorH);
    const halfW = Math.fround(0.5 * Math.exp(w / scales.w) * anchorW);
    boxes.set([centerY - halfH, centerX - halfW, centerY + halfH, centerX + halfW], box * 4);
  }
  return boxes;
}

interface Found {
  entries: { place: number; box: number; category: number }[];
  count: number;
}

type ScoreOf = (box: number, category: number) => number;

/** One suppression over all boxes by their best scores; each box that stays is given its best classes. */
function selectFast(
  boxes: Float32Array,
  count: number,
  scoreOf: ScoreOf,
  settings: PostProcessSettings,
): Found {
  const perBox = Math.min(settings.maxClassesPerDetection, settings.numClasses);
  const best = Array.from({ length: count }, (_, box) => {
    const categories = Array.from({ length: settings.numClasses }, (_unused, i) => i);
    return categories.sort((a, b) => scoreOf(box, b) - scoreOf(box, a)).slice(0, perBox);
  });
  const selected = selectOne(
    boxes,
    best.map(([first], box) => scoreOf(box, first)),
    settings.maxDetections,
    settings,
  );
  const entries = selected.flatMap((box, i) =>
    best[box].map((category, k) => ({ place: i * settings.maxClassesPerDetection + k, box, category })),
  );
  return { entries, count: selected.length };
}

/** A suppression for each class; the best of all that stay. */
function selectRegular(
  boxes: Float32Array,
  count: number,
  scoreOf: ScoreOf,
  settings: PostProcessSettings,
): Found {
  const all: { box: number; category: number }[] = [];
  for (let category = 0; category < settings.numClasses; category++) {
    const scores = Array.from({ length: count }, (_, box) => scoreOf(box, category));
    for (const box of selectOne(boxes, scores, settings.detectionsPerClass, settings))
      all.push({ box, category });
  }
  all.sort((a, b) => scoreOf(b.box, b.category) - scoreOf(a.box, a.category));
  const kept = all.slice(0, settings.maxDetections);
  return { entries: kept.map((entry, place) => ({ ...entry, place })), count: kept.length };
}

/** Indices of the boxes that stay. A score that equals the threshold counts. */
function selectOne(
  boxes: Float32Array,
  scores: readonly number[],
  max: number,
  settings: PostProcessSettings,
): number[] {
  const candidates = {
    boxes: (i: number) => boxes.subarray(i * 4, i * 4 + 4),
    scores: scores.map((s) => (s >= settings.scoreThreshold ? s : -Infinity)),
  };
  return suppress(candidates, max, settings.iouThreshold, -Infinity, 0).map((s) => s.index);
}
