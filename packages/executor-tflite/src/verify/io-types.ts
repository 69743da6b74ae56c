/**
 * Between the contract's types and those of a quantised model's inputs and outputs:
 *
 *   q = clamp(round(x / scale) + zeroPoint),  x = (q - zeroPoint) · scale
 */
import { dtypeKind, dtypeSize, Tensor, type DType } from '@floe/export-core';
import type { TensorInfo } from './litert';

/** A sample as the model takes it; undefined where its type cannot be made of the sample's. */
export function toModelInput(
  tensor: Tensor,
  { dtype, tensor: { quantization } }: TensorInfo,
): Tensor | undefined {
  if (tensor.dtype === dtype) return tensor;
  if (!quantization || dtypeKind(tensor.dtype) !== 'float' || !isInteger(dtype)) return undefined;
  const [scale] = quantization.scale;
  const [zeroPoint] = quantization.zeroPoint;
  const bits = 8 * dtypeSize(dtype);
  const [low, high] =
    dtypeKind(dtype) === 'uint' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const quantized = tensor.toNumbers().map((x) => {
    const q = awayFromZero(x / scale) + zeroPoint;
    return Math.min(high, Math.max(low, q));
  });
  return Tensor.fromNumbers(dtype, tensor.shape, quantized);
}

/** An output as the contract has it; as it is where its type cannot be turned into the contract's. */
export function fromModelOutput(
  tensor: Tensor,
  wanted: DType,
  { tensor: { quantization } }: TensorInfo,
): Tensor {
  if (tensor.dtype === wanted || !quantization || dtypeKind(wanted) !== 'float' || !isInteger(tensor.dtype))
    return tensor;
  const [scale] = quantization.scale;
  const [zeroPoint] = quantization.zeroPoint;
  return Tensor.fromNumbers(
    wanted,
    tensor.shape,
    tensor.toNumbers().map((q) => (q - zeroPoint) * scale),
  );
}

function isInteger(dtype: DType): boolean {
  return ['int', 'uint'].includes(dtypeKind(dtype));
}

/** Halves are rounded away from zero, as TFLite's own quantisation of values does. */
function awayFromZero(x: number): number {
  return x < 0 ? -Math.round(-x) : Math.round(x);
}
