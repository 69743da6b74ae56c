/**
 * NumPy's .npz: a zip of .npy files, one per array.
 *
 *   .npy   93 "NUMPY", version major, minor, header length (2 bytes; 4 from version 2 on), header, elements
 *   header a Python dictionary as text: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 *   descr  byte order (< little, > big, | none), kind, bytes of an element
 *          kinds: b bool, i int, u uint, f float, c complex, S bytes, U text (4 bytes a character), V raw, O object
 *
 * Tensors are little-endian and row-major, so other orders are turned. `S` and `U` become string tensors, without
 * the padding zeros (as NumPy itself gives them); `U` as UTF-8.
 */
import {
  MAX_NPY_HEADER_BYTES,
  MAX_NPZ_ARRAY_BYTES,
  MAX_NPZ_BYTES,
  MAX_RANK,
  MAX_STRINGS,
} from '../bytes/limits';
import { dtypeKind, dtypeSize, type DType } from '../tensor/dtype';
import { elementCount } from '../tensor/shape';
import { MAX_TENSOR_BYTES, Tensor } from '../tensor/tensor';
import { damaged, fileError, RandomAccessFile, readFile } from './file';
import { parseNpyHeader, type NpyHeader } from './npy-header';
import { readZipEntry, zipEntries } from './zip';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/** dtypes by kind and size of NumPy's. float16 is `f2`; bfloat16 has no name of NumPy's own. */
const DTYPES = new Map<string, DType>([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['c8', 'complex64'],
  ['c16', 'complex128'],
]);

/**
 * The arrays of an .npz by name, in the order of the archive.
 *
 * @throws FloeError S001, S002, S004, S005, S007 (a dtype that no tensor has), S010
 */
export function readNpz(path: string): Map<string, Tensor> {
  const file = new RandomAccessFile(path);
  try {
    const arrays = new Map<string, Tensor>();
    let total = 0;
    for (const entry of zipEntries(file)) {
      if (entry.name.endsWith('/')) continue;
      if (!entry.name.endsWith('.npy')) {
        throw fileError('S003', path, `${path} holds "${entry.name}", which is not an array (.npy)`);
      }
      total += entry.size;
      if (total > MAX_NPZ_BYTES)
        throw fileError('S010', path, `${path} has more than ${MAX_NPZ_BYTES} bytes of arrays`);
      const name = entry.name.slice(0, -'.npy'.length);
      if (arrays.has(name)) throw damaged(path, entry.offset, `it has two arrays named "${name}"`);
      const bytes = readZipEntry(file, entry, MAX_NPZ_ARRAY_BYTES);
      arrays.set(name, readNpy(bytes, `${path}: ${entry.name}`));
    }
    return arrays;
  } finally {
    file.close();
  }
}

/** The array of an .npy file. @throws FloeError S001, S002, S004, S007, S010 */
export function readNpyFile(path: string): Tensor {
  return readNpy(readFile(path, MAX_NPZ_ARRAY_BYTES), path);
}

