/** What validation finds, one row a finding, on artefacts that TensorFlow wrote and a script bent. */

export const IO = `inputs: [{ name: x, tensor: "x:0" }]
outputs: [{ name: y, tensor: "y:0" }]`;
export const graph = (name: string): string => `source: { frozenGraph: FIXTURES/${name}.pb }`;
const checkpoint = (name: string): string => `source: { checkpoint: FIXTURES/${name} }`;
const savedModel = (name: string, more = ''): string => `source: { savedModel: FIXTURES/${name}${more} }`;

export interface Finding {
  /** What is run; it says in a few words what is wrong. */
  title: string;
  yaml: string;
  code: string;
  severity?: 'error' | 'warning' | 'note';
  /** The path within model.yaml, as it is found again in the reports. */
  at: string;
  node?: string;
  message?: string | RegExp;
  hint?: string | RegExp;
}

const PLACEHOLDERS = `${graph('placeholders')}
inputs: [{ name: image, tensor: "image:0" }, { name: scale, tensor: "scale:0" }]`;
const BATCH = /^build the graph again with is_training=False/;

export const FINDINGS: Finding[] = [
  // 1: names
  {
    title: 'a name without its scope',
    yaml: `${checkpoint('slim/model.ckpt-1')}\ninputs: [{ name: x, tensor: "input:0" }]\noutputs: [{ name: p, tensor: Softmax }]`,
    code: 'G001',
    at: 'outputs[0].tensor',
    hint: 'did you mean tensor: "resnet_v1_50/predictions/Softmax:0"?',
  },
  {
    title: 'a misspelt name',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "feature:0" }]`,
    code: 'G001',
    at: 'outputs[0].tensor',
    hint: 'did you mean tensor: "features:0"?',
  },
  {
    title: 'a port that is not there',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "halves:2" }]`,
    code: 'G001',
    at: 'outputs[0].tensor',
    node: 'halves',
    hint: 'tensor: "halves:1"',
  },
  {
    title: 'an op without outputs',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: train_op }]`,
    code: 'G001',
    at: 'outputs[0].tensor',
    node: 'train_op',
    message: /is a NoOp, which has no outputs/,
  },
  {
    title: 'the signature’s name for the graph’s',
    yaml: `${savedModel('signatures', ', signature: predict')}\ninputs: [{ name: x, tensor: features }]\noutputs: [{ name: scores }]`,
    code: 'G001',
    at: 'inputs[0].tensor',
    hint: '"features" is the signature\'s name of "predict_features:0": write tensor: "predict_features:0", or name: features without tensor',
  },
  {
    title: 'a misspelt name of the signature',
    yaml: `${savedModel('signatures', ', signature: predict')}\ninputs: [{ name: feature }]\noutputs: [{ name: scores }]`,
    code: 'G001',
    at: 'inputs[0].name',
    hint: 'did you mean name: features (of the signature)?',
  },
  // 2: types and shapes
  {
    title: 'a type that the graph casts to',
    yaml: `${graph('placeholders')}\ninputs: [{ name: image, tensor: "image:0", dtype: float32 }]\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G002',
    at: 'inputs[0].dtype',
    hint: 'dtype: uint8 (the graph casts it to float32 itself, in "to_float"); or cut there: tensor: "to_float:0"',
  },
  {
    title: 'a type that an output is cast from',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "precise:0", dtype: float32 }]`,
    code: 'G002',
    at: 'outputs[0].dtype',
    hint: 'dtype: float64, or take it before the cast: tensor: "halves:0"',
  },
  {
    title: 'a size that the graph has not',
    yaml: `${graph('placeholders')}\ninputs: [{ name: image, tensor: "image:0", shape: [1, 3, 8, 8] }]\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G003',
    at: 'inputs[0].shape',
    message: /\(dimension 1 is 3, not 8\)/,
    hint: /^shape: \[null, ?8, ?8, ?3\]$/,
  },
  {
    title: 'a rank that the graph has not',
    yaml: `${graph('placeholders')}\ninputs: [{ name: image, tensor: "image:0", shape: [8, 8, 3] }]\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G003',
    at: 'inputs[0].shape',
    message: /\(rank 3, not 4\)/,
  },
  // 3: what depends on what
  {
    title: 'a constant output',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "means:0" }]`,
    code: 'G004',
    severity: 'warning',
    at: 'outputs[0].tensor',
    node: 'means',
    hint: /^"means" is a constant \(a weight\?\); declare an output that "image:0" and "scale:0" leads to$/,
  },
  {
    title: 'an input that nothing needs',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "to_float:0" }]`,
    code: 'G005',
    severity: 'warning',
    at: 'inputs[1].tensor',
    node: 'scale',
    hint: 'remove it from inputs, or declare the output that needs "scale:0"',
  },
  {
    title: 'a signature without outputs',
    yaml: savedModel('no-outputs'),
    code: 'G010',
    at: 'source',
    hint: /^outputs: \[\{ name: y, tensor: "node:0" \}\]/,
  },
  {
    title: 'two inputs that are one tensor',
    yaml: `${graph('good')}\ninputs: [{ name: a, tensor: "x:0" }, { name: b, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
    code: 'G009',
    at: 'inputs[1]',
  },
  {
    title: 'an output of the optimizer',
    yaml: `${checkpoint('optimizer/model.ckpt')}\ninputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "GradientDescent/update_w/ApplyGradientDescent:0" }]`,
    code: 'G016',
    at: 'outputs[0].tensor',
    node: 'GradientDescent/update_w/ApplyGradientDescent',
    hint: 'tensor: "y:0" (Softmax) is computed before the loss',
  },
  {
    title: 'a graph built for training',
    yaml: `${checkpoint('slim/model.ckpt-1')}\ninputs: [{ name: x, tensor: "input:0" }]\noutputs: [{ name: p, tensor: "resnet_v1_50/predictions/Softmax:0" }]`,
    code: 'G017',
    severity: 'warning',
    at: 'source.checkpoint',
    node: 'resnet_v1_50/conv1/BatchNorm/FusedBatchNormV3',
    hint: BATCH,
  },
  // 4: the graph itself
  {
    title: 'a cycle',
    yaml: `${graph('cycle')}\n${IO}`,
    code: 'G007',
    at: 'source.frozenGraph',
    node: 'hidden',
    message: /"hidden" \(MatMul\) reads "y" \(Softmax\) reads "hidden"/,
  },
  {
    title: 'an edge to nothing',
    yaml: `${graph('dangling')}\n${IO}`,
    code: 'G007',
    at: 'source.frozenGraph',
    node: 'y',
    hint: 'did you mean `hidden`?',
  },
  {
    title: 'two nodes of one name',
    yaml: `${graph('dangling')}\n${IO}`,
    code: 'G007',
    at: 'source.frozenGraph',
    node: 'x',
    message: 'two nodes are named "x"',
  },
  {
    title: 'an input too many',
    yaml: `${graph('inputs')}\n${IO}`,
    code: 'G014',
    at: 'source.frozenGraph',
    node: 'hidden',
    message: 'MatMul "hidden" reads 3 inputs, and MatMul takes 2: "x:0", "w:0", "x:0"',
  },
  {
    title: 'a missing attribute',
    yaml: `${graph('missing-attribute')}\n${IO}`,
    code: 'G014',
    at: 'source.frozenGraph',
    node: 'hidden',
    message: 'MatMul "hidden" has no attribute "T" (type), which MatMul must have',
  },
  {
    title: 'an unknown attribute',
    yaml: `${graph('unknown-attribute')}\n${IO}`,
    code: 'G014',
    severity: 'warning',
    at: 'source.frozenGraph',
    node: 'hidden',
    hint: 'did you mean `transpose_a`?',
  },
  {
    title: 'types that differ along an edge',
    yaml: `${graph('types')}\n${IO}`,
    code: 'G015',
    at: 'source.frozenGraph',
    node: 'hidden',
    message: 'Placeholder "x" gives int32, and MatMul "hidden" takes float32 as its input 0',
    hint: /tf\.placeholder\(tf\.float32, …, name="x"\)/,
  },
  // 5: sizes
  {
    title: 'shapes that contradict each other',
    yaml: `${graph('any-shape')}\ninputs: [{ name: x, tensor: "x:0", shape: [1, 5] }]\noutputs: [{ name: y, tensor: "y:0" }]`,
    code: 'G012',
    at: 'source.frozenGraph',
    node: 'hidden',
  },
  {
    title: 'an unknown size',
    yaml: `${graph('sizes')}\ninputs: [{ name: picture, tensor: "image:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
    code: 'T004',
    at: 'source.frozenGraph',
    node: 'patches',
    hint: 'declare the sizes of input "picture", as { name: picture, shape: [1, 224, 224, 3] }',
  },
  // 6: placeholders
  {
    title: 'a placeholder that is not fed',
    yaml: `${graph('placeholders')}\ninputs: [{ name: image, tensor: "image:0" }]\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G006',
    at: 'source.frozenGraph',
    node: 'scale',
    hint: /^under inputs: \{ name: scale, tensor: "scale:0", dtype: float32, shape: \[\] \}/,
  },
  {
    title: 'a switch of training that is not fed',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G006',
    severity: 'note',
    at: 'source.frozenGraph',
    node: 'keep_prob',
    message: /frozen as 1/,
  },
  // 7: the target
  {
    title: 'ops that TFLite has not, grouped',
    yaml: `${graph('ops')}\n${IO}`,
    code: 'T001',
    at: 'source.frozenGraph',
    node: 'inverse',
    message: /^MatrixInverse "inverse", "inverse_1" cannot be converted: .*; it reads BatchMatMulV2 "hidden"/,
    hint: /outputs: \[\{ name: hidden, tensor: "hidden:0" \}.*allowCustomOps: \[MatrixInverse\]/,
  },
  {
    title: 'an op that the runtime has not yet',
    yaml: `${graph('environment')}\n${IO}\ntarget: { runtime: "2.3" }`,
    code: 'T003',
    at: 'target.runtime',
    node: 'y',
    hint: /target\.runtime to "2\.4/,
  },
  {
    title: 'images that are decoded',
    yaml: `${graph('decode')}\ninputs: [{ name: file, tensor: "file:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
    code: 'T006',
    at: 'source.frozenGraph',
    node: 'DecodeJpeg',
    hint: /^inputs: \[\{ name: DecodeJpeg, tensor: "DecodeJpeg:0", dtype: uint8, shape: \[null, null, 3\] \}\]; or inputs: \[\{ name: ResizeBilinear, tensor: "resize\/ResizeBilinear:0", dtype: float32, shape: \[1, 8, 8, 3\] \}\]$/,
  },
  {
    title: 'branches of two predicates that are joined',
    yaml: `${graph('branches')}
inputs: [{ name: x, tensor: "x:0" }, { name: p, tensor: "p:0" }, { name: q, tensor: "q:0" }]
outputs: [{ name: y, tensor: "y:0" }]`,
    code: 'T007',
    at: 'source.frozenGraph',
    hint: /tf\.cond/,
  },
  // 8: custom ops
  {
    title: 'a custom op of a known library',
    yaml: `${graph('custom')}\n${IO}`,
    code: 'T002',
    at: 'source.frozenGraph',
    node: 'hidden',
    message: /it comes from TensorFlow Addons/,
    hint: /^allowCustomOps: \[Addons>Softplus2\]/,
  },
  {
    title: 'a custom op that is allowed',
    yaml: `${graph('custom')}\n${IO}\nallowCustomOps: ["Addons>Softplus2"]`,
    code: 'G008',
    severity: 'note',
    at: 'source.frozenGraph',
    hint: /resolver\.AddCustom\("Addons>Softplus2"/,
  },
  // 9: where the frozen graph is to run
  {
    title: 'an op newer than the TensorFlow that is named',
    yaml: `${graph('environment')}\n${IO}\ntarget: { tensorflow: "1.12" }`,
    code: 'G018',
    at: 'target.tensorflow',
    node: 'FusedBatchNormV3',
    message: /^op FusedBatchNormV3 came with TensorFlow 1\.14, and 1\.12 will not load/,
    hint: 'target: { tensorflow: "1.14" }, or build and save the model with TensorFlow 1.12',
  },
  {
    title: 'an attribute newer than the TensorFlow that is named',
    yaml: `${graph('environment')}\n${IO}\ntarget: { tensorflow: "1.12" }`,
    code: 'G018',
    at: 'target.tensorflow',
    node: 'conv',
    message: /^attribute "explicit_paddings" of Conv2D came with TensorFlow 1\.14/,
  },
  {
    title: 'a layout that only GPUs have',
    yaml: `${graph('environment')}\n${IO}`,
    code: 'G019',
    severity: 'note',
    at: 'source.frozenGraph',
    node: 'conv',
    hint: /data_format="NHWC"/,
  },
  // 10: signatures
  {
    title: 'a signature that is not there',
    yaml: savedModel('signatures', ', signature: predicts'),
    code: 'G011',
    at: 'source.signature',
    hint: 'did you mean `predict`?',
  },
  {
    title: 'several signatures and none chosen',
    yaml: savedModel('signatures'),
    code: 'G011',
    at: 'source.savedModel',
    hint: 'signature: embed, or signatures: [embed, predict]',
  },
  {
    title: 'a signature that model.yaml names and the source has not',
    yaml: `${savedModel('signatures')}\nsignatures: { predikt: {} }`,
    code: 'G011',
    at: 'signatures.predikt',
    hint: 'did you mean `predict`?',
  },
  {
    title: 'a signature that points at a missing tensor',
    yaml: savedModel('wrong-signature'),
    code: 'G020',
    at: 'source',
    node: 'probability',
    hint: 'declare it in model.yaml: { name: y, tensor: "probabilities:0" }',
  },
  {
    title: 'a signature of another type than its tensor',
    yaml: savedModel('wrong-signature'),
    code: 'G020',
    at: 'source',
    node: 'features',
    message: 'signature "serving_default", input "x" says int32, and "features:0" in the graph is float32',
  },
  // 11: numbers
  {
    title: 'NaN among the weights',
    yaml: `${graph('nan')}\n${IO}`,
    code: 'G021',
    at: 'source.frozenGraph',
    node: 'w',
  },
  {
    title: 'infinite weights',
    yaml: `${graph('infinite')}\n${IO}`,
    code: 'G021',
    severity: 'warning',
    at: 'source.frozenGraph',
    node: 'w',
  },
  {
    title: 'weights that are all zero',
    yaml: `${graph('zero')}\n${IO}`,
    code: 'G022',
    severity: 'warning',
    at: 'source.frozenGraph',
    node: 'w',
    hint: /floe inspect --digest/,
  },
  // 12: preprocessing
  {
    title: 'preprocessing in the graph',
    yaml: `${PLACEHOLDERS}\noutputs: [{ name: y, tensor: "features:0" }]`,
    code: 'G023',
    severity: 'note',
    at: 'inputs[0]',
    node: 'image',
    message: /takes pixels as bytes and casts it to float32, then (divides by 127\.5|multiplies by)/,
    hint: 'the app feeds pixels from 0 to 255 as they are, without scaling',
  },
];
