/**
 * Given:  DIV(x, constant)
 * Result: MUL(x, 1 / constant)
 *
 * DIV has no integer kernel. In float the quotient stays: it is rounded once, the product twice.
 */
import { bufferOf, floats } from '../fuse/edit';
import { TfliteTensor, type TfliteOp } from '../tflite/model';

export function multiplyByReciprocals(ops: Iterable<TfliteOp>): void {
  const made = new Map<TfliteTensor, TfliteTensor | undefined>();
  for (const op of ops) {
    const divisor = op.inputs[1];
    if (op.code !== 'DIV' || !divisor?.isConstant || op.inputs[0]?.isConstant) continue;
    if (!made.has(divisor)) made.set(divisor, reciprocalOf(divisor));
    const factor = made.get(divisor);
    if (!factor) continue;
    op.code = 'MUL';
    op.inputs = [op.inputs[0], factor];
    op.options = { ...op.options, type: 'MulOptions' };
  }
}

function reciprocalOf(divisor: TfliteTensor): TfliteTensor | undefined {
  const values = floats(divisor)?.map((v) => 1 / v);
  if (!values?.length || !values.every((v) => Number.isFinite(v) && v !== 0)) return undefined;
  const factor = new TfliteTensor(`${divisor.name}/reciprocal`, 'FLOAT32', divisor.shape);
  factor.buffer = bufferOf(values);
  return factor;
}
