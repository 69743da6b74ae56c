/**
 * Compares detections as detections. Element by element would be wrong: where two boxes have nearly the same score,
 * both orders are right, and so is either of two boxes where the list ends between them.
 *
 * Each detection of the reference is looked for among the model's of its class: the nearest one that no other has
 * taken. What is near enough depends on the numbers of the model:
 *
 *   float      corners and score within the tolerance
 *   quantised  1 − IoU · (1 − |d score|), its mean over the detections, at most MAX_MEAN_ERROR
 */
import { parseInput, type Signature, type Tensor } from '@floe/export-core';
import { POST_PROCESS } from '../detection/names';

/** One detected object; the box is (ymin, xmin, ymax, xmax). */
export interface DetectedObject {
  box: [number, number, number, number];
  category: number;
  score: number;
}

/** One of the reference's detections and the model's for it, where there is one. */
export interface DetectionPair {
  reference: DetectedObject;
  found?: DetectedObject;
  iou: number;
  /** 0 for the very same detection, 1 for none. */
  error: number;
  /** The list ends here: another box of nearly this score has its place. */
  atEnd: boolean;
}

export interface DetectionSample {
  pairs: DetectionPair[];
  /** The model's detections that the reference has not. */
  extra: DetectedObject[];
}

export interface DetectionFigures {
  /** Detections of the reference, and how many of them the model has. */
  detections: number;
  found: number;
  extra: number;
  meanIou: number;
  maxScoreError: number;
  maxBoxError: number;
  meanError: number;
}

/** The names of a model's outputs by what they are. */
export interface DetectionOutputs {
  boxes: string;
  classes: string;
  scores: string;
  count: string;
  /** Places in the lists that each counted detection has: one for each of a box's classes. */
  perCount: number;
}

export interface DetectionResult {
  agrees: boolean;
  /** Why not. */
  reason?: string;
  figures: DetectionFigures;
  /** The first few, to look at. */
  samples: DetectionSample[];
}

const ROLES = ['boxes', 'classes', 'scores', 'count'] as const;

/** Samples that a report shows: they show how it is off, the figures how far. */
const MAX_SHOWN = 4;
/** A quantised detector whose detections are further off than this on average is rather wrong than coarse. */
export const MAX_MEAN_ERROR = 0.1;
/** Boxes that overlap less are two objects. */
const MIN_IOU = 0.5;
/** Scores of a quantised model that are no further apart may change places. */
const QUANTIZED_SCORE_TOLERANCE = 0.05;

/**
 * The outputs of a model that ends in TFLite's post-processing; undefined for others, and where one is missing.
 *
 * @param perCount see DetectionOutputs
 */
export function detectionOutputs(signature: Signature, perCount: number): DetectionOutputs | undefined {
  const names = ROLES.map(
    (_, role) =>
      signature.outputs.find(({ tensor }) => {
        const { name, index } = parseInput(tensor);
        return name === POST_PROCESS && index === role;
      })?.name,
  );
  if (names.includes(undefined)) return undefined;
  const [boxes, classes, scores, count] = names as string[];
  return { boxes, classes, scores, count, perCount };
}

/** The detections of one run, best first. */
function detectionsOf(run: ReadonlyMap<string, Tensor>, names: DetectionOutputs): DetectedObject[] {
  const [boxes, classes, scores, [count]] = ROLES.map((role) => (run.get(names[role]) as Tensor).toNumbers());
  const used = Math.min(scores.length, Math.max(0, Math.round(count) * names.perCount));
  return Array.from({ length: used }, (_, i) => ({
    box: boxes.slice(i * 4, i * 4 + 4) as DetectedObject['box'],
    category: classes[i],
    score: scores[i],
  }));
}

/** Compares the runs of all samples. */
export function compareDetections(
  got: readonly ReadonlyMap<string, Tensor>[],
  reference: readonly ReadonlyMap<string, Tensor>[],
  names: DetectionOutputs,
  { tolerance, quantized }: { tolerance: number; quantized: boolean },
): DetectionResult {
  const scoreTolerance = quantized ? QUANTIZED_SCORE_TOLERANCE : tolerance;
  const samples = reference.map((run, i) =>
    compareSample(detectionsOf(got[i], names), detectionsOf(run, names), scoreTolerance),
  );
  const figures = figuresOf(samples);
  const reason = quantized ? tooCoarse(figures) : tooFar(samples, tolerance);
  return {
    agrees: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    figures,
    samples: samples.slice(0, MAX_SHOWN),
  };
}

