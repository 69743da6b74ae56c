/** Activation functions, and their gradients as far as they are plain arithmetic. */
import type { Node } from '../graph/graph';
import type { Tensor } from '../tensor/tensor';
import { merged, unchanged } from './elementwise-shapes';
import { mapBinary, mapUnary, rounder, type BinaryKernel, type UnaryKernel } from './kernels/elementwise';
import type { OpRow, OpTable } from './op-row';

/** Klambauer et al., "Self-normalizing neural networks". */
const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473768;

const activation = (kernel: UnaryKernel): OpRow => ({
  infer: unchanged,
  evaluate: ([x]) => [mapUnary(x, kernel)],
});

const gradient = (float: NonNullable<BinaryKernel['float']>): OpRow => ({
  infer: merged,
  evaluate: ([x, y]) => [mapBinary(x, y, { float })],
});

/** The attribute `alpha`, rounded to the tensor's dtype as TensorFlow's kernel keeps it. */
function alpha(node: Node, x: Tensor): number {
  return rounder(x.dtype)(Math.fround(node.float('alpha')));
}

export const table: OpTable = {
  Relu: activation({
    float: (x) => (x <= 0 ? 0 : x),
    int: (x) => (x < 0 ? 0 : x),
    big: (x) => (x < 0n ? 0n : x),
  }),
  Relu6: activation({
    float: (x) => (x <= 0 ? 0 : x > 6 ? 6 : x),
    int: (x) => (x < 0 ? 0 : x > 6 ? 6 : x),
    big: (x) => (x < 0n ? 0n : x > 6n ? 6n : x),
  }),
  Elu: activation({ float: (x) => (x < 0 ? Math.expm1(x) : x) }),
  Selu: activation({ float: (x) => (x < 0 ? SELU_SCALE_ALPHA * Math.expm1(x) : SELU_SCALE * x) }),
  Softplus: activation({ float: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))) }),
  Softsign: activation({ float: (x, round) => x / round(1 + Math.abs(x)) }),
  LeakyRelu: {
    infer: unchanged,
    evaluate: ([x], node) => {
      const slope = alpha(node, x);
      return [mapUnary(x, { float: (v) => (v > 0 ? v : v * slope) })];
    },
  },

  ReluGrad: gradient((g, x) => g * (x > 0 ? 1 : 0)),
  Relu6Grad: gradient((g, x) => g * (x > 0 && x < 6 ? 1 : 0)),
  LeakyReluGrad: {
    infer: merged,
    evaluate: ([g, x], node) => {
      const slope = alpha(node, x);
      return [mapBinary(g, x, { float: (d, v) => (v > 0 ? d : d * slope) })];
    },
  },
  EluGrad: gradient((g, y, round) => (y < 0 ? g * round(y + 1) : g)),
  SeluGrad: gradient((g, y, round) =>
    y < 0 ? g * round(y + round(SELU_SCALE_ALPHA)) : g * round(SELU_SCALE),
  ),
  SoftplusGrad: gradient((g, x) => g / (Math.exp(-x) + 1)),
  SoftsignGrad: gradient((g, x, round) => {
    const d = round(1 + Math.abs(x));
    return g / round(d * d);
  }),
  SigmoidGrad: gradient((y, dy, round) => dy * round(y * round(1 - y))),
  TanhGrad: gradient((y, dy, round) => dy * round(1 - round(y * y))),
  SqrtGrad: gradient((y, dy, round) => round(0.5 * dy) / y),
  RsqrtGrad: gradient((y, dy, round) => round(-0.5 * round(dy * y)) * round(y * y)),
  ReciprocalGrad: gradient((y, dy, round) => -dy * round(y * y)),
  InvGrad: gradient((y, dy, round) => -dy * round(y * y)),
};
