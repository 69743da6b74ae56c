/**
 * The version of an operator: a pure function of its signature (types, shapes, quantisation, options).
 *
 * One row an operator: conditions in the order in which they are asked; the first that holds gives the version, and 1
 * stands where none does. The order is not always that of the versions: an operator that needs two things gets the
 * version of the one asked first, which is how runtimes number their kernels. Facts: LiteRT's
 * tflite/converter/tools/versioning/op_version.cc and op_signature.cc at commit f67745790c.
 */
import {
  FLOAT8,
  bool,
  both,
  broadcastsAbove4,
  dilated,
  either,
  equals,
  float16,
  float8,
  grouped,
  hybrid,
  input,
  int16,
  int16To16,
  int8,
  is,
  not,
  option,
  output,
  perAxis,
  perChannel,
  quantized,
  rankAbove,
  rescalesUp,
  sizes,
  text,
  types,
  uint32,
  hybridRecurrent,
  biasType,
  int16x8,
  hybridLstm,
  fullKernel,
  type Condition,
} from './op-conditions';
import type { TfliteOp } from './model';

type Row = readonly (readonly [version: number, condition: Condition])[];

/** The lowest kernel version that can run the operator. */
export function operatorVersion(op: TfliteOp): number {
  return ROWS.get(op.code)?.find(([, condition]) => condition(op))?.[0] ?? 1;
}

/** Operators that came with int8 in version 2 and with int16 in version 3. */
const INT8_INT16: Row = [
  [3, int16],
  [2, int8],
];
const INT8_TEXT: Row = [
  [3, text],
  [2, int8],
];
const INT8: Row = [[2, int8]];
/** The same where int16 counts when the output is int16 too. */
const INT8_INT16_OUT: Row = [
  [3, int16To16],
  [2, int8],
];
const EITHER_INTEGER: Row = [[2, is('INT8', 'INT16')]];
const FLOAT16: Row = [[2, float16]];
const PAD: Row = [[6, float8], [5, bool], [4, rankAbove(0, 4)], ...INT8_INT16];
const EXTREMUM: Row = [
  [4, int16To16],
  [3, broadcastsAbove4],
  [2, int8],
];
const ARGUMENT: Row = [
  [3, bool],
  [2, int8],
];
const SPACE_BATCH: Row = [
  [4, int16],
  [3, (op) => sizes(op.inputs[0]).length !== 4],
  [2, int8],
];
const RECURRENT: Row = [
  [3, both(hybridRecurrent, option('asymmetric_quantize_inputs'))],
  [2, hybridRecurrent],
];

