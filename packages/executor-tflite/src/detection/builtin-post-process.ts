/**
 * Given:  TFLite_Detection_PostProcess(encodings, scores, anchors)
 * Result: the same detections from builtin operators, NonMaxSuppressionV5 among them
 *
 * For runtimes without the custom operator, and for engines that only know TensorFlow's ops. Places without a detection
 * hold zeros.
 */
import {
  attr,
  isStatic,
  postProcessSettings,
  Tensor,
  type Graph,
  type Node,
  type PostProcessSettings,
  type Value,
} from '@floe/export-core';
import { Rewriter, replace, type Operand } from '../prepare/rewrite';
import { POST_PROCESS } from './names';

/**
 * @param op the suppression to use: V5, or V4 for engines that do not count what V5 keeps
 */
export function builtinPostProcess(graph: Graph, op: SuppressionOp = 'NonMaxSuppressionV5'): void {
  const nodes = [...graph.nodes.values()].filter((node) => node.op === POST_PROCESS);
  for (const node of nodes) {
    const b = new Rewriter(graph, node);
    const settings: Settings = { ...postProcessSettings(node), op };
    const [encodings, scores, anchors] = node.inputs;
    const boxes = decode(b, encodings, anchors.constant as Tensor, settings.scales);
    const byClass = withoutBackground(b, scores, settings);
    const detections = settings.regular
      ? regular(b, boxes, byClass, settings)
      : fast(b, boxes, byClass, settings);
    replace(graph, node, results(b, detections, settings), b.added);
  }
}

/** Whether a node can be written out: its sizes and anchors are known. */
export function canWriteOut({ inputs: [encodings, scores, anchors] }: Node): boolean {
  return (
    isStatic(encodings.shape ?? null) && isStatic(scores.shape ?? null) && anchors.constant !== undefined
  );
}

/** Lowest float32: less than any score. */
const LOWEST = -3.4028234663852886e38;

type SuppressionOp = 'NonMaxSuppressionV4' | 'NonMaxSuppressionV5';

interface Settings extends PostProcessSettings {
  op: SuppressionOp;
}

/** Detections before they are given the form of the op's outputs: rows by descending score. */
interface Rows {
  /** [rows, 4] */
  boxes: Value;
  /** [rows, classes of each row], indices as float32 */
  classes: Value;
  scores: Value;
  /** How many rows are detections: int32, a scalar. */
  count: Value;
  rows: number;
  perRow: number;
}

/** Corners [boxes, 4] of what encodings and anchors mean. */
function decode(
  b: Rewriter,
  encodings: Value,
  anchors: Tensor,
  scales: PostProcessSettings['scales'],
): Value {
  const [count] = anchors.shape;
  const numbers = anchors.toNumbers();
  const column = (f: (row: number[]) => number[]): Tensor =>
    Tensor.fromNumbers(
      'float32',
      [count, 2],
      Array.from({ length: count }, (_, i) => f(numbers.slice(i * 4, i * 4 + 4))).flat(),
    );
  const codes = b.op('Reshape', [encodings, b.ints([count, -1])]);
  const part = (from: number): Value => b.op('Slice', [codes, b.ints([0, from]), b.ints([count, 2])]);
  const offset = b.op('Mul', [part(0), column(([, , h, w]) => [h / scales.y, w / scales.x])]);
  const center = b.op('AddV2', [offset, column(([y, x]) => [y, x])]);
  const growth = b.op('Mul', [part(2), Tensor.fromNumbers('float32', [1, 2], [1 / scales.h, 1 / scales.w])]);
  const half = b.op('Mul', [b.op('Exp', [growth]), column(([, , h, w]) => [h / 2, w / 2])]);
  return b.op('ConcatV2', [b.op('Sub', [center, half]), b.op('AddV2', [center, half]), b.ints(1)]);
}

/** Scores [boxes, classes]. */
function withoutBackground(b: Rewriter, scores: Value, { numClasses }: Settings): Value {
  const [, boxes, all] = scores.shape as number[];
  const flat = b.op('Reshape', [scores, b.ints([boxes, all])]);
  if (all === numClasses) return flat;
  return b.op('Slice', [flat, b.ints([0, all - numClasses]), b.ints([boxes, numClasses])]);
}

/** One suppression by each box's best score; each box that stays has its best classes. */
function fast(b: Rewriter, boxes: Value, scores: Value, settings: Settings): Rows {
  const rows = settings.maxDetections;
  const perRow = Math.min(settings.maxClassesPerDetection, settings.numClasses);
  const best = b.op('Max', [scores, b.ints([1])], { keep_dims: attr.bool(false) });
  const { indices, count } = suppression(b, boxes, best, rows, settings);
  const top = b.add('TopKV2', [gather(b, scores, indices), perRow]);
  return {
    boxes: gather(b, boxes, indices),
    classes: b.cast(top.output(1), 'float32'),
    scores: top.output(0),
    count,
    rows,
    perRow,
  };
}

