/**
 * Detection models: what Floe finds in a single-shot detector (SSD) of the Object Detection API.
 *
 *   image ─Preprocessor─▶ image of one size ─network─▶ box encodings, class predictions ─Postprocessor─▶ detections
 *                                           └────────▶ anchors
 *
 * Such a graph is told by its box coder, not by the names of its nodes: they changed with every release.
 */
import type { Node, Value } from '../graph/graph';
import type { Tensor } from '../tensor/tensor';

export const SCORE_CONVERTERS = ['sigmoid', 'softmax', 'none'] as const;
export type ScoreConverter = (typeof SCORE_CONVERTERS)[number];

/** What box encodings are divided by before they are added to their anchors. */
export interface BoxScales {
  y: number;
  x: number;
  h: number;
  w: number;
}

/** How a graph gives its anchors: corners (ymin, xmin, ymax, xmax), or centre y and x, height, width. */
export type AnchorForm = 'corners' | 'centers';

/** What was found; what was not is undefined, or null where it is known that there is none. */
export interface Detection {
  /** A graph for servers, or one that already ends in TFLite_Detection_PostProcess. */
  kind: 'server' | 'tflite';
  /** The images after the preprocessor: float32 [batch, height, width, channels]. */
  image?: Value;
  size?: [height: number, width: number];
  /** Channels of the image. */
  channels?: number;
  /** Arithmetic of the preprocessor, in order: nodes of one image operand and one constant. Undefined: not only that. */
  normalization?: Node[];
  boxEncodings: Value;
  scales: BoxScales;
  /** In the graph; as numbers where freezing computed what the box coder makes of them. */
  anchors?: Value | Tensor;
  anchorForm: AnchorForm;
  /** Before they are converted to scores. */
  classPredictions?: Value;
  scoreConverter?: ScoreConverter;
  /** Whether the first class is the background. */
  hasBackground?: boolean;
  /** Without the background. */
  numClasses?: number;
  scoreThreshold?: number;
  iouThreshold?: number;
  /** What only the op of `tflite` graphs says. */
  maxDetections?: number;
  maxClassesPerDetection?: number;
  detectionsPerClass?: number;
  regular?: boolean;
}

/** A graph that is no SSD: what it is, and what can be made of it. */
export interface NoDetection {
  kind: 'none';
  /** Completes "the graph is no SSD: …". */
  reason: string;
  hint: string;
}
