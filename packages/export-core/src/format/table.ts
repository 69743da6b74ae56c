/**
 * Table files: sorted, immutable maps from byte keys to byte values, in the layout of LevelDB's tables. The `.index`
 * of a V2 checkpoint is one, and so is a whole V1 checkpoint.
 *
 *   file    block … block  metaindex block  index block  footer
 *   footer  (48 bytes, at the end)  handle of metaindex, handle of index, zeros up to 40,  57 fb 80 8b 24 75 47 db
 *   handle  varint offset, varint size
 *   block   contents (`size` bytes)  compression (1 byte: 0 none, 1 snappy)  masked CRC-32C of both (4 bytes)
 *   contents  entry … entry  restart offset (4 bytes) … restart offset  number of restarts (4 bytes)
 *   entry   varint shared, varint unshared, varint value length, key bytes beyond the shared ones, value
 *
 * A key is the first `shared` bytes of the key before it and its own: bytes, not characters. The entries end where
 * the restart offsets begin. Values of the index block are handles of blocks; their keys are not below any key of
 * that block and not above any of the next.
 */
import { crc32c, unmaskCrc } from '../bytes/crc32c';
import { ByteCursor, type Failure } from '../bytes/cursor';
import {
  MAX_BLOCK_BYTES,
  MAX_KEY_BYTES,
  MAX_TABLE_BLOCKS,
  MAX_TABLE_ENTRIES,
  MAX_UNCOMPRESSED_BLOCK_BYTES,
} from '../bytes/limits';
import { unsnappy } from '../bytes/snappy';
import { damaged, fileError, type RandomAccessFile } from './file';

export const TABLE_FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const BLOCK_TRAILER_BYTES = 5;

export interface TableEntry {
  key: Buffer;
  value: Buffer;
  /** Byte offset of the block in the file, for error messages about the value. */
  block: number;
}

interface Handle {
  offset: number;
  size: number;
}

/** True when a file's last bytes are a table's. */
export function hasTableFooter(file: RandomAccessFile): boolean {
  if (file.size < TABLE_FOOTER_BYTES) return false;
  return file.read(file.size - MAGIC.length, MAGIC.length).equals(MAGIC);
}

export class Table {
  /** Last key and place of each block, in the order of the keys. */
  private readonly blocks: { last: Buffer; handle: Handle }[] = [];
  /** The block read last: neighbouring keys are mostly asked for one after another. */
  private cached: { offset: number; entries: TableEntry[] } | undefined;

  /** Reads the footer and the index block. @throws FloeError S004, S005, S010 */
  constructor(private readonly file: RandomAccessFile) {
    if (!hasTableFooter(file))
      throw damaged(file.path, Math.max(0, file.size - 8), 'it does not end as a table file');
    const start = file.size - TABLE_FOOTER_BYTES;
    const footer = file.read(start, TABLE_FOOTER_BYTES);
    const cursor = new ByteCursor(footer, 0, 40, (at, reason) => damaged(file.path, start + at, reason));
    readHandle(cursor);
    const index = readHandle(cursor);
    for (const entry of this.readBlock(index)) {
      const inEntry = new ByteCursor(entry.value, 0, entry.value.length, (_, reason) =>
        damaged(file.path, index.offset, reason),
      );
      this.blocks.push({ last: entry.key, handle: readHandle(inEntry) });
      if (this.blocks.length > MAX_TABLE_BLOCKS) throw this.tooMany('blocks', MAX_TABLE_BLOCKS);
    }
  }

  /** All entries in the order of their keys. @throws FloeError S004, S005, S010 */
  *entries(): Generator<TableEntry> {
    let last: Buffer | undefined;
    let count = 0;
    for (const { handle } of this.blocks) {
      for (const entry of this.readBlock(handle)) {
        if (last && Buffer.compare(last, entry.key) >= 0) {
          throw damaged(this.file.path, handle.offset, 'its keys are not in order');
        }
        if (++count > MAX_TABLE_ENTRIES) throw this.tooMany('entries', MAX_TABLE_ENTRIES);
        last = entry.key;
        yield entry;
      }
    }
  }

  /** The entry of a key; undefined when there is none. Reads one block. @throws FloeError S004, S005 */
  get(key: Uint8Array): TableEntry | undefined {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.blocks[middle].last, key) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.blocks.length) return undefined;
    const { handle } = this.blocks[low];
    if (this.cached?.offset !== handle.offset) {
      this.cached = { offset: handle.offset, entries: [...this.readBlock(handle)] };
    }
    return this.cached.entries.find((entry) => entry.key.equals(key));
  }

  private tooMany(what: string, limit: number): Error {
    return fileError('S010', this.file.path, `${this.file.path} has more than ${limit} ${what}`);
  }

  private *readBlock({ offset, size }: Handle): Generator<TableEntry> {
    const { path } = this.file;
    if (size > MAX_BLOCK_BYTES)
      throw fileError('S010', path, `${path} has a block of ${size} bytes at byte ${offset}`);
    const stored = this.file.read(offset, size + BLOCK_TRAILER_BYTES);
    const want = unmaskCrc(stored.readUInt32LE(size + 1));
    if (crc32c(stored.subarray(0, size + 1)) !== want) {
      throw damaged(path, offset, `the checksum of a block of ${size} bytes does not match`, 'S005');
    }
    const compression = stored[size];
    const failure: Failure = (at, reason) => damaged(path, offset + at, reason);
    let contents: Uint8Array = stored.subarray(0, size);
    if (compression === 1) contents = unsnappy(contents, MAX_UNCOMPRESSED_BLOCK_BYTES, failure);
    else if (compression !== 0) throw damaged(path, offset + size, `unknown compression ${compression}`);
    yield* blockEntries(contents, offset, failure);
  }
}

function readHandle(cursor: ByteCursor): Handle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

function* blockEntries(contents: Uint8Array, block: number, failure: Failure): Generator<TableEntry> {
  if (contents.length < 4) throw failure(0, 'a block has no restart array');
  const restarts = new ByteCursor(contents, contents.length - 4, contents.length, failure).uint32();
  const end = contents.length - 4 - 4 * restarts;
  if (end < 0)
    throw failure(contents.length - 4, `a block of ${contents.length} bytes has ${restarts} restarts`);
  const cursor = new ByteCursor(contents, 0, end, failure);
  let key = Buffer.alloc(0);
  while (cursor.pos < end) {
    const at = cursor.pos;
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const length = cursor.varint();
    if (shared > key.length) throw cursor.fail(`a key shares ${shared} bytes of one of ${key.length}`, at);
    if (shared + unshared > MAX_KEY_BYTES) throw cursor.fail(`a key has ${shared + unshared} bytes`, at);
    key = Buffer.concat([key.subarray(0, shared), cursor.take(unshared)]);
    const value = cursor.take(length);
    yield { key, value: Buffer.from(value.buffer, value.byteOffset, value.length), block };
  }
}
