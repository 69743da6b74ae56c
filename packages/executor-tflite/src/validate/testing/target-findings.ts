/** Findings of the target: what TFLite has not, and custom ops. */
import { IO, graph, type Finding } from './finding';

export const TARGET_FINDINGS: Finding[] = [
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
    hint: /^tflite: \{ inputs: \[\{ name: DecodeJpeg, tensor: "DecodeJpeg:0", dtype: uint8, shape: \[null, null, 3\] \}\] \}; or tflite: \{ inputs: \[\{ name: ResizeBilinear, tensor: "resize\/ResizeBilinear:0", dtype: float32, shape: \[1, 8, 8, 3\] \}\] \}$/,
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
  {
    title: 'a misspelt op',
    yaml: `${graph('misspelt')}\n${IO}`,
    code: 'T002',
    at: 'source.frozenGraph',
    node: 'masked',
    message: /is not known \(TensorFlow has AddV2\)/,
  },
  {
    title: 'a file that the frozen graph needs',
    yaml: `${graph('vocabulary')}\ninputs: [{ name: words, tensor: "words:0" }]\noutputs: [{ name: ids, tensor: "ids:0" }]`,
    code: 'G013',
    severity: 'warning',
    at: 'source.frozenGraph',
    message: /is filled from the file \/data\/vocabulary\.txt/,
    hint: /freeze a SavedModel/,
  },
  {
    title: 'a detector’s block for a model that is none',
    yaml: `${graph('good')}\n${IO}\ndetection: {}`,
    code: 'G024',
    at: 'detection',
    hint: /^leave `detection` out and name what to export/,
  },
];
