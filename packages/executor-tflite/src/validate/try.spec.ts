import { runChain } from './testing/chain';
const G = 'source: { frozenGraph: FIXTURES/';
const XY = 'inputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "y:0" }]';
const cases: string[] = [
  ...['good', 'cycle', 'inputs', 'missing-attribute', 'unknown-attribute', 'types', 'dangling', 'custom', 'nan', 'infinite', 'zero', 'environment','ops'].map((n) => `${G}${n}.pb }\n${XY}`),
  `${G}environment.pb }\n${XY}\ntarget: { tensorflow: "1.12", runtime: "2.3" }`,
  `${G}environment.pb }\n${XY}\ntarget: { runtime: tflm }`,
  `${G}decode.pb }\ninputs: [{ name: x, tensor: "file:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
  `${G}sizes.pb }\ninputs: [{ name: x, tensor: "image:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
  `${G}branches.pb }\ninputs: [{ name: x, tensor: "x:0" },{ name: p, tensor: "p:0" },{ name: q, tensor: "q:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
  `${G}placeholders.pb }\ninputs: [{ name: image, tensor: "image:0" }]\noutputs: [{ name: y, tensor: "features:0" }]`,
  `${G}placeholders.pb }\ninputs: [{ name: image, tensor: "image:0", dtype: float32, shape: [1, 3, 8, 8] }]\noutputs: [{ name: a, tensor: "feature" },{ name: b, tensor: "train_op" },{ name: c, tensor: "halves:2" },{ name: d, tensor: "precise:0", dtype: float32 }]`,
  `${G}placeholders.pb }\ninputs: [{ name: image, tensor: "image:0" },{ name: scale, tensor: "scale:0" },{ name: k, tensor: "keep_prob:0" }]\noutputs: [{ name: y, tensor: "means:0" }]`,
  `source: { checkpoint: FIXTURES/slim/model.ckpt-1 }\ninputs: [{ name: image, tensor: "input:0" }]\noutputs: [{ name: p, tensor: "resnet_v1_50/predictions/Softmax:0" }]`,
  `source: { checkpoint: FIXTURES/slim/model.ckpt-1 }\ninputs: [{ name: image, tensor: "input:0" }]\noutputs: [{ name: p, tensor: "Softmax" }]`,
  `source: { frozenGraph: FIXTURES/slim/inference.pb }\ninputs: [{ name: image, tensor: "input:0" }]\noutputs: [{ name: p, tensor: "Softmax" }]`,
  `source: { checkpoint: FIXTURES/slim/model.ckpt-1, graph: FIXTURES/slim/inference.pb }\ninputs: [{ name: image, tensor: "input:0" }]\noutputs: [{ name: p, tensor: "resnet_v1_50/predictions/Softmax:0" }]`,
  `source: { checkpoint: FIXTURES/optimizer/model.ckpt }\ninputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: p, tensor: "GradientDescent/update_w/ApplyGradientDescent:0" }]`,
  `source: { savedModel: FIXTURES/estimator }`,
  `source: { savedModel: FIXTURES/estimator, signature: predict }`,
  `source: { savedModel: FIXTURES/signatures }`,
  `source: { savedModel: FIXTURES/signatures, signature: predicts }`,
  `source: { savedModel: FIXTURES/signatures, signature: predict }\ninputs: [{ name: feature }]\noutputs: [{ name: scores }]`,
  `source: { savedModel: FIXTURES/signatures, signature: predict }\ninputs: [{ name: x, tensor: features }]\noutputs: [{ name: scores }]`,
  `source: { savedModel: FIXTURES/wrong-signature }`,
  `source: { checkpoint: FIXTURES/checkpoint/ckpt }\ninputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "y:0" }]`,
];
test.each(cases)('%s', async (yaml) => {
  const r = await runChain(yaml);
  process.stderr.write(`\n=== ${yaml}\n${r.ok}\n${r.text || JSON.stringify(r.diagnostics)}`);
});
