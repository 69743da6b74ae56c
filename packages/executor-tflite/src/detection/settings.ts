/**
 * What the post-processing is to be: what model.yaml says, else what the graph says, else what export_tflite_ssd_graph.py
 * takes by default. A pipeline.config must not contradict the graph; it stands in for what the graph does not tell.
 */
import { resolve } from 'node:path';
import {
  detectionIn,
  findTensor,
  parseInput,
  readPipelineConfig,
  Tensor,
  type BoxScales,
  type Detection,
  type DetectionKeys,
  type Diagnostics,
  type Graph,
  type PipelineConfig,
  type PlaceOf,
  type ScoreConverter,
  type Value,
} from '@floe/export-core';

export interface DetectionSettings {
  image: Value;
  size: [height: number, width: number];
  channels: number;
  /** Arithmetic that stays in the model because its input is the picture as it is; none for a normalised input. */
  normalization: Detection['normalization'];
  boxEncodings: Value;
  classPredictions: Value;
  scoreConverter: ScoreConverter;
  /** The graph's tensor, what freezing made of it, or the path of an .npy file. */
  anchors: Value | Tensor | { file: string };
  anchorForm: Detection['anchorForm'];
  scales: BoxScales;
  /** Undefined: all classes but the background. */
  numClasses?: number;
  hasBackground: boolean;
  maxDetections: number;
  maxClassesPerDetection: number;
  detectionsPerClass: number;
  regular: boolean;
  scoreThreshold: number;
  iouThreshold: number;
}

/** What export_tflite_ssd_graph.py writes where its flags are not given. */
const DEFAULTS = { maxDetections: 10, maxClassesPerDetection: 1, detectionsPerClass: 100, regular: false };

export interface Surroundings {
  /** The model project's folder. */
  root: string;
  /** Where a key below `detection` stands. */
  place: PlaceOf;
}

/** The settings; undefined after an error. */
export function detectionSettings(
  graph: Graph,
  keys: DetectionKeys,
  { root, place }: Surroundings,
  diagnostics: Diagnostics,
): DetectionSettings | undefined {
  const found = detectionIn(graph, keys.boxEncodings);
  if (found.kind === 'none') {
    const { reason, hint } = found;
    diagnostics.error('G024', `the graph is no single-shot detector: ${reason}`, { hint, where: place([]) });
    return undefined;
  }
  const config =
    keys.pipelineConfig === undefined ? undefined : readPipelineConfig(resolve(root, keys.pipelineConfig));
  if (config) checkConfig(found, config, place, diagnostics);
  const named = (key: 'boxEncodings' | 'classPredictions' | 'anchors'): Value | undefined => {
    const tensor = keys[key];
    const where = place([key]);
    return tensor === undefined ? undefined : findTensor(graph, { tensor, role: key, where }, diagnostics);
  };
  // Freezing computes what is constant, and a tensor in the middle of it is gone: the box coder has what came of it.
  const namedAnchors = (): Value | Tensor | undefined =>
    keys.anchors !== undefined &&
    !graph.node(parseInput(keys.anchors).name) &&
    (found.anchors instanceof Tensor || found.anchors?.constant)
      ? found.anchors
      : named('anchors');
  const need = <T>(value: T | undefined, what: string, key: string): T => {
    if (value === undefined) {
      diagnostics.error('G025', `${what} not found in the graph`, {
        hint: `name it: detection: { ${key} }`,
        where: place([]),
      });
    }
    return value as T;
  };
  const isFile = keys.anchors?.endsWith('.npy') ?? false;
  const settings: DetectionSettings = {
    image: need(
      found.image,
      'the image that the network starts from was',
      'boxEncodings: "the tensor that boxes are decoded from"',
    ),
    size: need(
      keys.input?.size ?? found.size ?? config?.size,
      'the size of images after the preprocessor was',
      'input: { size: [300, 300] }',
    ),
    channels: found.channels ?? 3,
    normalization: keys.input?.normalized === false ? normalization(found, place, diagnostics) : [],
    boxEncodings: named('boxEncodings') ?? found.boxEncodings,
    classPredictions: need(
      named('classPredictions') ?? found.classPredictions,
      'the tensor of class predictions was',
      'classPredictions: "…", scoreConverter: sigmoid',
    ),
    scoreConverter: need(
      keys.scoreConverter ?? found.scoreConverter ?? config?.scoreConverter,
      'how class predictions become scores was',
      'scoreConverter: sigmoid',
    ),
    anchors: isFile
      ? { file: resolve(root, keys.anchors as string) }
      : need(namedAnchors() ?? found.anchors, 'the tensor of anchors was', 'anchors: anchors.npy'),
    anchorForm: isFile ? 'centers' : found.anchorForm,
    scales: keys.scales ?? found.scales,
    numClasses: found.numClasses ?? config?.numClasses,
    hasBackground: found.hasBackground ?? true,
    maxDetections: keys.maxDetections ?? found.maxDetections ?? DEFAULTS.maxDetections,
    maxClassesPerDetection:
      keys.maxClassesPerDetection ?? found.maxClassesPerDetection ?? DEFAULTS.maxClassesPerDetection,
    detectionsPerClass: keys.detectionsPerClass ?? found.detectionsPerClass ?? DEFAULTS.detectionsPerClass,
    regular: keys.nms?.type ? keys.nms.type === 'regular' : (found.regular ?? DEFAULTS.regular),
    scoreThreshold: need(
      keys.nms?.scoreThreshold ?? found.scoreThreshold ?? config?.scoreThreshold,
      'the score threshold of the suppression was',
      'nms: { scoreThreshold: 1.0e-8 }',
    ),
    iouThreshold: need(
      keys.nms?.iouThreshold ?? found.iouThreshold ?? config?.iouThreshold,
      'the overlap threshold of the suppression was',
      'nms: { iouThreshold: 0.6 }',
    ),
  };
  return diagnostics.hasErrors ? undefined : settings;
}

