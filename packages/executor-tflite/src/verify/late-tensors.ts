/**
 * Which tensors of a .tflite graph do not lie where the wasm runtime laid them out.
 *
 * The runtime gives outputs their memory before it runs, by the shapes of the file. A tensor that a kernel makes anew
 * while it runs, or computes ahead of the run (SHAPE, and whatever reads constants alone), then lies elsewhere, and
 * what is handed out is memory that nobody wrote to. So an operator counts as laid out beforehand only where that is
 * known: it is listed here, and the inputs that say how large its output is are constants.
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';

/** Inputs that must be constant; none for operators whose output sizes follow from their input sizes. */
const LAID_OUT_BEFORE = new Map<string, readonly number[]>([
  ...rows(
    [],
    `ABS ADD ADD_N ATAN2 AVERAGE_POOL_2D BATCH_MATMUL BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN
    BITCAST BITWISE_XOR BUCKETIZE CAST CEIL COMPLEX_ABS CONCATENATION CONV_2D CONV_3D COS CUMSUM DEPTH_TO_SPACE
    DEPTHWISE_CONV_2D DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP FAKE_QUANT FLOOR FLOOR_DIV
    FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH IMAG L2_NORMALIZATION
    L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT
    LOGICAL_OR LOGISTIC LSTM MATRIX_DIAG MATRIX_SET_DIAG MAX_POOL_2D MAXIMUM MINIMUM MUL NEG NOT_EQUAL PACK POW
    PRELU QUANTIZE REAL RELU RELU_0_TO_1 RELU_N1_TO_1 RELU6 REVERSE_SEQUENCE RIGHT_SHIFT RNN ROUND RSQRT SELECT
    SELECT_V2 SIGN SIN SOFTMAX SPACE_TO_DEPTH SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE SUB SVDF TANH
    UNIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN UNPACK ZEROS_LIKE`,
  ),
  ...rows([0], 'CONV_3D_TRANSPOSE FILL SPLIT TRANSPOSE_CONV'),
  ...rows(
    [1],
    `ARG_MAX ARG_MIN BROADCAST_TO EXPAND_DIMS MEAN MIRROR_PAD ONE_HOT PAD PADV2 REDUCE_ALL REDUCE_ANY REDUCE_MAX
    REDUCE_MIN REDUCE_PROD RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RFFT2D SUM TILE TOPK_V2
    TRANSPOSE`,
  ),
  ...rows([1, 2], 'BATCH_TO_SPACE_ND SLICE SPACE_TO_BATCH_ND SPLIT_V'),
  ...rows([1, 2, 3], 'STRIDED_SLICE'),
  ...rows([0, 1, 2], 'RANGE'),
  ...rows([2], 'SCATTER_ND'),
]);

/** Kernels that wait for the run where the file leaves a size of their input open, constants or not. */
const WANTS_SIZES = new Set(['SLICE', 'TOPK_V2']);

function rows(constants: readonly number[], codes: string): [string, readonly number[]][] {
  return codes.split(/\s+/).map((code) => [code, constants]);
}

/** The tensors that may lie elsewhere, with all that is computed from them. */
export function tensorsLaidOutLate(graph: TfliteSubgraph): Set<TfliteTensor> {
  const found = new Set<TfliteTensor>();
  for (const op of graph.ops) {
    const sizes = LAID_OUT_BEFORE.get(op.code);
    // Without elements it is no constant to the runtime.
    const isConstant = (i: number) => {
      const tensor = op.inputs[i];
      return tensor === undefined || (tensor.isConstant && tensor.elements > 0);
    };
    const before =
      sizes !== undefined &&
      sizes.every(isConstant) &&
      (!WANTS_SIZES.has(op.code) || op.inputs[0]?.isStatic === true) &&
      op.inputs.some((tensor) => tensor && !tensor.isConstant) &&
      !op.inputs.some((tensor) => tensor && found.has(tensor));
    if (!before) op.outputs.forEach((tensor) => found.add(tensor));
  }
  return found;
}

/** Whether the runtime hands out a tensor of the graph as it is: it knows its size before it runs. */
export function sizedBeforehand(graph: TfliteSubgraph): (tensor: TfliteTensor) => boolean {
  const late = tensorsLaidOutLate(graph);
  return (tensor) => tensor.isStatic || (tensor.shape !== undefined && !late.has(tensor));
}
