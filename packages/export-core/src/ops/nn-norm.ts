/** Normalisations and softmax with its losses. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { broadcastOfInputs } from './elementwise-shapes';
import { broadcastStrides } from './kernels/broadcast';
import { stridedView } from './kernels/cells';
import { narrow, widen } from './kernels/numbers';
import { dimsOfRank, likeInput, mergeDims, out, rankAtLeast, refuse } from './kernels/shape-rules';
import { formatOf } from './kernels/window';
import { broadcastShapes, elementCount, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { DType } from '../tensor/dtype';
import type { Node } from '../graph/graph';

const spatialOf = (node: Node): number => (node.string('data_format').length === 5 ? 3 : 2);

/** Shapes of batch normalisation; `channelInputs` are the inputs that have one element for each channel. */
function inferBatchNorm(c: InferContext, reserved: Shape[]): OutputInfo[] {
  const format = formatOf(c.node, spatialOf(c.node));
  const x = [...dimsOfRank(c, 0, format.rank)];
  let channels = x[format.channels];
  // In training, mean and variance come from the batch and the inputs may be empty.
  const vectors = c.node.bool('is_training') ? [1, 2] : [1, 2, 3, 4];
  for (const i of vectors) channels = mergeDims(c, channels, dimsOfRank(c, i, 1)[0]);
  x[format.channels] = channels;
  return [x, [channels], [channels], [channels], [channels], ...reserved].map((shape) => ({ shape }));
}

interface Statistics {
  mean: Float64Array;
  variance: Float64Array;
}

/** Mean and population variance of each channel. */
function statistics(x: ArrayLike<number>, channelOf: (i: number) => number, channels: number): Statistics {
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  const n = x.length / channels;
  for (let i = 0; i < x.length; i++) mean[channelOf(i)] += x[i];
  for (let c = 0; c < channels; c++) mean[c] /= n;
  for (let i = 0; i < x.length; i++) variance[channelOf(i)] += (x[i] - mean[channelOf(i)]) ** 2;
  for (let c = 0; c < channels; c++) variance[c] /= n;
  return { mean, variance };
}

function batchNorm(inputs: readonly Tensor[], node: Node): Tensor[] {
  const [x, scale, offset, oldMean, oldVariance] = inputs;
  const format = formatOf(node, spatialOf(node));
  if (x.shape.length !== format.rank) refuse(`the image must have rank ${format.rank}`);
  const channels = x.shape[format.channels];
  const inner = elementCount(x.shape.slice(format.channels + 1));
  const channelOf = (i: number) => Math.floor(i / inner) % channels;
  const [image, gamma, beta] = [x, scale, offset].map(widen);
  if (gamma.length !== channels || beta.length !== channels)
    refuse('scale and offset must have an element a channel');
  const training = node.bool('is_training');
  const used: { mean: ArrayLike<number>; variance: ArrayLike<number> } = training
    ? statistics(image, channelOf, channels)
    : { mean: widen(oldMean), variance: widen(oldVariance) };
  if (used.mean.length !== channels || used.variance.length !== channels)
    refuse('mean and variance do not fit');
  const epsilon = Math.fround(node.float('epsilon'));
  const y = new Float64Array(x.size);
  for (let i = 0; i < y.length; i++) {
    const c = channelOf(i);
    y[i] = ((image[i] - used.mean[c]) / Math.sqrt(used.variance[c] + epsilon)) * gamma[c] + beta[c];
  }
  const vector = (values: ArrayLike<number>) => narrow(scale.dtype, [channels], Float64Array.from(values));
  let [mean, variance] = [Float64Array.from(used.mean), Float64Array.from(used.variance)];
  if (training) {
    // What goes into the moving averages is the unbiased variance.
    const n = x.size / channels;
    variance = variance.map((v) => v * (n / Math.max(1, n - 1)));
    const factor = Math.fround(node.float('exponential_avg_factor'));
    if (factor !== 1) {
      const blend = (old: Tensor, now: Float64Array) => {
        const before = widen(old);
        return now.map((v, i) => (1 - factor) * before[i] + factor * v);
      };
      mean = blend(oldMean, mean);
      variance = blend(oldVariance, variance);
    }
  }
  // What the gradient will need: the batch's own statistics, nothing outside of training.
  const reserved = training
    ? [used.mean, used.variance]
    : [new Float64Array(channels), new Float64Array(channels)];
  return [narrow(x.dtype, x.shape, y), ...[mean, variance, ...reserved].map(vector)];
}

