/**
 * Recognises a single-shot detector in a graph: as export_inference_graph.py writes it for servers, or as
 * export_tflite_ssd_graph.py prepares it for TFLite.
 */
import { proposeOutputs } from '../contract/propose';
import { Diagnostics } from '../diagnostics/diagnostic';
import { parseInput } from '../graph/graphdef';
import type { Graph, Node, Value } from '../graph/graph';
import { postProcessSettings } from '../ops/detection';
import { inferShapes } from '../passes/infer-shapes';
import { Tensor } from '../tensor/tensor';
import { findBoxCoders, type BoxCoder } from './box-coder';
import type { Detection, NoDetection } from './detection';
import { findImage } from './image';
import { source } from './patterns';
import { convertedFrom, findScores } from './scores';
import { findSuppression, isSuppression } from './suppression';

const POST_PROCESS = 'TFLite_Detection_PostProcess';

/** The detector in a graph; undefined where the graph is none, or not of the kind that is known. */
export function recogniseDetection(graph: Graph): Detection | undefined {
  if (!holdsDetection(graph)) return undefined;
  const found = detectionIn(graph);
  return found.kind === 'none' ? undefined : found;
}

/** Whether there may be a detector: most graphs are none, and that is told without their shapes. */
export function holdsDetection(graph: Graph): boolean {
  return (
    [...graph.nodes.values()].some((node) => node.op === POST_PROCESS) || findBoxCoders(graph).length > 0
  );
}

/**
 * The detector in a graph, or why there is none. Shapes of the graph are inferred anew.
 *
 * @param encodings the tensor of box encodings, where it is known: it tells which of several box coders is meant
 */
export function detectionIn(graph: Graph, encodings?: string): Detection | NoDetection {
  const nodes = [...graph.nodes.values()];
  inferShapes(graph, new Diagnostics());
  const ready = nodes.find((node) => node.op === POST_PROCESS && node.inputs.length === 3);
  if (ready) return fromPostProcess(graph, ready);
  const coders = findBoxCoders(graph);
  const meant = coders.find((c) => encodings !== undefined && isNamed(c.encodings, encodings));
  if (meant) return fromBoxCoder(graph, meant);
  const crop = nodes.find((node) => node.op === 'CropAndResize');
  if (crop) return twoStage(graph, crop, coders);
  const [coder, another] = coders;
  if (!coder) return nodes.some(isSuppression) ? otherCoder(graph) : noCoder(graph);
  if (another) {
    return {
      kind: 'none',
      reason: `it decodes boxes at several places ("${coder.node.name}", "${another.node.name}")`,
      hint: `name what is meant: detection: { boxEncodings: "${coder.encodings.name}" }`,
    };
  }
  return fromBoxCoder(graph, coder);
}

function isNamed(value: Value, tensor: string): boolean {
  const { name, index } = parseInput(tensor);
  return value.index === index && value.node.name === name;
}

/** What is known once the box coder is: everything else hangs on it. */
function fromBoxCoder(graph: Graph, coder: BoxCoder): Detection {
  const suppression = findSuppression(graph, coder.node);
  const needed = suppression ? graph.ancestors([suppression.node]) : new Set(graph.nodes.values());
  const scores = findScores(graph, needed);
  const classes = scores?.predictions.shape?.at(-1);
  const background = scores?.hasBackground ? 1 : 0;
  return {
    kind: 'server',
    ...imageOf(graph, coder.encodings),
    boxEncodings: coder.encodings,
    scales: coder.scales,
    anchors: coder.anchors,
    anchorForm: coder.anchors instanceof Tensor ? 'centers' : 'corners',
    classPredictions: scores?.predictions,
    scoreConverter: scores?.converter,
    hasBackground: scores?.hasBackground,
    numClasses: classes ? classes - background : undefined,
    scoreThreshold: suppression?.scoreThreshold,
    iouThreshold: suppression?.iouThreshold,
  };
}

