/**
 * Zip archives: the list of members, and one member's bytes.
 *
 *   member       "PK" 03 04 … name length at 26, extra length at 28, name, extra, data
 *   directory    per member "PK" 01 02 … method at 10, CRC-32 at 16, sizes at 20 and 24, offset at 42, name at 46
 *   end          "PK" 05 06 … entries at 10, size of the directory at 12, its offset at 16, comment length at 20
 *   zip64        a 32-bit field of all ones stands for 64 bits in the extra field 0001, or in the record "PK" 06 06
 *                that the locator "PK" 06 07 before the end names
 */
import { inflateRawSync } from 'node:zlib';
import { crc32 } from '../bytes/crc32c';
import { MAX_ZIP_ENTRIES } from '../bytes/limits';
import { damaged, fileError, type RandomAccessFile } from './file';

export interface ZipEntry {
  name: string;
  method: number;
  crc: number;
  /** Bytes as stored and after decompression. */
  packed: number;
  size: number;
  /** Offset of the member's own header. */
  offset: number;
  encrypted: boolean;
}

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const DIRECTORY_HEAD_BYTES = 46;
const ALL_ONES = 0xffffffff;

/** The members in the order of the directory. @throws FloeError S004, S010 */
export function zipEntries(file: RandomAccessFile): ZipEntry[] {
  const directory = findDirectory(file);
  if (directory.count > MAX_ZIP_ENTRIES) {
    throw fileError(
      'S010',
      file.path,
      `${file.path} has ${directory.count} members, more than ${MAX_ZIP_ENTRIES}`,
    );
  }
  if (directory.size < directory.count * DIRECTORY_HEAD_BYTES) {
    throw damaged(
      file.path,
      directory.offset,
      `a directory of ${directory.size} bytes cannot list ${directory.count} members`,
    );
  }
  const bytes = file.read(directory.offset, directory.size);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const head = bytes.subarray(at, at + DIRECTORY_HEAD_BYTES);
    if (head.length < DIRECTORY_HEAD_BYTES || head.readUInt32LE(0) !== 0x02014b50) {
      throw damaged(file.path, directory.offset + at, 'the directory of the zip archive');
    }
    const nameEnd = at + DIRECTORY_HEAD_BYTES + head.readUInt16LE(28);
    const extraEnd = nameEnd + head.readUInt16LE(30);
    const end = extraEnd + head.readUInt16LE(32);
    if (end > bytes.length)
      throw damaged(file.path, directory.offset + at, 'the directory of the zip archive');
    const [size, packed, offset] = wideFields(
      [head.readUInt32LE(24), head.readUInt32LE(20), head.readUInt32LE(42)],
      bytes.subarray(nameEnd, extraEnd),
    );
    entries.push({
      name: bytes.toString('utf8', at + DIRECTORY_HEAD_BYTES, nameEnd),
      method: head.readUInt16LE(10),
      crc: head.readUInt32LE(16),
      packed,
      size,
      offset,
      encrypted: (head.readUInt16LE(8) & 1) === 1,
    });
    at = end;
  }
  return entries;
}

function findDirectory(file: RandomAccessFile): { count: number; size: number; offset: number } {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT_BYTES);
  const start = file.size - length;
  const tail = file.read(start, length);
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + END_BYTES + tail.readUInt16LE(at + 20) > length)
      continue;
    const found = {
      count: tail.readUInt16LE(at + 10),
      size: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    };
    const wide = found.count === 0xffff || found.size === ALL_ONES || found.offset === ALL_ONES;
    if (!wide || at < 20 || tail.readUInt32LE(at - 20) !== 0x07064b50) return found;
    const record = file.read(Number(tail.readBigUInt64LE(at - 12)), 56);
    if (record.readUInt32LE(0) !== 0x06064b50)
      throw damaged(file.path, start + at, 'the end of the zip archive');
    const [count, size, offset] = [32, 40, 48].map((p) => Number(record.readBigUInt64LE(p)));
    return { count, size, offset };
  }
  throw damaged(file.path, file.size, 'the end of the zip archive is missing');
}

/** Replaces fields of all ones by the 64-bit ones of the extra field, which stand there in the same order. */
function wideFields(fields: number[], extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const size = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let from = at + 4;
      const end = Math.min(from + size, extra.length);
      return fields.map((value) => {
        if (value !== ALL_ONES || from + 8 > end) return value;
        from += 8;
        return Number(extra.readBigUInt64LE(from - 8));
      });
    }
    at += 4 + size;
  }
  return fields;
}

/**
 * The bytes of a member, decompressed, checked against its CRC-32.
 *
 * @param limit the most bytes they may have
 * @throws FloeError S004, S005, S007 (another compression, encryption), S010
 */
export function readZipEntry(file: RandomAccessFile, entry: ZipEntry, limit: number): Uint8Array {
  const what = `"${entry.name}"`;
  if (entry.size > limit) {
    throw fileError('S010', file.path, `${what} in ${file.path} has ${entry.size} bytes, more than ${limit}`);
  }
  if (entry.encrypted) throw fileError('S007', file.path, `${what} in ${file.path} is encrypted`);
  const head = file.read(entry.offset, 30);
  if (head.readUInt32LE(0) !== 0x04034b50) throw damaged(file.path, entry.offset, `the head of ${what}`);
  const start = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
  const packed = file.read(start, entry.packed);
  const bytes = unpack(file, entry, start, packed);
  if (crc32(bytes) !== entry.crc)
    throw damaged(file.path, start, `the checksum of ${what} does not match`, 'S005');
  return bytes;
}

function unpack(file: RandomAccessFile, entry: ZipEntry, start: number, packed: Buffer): Uint8Array {
  const wrong = () =>
    damaged(file.path, start, `"${entry.name}" does not have the ${entry.size} bytes it says`);
  if (entry.method === 0) {
    if (packed.length !== entry.size) throw wrong();
    return packed;
  }
  if (entry.method !== 8) {
    const message = `"${entry.name}" in ${file.path} is compressed by method ${entry.method}; only deflate is read`;
    throw fileError('S007', file.path, message);
  }
  // Deflate makes at most 1032 bytes of one: a larger claim is a lie, found before memory is taken for it.
  if (entry.size > packed.length * 1032) throw wrong();
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(file.path, start, `"${entry.name}" cannot be decompressed: ${reason}`);
  }
  if (bytes.length !== entry.size) throw wrong();
  return bytes;
}
