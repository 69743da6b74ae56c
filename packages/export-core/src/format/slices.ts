/**
 * Slices of partitioned variables: how checkpoints name them and how they are put together.
 *
 * A slice is a start and a length per dimension; no length means the whole dimension. Its key in a table is made of
 * order-preserving numbers and strings (TensorFlow's OrderedCode):
 *
 *   key     number 0, string name, number rank, then per dimension signed start, signed length (-1: whole)
 *   number  count of bytes, then the value big-endian without leading zeros
 *   string  its bytes with 00 as 00 ff and ff as ff 00, then 00 01
 *   signed  n bytes for a value of up to 7 n - 1 bits: n ones and a zero, then the value big-endian;
 *           for negative values the code of their complement with every bit inverted
 *
 * A key of a slice starts with 00 (the number 0 has no bytes), which no variable's name does.
 */
import { MAX_RANK } from '../bytes/limits';
import { dtypeSize, type DType } from '../tensor/dtype';
import { elementCount, stridesOf } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { TensorSliceProto } from './proto';

/** One slice of a variable of known shape. */
export interface Slice {
  start: number[];
  shape: number[];
  /** Its entry's key. */
  key: Buffer;
}

/** True for keys of slices, false for names of variables. */
export function isSliceKey(key: Uint8Array): boolean {
  return key.length > 0 && key[0] === 0;
}

/**
 * A slice of the variable `name` of shape `full`.
 *
 * @throws RangeError when it does not lie within the shape
 */
export function sliceOf(name: string, full: readonly number[], proto: TensorSliceProto): Slice {
  if (proto.extent.length !== full.length || full.length > MAX_RANK) {
    throw new RangeError(`a slice has ${proto.extent.length} dimensions, the variable ${full.length}`);
  }
  const parts = [Buffer.of(0), orderedString(name), orderedNumber(full.length)];
  const start: number[] = [];
  const shape: number[] = [];
  proto.extent.forEach((extent, i) => {
    const whole = extent.has_length_hack === undefined;
    const length = whole ? BigInt(full[i]) - extent.start : extent.length;
    if (extent.start < 0n || length < 0n || extent.start + length > BigInt(full[i])) {
      throw new RangeError(`a slice of dimension ${i} is ${extent.start} + ${length} of ${full[i]}`);
    }
    start.push(Number(extent.start));
    shape.push(Number(length));
    parts.push(orderedSigned(extent.start), orderedSigned(whole ? -1n : extent.length));
  });
  return { start, shape, key: Buffer.concat(parts) };
}

function orderedNumber(value: number): Buffer {
  const bytes: number[] = [];
  for (let v = value; v > 0; v = Math.floor(v / 256)) bytes.unshift(v & 255);
  return Buffer.from([bytes.length, ...bytes]);
}

function orderedString(text: string): Buffer {
  const bytes: number[] = [];
  for (const byte of Buffer.from(text)) {
    bytes.push(byte);
    if (byte === 0) bytes.push(0xff);
    else if (byte === 0xff) bytes.push(0);
  }
  return Buffer.from([...bytes, 0, 1]);
}

/** A signed number: n bytes hold 7 n - 1 bits beside the sign; n leading ones (inverted: zeros) and a zero tell n. */
function orderedSigned(value: bigint): Buffer {
  const magnitude = value < 0n ? ~value : value;
  let bytes = 1;
  while (magnitude >> BigInt(7 * bytes - 1)) bytes++;
  const header = ((1n << BigInt(bytes)) - 1n) << BigInt(7 * bytes);
  const coded = value < 0n ? ~(header | magnitude) : header | magnitude;
  const hex = BigInt.asUintN(8 * bytes, coded).toString(16);
  return Buffer.from(hex.padStart(2 * bytes, '0'), 'hex');
}

/**
 * Puts slices together.
 *
 * @param parts each slice with its elements, a tensor of the slice's shape
 * @throws RangeError when the slices do not cover every element exactly once
 */
export function assembleSlices(
  dtype: DType,
  shape: readonly number[],
  parts: Iterable<{ slice: Slice; tensor: Tensor }>,
): Tensor {
  const size = elementCount(shape);
  const width = dtype === 'string' ? 0 : dtypeSize(dtype);
  const bytes = new Uint8Array(size * width);
  const strings = dtype === 'string' ? new Array<Uint8Array>(size) : undefined;
  const covered = new Uint8Array(size);
  let count = 0;
  for (const { slice, tensor } of parts) {
    count += tensor.size;
    forEachRun(shape, slice, (from, to, run) => {
      if (covered.subarray(to, to + run).includes(1)) throw new RangeError('two slices overlap');
      covered.fill(1, to, to + run);
      if (strings) for (let i = 0; i < run; i++) strings[to + i] = tensor.strings[from + i];
      else bytes.set(tensor.bytes.subarray(from * width, (from + run) * width), to * width);
    });
  }
  if (count !== size) throw new RangeError(`the slices hold ${count} of ${size} elements`);
  return strings ? Tensor.fromStrings(shape, strings) : Tensor.fromBytes(dtype, shape, bytes);
}

/** Calls back for each run of elements that is contiguous both in the slice (`from`) and in the whole (`to`). */
function forEachRun(
  full: readonly number[],
  slice: Slice,
  copy: (from: number, to: number, run: number) => void,
): void {
  const total = elementCount(slice.shape);
  if (total === 0) return;
  const strides = stridesOf(full);
  // Dimensions from `inner` on are taken whole: a run spans them and the part of the one before.
  let inner = full.length;
  while (inner > 0 && slice.shape[inner - 1] === full[inner - 1]) inner--;
  const axis = Math.max(0, inner - 1);
  const run = elementCount(slice.shape.slice(axis));
  const index = new Array<number>(axis).fill(0);
  for (let from = 0; from < total; from += run) {
    let to = full.length ? slice.start[axis] * strides[axis] : 0;
    for (let d = 0; d < axis; d++) to += (slice.start[d] + index[d]) * strides[d];
    copy(from, to, run);
    for (let d = axis - 1; d >= 0 && ++index[d] === slice.shape[d]; d--) index[d] = 0;
  }
}