function lrn([x]: readonly Tensor[], node: Node): Tensor[] {
  const radius = node.int('depth_radius');
  const [bias, alpha, beta] = ['bias', 'alpha', 'beta'].map((name) => Math.fround(node.float(name)));
  if (x.shape.length !== 4) refuse('the image must have rank 4');
  const depth = x.shape[3];
  const v = widen(x);
  const y = new Float64Array(x.size);
  for (let i = 0; i < y.length; i++) {
    const c = i % depth;
    let sum = 0;
    for (let k = Math.max(0, c - radius); k <= Math.min(depth - 1, c + radius); k++) sum += v[i - c + k] ** 2;
    y[i] = v[i] * (bias + alpha * sum) ** -beta;
  }
  return [narrow(x.dtype, x.shape, y)];
}

/** Softmax of one row and the logarithm of what it was divided by, both relative to the row's maximum. */
function softmaxRow(
  v: ArrayLike<number>,
  from: number,
  n: number,
): { max: number; exps: Float64Array; sum: number } {
  let max = -Infinity;
  for (let i = 0; i < n; i++) max = Math.max(max, v[from + i]);
  const exps = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += exps[i] = Math.exp(v[from + i] - max);
  return { max, exps, sum };
}

function softmax(x: Tensor, logarithm: boolean): Tensor {
  if (x.shape.length < 1) refuse('a scalar has no softmax');
  const n = x.shape[x.shape.length - 1];
  const v = widen(x);
  const y = new Float64Array(x.size);
  for (let from = 0; from < x.size; from += n) {
    const { max, exps, sum } = softmaxRow(v, from, n);
    for (let i = 0; i < n; i++) y[from + i] = logarithm ? v[from + i] - max - Math.log(sum) : exps[i] / sum;
  }
  return narrow(x.dtype, x.shape, y);
}

const softmaxRowOf = (logarithm: boolean): OpRow => ({
  infer: (c) => out(rankAtLeast(c, 0, 1)),
  evaluate: ([x]) => [softmax(x, logarithm)],
});

/** Loss and gradient for rows of logits; `label(row, i)` is the probability that the label gives to class i. */
function crossEntropy(
  dtype: DType,
  shape: readonly number[],
  logits: ArrayLike<number>,
  label: (row: number, i: number) => number,
): Tensor[] {
  const [rows, n] = shape;
  const loss = new Float64Array(rows);
  const gradient = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) {
    const { max, exps, sum } = softmaxRow(logits, r * n, n);
    for (let i = 0; i < n; i++) {
      const p = label(r, i);
      // A class without weight costs nothing, be its probability 0.
      if (p !== 0) loss[r] += p * (Math.log(sum) - (logits[r * n + i] - max));
      gradient[r * n + i] = exps[i] / sum - p;
    }
  }
  return [narrow(dtype, [rows], loss), narrow(dtype, shape, gradient)];
}

