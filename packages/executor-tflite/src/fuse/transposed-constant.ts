/** Constants in the order of axes before a TRANSPOSE. */
import { Tensor } from '@floe/export-core';
import { dtypeOf, TfliteTensor } from '../tflite/model';
import { transposeTensor } from '../lower/transpose-tensor';

/**
 * A constant that broadcasts against TRANSPOSE(x, perm), so that it broadcasts against x alike.
 * Undefined where it has more axes than x.
 */
export function transposedConstant(
  constant: TfliteTensor,
  perm: readonly number[],
): TfliteTensor | undefined {
  const { shape, buffer, type, name, quantization } = constant;
  const dtype = dtypeOf(type);
  if (!shape || !buffer || !dtype || dtype === 'string' || quantization || shape.length > perm.length)
    return undefined;
  if (constant.elements === 1) return constant;
  const full = [...new Array<number>(perm.length - shape.length).fill(1), ...shape];
  const back = perm.map((_, axis) => perm.indexOf(axis));
  const source = Tensor.deferred(dtype, full, () => buffer.bytes);
  const moved = transposeTensor(source, back);
  const result = new TfliteTensor(name, type, moved.shape as number[]);
  result.buffer = moved;
  return result;
}
