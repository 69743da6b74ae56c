/**
 * TensorFlow's element types, in one table.
 *
 * `code` is the DataType enum of types.proto. `size` is the bytes of one element as TensorFlow stores it
 * (little-endian, packed); 0 where elements have no fixed size (string) or no bytes at all (resource, variant).
 */
import { halfToFloat, floatToHalf, bfloat16ToFloat, floatToBfloat16 } from '../bytes/half';

interface DTypeRow {
  code: number;
  size: number;
  kind: 'float' | 'int' | 'uint' | 'bool' | 'string' | 'complex' | 'quantized' | 'opaque';
}

const TABLE = {
  float32: { code: 1, size: 4, kind: 'float' },
  float64: { code: 2, size: 8, kind: 'float' },
  int32: { code: 3, size: 4, kind: 'int' },
  uint8: { code: 4, size: 1, kind: 'uint' },
  int16: { code: 5, size: 2, kind: 'int' },
  int8: { code: 6, size: 1, kind: 'int' },
  string: { code: 7, size: 0, kind: 'string' },
  complex64: { code: 8, size: 8, kind: 'complex' },
  int64: { code: 9, size: 8, kind: 'int' },
  bool: { code: 10, size: 1, kind: 'bool' },
  qint8: { code: 11, size: 1, kind: 'quantized' },
  quint8: { code: 12, size: 1, kind: 'quantized' },
  qint32: { code: 13, size: 4, kind: 'quantized' },
  bfloat16: { code: 14, size: 2, kind: 'float' },
  qint16: { code: 15, size: 2, kind: 'quantized' },
  quint16: { code: 16, size: 2, kind: 'quantized' },
  uint16: { code: 17, size: 2, kind: 'uint' },
  complex128: { code: 18, size: 16, kind: 'complex' },
  float16: { code: 19, size: 2, kind: 'float' },
  resource: { code: 20, size: 0, kind: 'opaque' },
  variant: { code: 21, size: 0, kind: 'opaque' },
  uint32: { code: 22, size: 4, kind: 'uint' },
  uint64: { code: 23, size: 8, kind: 'uint' },
  float8_e5m2: { code: 24, size: 1, kind: 'float' },
  float8_e4m3fn: { code: 25, size: 1, kind: 'float' },
} as const satisfies Record<string, DTypeRow>;

export type DType = keyof typeof TABLE;

export const DTYPES = Object.keys(TABLE) as DType[];

const BY_CODE = new Map<number, DType>(DTYPES.map((name) => [TABLE[name].code, name]));

/** Adding 100 to a DataType code makes the reference type (types.proto: DT_FLOAT_REF = 101). */
const REF_OFFSET = 100;

/** The dtype of a DataType enum value; reference types give their base type; undefined when unknown. */
export function dtypeFromCode(code: number): DType | undefined {
  return BY_CODE.get(code > REF_OFFSET ? code - REF_OFFSET : code);
}

export function dtypeCode(dtype: DType): number {
  return TABLE[dtype].code;
}

/** Bytes of one element; 0 for string, resource and variant. */
export function dtypeSize(dtype: DType): number {
  return TABLE[dtype].size;
}

export function dtypeKind(dtype: DType): DTypeRow['kind'] {
  return TABLE[dtype].kind;
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(TABLE, name);
}

/** Every typed array a tensor's elements can be seen through. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

type TypedArrayConstructor = {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
};

/**
 * The array type that holds a dtype's raw elements. float16 and bfloat16 are kept as their 16 bits;
 * complex numbers as (real, imaginary) pairs; bool as one byte each. String and opaque types have none.
 */
export function arrayType(dtype: DType): TypedArrayConstructor {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return Float32Array as TypedArrayConstructor;
    case 'float64':
    case 'complex128':
      return Float64Array as TypedArrayConstructor;
    case 'int32':
    case 'qint32':
      return Int32Array as TypedArrayConstructor;
    case 'uint32':
      return Uint32Array as TypedArrayConstructor;
    case 'int16':
    case 'qint16':
      return Int16Array as TypedArrayConstructor;
    case 'uint16':
    case 'quint16':
    case 'float16':
    case 'bfloat16':
      return Uint16Array as TypedArrayConstructor;
    case 'int8':
    case 'qint8':
      return Int8Array as TypedArrayConstructor;
    case 'int64':
      return BigInt64Array as unknown as TypedArrayConstructor;
    case 'uint64':
      return BigUint64Array as unknown as TypedArrayConstructor;
    case 'string':
    case 'resource':
    case 'variant':
      throw new TypeError(`dtype ${dtype} has no array type`);
    default:
      return Uint8Array as TypedArrayConstructor;
  }
}

/** Reads a raw 16-bit or plain element as a JavaScript number (float16 and bfloat16 are widened, exactly). */
export function rawToNumber(dtype: DType, raw: number | bigint): number {
  if (dtype === 'float16') return halfToFloat(Number(raw));
  if (dtype === 'bfloat16') return bfloat16ToFloat(Number(raw));
  return Number(raw);
}

/** Rounds a JavaScript number to a dtype's raw element (ties to even for floats; integers wrap as in C). */
export function numberToRaw(dtype: DType, value: number): number | bigint {
  if (dtype === 'float16') return floatToHalf(value);
  if (dtype === 'bfloat16') return floatToBfloat16(value);
  if (dtype === 'int64') return BigInt.asIntN(64, BigInt(Math.trunc(value)));
  if (dtype === 'uint64') return BigInt.asUintN(64, BigInt(Math.trunc(value)));
  if (dtype === 'bool') return value ? 1 : 0;
  return value;
}
