/**
 * What the runtime's kernels take: element types of the main operands, and the rank up to which operands of different
 * shapes broadcast. Quantized tensors are not meant here, only plain ones: a kernel that reads int8 as quantized
 * numbers has no int8 below.
 */
import { isStatic, sameShape, type DType, type Node, type Shape, type Value } from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import { direct, type LoweringRow, type Refusal } from './row';

const SHORT: Record<string, DType> = {
  f16: 'float16',
  bf16: 'bfloat16',
  f32: 'float32',
  f64: 'float64',
  i8: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  u64: 'uint64',
  bool: 'bool',
  str: 'string',
  c64: 'complex64',
  c128: 'complex128',
};

/** Builtins that are not listed take every type. */
const KERNELS: Record<string, string> = {
  ABS: 'f32 i16 i32',
  ADD: 'f32 i16 i32 i64',
  ADD_N: 'f32 i32',
  ARG_MAX: 'f32 i32 i8 u8 bool',
  ARG_MIN: 'f32 i32 i8 u8 bool',
  ASSIGN_VARIABLE: 'f32 f64 bool u8 i8 i32 i64 c64 c128',
  ATAN2: 'f32 f64',
  AVERAGE_POOL_2D: 'f32',
  BATCH_MATMUL: 'f32',
  BATCH_TO_SPACE_ND: 'f32 i8 u8 i16 i32 i64',
  BITWISE_XOR: 'i8 u8 i16 u16 i32 u32',
  BROADCAST_ARGS: 'i32 i64',
  BROADCAST_TO: 'f32 f64 i32 bool i8 u8 u16 u32 u64 i16 i64 c64 c128',
  BUCKETIZE: 'f32 f64 i32 i64',
  CAST: 'f16 bf16 f32 f64 bool i8 u8 i16 u16 i32 u32 i64 c64',
  CEIL: 'f32',
  COMPLEX_ABS: 'c64 c128',
  CONCATENATION: 'f32 i64 i32 i16 i8 u8 u32 bool',
  CONV_2D: 'f32',
  CONV_3D: 'f32',
  CONV_3D_TRANSPOSE: 'f32',
  COS: 'f32',
  CUMSUM: 'f32 i32 i64',
  DEPTH_TO_SPACE: 'f32 i8 u8 i32 i64',
  DEPTHWISE_CONV_2D: 'f32',
  DIV: 'f32 i32',
  DYNAMIC_UPDATE_SLICE: 'bool i8 i16 i32 i64 f32 f16',
  ELU: 'f32',
  EQUAL: 'bool f32 i16 i32 i64 str',
  EXP: 'f32',
  FILL: 'f32 i32 i64 i8 i16 bool str f16',
  FLOOR: 'f32',
  FLOOR_DIV: 'f32 i8 i16 i32',
  FLOOR_MOD: 'f32 i8 i16 i32 i64',
  FULLY_CONNECTED: 'f32',
  GATHER: 'f32 bool i8 u8 i16 i32 i64 str',
  GATHER_ND: 'f32 bool i8 u8 i16 i32 i64 str',
  GELU: 'f32',
  GREATER: 'f32 i16 i32 i64',
  GREATER_EQUAL: 'f32 i16 i32 i64',
  IMAG: 'c64 c128',
  LEAKY_RELU: 'f32',
  LESS: 'f32 i16 i32 i64',
  LESS_EQUAL: 'f32 i16 i32 i64',
  LOCAL_RESPONSE_NORMALIZATION: 'f32',
  LOG: 'f32',
  LOG_SOFTMAX: 'f32',
  LOGISTIC: 'f32',
  MATRIX_DIAG: 'f32 i8 u8 i16 i32 u32 i64',
  MATRIX_SET_DIAG: 'f32 i8 u8 i16 i32 u32 i64',
  MAX_POOL_2D: 'f32 i8 u8 i16',
  MAXIMUM: 'f32 i8 u8 i16 i32 i64',
  MEAN: 'f32 i32 i64',
  MINIMUM: 'f32 i8 u8 i16 i32 i64',
  MIRROR_PAD: 'f32 i32 i64 i8 u8 i16',
  MUL: 'f32 i16 i32 u32 i64 c64',
  MULTINOMIAL: 'f32',
  NEG: 'f32 i32 i64',
  NON_MAX_SUPPRESSION_V4: 'f32',
  NON_MAX_SUPPRESSION_V5: 'f32',
  NOT_EQUAL: 'bool f32 i32 i64 str',
  ONE_HOT: 'f32 i32 i64 bool i8 u8',
  PACK: 'f32 i8 u8 i16 i32 u32 i64',
  PAD: 'f32 bool i8 u8 i16 i32 i64',
  PADV2: 'f32 bool i8 u8 i16 i32 i64',
  POW: 'f32 i32',
  RANGE: 'f32 i32 i64',
  READ_VARIABLE: 'f32 f64 bool u8 i8 i32 i64 c64 c128',
  REAL: 'c64 c128',
  REDUCE_ALL: 'bool',
  REDUCE_ANY: 'bool',
  REDUCE_MAX: 'f32 i32 i64 i8 u8 i16',
  REDUCE_MIN: 'f32 i32 i64 i8 u8 i16',
  REDUCE_PROD: 'f32 i32 i64',
  RELU: 'f32',
  RELU6: 'f32',
  RELU_N1_TO_1: 'f32',
  RESIZE_BILINEAR: 'f32',
  RESIZE_NEAREST_NEIGHBOR: 'f32 u8 i8 i16',
  REVERSE_SEQUENCE: 'f32 u8 i16 i32 i64',
  REVERSE_V2: 'f32 u8 i8 i16 i32 i64 bool',
  RFFT2D: 'f32',
  RIGHT_SHIFT: 'i8 u8 i16 u16 i32 u32',
  ROUND: 'f32',
  RSQRT: 'f32',
  SCATTER_ND: 'f32 i8 u8 i32 i64 bool',
  SEGMENT_SUM: 'f32 i32',
  SELECT: 'f32 bool i8 u8 i16 i32 u32 i64',
  SELECT_V2: 'f32 bool i8 u8 i16 i32 u32 i64',
  SIGN: 'f32 f64 i32',
  SIN: 'f32',
  SLICE: 'f32 bool i8 u8 i16 i32 u32 i64 str',
  SOFTMAX: 'f32',
  SPACE_TO_BATCH_ND: 'f32 i8 u8 i16 i32 i64',
  SPACE_TO_DEPTH: 'f32 i8 u8 i32 i64',
  SPARSE_TO_DENSE: 'f32 i32 i64 i8 u8',
  SPLIT: 'f32 i8 u8 i16 i32 i64',
  SPLIT_V: 'f32 i8 u8 i16 i32 i64',
  SQRT: 'f32',
  SQUARE: 'f32',
  SQUARED_DIFFERENCE: 'f32 i32',
  STABLEHLO_AND: 'i8 u8 i16 u16 i32 u32 i64 u64',
  STABLEHLO_SHIFT_LEFT: 'i8 i16 i32',
  STRIDED_SLICE: 'f32 f16 bool i8 u8 i16 i32 u32 i64 str',
  SUB: 'f32 i32 i64',
  SUM: 'f32 i32 i64',
  TANH: 'f32',
  TILE: 'f32 bool i8 u8 i32 i64 str',
  TOPK_V2: 'f32 i8 u8 i16 i32 i64',
  TRANSPOSE: 'f32 bool i8 u8 i16 i32 i64',
  TRANSPOSE_CONV: 'f32',
  UNIQUE: 'f32 i8 u8 i16 i32 i64',
  UNPACK: 'f32 bool i8 u8 i16 i32',
  UNSORTED_SEGMENT_MAX: 'f32 i32',
  UNSORTED_SEGMENT_MIN: 'f32 i32',
  UNSORTED_SEGMENT_PROD: 'f32 i32',
  UNSORTED_SEGMENT_SUM: 'f32 i32',
  WHERE: 'f32 bool i8 u8 i32 u32 i64',
  ZEROS_LIKE: 'f32 i32 i64',
};

