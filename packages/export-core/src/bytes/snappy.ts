/**
 * Snappy decompression with every claim of the stream checked first.
 *
 *   varint length of the result, then elements, each led by a tag byte whose low two bits say
 *   00 literal: length-1 in the upper six bits, or in 1 … 4 bytes after it (upper bits 60 … 63)
 *   01 copy: length-4 in bits 2 … 4, offset 11 bits      10 copy: length-1 in six bits, offset 16 bits
 *   11 copy: length-1 in six bits, offset 32 bits
 *
 * The library that decompresses trusts lengths (it can be made to loop for ever, and says nothing when the result is
 * shorter or longer than announced), so the stream is walked once before.
 */
import { uncompress } from 'snappyjs';
import type { FloeError } from '../diagnostics/diagnostic';
import { ByteCursor, type Failure } from './cursor';

/**
 * The decompressed bytes.
 *
 * @param limit the most bytes the result may have
 * @param failure makes the error for a place in `compressed`
 */
export function unsnappy(compressed: Uint8Array, limit: number, failure: Failure): Uint8Array {
  const cursor = new ByteCursor(compressed, 0, compressed.length, failure);
  const length = cursor.varint();
  if (length > limit) throw cursor.fail(`a block of ${length} bytes is larger than ${limit}`, 0);
  // A copy of three bytes makes at most 64: a larger claim is a lie, found before memory is taken for it.
  if (length > compressed.length * 64) throw cursor.fail('the length of a compressed block is wrong', 0);
  checkElements(cursor, length);
  return uncompress(compressed, limit);
}

function checkElements(cursor: ByteCursor, length: number): void {
  let made = 0;
  while (cursor.pos < cursor.end) {
    const at = cursor.pos;
    const tag = cursor.take(1)[0];
    const kind = tag & 3;
    let size: number;
    if (kind === 0) {
      size = (tag >>> 2) + 1;
      if (size > 60) size = littleEndian(cursor, size - 60) + 1;
      cursor.take(size);
    } else {
      size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const offset =
        kind === 1 ? ((tag >>> 5) << 8) | cursor.take(1)[0] : littleEndian(cursor, kind === 2 ? 2 : 4);
      if (offset === 0 || offset > made)
        throw cursor.fail('a compressed block copies from before its start', at);
    }
    made += size;
    if (made > length) throw wrong(cursor, at);
  }
  if (made !== length) throw wrong(cursor, cursor.pos);
}

function wrong(cursor: ByteCursor, at: number): FloeError {
  return cursor.fail('a compressed block is not as long as it says', at);
}

function littleEndian(cursor: ByteCursor, count: number): number {
  return cursor.take(count).reduceRight((value, byte) => value * 256 + byte, 0);
}
