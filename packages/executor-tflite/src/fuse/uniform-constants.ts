/**
 * Given:  y = MAXIMUM(x, c)      c a constant of x's shape with one number everywhere
 * Result: y = MAXIMUM(x, that number)
 */
import { broadcastRank } from '../lower/kernel-types';
import { TfliteTensor, type TfliteSubgraph } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { sameShape } from './match';

/** Operators whose kernels broadcast either operand. */
const BROADCASTING = new Set(
  `ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD
  EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR`.split(/\s+/),
);
/** Below this nothing is gained, and kernels are at their best with what they know. */
const MIN_BYTES = 64;
/** Weights are read when they are written, not to look for this. */
const MAX_BYTES = 1 << 20;

export function shrinkUniformConstants(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!BROADCASTING.has(op.code)) continue;
    op.inputs.forEach((tensor, i) => {
      const other = op.inputs[1 - i];
      if (!tensor || !other || other.isConstant || !sameShape(other, op.outputs[0])) return;
      // Beyond that rank a kernel takes equal shapes only.
      const one = other.shape!.length <= broadcastRank(op.code) && uniform(tensor);
      if (one) edit.setInput(op, i, one);
    });
  }
  return edit.commit();
}

function uniform(tensor: TfliteTensor): TfliteTensor | undefined {
  const { buffer, elements, type } = tensor;
  const size = buffer && (buffer.byteLength ?? buffer.bytes.length);
  if (!size || size < MIN_BYTES || size > MAX_BYTES || elements < 2 || type === 'STRING') return undefined;
  const width = size / elements;
  const bytes = Buffer.from(buffer.bytes.buffer, buffer.bytes.byteOffset, size);
  // Each byte equals the one an element before it.
  if (!bytes.subarray(width).equals(bytes.subarray(0, size - width))) return undefined;
  const scalar = new TfliteTensor(tensor.name, type, []);
  scalar.buffer = { bytes: Uint8Array.from(bytes.subarray(0, width)) };
  scalar.quantization = tensor.quantization;
  return scalar;
}
