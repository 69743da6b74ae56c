/** Numeric elements of any dtype widened for computing, and results rounded back once. */
import { rawToNumber, type DType } from '../../tensor/dtype';
import { Tensor } from '../../tensor/tensor';

/** The elements as floats: float32 and float64 as they are, everything else in a copy. */
export function widen(x: Tensor): Float32Array | Float64Array {
  const { data, dtype } = x;
  if (dtype === 'float32' || dtype === 'float64') return data as Float32Array;
  const floats = new Float64Array(data.length);
  for (let i = 0; i < floats.length; i++) floats[i] = rawToNumber(dtype, data[i]);
  return floats;
}

/** A tensor of results, each rounded to the dtype. */
export function narrow(dtype: DType, shape: readonly number[], floats: Float64Array | Float32Array): Tensor {
  if (dtype === 'float64') return Tensor.fromArray(dtype, shape, Float64Array.from(floats));
  if (dtype === 'float32') {
    return Tensor.fromArray(
      dtype,
      shape,
      floats instanceof Float32Array ? floats : Float32Array.from(floats),
    );
  }
  return Tensor.fromNumbers(dtype, shape, floats as unknown as number[]);
}
