/** Constants in another form. */
import { Tensor, type DType } from '@floe/export-core';
import { floatsOf } from '../fuse/edit';
import { dtypeOf, TfliteTensor, type ConstBuffer } from '../tflite/model';
import { INTEGER_TYPES, quantizeValues } from './affine';
import { formKey, type Form } from './plan';

/** Makes each constant once in each form, also where several tensors are one buffer of the file. */
export class ConstantForms {
  private readonly tensors = new Map<TfliteTensor, Map<string, TfliteTensor>>();
  private readonly buffers = new Map<ConstBuffer, Map<string, ConstBuffer>>();

  /**
   * The constant in that form. It keeps its name; a second form of the same constant gets the form's type added.
   * Large contents are made when they are written, so that a model's weights are never held twice.
   */
  get(tensor: TfliteTensor, form: Form): TfliteTensor {
    const forms = entry(this.tensors, tensor);
    const key = formKey(form);
    let result = forms.get(key);
    if (!result) {
      const name = forms.size ? `${tensor.name}/${form.type.toLowerCase()}_${forms.size}` : tensor.name;
      result = new TfliteTensor(name, form.type, tensor.shape);
      result.quantization = form.quantization;
      result.buffer = this.buffer(tensor, form, key);
      forms.set(key, result);
    }
    return result;
  }

  private buffer(tensor: TfliteTensor, form: Form, key: string): ConstBuffer {
    const source = tensor.buffer as ConstBuffer;
    const forms = entry(this.buffers, source);
    const full = `${key} ${tensor.shape}`;
    let buffer = forms.get(full);
    if (!buffer) forms.set(full, (buffer = converted(source, tensor.shape as number[], form)));
    return buffer;
  }
}

function converted(source: ConstBuffer, shape: number[], { type, quantization }: Form): ConstBuffer {
  if (type === 'FLOAT16') {
    return Tensor.deferred('float16', shape, () => {
      const half = Tensor.fromNumbers('float16', shape, Array.from(floatsOf(source.bytes)));
      return half.bytes;
    });
  }
  if (!quantization) throw new TypeError(`${type} needs quantisation parameters`);
  const make = () => quantizeValues(floatsOf(source.bytes), shape, quantization, type);
  if (INTEGER_TYPES[type].bytes < 1) return { bytes: make() };
  return Tensor.deferred(dtypeOf(type) as DType, shape, make);
}

function entry<K, V>(map: Map<K, Map<string, V>>, key: K): Map<string, V> {
  let inner = map.get(key);
  if (!inner) map.set(key, (inner = new Map()));
  return inner;
}
