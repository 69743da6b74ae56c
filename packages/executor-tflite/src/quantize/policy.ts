/**
 * What quantisation does to each operator: the one table.
 *
 * Facts: TFLite's kernels (which types each takes, what scales it demands), the 8-bit quantisation specification,
 * and the traits of the converter's operators (same-scale, fixed-range, bias).
 */
import type { TfliteOp } from '../tflite/model';

/** Weights of an operator: constants that are quantised symmetrically. */
export interface WeightsPolicy {
  inputs: readonly number[];
  /** The axis of output channels, which may have a scale each. */
  axis?: number;
  /** A kernel takes float activations with int8 weights; with a scale for each channel, or one for all. */
  hybrid?: 'per-channel' | 'per-tensor';
  /** The hybrid kernel can quantise its activations asymmetrically, which is more exact; its options' type. */
  asymmetricInputs?: string;
  /** Integer kernels take weights as constants only. */
  constantOnly?: true;
  /** Integer kernels have weights with a scale a channel. */
  perChannel?: true;
}

/** The integer kernels of an operator. */
export interface IntegerPolicy {
  /**
   * own: each input and output has its own scale. same: all share one. fixed: the output's is given by the kernel.
   */
  scales: 'own' | 'same' | 'fixed';
  /** Scale and zero point of the output by type. */
  fixed?: Partial<Record<'INT8' | 'INT16', readonly [scale: number, zeroPoint: number]>>;
  /** Besides int8 there are int16 kernels (16x8). */
  int16?: true;
  /** An LSTM: has states and gates, which plan-lstm.ts knows. */
  lstm?: true;
  /** Values are only moved: in float it costs no precision, so alone it is not worth a QUANTIZE. */
  moves?: true;
  /** Where scales are the same: outputs are means of several inputs, not one of them each. */
  mixes?: true;
}

export interface OperatorPolicy {
  weights?: WeightsPolicy;
  /** The input that is a bias: int32 (16x8: int64) in units of input scale · weights' scale. */
  bias?: number;
  integer?: IntegerPolicy;
  /** A table whose rows the operator picks: with int8 weights its result is int8. */
  table?: number;
}

const OWN: OperatorPolicy = { integer: { scales: 'own' } };
const OWN_16: OperatorPolicy = { integer: { scales: 'own', int16: true } };
const SAME: OperatorPolicy = { integer: { scales: 'same' } };
const SAME_16: OperatorPolicy = { integer: { scales: 'same', int16: true } };
const MOVES: OperatorPolicy = { integer: { scales: 'same', moves: true } };
const MOVES_16: OperatorPolicy = { integer: { scales: 'same', moves: true, int16: true } };

const fixed = (
  INT8: readonly [number, number],
  INT16?: readonly [number, number],
): { integer: IntegerPolicy } => ({
  integer: { scales: 'fixed', fixed: { INT8, ...(INT16 && { INT16 }) }, ...(INT16 && { int16: true }) },
});

const filter = (axis: number): WeightsPolicy => ({
  inputs: [1],
  axis,
  hybrid: 'per-channel',
  constantOnly: true,
  perChannel: true,
});

/** Of LSTMs with gates of their own. */
const LSTM_WEIGHTS: WeightsPolicy = {
  inputs: [1, 2, 3, 4, 5, 6, 7, 8, 16],
  hybrid: 'per-tensor',
  constantOnly: true,
};

