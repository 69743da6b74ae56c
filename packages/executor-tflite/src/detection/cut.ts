/**
 * Given:  a detector's graph, with the preprocessor before it and its own post-processing behind it
 * Result: image of one size → network → TFLite_Detection_PostProcess, as export_tflite_ssd_graph.py makes it
 */
import {
  attr,
  Diagnostics,
  FloeError,
  foldConstants,
  inferShapes,
  readNpyFile,
  Tensor,
  type Graph,
  type Node,
  type Signature,
  type Value,
} from '@floe/export-core';
import { CannotRun } from '../verify/cannot-run';
import { GraphEvaluator } from '../verify/evaluate-graph';
import { INPUT, OUTPUTS, POST_PROCESS, RAW_INPUT } from './names';
import type { DetectionSettings } from './settings';

/** Cuts the graph, which is changed, and gives the one signature it then has. @throws FloeError G025, G003 */
export function cutDetection(graph: Graph, settings: DetectionSettings): Signature {
  const shape = [1, ...settings.size, settings.channels];
  const image = addInput(graph, settings, shape);
  const roots = [settings.boxEncodings, settings.classPredictions];
  if ('node' in settings.anchors) roots.push(settings.anchors);
  keepOnly(graph, [image, ...roots.map((v) => v.node)]);
  inferShapes(graph, new Diagnostics());
  foldConstants(graph, { useShapes: true });
  const boxEncodings = withoutUnitAxis(graph, settings.boxEncodings);
  const classPredictions = withoutUnitAxis(graph, settings.classPredictions);
  const [boxes, classes] = countsOf(boxEncodings, classPredictions);
  const anchors = anchorsOf(graph, settings, boxes);
  const post = addPostProcess(graph, { ...settings, boxEncodings, classPredictions }, anchors, classes);
  keepOnly(graph, [image, post]);
  inferShapes(graph, new Diagnostics());
  return {
    key: 'serving_default',
    inputs: [{ name: image.name, tensor: `${image.name}:0`, dtype: 'float32', shape }],
    outputs: OUTPUTS.map((name, i) => ({
      name,
      tensor: `${post.name}:${i}`,
      dtype: 'float32',
      shape: post.output(i).shape ?? null,
    })),
  };
}

/** The placeholder that takes the place of the image, with what stays of the normalisation behind it. */
function addInput(graph: Graph, settings: DetectionSettings, shape: number[]): Node {
  const steps = settings.normalization ?? [];
  const name = steps.length ? RAW_INPUT : INPUT;
  const taken = graph.node(name);
  if (taken) rename(graph, taken, graph.uniqueName(`${name}_before`));
  const input = graph.add(name, 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape(shape) });
  let image = input.output();
  for (const step of steps) {
    const inputs = step.inputs.map((v) => (v.constant ? v : image));
    image = graph.add(`${name}/${step.op}`, step.op, inputs, Object.fromEntries(step.attrs)).output();
  }
  graph.replace(new Map([[settings.image, image]]));
  // Encodings or predictions can be no image, so settings need not follow the replacement.
  return input;
}

function rename(graph: Graph, node: Node, name: string): void {
  graph.nodes.delete(node.name);
  node.name = name;
  graph.nodes.set(name, node);
}

function keepOnly(graph: Graph, nodes: Node[]): void {
  const kept = graph.ancestors(nodes);
  graph.remove(new Set([...graph.nodes.values()].filter((node) => !kept.has(node))));
}

/** [1, boxes, n] of what some releases leave as [1, boxes, 1, n]. */
function withoutUnitAxis(graph: Graph, value: Value): Value {
  const { shape } = value;
  if (shape?.length !== 4 || shape[2] !== 1) return value;
  const squeezed = graph.add(`${value.node.name}/squeezed`, 'Squeeze', [value], {
    T: attr.type('float32'),
    squeeze_dims: attr.ints([2]),
  });
  inferShapes(graph, new Diagnostics());
  return squeezed.output();
}

/** Boxes, and classes with the background: from shapes that are known now. */
function countsOf(boxEncodings: Value, classPredictions: Value): [boxes: number, classes: number] {
  const [e, c] = [boxEncodings.shape, classPredictions.shape];
  const fits =
    e?.length === 3 && c?.length === 3 && e[0] === 1 && c[0] === 1 && e[1] === c[1] && (e[2] ?? 0) >= 4;
  if (!fits || e[1] === null || c[2] === null) {
    throw problem(
      'G003',
      `box encodings "${boxEncodings.name}" have shape [${e}] and class predictions "${classPredictions.name}" [${c}]`,
      'they have to be [1, boxes, 4 or more] and [1, boxes, classes]: name others under detection: { boxEncodings, classPredictions }',
    );
  }
  return [e[1], c[2]];
}