function normalization(
  found: Detection,
  place: PlaceOf,
  diagnostics: Diagnostics,
): Detection['normalization'] {
  if (!found.normalization) {
    diagnostics.error('G025', 'the preprocessor does more than arithmetic and resizing', {
      hint: 'input: { normalized: true }, and let the app normalise its pictures',
      where: place(['input', 'normalized']),
    });
  }
  return found.normalization;
}

/** A value that both the graph and a pipeline.config have. */
interface Claim {
  what: string;
  graph: unknown;
  config: unknown;
}

/** D008 for everything that the two say differently: one of them is of another training. */
function checkConfig(
  found: Detection,
  config: PipelineConfig,
  place: PlaceOf,
  diagnostics: Diagnostics,
): void {
  const where = place(['pipelineConfig']);
  const error = (message: string): void =>
    diagnostics.error('D008', message, {
      hint: 'name the pipeline.config that lies beside the exported model',
      where,
    });
  if (config.architecture !== 'ssd') {
    error(`pipeline.config describes a model of the kind ${config.architecture}, the graph is an SSD`);
    return;
  }
  const claims: Claim[] = [
    { what: 'the number of classes', graph: found.numClasses, config: config.numClasses },
    { what: 'the size of images', graph: found.size, config: config.size },
    { what: 'the score converter', graph: found.scoreConverter, config: config.scoreConverter },
    { what: 'the score threshold', graph: found.scoreThreshold, config: config.scoreThreshold },
    { what: 'the overlap threshold', graph: found.iouThreshold, config: config.iouThreshold },
    ...(['y', 'x', 'h', 'w'] as const).map((axis) => ({
      what: `the scale of ${axis}`,
      graph: found.scales[axis],
      config: config.scales?.[axis],
    })),
  ];
  for (const { what, graph, config: said } of claims) {
    if (graph === undefined || said === undefined || text(graph) === text(said)) continue;
    error(`${what} is ${text(said)} in pipeline.config, and ${text(graph)} in the graph`);
  }
}

/** As people write it; numbers as the nearest decimals of their float32, which is what graphs hold. */
function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(' × ');
  return typeof value === 'number' ? String(Number(Math.fround(value).toPrecision(7))) : String(value);
}