const POLICIES = new Map<string, OperatorPolicy>([
  ...rows(OWN_16, 'ADD SUB MUL MEAN LEAKY_RELU RELU RELU6 EXP LOG RSQRT ABS LESS GREATER_EQUAL'),
  ...rows(
    OWN,
    `ARG_MAX ARG_MIN EQUAL GELU GREATER HARD_SWISH LESS_EQUAL NOT_EQUAL PRELU RELU_0_TO_1 RELU_N1_TO_1
    SQUARED_DIFFERENCE SUM`,
  ),
  ...rows({ integer: { scales: 'same', mixes: true, int16: true } }, 'AVERAGE_POOL_2D RESIZE_BILINEAR'),
  ...rows(SAME_16, 'MAX_POOL_2D MAXIMUM MINIMUM REDUCE_MAX REDUCE_MIN'),
  ...rows(SAME, 'SELECT SELECT_V2'),
  ...rows(
    MOVES_16,
    `BATCH_TO_SPACE_ND CONCATENATION EXPAND_DIMS GATHER_ND MIRROR_PAD PACK PAD RESHAPE RESIZE_NEAREST_NEIGHBOR SLICE
    SPACE_TO_BATCH_ND SPLIT SQUEEZE STRIDED_SLICE TRANSPOSE UNPACK`,
  ),
  ...rows(
    MOVES,
    `BROADCAST_TO DEPTH_TO_SPACE DYNAMIC_UPDATE_SLICE FILL ONE_HOT PADV2 REVERSE_V2 SCATTER_ND SPACE_TO_DEPTH SPLIT_V
    TILE TOPK_V2`,
  ),
  ...Object.entries<OperatorPolicy>({
    LOGISTIC: fixed([1 / 256, -128], [1 / 32768, 0]),
    TANH: fixed([1 / 128, 0], [1 / 32768, 0]),
    SOFTMAX: fixed([1 / 256, -128], [1 / 32768, 0]),
    LOG_SOFTMAX: fixed([16 / 256, 127]),
    L2_NORMALIZATION: fixed([1 / 128, 0]),
    CONV_2D: { weights: filter(0), bias: 2, ...OWN_16 },
    DEPTHWISE_CONV_2D: { weights: filter(3), bias: 2, ...OWN_16 },
    // Output shape, weights, input, bias.
    TRANSPOSE_CONV: { weights: filter(0), bias: 3, ...OWN_16 },
    FULLY_CONNECTED: {
      weights: {
        inputs: [1],
        axis: 0,
        hybrid: 'per-channel',
        perChannel: true,
        asymmetricInputs: 'FullyConnectedOptions',
      },
      bias: 2,
      ...OWN_16,
    },
    BATCH_MATMUL: {
      weights: { inputs: [1], hybrid: 'per-tensor', asymmetricInputs: 'BatchMatMulOptions' },
      ...OWN_16,
    },
    GATHER: { table: 0, ...MOVES_16 },
    EMBEDDING_LOOKUP: { weights: { inputs: [1], hybrid: 'per-tensor' } },
    UNIDIRECTIONAL_SEQUENCE_LSTM: {
      weights: { ...LSTM_WEIGHTS, asymmetricInputs: 'UnidirectionalSequenceLSTMOptions' },
      integer: { scales: 'own', lstm: true },
    },
    LSTM: { weights: { ...LSTM_WEIGHTS, asymmetricInputs: 'LSTMOptions' } },
    UNIDIRECTIONAL_SEQUENCE_RNN: {
      weights: { inputs: [1, 2], hybrid: 'per-tensor', asymmetricInputs: 'SequenceRNNOptions' },
    },
    RNN: { weights: { inputs: [1, 2], hybrid: 'per-tensor', asymmetricInputs: 'RNNOptions' } },
    SVDF: { weights: { inputs: [1, 2], hybrid: 'per-tensor', asymmetricInputs: 'SVDFOptions' } },
    // No integer kernels: their weights can only be stored smaller.
    CONV_3D: { weights: { inputs: [1], axis: 4 }, bias: 2 },
    CONV_3D_TRANSPOSE: { weights: { inputs: [1], axis: 3 }, bias: 3 },
  }),
]);

function rows(policy: OperatorPolicy, codes: string): [string, OperatorPolicy][] {
  return codes.split(/\s+/).map((code) => [code, policy]);
}

/** What is known of an operator; empty for those that quantisation leaves alone. */
export function policyOf(op: TfliteOp): OperatorPolicy {
  return POLICIES.get(op.code) ?? {};
}

/** Every operator of the table, sorted. */
export function quantizableOperators(): string[] {
  return [...POLICIES.keys()].sort();
}

/** Weights with fewer elements stay float in `dynamic`, as TensorFlow's: quantising them saves nothing. */
export const MIN_WEIGHT_ELEMENTS = 1024;

/** Constants with fewer elements stay float32 in `float16`: the operator that reads them back is larger. */
export const MIN_HALF_ELEMENTS = 64;

/** Operators whose float constants decide shapes, which a computed value cannot. */
export const SHAPE_FROM_FLOATS: ReadonlySet<string> = new Set(['RANGE']);