function fromPostProcess(graph: Graph, node: Node): Detection {
  const [encodings, scores, anchors] = node.inputs;
  const settings = postProcessSettings(node);
  const { predictions, converter } = convertedFrom(scores);
  return {
    kind: 'tflite',
    ...imageOf(graph, encodings),
    boxEncodings: source(encodings),
    scales: settings.scales,
    anchors: source(anchors),
    anchorForm: 'centers',
    classPredictions: predictions,
    scoreConverter: converter,
    numClasses: settings.numClasses,
    scoreThreshold: settings.scoreThreshold,
    iouThreshold: settings.iouThreshold,
    maxDetections: settings.maxDetections,
    maxClassesPerDetection: settings.maxClassesPerDetection,
    detectionsPerClass: settings.detectionsPerClass,
    regular: settings.regular,
  };
}

function imageOf(graph: Graph, encodings: Value): Partial<Detection> {
  const found = findImage(graph, encodings.node);
  return found
    ? {
        image: found.value,
        size: found.size,
        channels: found.channels,
        normalization: found.normalization,
      }
    : {};
}

/** Faster R-CNN and its kin: boxes of a first stage are cut out of the feature map and looked at again. */
function twoStage(graph: Graph, crop: Node, coders: readonly BoxCoder[]): NoDetection {
  const [coder] = coders;
  const stage = { features: source(crop.inputs[0]), ...(coder && { box_encodings: coder.encodings }) };
  return {
    kind: 'none',
    reason: `it is a two-stage detector: "${crop.name}" cuts proposals out of the feature map`,
    hint:
      'leave `detection` out: freeze and verify take the whole graph, and for a .tflite the first stage can be ' +
      `exported: ${between(graph, stage)}`,
  };
}

/** Where neither the graph nor anyone says how large pictures are. */
const ANY_SIZE = [640, 640];

/** The keys for what lies between the preprocessor, whose loop over pictures does not convert, and these tensors. */
function between(graph: Graph, tensors: Record<string, Value>): string {
  const list = Object.entries(tensors);
  const image = findImage(graph, list[0][1].node);
  const [height, width] = image?.size ?? ANY_SIZE;
  const shape = `[1, ${height}, ${width}, ${image?.channels ?? 3}]`;
  const inputs = image && `inputs: [{ name: image, tensor: "${image.value.name}", shape: ${shape} }], `;
  const outputs = list.map(([name, value]) => `{ name: ${name}, tensor: "${value.name}" }`).join(', ');
  return `tflite: { ${inputs ?? ''}outputs: [${outputs}] }`;
}

/** What exporters of the Object Detection API give beside the detections: every box and its scores. */
const RAW = ['raw_detection_boxes', 'raw_detection_scores'];

/** A detector whose boxes are coded otherwise: by mean and deviation, as squares. */
function otherCoder(graph: Graph): NoDetection {
  const raw = RAW.flatMap((name) => graph.node(name) ?? []);
  const tensors = Object.fromEntries(raw.map((node) => [node.name, node.output()]));
  return {
    kind: 'none',
    reason: `its boxes are not decoded from anchors as ${POST_PROCESS} does it`,
    hint:
      'leave `detection` out, and leave the suppression of boxes to the app: ' +
      (raw.length === RAW.length
        ? between(graph, tensors)
        : `where the model has ${RAW.join(' and ')}, declare them under outputs`),
  };
}

/** Neither box coder nor post-processing: CenterNet, EfficientDet's own exports, classifiers. */
function noCoder(graph: Graph): NoDetection {
  const outputs = proposeOutputs(graph)
    .filter((p) => p.likely)
    .slice(0, 4)
    .map((p) => `{ name: ${p.spec.name}, tensor: "${p.spec.tensor}" }`);
  const peaks =
    [...graph.nodes.values()].some((n) => n.op === 'TopKV2') &&
    [...graph.nodes.values()].some((n) => n.op === 'MaxPool' && inputIsPeakFinder(n));
  return {
    kind: 'none',
    reason: peaks
      ? 'it finds boxes at the peaks of heat maps (as CenterNet), not at anchors'
      : 'no box coder was found in it, which decodes boxes from anchors',
    hint: `leave \`detection\` out and name what to export${outputs.length ? `: outputs: [${outputs.join(', ')}]` : ''}`,
  };
}

/** A maximum over neighbours without a step: compared with its own input it finds peaks. */
function inputIsPeakFinder(node: Node): boolean {
  return node.ints('strides').every((s) => s === 1);
}