const softmaxCrossEntropy: OpRow = {
  infer: (c) => {
    const shape: Shape = broadcastOfInputs(c);
    if (shape === null) return [{ shape: [null] }, { shape: [null, null] }];
    if (shape.length !== 2) c.fail(`logits must have rank 2, not ${shape.length}`);
    return [{ shape: [shape[0]] }, { shape }];
  },
  evaluate: ([logits, labels]) => {
    const shape = broadcastShapes([...logits.shape], [...labels.shape]) as number[] | undefined;
    if (shape?.length !== 2) return refuse('logits and labels must broadcast to rank 2');
    const spread = (t: Tensor) => widen(stridedView(t, shape, broadcastStrides(t.shape, shape)));
    const p = spread(labels);
    return crossEntropy(logits.dtype, shape, spread(logits), (row, i) => p[row * shape[1] + i]);
  },
};

const sparseSoftmaxCrossEntropy: OpRow = {
  infer: (c) => {
    const logits = dimsOfRank(c, 0, 2);
    const rows: Dim = mergeDims(c, logits[0], dimsOfRank(c, 1, 1)[0]);
    return [{ shape: [rows] }, { shape: [rows, logits[1]] }];
  },
  evaluate: ([logits, labels]) => {
    if (logits.shape.length !== 2 || labels.size !== logits.shape[0])
      refuse('logits and labels differ in rows');
    const classes = labels.toNumbers();
    const bad = classes.find((k) => k < 0 || k >= logits.shape[1]);
    if (bad !== undefined) refuse(`label ${bad} is outside of ${logits.shape[1]} classes`);
    return crossEntropy(logits.dtype, logits.shape, widen(logits), (row, i) => (classes[row] === i ? 1 : 0));
  },
};

const globalNormalization: OpRow = {
  infer: (c) => {
    const x = [...dimsOfRank(c, 0, 4)];
    for (let i = 1; i <= 4; i++) x[3] = mergeDims(c, x[3], dimsOfRank(c, i, 1)[0]);
    return out(x);
  },
  evaluate: ([x, mean, variance, beta, gamma], node) => {
    const epsilon = Math.fround(node.float('variance_epsilon'));
    const [v, m, s, b, g] = [x, mean, variance, beta, gamma].map(widen);
    const scaled = node.bool('scale_after_normalization');
    const n = m.length;
    const y = new Float64Array(x.size);
    for (let i = 0; i < y.length; i++) {
      const c = i % n;
      y[i] = ((v[i] - m[c]) / Math.sqrt(s[c] + epsilon)) * (scaled ? g[c] : 1) + b[c];
    }
    return [narrow(x.dtype, x.shape, y)];
  },
};

const fusedBatchNorm: OpRow = { infer: (c) => inferBatchNorm(c, []), evaluate: batchNorm };

/** Gradients of batch normalisation: training only. */
const batchNormGrad: OpRow = {
  infer: (c) => {
    const format = formatOf(c.node, spatialOf(c.node));
    const x = dimsOfRank(c, 0, format.rank);
    const channels = x[format.channels];
    return [x, [channels], [channels], [0], [0]].map((shape) => ({ shape }));
  },
};

export const table: OpTable = {
  FusedBatchNorm: fusedBatchNorm,
  FusedBatchNormV2: fusedBatchNorm,
  FusedBatchNormV3: {
    infer: (c) => inferBatchNorm(c, [null]),
    // The last output is scratch space that only GPUs fill.
    evaluate: (inputs, node) => [...batchNorm(inputs, node), Tensor.scalar(inputs[1].dtype, 0)],
  },
  FusedBatchNormGrad: batchNormGrad,
  FusedBatchNormGradV2: batchNormGrad,
  FusedBatchNormGradV3: batchNormGrad,
  BatchNormWithGlobalNormalization: globalNormalization,
  LRN: { infer: (c) => out(dimsOfRank(c, 0, 4)), evaluate: lrn },
  LRNGrad: { infer: likeInput() },
  Softmax: softmaxRowOf(false),
  LogSoftmax: softmaxRowOf(true),
  SoftmaxCrossEntropyWithLogits: softmaxCrossEntropy,
  SparseSoftmaxCrossEntropyWithLogits: sparseSoftmaxCrossEntropy,
};