const ROWS = new Map<string, Row>([
  ...same(INT8, 'DEPTH_TO_SPACE GREATER LESS_EQUAL LOG_SOFTMAX SPACE_TO_DEPTH SQUARED_DIFFERENCE SUM'),
  ...same(INT8_INT16, 'GREATER_EQUAL LESS MEAN MIRROR_PAD REDUCE_MAX REDUCE_MIN RELU6 RSQRT'),
  ...same(INT8_INT16_OUT, 'AVERAGE_POOL_2D LOGISTIC MAX_POOL_2D TANH'),
  ...same(EITHER_INTEGER, 'EXP FLOOR_MOD LOG REDUCE_PROD SQRT'),
  ...same(FLOAT16, 'COS SIN'),
  ...same(PAD, 'PAD PADV2'),
  ...same(EXTREMUM, 'MAXIMUM MINIMUM'),
  ...same(ARGUMENT, 'ARG_MAX ARG_MIN'),
  ...same(SPACE_BATCH, 'BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND'),
  ...same(
    RECURRENT,
    'BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN RNN UNIDIRECTIONAL_SEQUENCE_RNN',
  ),
  ...Object.entries<Row>({
    ABS: [
      [5, is('INT32')],
      [3, both(int16, quantized)],
      [4, int16],
      [2, is('INT8', 'UINT8')],
    ],
    ADD: [
      [6, float16],
      [5, both(int16, not(quantized))],
      [4, is('INT64')],
      [3, both(int16To16, equals('pot_scale_int16', false))],
      [2, int8],
    ],
    BATCH_MATMUL: [
      [3, int16],
      [2, int8],
      [4, both(hybrid, option('asymmetric_quantize_inputs'))],
    ],
    // Version 1 was withdrawn: no runtime has it.
    BROADCAST_TO: [
      [4, float8],
      [3, is('INT8', 'INT16')],
      [2, () => true],
    ],
    CAST: [
      [9, either(float8, output(0, ...FLOAT8))],
      [8, either(is('INT2', 'UINT4'), output(0, 'INT2', 'UINT4'))],
      [7, either(is('BFLOAT16'), output(0, 'BFLOAT16'))],
      [6, both(is('INT4'), output(0, 'FLOAT32'))],
      [5, either(is('FLOAT64', 'FLOAT16'), output(0, 'FLOAT64', 'FLOAT16'))],
      [4, either(is('UINT16'), output(0, 'UINT16'))],
      [3, either(int8, output(0, 'INT8'))],
      [2, either(uint32, output(0, 'UINT32'))],
    ],
    CONCATENATION: [[7, float8], [6, float16], [5, is('INT4')], [4, uint32], ...INT8_INT16],
    CONV_2D: [
      [8, both(types('INT16', 'INT8', 'INT16'), biasType)],
      [6, grouped],
      [4, int16x8],
      [3, types('INT8', 'INT8', 'INT8')],
      [7, types('INT8', 'INT4', 'INT8')],
      [5, both(hybrid, perChannel(1, 0))],
      [2, hybrid],
    ],
    DEPTHWISE_CONV_2D: [
      [5, int16x8],
      [6, both(hybrid, perChannel(1, 3))],
      [4, hybrid],
      [3, types('INT8', 'INT8', 'INT8')],
      [7, types('INT8', 'INT4', 'INT8')],
      [2, dilated],
    ],
    DEQUANTIZE: [
      [9, float8],
      [8, is('UINT4')],
      [7, is('INT2')],
      [6, is('INT4')],
      [3, is('INT16', 'FLOAT16')],
      [
        5,
        both(
          int8,
          perAxis((op) => op.inputs[0]),
        ),
      ],
      [2, int8],
    ],
    DIV: [[2, broadcastsAbove4]],
    DYNAMIC_UPDATE_SLICE: [
      [6, is('BFLOAT16')],
      [5, is('INT4')],
      [4, int16],
      [3, float16],
      [2, input(2, 'INT64')],
    ],
    EMBEDDING_LOOKUP: [
      [
        4,
        either(
          input(1, 'INT4'),
          both((op) => (op.inputs[1]?.quantization?.scale.length ?? 0) > 1, perChannel(1, 0)),
        ),
      ],
      [5, input(1, 'INT2')],
    ],
    EQUAL: [[5, int16], ...INT8_TEXT],
    FAKE_QUANT: [[2, option('narrow_range')]],
    FILL: [
      [5, input(1, ...FLOAT8)],
      [4, input(1, 'FLOAT16')],
      [3, input(1, 'INT8', 'INT16')],
      [2, input(1, 'BOOL', 'STRING')],
    ],
    FLOOR_DIV: [
      [3, is('INT8', 'INT16')],
      [2, is('FLOAT32')],
    ],
    FULLY_CONNECTED: [
      [14, input(1, 'INT2')],
      [13, types('INT16', 'INT4', 'INT16')],
      [12, both(hybrid, perChannel(1, 0))],
      [11, both(types('INT16', 'INT8', 'INT16'), biasType)],
      [8, (op) => op.inputs[1]?.sparsity !== undefined],
      [7, int16x8],
      // Counted, not looked at: a bias that is left out by an index of -1 is one.
      [6, (op) => op.inputs.length === 2],
      [5, option('keep_num_dims')],
      [4, types('INT8', 'INT8', 'INT8')],
      [10, types('INT8', 'INT4', 'INT8')],
      [9, both(hybrid, option('asymmetric_quantize_inputs'))],
      [3, hybrid],
      [2, equals('weights_format', 'SHUFFLED4x16INT8')],
    ],
    GATHER: [
      [8, float8],
      [7, is('INT4')],
      [6, input(1, 'INT16')],
      [5, option('batch_dims')],
      [4, int16],
      [3, bool],
      [2, int8],
    ],
    GATHER_ND: [
      [6, float8],
      [5, bool],
      [4, input(1, 'INT16')],
      [3, int16],
      [2, text],
    ],
    GELU: [
      [3, float16],
      [2, is('INT8', 'UINT8')],
    ],
    L2_NORMALIZATION: [[2, output(0, 'INT8')]],
    LEAKY_RELU: [[2, int16]],
    LSTM: [
      [5, both(fullKernel, types('INT16', 'INT8', 'INT16', 2))],
      [4, both(fullKernel, hybridLstm, option('asymmetric_quantize_inputs'))],
      [3, both(fullKernel, hybridLstm)],
      [2, not(fullKernel)],
    ],
    MUL: [
      [8, float16],
      [
        7,
        either(both(int16, not(either(quantized, (op) => op.inputs[1]?.quantization !== undefined))), uint32),
      ],
      [6, is('COMPLEX64')],
      [5, is('INT64')],
      [4, int16],
      [3, rescalesUp],
      [2, int8],
    ],
    NOT_EQUAL: [[4, int16], ...INT8_TEXT],
    PACK: [
      [5, float8],
      [2, int8],
      [3, int16To16],
      [4, uint32],
    ],
    QUANTIZE: [
      [5, either(is('UINT4'), output(0, 'UINT4'))],
      [4, either(is('INT4'), output(0, 'INT4'))],
      [3, perAxis((op) => op.outputs[0])],
      [2, output(0, 'INT16')],
    ],
    RANGE: [[2, is('INT64')]],
    RELU: [
      [3, int16],
      [2, is('INT8', 'UINT8')],
    ],
    RESIZE_BILINEAR: [
      [4, int16],
      [3, option('half_pixel_centers')],
      [2, int8],
    ],
    RESIZE_NEAREST_NEIGHBOR: [
      [4, int16],
      [3, either(option('half_pixel_centers'), option('align_corners'))],
      [2, int8],
    ],
    REVERSE_V2: [
      [4, float8],
      [3, int8],
      [2, bool],
    ],
    SELECT: [
      [4, uint32],
      [3, (op) => op.inputs.slice(0, 3).some((t) => sizes(t).length === 5)],
      [2, int8],
    ],
    SELECT_V2: [[2, uint32]],
    SIGN: [[2, is('INT32')]],
    SLICE: [
      [8, float16],
      [7, is('INT4')],
      [6, uint32],
      [5, rankAbove(0, 4)],
      [4, int16],
      [3, text],
      [2, int8],
    ],
    SOFTMAX: [[4, float16], ...INT8_INT16],
    SPARSE_TO_DENSE: [
      [3, input(2, 'INT8', 'UINT8')],
      [2, input(2, 'INT64')],
    ],
    // The axis stands first.
    SPLIT: [
      [5, input(1, ...FLOAT8)],
      [4, input(1, 'INT16')],
      [3, input(1, 'INT32')],
      [2, input(1, 'INT8')],
    ],
    SPLIT_V: [
      [3, float8],
      [2, int8],
    ],
    SQUEEZE: [[2, text]],
    STRIDED_SLICE: [
      [8, option('offset')],
      [7, uint32],
      [6, either(option('ellipsis_mask'), option('new_axis_mask'))],
      [5, text],
      [4, rankAbove(0, 4)],
      [3, bool],
      [2, int8],
    ],
    SUB: [
      [5, both(int16To16, equals('pot_scale_int16', false))],
      [4, is('INT64')],
      [3, broadcastsAbove4],
      [2, int8],
    ],
    SVDF: [
      [3, int8],
      [4, both(hybrid, option('asymmetric_quantize_inputs'))],
      [2, hybrid],
    ],
    TILE: [
      [3, int8],
      [2, text],
    ],
    TOPK_V2: [
      [3, either(int16, input(1, 'INT16'), output(1, 'INT16'))],
      [2, int8],
    ],
    TRANSPOSE: [
      [9, float16],
      [8, either(rankAbove(0, 6), is('BFLOAT16'))],
      [7, is('INT4')],
      [6, rankAbove(0, 5)],
      [5, int16],
      [4, rankAbove(0, 4)],
      [3, bool],
      [2, int8],
    ],
    // Output shape, weights, input, bias.
    TRANSPOSE_CONV: [
      [5, both(types('INT16', 'INT8', 'INT16'), biasType)],
      [4, option('fused_activation_function')],
      [3, (op) => op.inputs.length === 4 && op.inputs[3] !== undefined],
      [2, input(1, 'INT8')],
    ],
    UNIDIRECTIONAL_SEQUENCE_LSTM: [
      [5, types('INT16', 'INT8', 'INT16', 2)],
      [4, option('diagonal_recurrent_tensors')],
      [3, both(hybridLstm, option('asymmetric_quantize_inputs'))],
      [2, hybridLstm],
    ],
    UNPACK: [
      [6, float8],
      [2, is('INT8', 'UINT8')],
      [3, bool],
      [4, int16To16],
      [5, is('FLOAT16', 'BFLOAT16')],
    ],
    WHERE: [[2, not(bool)]],
  }),
]);

function same(row: Row, codes: string): [string, Row][] {
  return codes.split(' ').map((code) => [code, row]);
}
