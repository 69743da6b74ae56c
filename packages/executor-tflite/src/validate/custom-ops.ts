/** Libraries whose custom ops people meet, by the names of the ops: so that a message can say where an op comes from. */
export interface Library {
  ops: RegExp;
  name: string;
  /** How the .tflite runtime gets them, where there is a way. */
  runtime?: string;
  /** What to write instead of allowCustomOps. */
  instead?: string;
}

const LIBRARIES: readonly Library[] = [
  { ops: /^Addons>/, name: 'TensorFlow Addons' },
  {
    ops: /^(Sentencepiece\w*|Wordpiece\w*|Whitespace\w*|FastWordpiece\w*|FastBert\w*|Unicode(Script|Normalize)\w*|CaseFold\w*|Ngrams\w*|TFText>.*|Mst\w*|SplitMerge\w*|Sentence(Fragment)\w*|Rouge\w*|PhraseTokenize\w*|ConstrainedSequence\w*)$/,
    name: 'TensorFlow Text',
    runtime:
      'tensorflow_text has TFLite kernels for some: AddWhitespaceTokenize, AddNgramsStringJoin, AddRaggedTensorToTensor',
  },
  { ops: /^(IO>|Io>|Kafka|Avro|Arrow)/, name: 'TensorFlow I/O' },
  { ops: /^SimpleML/, name: 'TensorFlow Decision Forests' },
  {
    ops: /^(Gradient)?Trees?Predict\w*|^GradientTrees\w*|^DecisionTree\w*|^TreePredictions\w*|^Fertile\w*/,
    name: 'tf.contrib (boosted trees, tensor_forest)',
  },
  { ops: /^(BeamSearch)?GatherTree$/, name: 'tf.contrib.seq2seq, now TensorFlow Addons (Addons>GatherTree)' },
  {
    ops: /^(ImageProjectiveTransform|BipartiteMatch|ImageConnectedComponents|SingleImageRandomDotStereograms)$/,
    name: 'tf.contrib.image',
  },
  { ops: /^SparseFeatureCross/, name: 'tf.contrib.layers (feature crosses)' },
  {
    ops: /^(Resampler\w*|PeriodicResample\w*|ReduceSlice\w+|ObtainNext|NearestNeighbors|KmeansPlusPlus\w*|Wals\w*|Skip[Gg]ram\w*|BlockLSTM\w*|GRUBlock\w*|Masked(Matmul)|HyperplaneLSH\w*)$/,
    name: 'tf.contrib',
  },
  {
    ops: /^TRTEngine|^CreateTRT/,
    name: 'TensorFlow-TensorRT: the graph was optimised for one GPU. Freeze the one from before that',
  },
  { ops: /^Horovod/, name: 'Horovod: it belongs to training, not to inference' },
  { ops: /^Nvtx/, name: 'NVIDIA NVTX profiling' },
  { ops: /^Tfq/, name: 'TensorFlow Quantum' },
  { ops: /^(Edgetpu|edgetpu)/, name: 'the Edge TPU compiler' },
  {
    ops: /^TFLite_Detection_PostProcess$/,
    name: 'the TFLite runtime itself',
    runtime: 'every full TFLite runtime has it',
    instead: 'detection: {}, which allows it and has verify compare detections',
  },
  {
    ops: /^(Convolution2DTransposeBias|MaxPoolingWithArgmax2D|MaxUnpooling2D|Landmarks2TransformMatrix\w*|TransformTensor\w*|TransformLandmarks\w*|RoiToTransformMatrix)$/,
    name: 'MediaPipe',
    runtime: 'mediapipe/util/tflite/cpu_op_resolver has them',
  },
  { ops: /^(Neuron|_Neuron)/, name: 'AWS Neuron' },
  {
    ops: /^(_MKL|_Mkl|_Fused|_ITEX)/,
    name: "an optimiser of TensorFlow's: freeze the graph from before it ran",
  },
];

/** The library that an op comes from; undefined when it is not known. */
export function libraryOf(op: string): Library | undefined {
  return LIBRARIES.find(({ ops }) => ops.test(op));
}
