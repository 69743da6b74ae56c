/** Whether the target runtime has every operator of a model, at its version. The last check before a file is written. */
import { Diagnostics, type Diagnostic } from '@floe/export-core';
import type { TfliteModel, TfliteOp } from './model';
import { operatorVersion } from './op-version';
import { compareVersions } from './runtime-version';
import { runtimeOf } from './schema';
import { MAX_INLINE_BYTES } from './write';

/** TFLite Micro: the operators it has kernels for. It takes them at any version. */
export const MICRO_OPERATORS: ReadonlySet<string> = new Set(
  `ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D
    DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR
    FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF
    L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR
    RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH
    TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE`.split(/\s+/),
);

/**
 * T003 for each operator that the target has not, or not at this version: one for all nodes that need the same.
 * Custom operators are none of its business: whether they are allowed is `allowCustomOps`.
 *
 * @param runtime a TFLite version such as `2.14`, `tflm` for TFLite Micro; undefined for the newest runtime there is
 */
export function checkTarget(model: TfliteModel, runtime: string | undefined): Diagnostic[] {
  const diagnostics = new Diagnostics();
  const users = new Map<string, TfliteOp[]>();
  for (const op of model.subgraphs.flatMap((g) => g.ops)) {
    if (op.code === 'CUSTOM') continue;
    const key = `${op.code} ${operatorVersion(op)}`;
    const list = users.get(key);
    if (list) list.push(op);
    else users.set(key, [op]);
  }
  for (const ops of users.values()) {
    const [first] = ops;
    const problem = problemOf(first, runtime);
    if (!problem) continue;
    const node = first.source || first.outputs[0]?.name || '';
    const more = ops.length > 1 ? ` and ${ops.length - 1} more` : '';
    diagnostics.error('T003', `${first.code} of "${node}"${more} ${problem.reason}`, {
      node,
      hint: problem.hint,
    });
  }
  return diagnostics.list;
}

/** The runtime that first reads `Buffer.offset`, without which a file ends at 2 GiB. */
export const LARGE_FILES_SINCE = '2.14.0';

/**
 * T005 where the target does not read files of this size.
 *
 * @param bytes of the whole file
 * @param limit from which on buffers are named by their offset
 */
export function checkSize(
  bytes: number,
  runtime: string | undefined,
  limit = MAX_INLINE_BYTES,
): Diagnostic | undefined {
  const isOld =
    runtime !== undefined && (runtime === 'tflm' || compareVersions(runtime, LARGE_FILES_SINCE) < 0);
  if (bytes <= limit || !isOld) return undefined;
  const name = runtime === 'tflm' ? 'TFLite Micro' : `TFLite ${runtime}`;
  const newer = runtime === 'tflm' ? '' : 'target: { runtime: "2.14" }, or ';
  return {
    code: 'T005',
    severity: 'error',
    message: `the model has ${(bytes / 2 ** 30).toFixed(1)} GiB, and ${name} reads files of up to 2 GiB`,
    hint: `${newer}a variant with smaller weights: variants: { dynamic: { quantization: dynamic } }`,
  };
}

function problemOf(op: TfliteOp, runtime: string | undefined): { reason: string; hint: string } | undefined {
  const version = operatorVersion(op);
  const since = runtimeOf(op.code, version);
  if (since === undefined) {
    const reason = `has version ${version}, which no TFLite runtime has a kernel for`;
    return { reason, hint: 'use other element types or shapes at this node, or another op' };
  }
  if (runtime === 'tflm') {
    if (MICRO_OPERATORS.has(op.code)) return undefined;
    const reason = 'is not in TFLite Micro';
    return { reason, hint: `use another op, or set target.runtime to "${since}" for the full runtime` };
  }
  if (runtime === undefined || compareVersions(since, runtime) <= 0) return undefined;
  const reason = `needs version ${version}, which came with TFLite ${since}; the target is ${runtime}`;
  const older =
    version > 1 ? ` or change what makes it need version ${version} (types, shapes, options)` : '';
  return { reason, hint: `set target.runtime to "${since}"${older}` };
}
