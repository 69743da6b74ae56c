/** Numeric elements of any dtype as float64 for computing, and back. */
import { dtypeKind, rawToNumber, type DType } from '../../tensor/dtype';
import { Tensor } from '../../tensor/tensor';

export type Floats = Float32Array | Float64Array;

/** The elements as floats: float32 and float64 as they are, everything else widened to float64. */
export function floatsOf(x: Tensor): Floats {
  const { data, dtype } = x;
  if (dtype === 'float32' || dtype === 'float64') return data as Floats;
  const floats = new Float64Array(data.length);
  for (let i = 0; i < floats.length; i++) floats[i] = rawToNumber(dtype, data[i]);
  return floats;
}

/** A tensor of results, each rounded once to the dtype. */
export function fromFloats(dtype: DType, shape: readonly number[], floats: Float64Array): Tensor {
  if (dtype === 'float64') return Tensor.fromArray(dtype, shape, floats);
  if (dtype === 'float32') return Tensor.fromArray(dtype, shape, Float32Array.from(floats));
  return Tensor.fromNumbers(dtype, shape, floats as unknown as number[]);
}

/** Floating-point dtypes. */
export const isFloat = (dtype: DType): boolean => dtypeKind(dtype) === 'float';
