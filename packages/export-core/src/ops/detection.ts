/** TFLite's own op for the end of detection models. TensorFlow has none of that name: graphs carry it for converters. */
import type { Node } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { detectionPlaces, postProcess, type PostProcessSettings } from './kernels/detection-postprocess';
import type { OpTable } from './op-row';

/** The values that the kernel takes for attributes that are left out; the others have to be there. */
const REGULAR_BY_DEFAULT = false;
const DETECTIONS_PER_CLASS = 100;

/** The settings that stand in the node's attributes. */
export function postProcessSettings(node: Node): PostProcessSettings {
  const optional = <T>(name: string, read: () => T, fallback: T): T =>
    node.attrs.has(name) ? read() : fallback;
  return {
    scales: {
      y: node.float('y_scale'),
      x: node.float('x_scale'),
      h: node.float('h_scale'),
      w: node.float('w_scale'),
    },
    numClasses: node.int('num_classes'),
    maxDetections: node.int('max_detections'),
    maxClassesPerDetection: node.int('max_classes_per_detection'),
    detectionsPerClass: optional(
      'detections_per_class',
      () => node.int('detections_per_class'),
      DETECTIONS_PER_CLASS,
    ),
    regular: optional('use_regular_nms', () => node.bool('use_regular_nms'), REGULAR_BY_DEFAULT),
    scoreThreshold: node.float('nms_score_threshold'),
    iouThreshold: node.float('nms_iou_threshold'),
  };
}

const places = (node: Node): number | null => {
  const [detections, classes] = [node.attr('max_detections'), node.attr('max_classes_per_detection')];
  if (detections?.kind !== 'int' || classes?.kind !== 'int') return null;
  return detectionPlaces({
    maxDetections: Number(detections.value),
    maxClassesPerDetection: Number(classes.value),
  });
};

export const table: OpTable = {
  TFLite_Detection_PostProcess: {
    infer: ({ node }) => {
      const count = places(node);
      const shapes = [[1, count, 4], [1, count], [1, count], [1]];
      return shapes.map((shape) => ({ shape, dtype: 'float32' }));
    },
    evaluate: ([encodings, scores, anchors], node) => {
      const settings = postProcessSettings(node);
      if (encodings.shape[0] !== 1) throw new RangeError('it takes one image at a time');
      const found = postProcess(encodings.toNumbers(), scores.toNumbers(), anchors.toNumbers(), settings);
      const count = detectionPlaces(settings);
      return [
        Tensor.fromArray('float32', [1, count, 4], found.boxes),
        Tensor.fromArray('float32', [1, count], found.classes),
        Tensor.fromArray('float32', [1, count], found.scores),
        Tensor.fromNumbers('float32', [1], [found.count]),
      ];
    },
  },
};