const TYPES = new Map(
  Object.entries(KERNELS).map(([code, list]) => [code, new Set(list.split(' ').map((s) => SHORT[s]))]),
);

/** Largest rank of operands with different shapes. Equal shapes may have any rank. */
const BROADCAST_RANK: Record<string, number> = {
  ADD: 6,
  SUB: 6,
  MUL: 6,
  DIV: 5,
  MAXIMUM: 5,
  MINIMUM: 5,
  SELECT_V2: 5,
  EQUAL: 4,
  NOT_EQUAL: 4,
  LESS: 4,
  LESS_EQUAL: 4,
  GREATER: 4,
  GREATER_EQUAL: 4,
  FLOOR_DIV: 4,
  FLOOR_MOD: 4,
  POW: 4,
  SQUARED_DIFFERENCE: 4,
  LOGICAL_AND: 4,
  LOGICAL_OR: 4,
  BITWISE_XOR: 4,
  RIGHT_SHIFT: 4,
  // These want equal shapes.
  ATAN2: 0,
  STABLEHLO_AND: 0,
  STABLEHLO_SHIFT_LEFT: 0,
};

/** Smallest and largest rank of the main operand, where kernels have them. */
const RANKS: Record<string, [least: number, most: number]> = {
  BATCH_MATMUL: [2, 5],
  BATCH_TO_SPACE_ND: [3, 4],
  BROADCAST_TO: [0, 8],
  DEPTH_TO_SPACE: [4, 4],
  PAD: [0, 5],
  PADV2: [0, 5],
  SLICE: [0, 6],
  SPACE_TO_BATCH_ND: [3, 4],
  SPACE_TO_DEPTH: [4, 4],
  STRIDED_SLICE: [0, 5],
  TRANSPOSE: [0, 6],
};

