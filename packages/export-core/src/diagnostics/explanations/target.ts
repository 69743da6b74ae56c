/** What the codes of the target (T) mean. */
import type { Explanation } from '../explanations';

export const TARGET = {
  T001: {
    cause:
      'TFLite has no operator for the node, or none for its types, attributes or shapes. The message says which, and where in the model the node stands.',
    example: 'MatrixInverse, or a Conv2D of float64',
    cure: 'What the hint names: other types or attributes, another op, or to end the model before the node. Where the runtime has a kernel of that name: allowCustomOps: [MatrixInverse]',
  },
  T002: {
    cause:
      'A custom op that `allowCustomOps` does not list. It comes from a library outside of TensorFlow, which the message names where it is known, and the runtime needs a kernel for it.',
    example: 'Addons>GatherTree',
    cure: 'allowCustomOps: [Addons>GatherTree]',
  },
  T003: {
    cause:
      'The runtime that `target` names has not the operator, or not this version of it. The message names the node and the runtime that has it.',
    example: 'target: { runtime: "2.3" }, and the model needs CUMSUM, which came with 2.4',
    cure: 'target: { runtime: "2.4" }',
  },
  T004: {
    cause:
      'An operator needs a size that is not known. The message names the declared input that would make it known, if there is one.',
    example: 'inputs: [{ name: image, tensor: "image:0", shape: [null, null, null, 3] }]',
    cure: 'inputs: [{ name: image, tensor: "image:0", shape: [1, 224, 224, 3] }]',
  },
  T005: {
    cause:
      'The .tflite is larger than 2 GiB, which the runtime that `target` names does not read: TFLite does since 2.14.',
    example: 'A model of 3 GiB for target: { runtime: "2.13" }',
    cure: 'target: { runtime: "2.14" }, or smaller weights: variants: { dynamic: { quantization: dynamic } }',
  },
  T006: {
    cause:
      'The graph reads files, parses tf.Example records, decodes images or looks up text before it computes. An app does that itself; the model begins behind it. The hint is the line to declare.',
    example: 'An Estimator with a serving_input_receiver_fn that parses tf.Example.',
    cure: 'tflite: { inputs: [{ name: x, tensor: "dnn/input_from_feature_columns/input_layer/concat:0", dtype: float32, shape: [null, 4] }] }',
  },
  T007: {
    cause: 'A loop or branch of TF1 could not be made functional; the reason is named.',
    example: 'Switch and Merge nodes that were written by hand.',
    cure: 'Build loops with tf.while_loop and branches with tf.cond, or declare inputs behind them.',
  },
} satisfies Record<string, Explanation>;
