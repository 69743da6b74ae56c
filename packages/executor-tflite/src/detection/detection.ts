/**
 * The `detection:` block: from a frozen detector to the graph of the phone's model. It takes the place of the contract
 * from convert on, as `tflite:` does.
 */
import type { Diagnostics, Graph, PostProcessSettings, Signature, StageContext } from '@floe/export-core';
import { builtinPostProcess } from './builtin-post-process';
import { anchorName, cutDetection } from './cut';
import { INPUT, OUTPUTS, POST_PROCESS, RAW_INPUT } from './names';
import { detectionSettings, type DetectionSettings } from './settings';

export interface DetectionModel {
  signature: Signature;
  /** What was found, as people read it: one line a value. */
  found: string[];
  /** See `detectionsPerCount`. */
  perCount: number;
  /** Custom operators that the model ends with. */
  customOps: string[];
}

/**
 * Cuts a frozen graph, which is changed. Undefined without a `detection:` block.
 *
 * @param builtin write the post-processing out where `postprocess` says so
 * @throws FloeError G024, G025, G003, D008, …
 */
export function detectionModel(
  graph: Graph,
  { descriptor, root, place }: StageContext,
  diagnostics: Diagnostics,
  builtin: boolean,
): DetectionModel | undefined {
  const keys = descriptor.detection;
  if (!keys) return undefined;
  const surroundings = { root, place: (path: (string | number)[]) => place(['detection', ...path]) };
  const settings = detectionSettings(graph, keys, surroundings, diagnostics);
  diagnostics.throwIfErrors();
  if (!settings) return undefined;
  const found = describe(settings);
  const signature = cutDetection(graph, settings);
  const isCustom = keys.postprocess === 'custom' || !builtin;
  if (!isCustom) builtinPostProcess(graph);
  return {
    signature,
    found,
    perCount: detectionsPerCount(settings),
    customOps: isCustom ? [POST_PROCESS] : [],
  };
}

/** Places in the outputs for each detection that is counted: fast suppression counts boxes, which may have several classes. */
export function detectionsPerCount({
  regular,
  maxClassesPerDetection,
}: Pick<PostProcessSettings, 'regular' | 'maxClassesPerDetection'>): number {
  return regular ? 1 : maxClassesPerDetection;
}

/** Names of the model's input and outputs, where `tflite:` gives no others. */
export function detectionNames({
  descriptor,
}: StageContext): { inputs: string[]; outputs: string[] } | undefined {
  const { detection } = descriptor;
  if (!detection) return undefined;
  return { inputs: [detection.input?.normalized === false ? RAW_INPUT : INPUT], outputs: OUTPUTS };
}

function describe(settings: DetectionSettings): string[] {
  const { anchors, scales, normalization } = settings;
  const [height, width] = settings.size;
  const input = normalization?.length ? 'pictures as they are' : 'normalised pictures';
  return [
    `detection: ${height} × ${width} ${input} instead of "${settings.image.name}"`,
    `detection: box encodings "${settings.boxEncodings.name}", scales y ${scales.y}, x ${scales.x}, h ${scales.h}, w ${scales.w}`,
    `detection: class predictions "${settings.classPredictions.name}", score converter ${settings.scoreConverter}`,
    `detection: anchors ${anchorName(anchors)}`,
    `detection: ${settings.regular ? 'regular' : 'fast'} suppression, score ≥ ${decimal(settings.scoreThreshold)}, overlap ≤ ${decimal(settings.iouThreshold)}, ${settings.maxDetections} boxes`,
  ];
}

function decimal(n: number): string {
  return String(Number(n.toPrecision(7)));
}
