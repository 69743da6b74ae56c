/** The inputs of a converted model as a contract describes them. */
import type { Shape, Signature, TensorSpec } from '@floe/export-core';
import { dtypeOf, type TfliteModel, type TfliteSignature } from '../../tflite/model';

/** What each signature of the model is fed. A converted model's signatures have the contract's names. */
export function specsOf(model: TfliteModel): Signature[] {
  return model.signatures.map(({ key, inputs, outputs }) => ({
    key,
    inputs: inputs.map(specOf),
    outputs: outputs.map(specOf),
  }));
}

function specOf({ name, tensor }: TfliteSignature['inputs'][0]): TensorSpec {
  const shape: Shape = tensor.shape?.map((d) => (d < 0 ? null : d)) ?? null;
  return { name, tensor: tensor.name, dtype: dtypeOf(tensor.type) ?? 'variant', shape };
}
