/** What the codes of graph and contract (G) mean. */
import type { Explanation } from '../explanations';

const REBUILD =
  'Build the graph again for inference (is_training=False; Keras: training=False) and freeze that one with the same checkpoint.';

export const GRAPH = {
  G001: {
    cause:
      'An input or output names a tensor that is not there, or a node without outputs. Often the scope is missing, the port is wrong, or the signature’s name was written for the graph’s.',
    example: 'outputs: [{ name: probabilities, tensor: "Softmax:0" }]',
    cure: 'outputs: [{ name: probabilities, tensor: "resnet_v1_50/predictions/Softmax:0" }]; `floe inspect` lists likely ones.',
  },
  G002: {
    cause:
      'The declared type is not the graph’s. Where the graph casts the tensor itself, the message says so: either side of the cast will do.',
    example: 'inputs: [{ name: image, tensor: "image:0", dtype: float32 }], and the placeholder is uint8',
    cure: 'inputs: [{ name: image, tensor: "image:0", dtype: uint8 }]',
  },
  G003: {
    cause: 'The declared shape contradicts the graph’s; rank or dimension is named.',
    example: 'shape: [1, 3, 224, 224], and the graph has [?,224,224,3]',
    cure: 'shape: [1, 224, 224, 3]',
  },
  G004: {
    cause:
      'The output is always the same, whatever is fed: the wrong tensor is named, such as a weight or a step counter.',
    example: 'outputs: [{ name: y, tensor: "logits/weights:0" }]',
    cure: 'outputs: [{ name: y, tensor: "logits/BiasAdd:0" }]',
  },
  G005: {
    cause:
      'No output depends on the input: what is fed to it changes nothing. Often an output is missing, or the input belongs to training.',
    example: 'inputs: [{ name: image, tensor: "image:0" }, { name: labels, tensor: "labels:0" }]',
    cure: 'inputs: [{ name: image, tensor: "image:0" }]',
  },
  G006: {
    cause:
      'The outputs need a placeholder that is no input and has no default. Switches of training (`is_training`, `keep_prob`) are frozen at their value for inference, with a note.',
    example: 'inputs: [{ name: image, tensor: "image:0" }], and the graph also asks for "scale:0"',
    cure: 'inputs: [{ name: image, tensor: "image:0" }, { name: scale, tensor: "scale:0", dtype: float32, shape: [] }]',
  },
  G007: {
    cause:
      'Two nodes of one name, an edge to a node that does not exist, a cycle outside of loops, a constant that makes no sense.',
    example: 'A .pbtxt that was edited by hand.',
    cure: 'Write the graph again with TensorFlow: tf.io.write_graph(graph_def, ".", "graph.pb", as_text=False)',
  },
  G008: {
    cause:
      'An op that TensorFlow’s registry has not stays in the model as a custom operator. It runs only where a kernel of that name is registered.',
    example: 'allowCustomOps: [MyOp]',
    cure: 'In the app: resolver.AddCustom("MyOp", Register_MyOp())',
  },
  G009: {
    cause: 'Two inputs are one tensor, so that it would be fed twice; or two entries have one name.',
    example: 'inputs: [{ name: a, tensor: "x:0" }, { name: b, tensor: "x:0" }]',
    cure: 'inputs: [{ name: a, tensor: "x:0" }]',
  },
  G010: {
    cause: 'The contract has no outputs, and the graph has no tensor that looks like one.',
    example: 'A signature that was saved with outputs={}.',
    cure: 'outputs: [{ name: probabilities, tensor: "predictions/Softmax:0" }]',
  },
  G011: {
    cause: 'The signature that is asked for is not in the file, or there are several and none is chosen.',
    example: 'source: { savedModel: export, signature: serving_defualt }',
    cure: 'source: { savedModel: export, signature: serving_default }',
  },
  G012: {
    cause: 'Shapes contradict each other at a node: with these input shapes it would fail when it runs.',
    example: 'shape: [1, 64, 64, 3] for a model whose dense layer was built for 224×224',
    cure: 'Declare the shape that the model was built for.',
  },
  G013: {
    cause:
      'A lookup table is filled from a file that is not part of the source, so it is not in the frozen graph either.',
    example: 'tf.lookup.TextFileInitializer("/home/me/vocab.txt", …) in a checkpoint’s graph',
    cure: 'Freeze a SavedModel, which holds the file as an asset, or give the file along.',
  },
  G014: {
    cause:
      'A node has other inputs or attributes than its op takes: the file was edited, cut, or written by another TensorFlow.',
    example: 'A Conv2D without `strides`, a MatMul with three inputs.',
    cure: 'Write the graph again with TensorFlow; for attributes of a newer one save with strip_default_attrs=True.',
  },
  G015: {
    cause: 'A node gives one type and its reader takes another. Both are named.',
    example: 'A placeholder of int32 that feeds a MatMul of float32.',
    cure: 'tf.cast(x, tf.float32) between the two, or the placeholder of the type that is needed.',
  },
  G016: {
    cause: 'The output is computed by an optimizer, or from gradients: nothing that an app has.',
    example: 'outputs: [{ name: y, tensor: "train/Momentum/update_w/ApplyMomentum:0" }]',
    cure: 'outputs: [{ name: y, tensor: "predictions/Softmax:0" }]',
  },
  G017: {
    cause:
      'The graph is one that was built to be trained: batch norms use the statistics of the batch, dropout drops. It can be exported, and gives other numbers than it should.',
    example: 'The .meta of a training run, where is_training=True was a Python constant.',
    cure: REBUILD,
  },
  G018: {
    cause:
      'The frozen graph has ops or attributes that came with a newer TensorFlow than the one it must run on.',
    example: 'target: { tensorflow: "1.12" }, and the graph has FusedBatchNormV3',
    cure: 'target: { tensorflow: "1.14" }, or build and save the model with TensorFlow 1.12',
  },
  G019: {
    cause:
      'TensorFlow runs the frozen graph on a GPU only: cuDNN layers, device strings, NCHW convolutions (those also on a CPU with oneDNN: x86, since 2.9). The .tflite is not concerned: its layout is NHWC.',
    example: 'tf.nn.conv2d(x, w, data_format="NCHW")',
    cure: 'Build the model with data_format="NHWC" (channels_last).',
  },
  G020: {
    cause:
      'A signature that the source carries points at a tensor that is not in its graph, or of another type.',
    example: 'A SavedModel that was written with a signature of another graph.',
    cure: 'Declare the tensor in model.yaml: outputs: [{ name: y, tensor: "dense/BiasAdd:0" }]',
  },
  G021: {
    cause: 'Weights hold NaN or infinite numbers: training diverged, or the file was damaged.',
    example: 'A checkpoint from after the loss became NaN.',
    cure: 'Freeze an earlier checkpoint.',
  },
  G022: {
    cause:
      'A filter or matrix is all zero, or all one number: no training leaves that. It was never restored, or never trained.',
    example: 'A checkpoint that was written before the weights were loaded.',
    cure: 'Freeze the checkpoint that training wrote; `floe inspect --digest` tells checkpoints apart.',
  },
  G023: {
    cause:
      'A note on what the graph does with an image by itself, so that the app does not do it twice or forget it.',
    example: 'The graph divides by 127.5 and subtracts 1.',
    cure: 'Feed what the note says.',
  },
  G024: {
    cause:
      '`detection` is for single-shot detectors (SSD) of the Object Detection API, whose boxes are decoded from anchors in one stage. The message says what the graph is instead.',
    example: 'A Faster R-CNN or a CenterNet with a `detection` block.',
    cure: 'Leave `detection` out and export what the hint names.',
  },
  G025: {
    cause:
      'The graph is a detector, but a tensor or a value of its post-processing was not recognised: releases of the API differ.',
    example: 'Anchors that are computed from the picture, or a suppression written by hand.',
    cure: 'detection: { anchors: anchors.npy, pipelineConfig: pipeline.config }',
  },
} satisfies Record<string, Explanation>;