/** True when the builtin's kernel takes this type; a type that inference does not know may be one. */
export function kernelTakes(code: string, dtype: DType | undefined): boolean {
  return dtype === undefined || (TYPES.get(code)?.has(dtype) ?? true);
}

/** Why the builtin cannot take an operand of this type. */
export function refuseType(code: string, dtype: DType | undefined): Refusal | undefined {
  if (kernelTakes(code, dtype)) return undefined;
  const types = [...(TYPES.get(code) as Set<DType>)];
  return {
    reason: `${code} has no ${dtype} kernel`,
    hint: `it takes ${types.join(', ')}`,
  };
}

/** Why the builtin cannot take an operand of this shape. */
export function refuseRank(code: string, shape: Shape | undefined): Refusal | undefined {
  if (!Object.hasOwn(RANKS, code) || !shape) return undefined;
  const [least, most] = RANKS[code];
  if (shape.length >= least && shape.length <= most) return undefined;
  const limit = shape.length < least ? `at least ${least}` : `at most ${most}`;
  return { reason: `${code} takes ${limit} dimensions, here are ${shape.length}` };
}

/** Largest rank up to which the builtin's kernel broadcasts operands of different shapes. */
export function broadcastRank(code: string): number {
  return BROADCAST_RANK[code] ?? Infinity;
}

/** True when the builtin's kernel broadcasts these operands itself. */
export function kernelBroadcasts(code: string, operands: readonly Value[]): boolean {
  const limit = broadcastRank(code);
  const shapes = operands.map((v) => v.shape ?? null);
  // Of unknown rank most are small; where nothing broadcasts that does not help.
  if (shapes.every((s) => (s === null ? limit > 0 : s.length <= limit))) return true;
  if (new Set(operands.map(shapedBy)).size === 1) return true;
  return shapes.every((s) => isStatic(s) && sameShape(s, shapes[0]));
}

/** What a value has its shape from, where that can be told: the value whose shape it was given, or the sizes. */
function shapedBy(value: Value): Value {
  const { op, inputs } = value.node;
  const sizes = op === 'BroadcastTo' ? inputs[1] : op === 'Fill' ? inputs[0] : undefined;
  if (!sizes) return value;
  return sizes.node.op === 'Shape' ? sizes.node.inputs[0] : sizes;
}

/** Why the builtin cannot broadcast its operands. */
export function refuseBroadcast(code: string, operands: readonly Value[]): Refusal | undefined {
  return kernelBroadcasts(code, operands)
    ? undefined
    : { reason: `${code} broadcasts up to ${BROADCAST_RANK[code]} dimensions` };
}

/** What `direct` makes, refused for types, ranks and broadcasts that the kernel does not take. */
export function kernel(
  code: string,
  options?: FlatObject | ((node: Node) => FlatObject),
  more: Partial<LoweringRow> = {},
): LoweringRow {
  return direct(code, options, {
    ...more,
    refuse: (node) =>
      refuseType(code, node.inputs[0].dtype) ??
      refuseRank(code, node.inputs[0].shape) ??
      refuseBroadcast(code, node.inputs) ??
      more.refuse?.(node),
  });
}