/** The array of an .npy file's bytes. @param file its name for error messages @throws FloeError S004, S007, S010 */
export function readNpy(bytes: Uint8Array, file: string): Tensor {
  const { header, start } = readHeader(bytes, file);
  const [, order, kind, width] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(header.descr) ?? [];
  const size = elementCount(header.shape);
  if (!Number.isSafeInteger(size) || header.shape.length > MAX_RANK) {
    throw damaged(file, 8, `the shape (${header.shape.join(', ')})`);
  }
  const isText = kind === 'S' || kind === 'U';
  const dtype = isText ? 'string' : DTYPES.get(`${kind}${width}`);
  if (!dtype) throw unsupported(file, header.descr);
  const elementBytes = Number(width) * (kind === 'U' ? 4 : 1);
  const elements = bytes.subarray(start);
  if (elements.length !== size * elementBytes) {
    const message = `an array of ${size} elements has ${elements.length} bytes instead of ${size * elementBytes}`;
    throw damaged(file, start, message);
  }
  if (size * Math.max(1, dtypeSize(dtype)) > MAX_TENSOR_BYTES || (isText && size > MAX_STRINGS)) {
    throw fileError('S010', file, `${file} has ${size} elements, more than a tensor may have`);
  }
  const swap = order === '>';
  const rows = header.fortranOrder ? rowMajorOrder(header.shape) : undefined;
  if (isText) {
    const strings = Array.from({ length: size }, (_, i) => {
      const at = (rows ? rows(i) : i) * elementBytes;
      const one = elements.subarray(at, at + elementBytes);
      return kind === 'S' ? withoutPadding(one) : utf8Of(one, swap, file, start + at);
    });
    return Tensor.fromStrings(header.shape, strings);
  }
  let packed = elements;
  if (rows) {
    packed = new Uint8Array(elements.length);
    for (let i = 0; i < size; i++) {
      const at = rows(i) * elementBytes;
      packed.set(elements.subarray(at, at + elementBytes), i * elementBytes);
    }
  }
  // The two halves of a complex number are turned each for itself.
  const unit = dtypeKind(dtype) === 'complex' ? elementBytes / 2 : elementBytes;
  if (swap && unit > 1) packed = swapped(packed, unit);
  if (dtype === 'bool' && packed.some((b) => b > 1))
    throw damaged(file, start, 'a truth value is neither 0 nor 1');
  return Tensor.fromBytes(dtype, header.shape, packed);
}

function readHeader(bytes: Uint8Array, file: string): { header: NpyHeader; start: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 10 || !buffer.subarray(0, 6).equals(MAGIC))
    throw damaged(file, 0, 'it is not an .npy file');
  const version = buffer[6];
  if (version < 1 || version > 3)
    throw fileError('S007', file, `${file} has .npy version ${version}; 1 to 3 are read`);
  const lengthBytes = version === 1 ? 2 : 4;
  if (buffer.length < 8 + lengthBytes) throw damaged(file, 8, 'its header is cut off');
  const length = buffer.readUIntLE(8, lengthBytes);
  const start = 8 + lengthBytes + length;
  if (length > MAX_NPY_HEADER_BYTES || start > buffer.length)
    throw damaged(file, 8, `a header of ${length} bytes`);
  const text = buffer.toString(version === 3 ? 'utf8' : 'latin1', 8 + lengthBytes, start);
  return { header: parseNpyHeader(text, file, 8 + lengthBytes), start };
}

function unsupported(file: string, descr: string): Error {
  const object = descr.endsWith('O') ? ' (Python objects)' : '';
  const hint = 'convert the array with .astype(...) to a number type or to bytes (S) before it is saved';
  return fileError(
    'S007',
    file,
    `${file} has elements of NumPy type ${descr}${object}, which cannot be read`,
    hint,
  );
}

/** From a row-major position to the position in a column-major array of the same shape. */
function rowMajorOrder(shape: readonly number[]): (i: number) => number {
  return (i) => {
    let at = 0;
    let rest = i;
    let step = elementCount(shape);
    for (let d = shape.length - 1; d >= 0; d--) {
      step /= shape[d];
      at += (rest % shape[d]) * step;
      rest = Math.floor(rest / shape[d]);
    }
    return at;
  };
}

function swapped(bytes: Uint8Array, unit: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += unit) {
    for (let i = 0; i < unit; i++) out[at + i] = bytes[at + unit - 1 - i];
  }
  return out;
}

function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

/** UTF-8 of a fixed-width UTF-32 text. */
function utf8Of(bytes: Uint8Array, bigEndian: boolean, file: string, offset: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const codes: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) codes.push(view.getUint32(at, !bigEndian));
  while (codes.length > 0 && codes[codes.length - 1] === 0) codes.pop();
  if (codes.some((c) => c > 0x10ffff || (c >= 0xd800 && c < 0xe000))) {
    throw damaged(file, offset, 'a text holds a number that is no Unicode character');
  }
  return Buffer.from(codes.map((c) => String.fromCodePoint(c)).join(''));
}
