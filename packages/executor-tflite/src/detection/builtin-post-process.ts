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
  const sorted = sort(b, best, settings);
  const { picked, count } = suppression(b, boxes, sorted, rows, settings);
  const indices = gather(b, sorted.order, picked);
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
  const sorted = sort(b, b.op('Transpose', [scores, b.ints([1, 0])]), settings);
  const rowsOf = (value: Value): Node =>
    b.add('Unpack', [value], { num: attr.int(numClasses), axis: attr.int(0) });
  const [byClass, orders, ranks] = [sorted.scores, sorted.order, sorted.ranks].map(rowsOf);
  const found = Array.from({ length: numClasses }, (_, i) => {
    const order = orders.output(i);
    const own = { scores: byClass.output(i), order, ranks: ranks.output(i) };
    const { picked, count } = suppression(b, boxes, own, perClass, settings);
    return { indices: gather(b, order, picked), count, scores: gather(b, own.scores, picked) };
  });
  const join = (values: Value[]): Value =>
    values.length > 1 ? b.op('ConcatV2', [...values, b.ints(0)]) : values[0];
  const all = join(found.map((f) => b.op('SelectV2', [isBelow(b, perClass, f.count), f.scores, LOWEST])));
  const indices = join(found.map((f) => f.indices));
  const rows = Math.min(settings.maxDetections, numClasses * perClass);
  const top = b.add('TopKV2', [all, rows]);
  const categories = counted(numClasses * perClass, (i) => Math.floor(i / perClass));
  const column = (value: Value): Value => b.op('Reshape', [value, b.ints([rows, 1])]);
  const total = found.map((f) => f.count).reduce((sum, n) => b.op('AddV2', [sum, n]));
  return {
    boxes: gather(b, boxes, gather(b, indices, top.output(1))),
    classes: column(gather(b, categories, top.output(1))),
    scores: column(top.output(0)),
    count: b.op('Minimum', [total, rows]),
    rows,
    perRow: 1,
  };
}

/** Scores of all boxes, or rows of them, from the best. */
interface Sorted {
  scores: Value;
  /** Which box each is of: int32. */
  order: Value;
  /** A number for each that falls from one to the next, 0 below the threshold. */
  ranks: Value;
}

/**
 * The custom operator takes boxes of one score in their order, NonMaxSuppression in any: the scores of quantised models
 * have 256 values. So it is given ranks. TopKV2 keeps the order of equals.
 */
function sort(b: Rewriter, scores: Value, { scoreThreshold }: Settings): Sorted {
  const boxes = scores.shape!.at(-1)!;
  const sorted = b.add('TopKV2', [scores, boxes]);
  const counts = b.op('GreaterEqual', [sorted.output(0), scoreThreshold]);
  const ranks = b.op('SelectV2', [counts, counted(boxes, (i) => boxes - i), 0]);
  return { scores: sorted.output(0), order: sorted.output(1), ranks };
}

/** Places among the sorted of the boxes that stay, then zeros up to `max`, and how many they are. */
function suppression(
  b: Rewriter,
  boxes: Value,
  { order, ranks }: Sorted,
  max: number,
  { op, iouThreshold }: Settings,
): { picked: Value; count: Value } {
  const operands = [gather(b, boxes, order), ranks, max, iouThreshold, 0.5];
  const pads = { pad_to_max_output_size: attr.bool(true) };
  const node = b.add(op, op === 'NonMaxSuppressionV5' ? [...operands, 0] : operands, pads);
  return { picked: node.output(0), count: node.output(op === 'NonMaxSuppressionV5' ? 2 : 1) };
}

/** A vector of float32, computed from its indices. */
function counted(length: number, f: (i: number) => number): Tensor {
  const numbers = Array.from({ length }, (_, i) => f(i));
  return Tensor.fromNumbers('float32', [length], numbers);
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
