/** Cuts a box out of a tensor. */
import { dtypeSize } from '../tensor/dtype';
import { stridesOf } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { Range } from './checkpoint-keys';

/** The box that one range an axis makes; throws RangeError when it leaves the tensor. */
export function sliceTensor(tensor: Tensor, ranges: readonly Range[]): Tensor {
  const { shape, dtype } = tensor;
  if (ranges.length !== shape.length || ranges.some((r, i) => r.start + r.length > shape[i])) {
    throw new RangeError(`a slice leaves its tensor of shape [${shape.join(',')}]`);
  }
  const size = dtypeSize(dtype);
  const strides = stridesOf(shape);
  const out = Buffer.alloc(ranges.reduce((n, r) => n * r.length, size));
  const last = ranges.length - 1;
  const row = last < 0 ? size : ranges[last].length * size;
  let at = 0;
  const copy = (axis: number, offset: number): void => {
    if (axis >= last) {
      const start = (offset + (last < 0 ? 0 : ranges[last].start)) * size;
      out.set(tensor.bytes.subarray(start, start + row), at);
      at += row;
      return;
    }
    for (let i = 0; i < ranges[axis].length; i++)
      copy(axis + 1, offset + (ranges[axis].start + i) * strides[axis]);
  };
  if (out.length) copy(0, 0);
  return Tensor.fromBytes(
    dtype,
    ranges.map((r) => r.length),
    out,
  );
}