function compareSample(
  got: readonly DetectedObject[],
  reference: readonly DetectedObject[],
  scoreTolerance: number,
): DetectionSample {
  const left = new Set(got);
  const lowest = Math.min(...got.map((d) => d.score), ...reference.map((d) => d.score));
  const pairs = reference.map((wanted): DetectionPair => {
    let best: DetectionPair = { reference: wanted, iou: 0, error: 1, atEnd: false };
    for (const found of left) {
      const iou = overlapOf(wanted.box, found.box);
      if (found.category !== wanted.category || iou < MIN_IOU) continue;
      const error = 1 - iou * (1 - Math.min(1, Math.abs(found.score - wanted.score)));
      if (!best.found || error < best.error) best = { ...best, found, iou, error };
    }
    if (best.found) left.delete(best.found);
    return { ...best, atEnd: !best.found && wanted.score - lowest <= scoreTolerance };
  });
  return { pairs, extra: [...left] };
}

/** Intersection over union; 1 of two boxes that are one, also where it has no area. */
function overlapOf(a: DetectedObject['box'], b: DetectedObject['box']): number {
  if (a.every((n, i) => Object.is(n, b[i]))) return 1;
  const side = (from: number, to: number): number =>
    Math.max(0, Math.min(a[to], b[to]) - Math.max(a[from], b[from]));
  const area = (box: readonly number[]): number =>
    Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
  const shared = side(0, 2) * side(1, 3);
  const all = area(a) + area(b) - shared;
  if (all > 0) return shared / all;
  return distance(a, b) < 1e-6 ? 1 : 0;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((n, i) => Math.abs(n - b[i]) / Math.max(1, Math.abs(n))));
}

function figuresOf(samples: readonly DetectionSample[]): DetectionFigures {
  const pairs = samples.flatMap((s) => s.pairs);
  const found = pairs.filter((p): p is DetectionPair & { found: DetectedObject } => p.found !== undefined);
  const mean = (numbers: number[], none: number): number =>
    numbers.length ? numbers.reduce((a, b) => a + b, 0) / numbers.length : none;
  return {
    detections: pairs.length,
    found: found.length,
    extra: samples.reduce((n, s) => n + s.extra.length, 0),
    meanIou: mean(
      found.map((p) => p.iou),
      1,
    ),
    maxScoreError: Math.max(0, ...found.map((p) => Math.abs(p.reference.score - p.found.score))),
    maxBoxError: Math.max(0, ...found.map((p) => distance(p.reference.box, p.found.box))),
    meanError: mean(
      pairs.filter((p) => !p.atEnd).map((p) => p.error),
      0,
    ),
  };
}

/** What is wrong with a float model's detections. */
function tooFar(samples: readonly DetectionSample[], tolerance: number): string | undefined {
  const pairs = samples.flatMap((s) => s.pairs);
  const missing = pairs.filter((p) => !p.found && !p.atEnd).length;
  const surplus = samples.filter((s) => s.extra.length > s.pairs.filter((p) => p.atEnd).length).length;
  const far = pairs.filter(
    ({ reference, found }) =>
      found &&
      (distance(reference.box, found.box) > tolerance || Math.abs(reference.score - found.score) > tolerance),
  ).length;
  const parts = [
    missing ? `${missing} of ${pairs.length} detections are missing` : '',
    far ? `${far} of ${pairs.length} detections are outside the tolerance of ${tolerance}` : '',
    surplus ? `there are others in ${surplus} sample${surplus > 1 ? 's' : ''}` : '',
  ].filter(Boolean);
  return parts.length ? parts.join(', ') : undefined;
}

function tooCoarse({ meanError, detections, extra }: DetectionFigures): string | undefined {
  if (detections === 0 && extra > 0) return `there are ${extra} detections where the reference has none`;
  return meanError <= MAX_MEAN_ERROR
    ? undefined
    : `1 − IoU · (1 − |d score|) is ${meanError.toFixed(3)} on average, more than ${MAX_MEAN_ERROR}`;
}
