/**
 * TensorProto to Tensor and back.
 *
 * A TensorProto holds its elements packed in `tensor_content`, or one by one in the list of its dtype
 * (`float_val`, `int_val`, …). A list shorter than the shape repeats its last element; an empty one is all zeros.
 */
import { dtypeFromCode, dtypeCode, dtypeSize, arrayType, type DType, type TypedArray } from '../tensor/dtype';
import type { Dim, Shape } from '../tensor/shape';
import { elementCount } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { MAX_EXPANDED_BYTES, MAX_RANK } from '../bytes/limits';
import type { MessageInit, TensorProto, TensorShapeProto } from './proto';

/** The shape a TensorShapeProto says; sizes below zero are unknown. */
export function shapeFromProto(proto: TensorShapeProto | null): Shape {
  if (!proto || proto.unknown_rank) return null;
  if (proto.dim.length > MAX_RANK) throw new RangeError(`a shape has ${proto.dim.length} dimensions`);
  return proto.dim.map((d): Dim => (d.size < 0n ? null : Number(d.size)));
}

export function shapeToProto(shape: Shape): MessageInit<'TensorShapeProto'> {
  if (shape === null) return { unknown_rank: true };
  return { dim: shape.map((d) => ({ size: BigInt(d ?? -1) })) };
}

/**
 * Reads a TensorProto; the result may be a view into its bytes.
 *
 * @throws RangeError when shape and elements do not fit together, TypeError for dtypes that hold no data
 */
export function tensorFromProto(proto: TensorProto): Tensor {
  const dtype = dtypeFromCode(proto.dtype);
  if (!dtype || dtype === 'resource' || dtype === 'variant')
    throw new RangeError(`a constant of dtype ${dtype ?? proto.dtype}`);
  const shape = shapeFromProto(proto.tensor_shape) ?? (proto.tensor_shape ? undefined : []);
  if (!shape || shape.some((d) => d === null)) throw new RangeError('a constant has an unknown shape');
  const dims = shape as number[];
  const size = elementCount(dims);
  if (dtype === 'string') return stringTensor(dims, size, proto.string_val);
  if (proto.tensor_content.length > 0) return Tensor.fromBytes(dtype, dims, proto.tensor_content);
  const listed = listedElements(dtype, proto);
  const count = listed.byteLength / dtypeSize(dtype);
  if (count > size) throw new RangeError(`a constant of ${size} elements lists ${count}`);
  if (count === size) return Tensor.fromBytes(dtype, dims, listed);
  if (count <= 1) return Tensor.filled(dtype, dims, count ? listed : new Uint8Array(dtypeSize(dtype)));
  if (size * dtypeSize(dtype) > MAX_EXPANDED_BYTES)
    throw new RangeError(`a constant of ${size} elements lists only ${count}`);
  const out = new Uint8Array(size * dtypeSize(dtype));
  out.set(listed);
  const last = listed.subarray(listed.byteLength - dtypeSize(dtype));
  for (let at = listed.byteLength; at < out.length; at += last.length) out.set(last, at);
  return Tensor.fromBytes(dtype, dims, out);
}

function stringTensor(shape: number[], size: number, strings: readonly Uint8Array[]): Tensor {
  if (strings.length > size) throw new RangeError(`a constant of ${size} strings lists ${strings.length}`);
  if (size > MAX_EXPANDED_BYTES / 8 && strings.length < size)
    throw new RangeError(`a constant of ${size} strings lists ${strings.length}`);
  const last = strings.at(-1) ?? new Uint8Array(0);
  return Tensor.fromStrings(
    shape,
    strings.length === size ? strings : Array.from({ length: size }, (_, i) => strings[i] ?? last),
  );
}

/** The elements of the list that a dtype uses, packed. */
function listedElements(dtype: DType, proto: TensorProto): Uint8Array {
  const pack = (values: readonly (number | bigint | boolean)[]) => {
    const data = new (arrayType(dtype))(values.length);
    for (let i = 0; i < values.length; i++)
      (data as { [i: number]: unknown })[i] = typeof values[i] === 'boolean' ? Number(values[i]) : values[i];
    return bytesOf(data);
  };
  switch (dtype) {
    case 'float32':
      return pack(proto.float_val);
    case 'float64':
      return pack(proto.double_val);
    case 'complex64':
      return pack(proto.scomplex_val);
    case 'complex128':
      return pack(proto.dcomplex_val);
    case 'int64':
      return pack(proto.int64_val);
    case 'uint64':
      return pack(proto.uint64_val);
    case 'uint32':
      return pack(proto.uint32_val);
    case 'bool':
      return pack(proto.bool_val);
    case 'float16':
    case 'bfloat16':
      return pack(proto.half_val);
    case 'float8_e5m2':
    case 'float8_e4m3fn':
      return proto.float8_val;
    default:
      return pack(proto.int_val);
  }
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The message for a tensor without its elements. */
export function tensorHead({ dtype, shape }: Tensor): MessageInit<'TensorProto'> {
  return { dtype: dtypeCode(dtype), tensor_shape: shapeToProto([...shape]) };
}

/** The message for a tensor. Packed elements are not copied; a tensor of equal elements lists one. */
export function tensorToProto(tensor: Tensor): MessageInit<'TensorProto'> {
  const head = tensorHead(tensor);
  if (tensor.dtype === 'string') return { ...head, string_val: tensor.strings };
  const one = tensor.splatElement;
  if (one && tensor.size > 1) return { ...head, ...listOf(Tensor.fromBytes(tensor.dtype, [], one)) };
  return { ...head, tensor_content: tensor.bytes };
}

function listOf(scalar: Tensor): MessageInit<'TensorProto'> {
  const values = Array.from(scalar.data as Iterable<number>);
  switch (scalar.dtype) {
    case 'float32':
      return { float_val: values };
    case 'float64':
      return { double_val: values };
    case 'complex64':
      return { scomplex_val: values };
    case 'complex128':
      return { dcomplex_val: values };
    case 'int64':
      return { int64_val: values as unknown as bigint[] };
    case 'uint64':
      return { uint64_val: values as unknown as bigint[] };
    case 'uint32':
      return { uint32_val: values };
    case 'bool':
      return { bool_val: values.map(Boolean) };
    case 'float16':
    case 'bfloat16':
      return { half_val: values };
    case 'float8_e5m2':
    case 'float8_e4m3fn':
      return { float8_val: scalar.bytes };
    default:
      return { int_val: values };
  }
}
