/**
 * Reads what counts of a pipeline.config, the Object Detection API's description of a model, in protobuf's text format.
 *
 * Its schema has hundreds of messages that change from release to release; so fields are read by their names, and
 * fields that are not known are passed over.
 */
import { MAX_MESSAGE_NESTING, MAX_PIPELINE_CONFIG_BYTES } from '../bytes/limits';
import { readFile } from '../format/file';
import { TextScanner } from '../format/text-scanner';
import type { BoxScales, ScoreConverter } from './detection';

export interface PipelineConfig {
  /** The field of `model`: `ssd`, `faster_rcnn`, `center_net`. */
  architecture: string;
  numClasses?: number;
  /** Undefined where images keep their aspect ratio. */
  size?: [height: number, width: number];
  /** Undefined where boxes are coded otherwise. */
  scales?: BoxScales;
  scoreConverter?: ScoreConverter;
  scoreThreshold: number;
  iouThreshold: number;
}

/** The schema's defaults, for fields that a file leaves out. */
const DEFAULTS = { scale: { y: 10, x: 10, h: 5, w: 5 }, scoreThreshold: 0, iouThreshold: 0.6 };

const CONVERTERS: Readonly<Record<string, ScoreConverter>> = {
  IDENTITY: 'none',
  SIGMOID: 'sigmoid',
  SOFTMAX: 'softmax',
};

/** @throws FloeError S001, S002, S004 */
export function readPipelineConfig(file: string): PipelineConfig {
  return parsePipelineConfig(readFile(file, MAX_PIPELINE_CONFIG_BYTES), file);
}

/** @throws FloeError S004 where it is no text of that form, or has no model */
export function parsePipelineConfig(text: Uint8Array, file: string): PipelineConfig {
  const scan = new TextScanner(text, file);
  const root = message(scan, -1, 0);
  const model = child(root, 'model');
  const architecture = model && [...model.keys()][0];
  if (!architecture) {
    throw scan.error('it has no `model { … }`', 0, undefined, 'name the pipeline.config of the training');
  }
  const net = child(model, architecture) as Message;
  const resizer = child(child(net, 'image_resizer'), 'fixed_shape_resizer');
  const coder = child(child(net, 'box_coder'), 'faster_rcnn_box_coder');
  const processing = child(net, 'post_processing');
  const nms = child(processing, 'batch_non_max_suppression');
  const number = (from: Message | undefined, field: string, fallback: number): number => {
    const value = from?.get(field)?.at(-1);
    return typeof value === 'number' ? value : fallback;
  };
  const converter = processing?.get('score_converter')?.at(-1) ?? 'IDENTITY';
  const classes = number(net, 'num_classes', 0);
  return {
    architecture,
    numClasses: classes || undefined,
    size: resizer && [number(resizer, 'height', 300), number(resizer, 'width', 300)],
    scales: coder && {
      y: number(coder, 'y_scale', DEFAULTS.scale.y),
      x: number(coder, 'x_scale', DEFAULTS.scale.x),
      h: number(coder, 'height_scale', DEFAULTS.scale.h),
      w: number(coder, 'width_scale', DEFAULTS.scale.w),
    },
    scoreConverter: typeof converter === 'string' ? CONVERTERS[converter] : undefined,
    scoreThreshold: number(nms, 'score_threshold', DEFAULTS.scoreThreshold),
    iouThreshold: number(nms, 'iou_threshold', DEFAULTS.iouThreshold),
  };
}

/** Every value of each field, in order. */
type Message = Map<string, (Message | number | string)[]>;

function child(of: Message | undefined, field: string): Message | undefined {
  const value = of?.get(field)?.at(-1);
  return value instanceof Map ? value : undefined;
}

const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const CLOSERS = new Map([
  [0x7b, 0x7d],
  [0x3c, 0x3e],
]);
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

function message(scan: TextScanner, close: number, depth: number): Message {
  if (depth > MAX_MESSAGE_NESTING) throw scan.error('messages are nested too deeply');
  const fields: Message = new Map();
  for (;;) {
    const c = scan.peek();
    if (c === close) {
      if (c >= 0) scan.pos++;
      return fields;
    }
    const name = c === OPEN_LIST && scan.take(c) ? scan.bracketName() : scan.name();
    if (name === undefined) throw scan.error(`expected a field, found ${scan.found()}`);
    scan.take(COLON);
    const values = fields.get(name) ?? [];
    fields.set(name, values);
    if (scan.take(OPEN_LIST)) {
      while (!scan.take(CLOSE_LIST)) {
        values.push(value(scan, depth));
        scan.take(COMMA);
      }
    } else {
      values.push(value(scan, depth));
    }
    if (!scan.take(COMMA)) scan.take(SEMICOLON);
  }
}

function value(scan: TextScanner, depth: number): Message | number | string {
  const closer = CLOSERS.get(scan.peek());
  if (closer !== undefined) {
    scan.pos++;
    return message(scan, closer, depth + 1);
  }
  if (scan.isString()) return scan.string().toString('utf8');
  const text = scan.scalar();
  if (text === '') throw scan.error(`expected a value, found ${scan.found()}`);
  const number = Number(text.replace(/(?<=[\d.])f$/i, ''));
  return Number.isNaN(number) ? text : number;
}