/** The anchors as the op reads them: centre y, centre x, height, width. */
function anchorsOf(graph: Graph, settings: DetectionSettings, boxes: number): Tensor {
  const tensor = anchorNumbers(graph, settings.anchors);
  const flat = tensor.shape.filter((d, i) => d !== 1 || i === tensor.shape.length - 1);
  if (flat.length !== 2 || flat[0] !== boxes || flat[1] !== 4) {
    throw problem(
      'G003',
      `the anchors ${anchorName(settings.anchors)} have shape [${tensor.shape}], but there are ${boxes} box encodings`,
      'anchors are made for one size of images: check detection: { input: { size } }',
    );
  }
  const numbers = tensor.toNumbers();
  if (settings.anchorForm === 'centers') return Tensor.fromNumbers('float32', [boxes, 4], numbers);
  const centers: number[] = [];
  for (let i = 0; i < numbers.length; i += 4) {
    // In float32 step by step, as the graph's box coder computes them.
    const [top, left, bottom, right] = numbers.slice(i, i + 4);
    const [height, width] = [Math.fround(bottom - top), Math.fround(right - left)];
    centers.push(top + Math.fround(height / 2), left + Math.fround(width / 2), height, width);
  }
  return Tensor.fromNumbers('float32', [boxes, 4], centers);
}

function anchorNumbers(graph: Graph, anchors: DetectionSettings['anchors']): Tensor {
  if (anchors instanceof Tensor) return anchors;
  return 'file' in anchors ? readNpyFile(anchors.file) : evaluated(graph, anchors);
}

/** Anchors as messages name them. */
export function anchorName(anchors: DetectionSettings['anchors']): string {
  if (anchors instanceof Tensor) return 'of the frozen graph';
  return 'file' in anchors ? anchors.file : `"${anchors.name}"`;
}

function evaluated(graph: Graph, value: Value): Tensor {
  if (value.constant) return value.constant;
  try {
    const [result] = new GraphEvaluator(graph, [value], []).run(new Map());
    if (result instanceof Tensor) return result;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw problem(
      'G025',
      `the anchors "${value.name}" are not constant at this size of images: ${error.reason}`,
      'leave `input: { size }` out where the graph is made for one size, or give them as a file: detection: { anchors: anchors.npy }, rows of centre y, centre x, height, width',
    );
  }
  throw problem('G025', `the anchors "${value.name}" are no tensor`, 'detection: { anchors: anchors.npy }');
}

function problem(code: 'G003' | 'G025', message: string, hint: string): FloeError {
  return new FloeError({ code, severity: 'error', message, hint });
}

const CONVERTERS = { sigmoid: 'Sigmoid', softmax: 'Softmax' } as const;

function addPostProcess(graph: Graph, settings: DetectionSettings, anchors: Tensor, classes: number): Node {
  const { scoreConverter, classPredictions, scales } = settings;
  const scores =
    scoreConverter === 'none'
      ? classPredictions
      : graph
          .add('convert_scores', CONVERTERS[scoreConverter], [classPredictions], { T: attr.type('float32') })
          .output();
  const old = graph.node(POST_PROCESS);
  if (old) rename(graph, old, graph.uniqueName(`${POST_PROCESS}_before`));
  const inputs = [settings.boxEncodings, scores, graph.addConst('anchors', anchors).output()];
  return graph.add(POST_PROCESS, POST_PROCESS, inputs, {
    max_detections: attr.int(settings.maxDetections),
    max_classes_per_detection: attr.int(settings.maxClassesPerDetection),
    detections_per_class: attr.int(settings.detectionsPerClass),
    use_regular_nms: attr.bool(settings.regular),
    nms_score_threshold: attr.float(Math.fround(settings.scoreThreshold)),
    nms_iou_threshold: attr.float(Math.fround(settings.iouThreshold)),
    num_classes: attr.int(settings.numClasses ?? classes - (settings.hasBackground ? 1 : 0)),
    y_scale: attr.float(Math.fround(scales.y)),
    x_scale: attr.float(Math.fround(scales.x)),
    h_scale: attr.float(Math.fround(scales.h)),
    w_scale: attr.float(Math.fround(scales.w)),
    _output_types: attr.types(OUTPUTS.map(() => 'float32')),
    _output_quantized: attr.bool(true),
    _support_output_type_float_in_quantized_op: attr.bool(true),
  });
}