/** A suppression for each class; the best of all that stay. */
function regular(b: Rewriter, boxes: Value, scores: Value, settings: Settings): Rows {
  const { numClasses } = settings;
  const [boxCount] = boxes.shape as number[];
  const perClass = Math.min(settings.detectionsPerClass, boxCount);
  const byClass = b.add('Unpack', [b.op('Transpose', [scores, b.ints([1, 0])])], {
    num: attr.int(numClasses),
    axis: attr.int(0),
  });
  const found = Array.from({ length: numClasses }, (_, i) => {
    const own = byClass.output(i);
    const { indices, count } = suppression(b, boxes, own, perClass, settings);
    return { indices, count, scores: gather(b, own, indices) };
  });
  const join = (values: Value[]): Value =>
    values.length > 1 ? b.op('ConcatV2', [...values, b.ints(0)]) : values[0];
  const all = join(found.map((f) => b.op('SelectV2', [isBelow(b, perClass, f.count), f.scores, LOWEST])));
  const indices = join(found.map((f) => f.indices));
  const rows = Math.min(settings.maxDetections, numClasses * perClass);
  const top = b.add('TopKV2', [all, rows]);
  const categories = Array.from({ length: numClasses * perClass }, (_, i) => Math.floor(i / perClass));
  const column = (value: Value): Value => b.op('Reshape', [value, b.ints([rows, 1])]);
  const total = found.map((f) => f.count).reduce((sum, n) => b.op('AddV2', [sum, n]));
  return {
    boxes: gather(b, boxes, gather(b, indices, top.output(1))),
    classes: column(gather(b, Tensor.fromNumbers('float32', [categories.length], categories), top.output(1))),
    scores: column(top.output(0)),
    count: b.op('Minimum', [total, rows]),
    rows,
    perRow: 1,
  };
}

/** Indices of the boxes that stay, then zeros up to `max`, and how many they are. */
function suppression(
  b: Rewriter,
  boxes: Value,
  scores: Value,
  max: number,
  { op, iouThreshold, scoreThreshold }: Settings,
): { indices: Value; count: Value } {
  const operands = [boxes, scores, max, iouThreshold, below(scoreThreshold)];
  const pads = { pad_to_max_output_size: attr.bool(true) };
  const node = b.add(op, op === 'NonMaxSuppressionV5' ? [...operands, 0] : operands, pads);
  return { indices: node.output(0), count: node.output(op === 'NonMaxSuppressionV5' ? 2 : 1) };
}

/** The next smaller float32: this op drops scores at its threshold, the custom one below it. */
function below(threshold: number): number {
  // Of 0 the first that is not taken for 0.
  if (threshold === 0) return -(2 ** -126);
  const bits = new Int32Array(new Float32Array([threshold]).buffer);
  bits[0] += threshold > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

/** True for the first `count` of `length`. */
function isBelow(b: Rewriter, length: number, count: Value): Value {
  return b.op('Less', [
    Tensor.fromNumbers(
      'int32',
      [length],
      Array.from({ length }, (_, i) => i),
    ),
    count,
  ]);
}

function gather(b: Rewriter, from: Operand, indices: Value): Value {
  return b.op('GatherV2', [from, indices, b.ints(0)]);
}

/** The op's four outputs: each row's box and scores in as many places as there may be classes of it. */
function results(b: Rewriter, found: Rows, settings: Settings): Value[] {
  const { rows, perRow } = found;
  const { maxDetections, maxClassesPerDetection: places } = settings;
  const valid = b.op('Reshape', [isBelow(b, rows, found.count), b.ints([rows, 1])]);
  const kept = (value: Value): Value => b.op('SelectV2', [valid, value, 0]);
  const [missingRows, missing] = [maxDetections - rows, places - perRow];
  // A row has its places side by side, each of them `width` numbers wide.
  const filled = (value: Value, width: number): Value =>
    missingRows || missing
      ? b.op('Pad', [value, Tensor.fromNumbers('int32', [2, 2], [0, missingRows, 0, missing * width])])
      : value;
  const perPlace = (value: Value): Value =>
    b.op('Reshape', [filled(kept(value), 1), b.ints([1, maxDetections * places])]);
  // As often as there are classes of a box; places beyond them stay empty.
  const repeated = perRow === 1 ? found.boxes : b.op('Tile', [found.boxes, b.ints([1, perRow])]);
  const boxes = filled(kept(repeated), 4);
  return [
    b.op('Reshape', [boxes, b.ints([1, maxDetections * places, 4])]),
    perPlace(found.classes),
    perPlace(found.scores),
    b.op('Reshape', [b.cast(found.count, 'float32'), b.ints([1])]),
  ];
}
