/**
 * V2 checkpoints (tensor bundles).
 *
 *   prefix.index                a table: "" → BundleHeaderProto, name → BundleEntryProto{dtype, shape, shard_id,
 *                               offset, size, crc32c}; a partitioned variable's entry lists its slices instead, and
 *                               each slice has an entry of its own under a coded key (slices.ts)
 *   prefix.data-00000-of-00002  the tensors' bytes, little-endian, packed, at [offset, offset + size)
 *
 *   strings   varint length … varint length   masked CRC-32C of the lengths (4 bytes)   bytes … bytes
 *
 * `crc32c` is masked. For strings it covers the lengths as 4-byte numbers (8-byte from 4 GiB on), not as varints,
 * then the 4 checksum bytes, then the strings.
 */
import { crc32c, unmaskCrc } from '../bytes/crc32c';
import { ByteCursor } from '../bytes/cursor';
import { MAX_INDEX_BYTES, MAX_RANK, MAX_SHARDS, MAX_SLICES, MAX_STRINGS } from '../bytes/limits';
import { dtypeFromCode, dtypeSize, type DType } from '../tensor/dtype';
import { elementCount } from '../tensor/shape';
import { MAX_TENSOR_BYTES, Tensor } from '../tensor/tensor';
import type { Checkpoint, CheckpointEntry } from './checkpoint';
import { damaged, fileError, pathKind, RandomAccessFile } from './file';
import { decode, enumName, type Message, type TensorShapeProto } from './proto';
import { assembleSlices, isSliceKey, sliceOf } from './slices';
import { Table } from './table';

/** The newest bundle format this reader knows; a bundle may demand a newer one. */
const BUNDLE_VERSION = 1;

type BundleEntry = Message<'BundleEntryProto'>;

/** The name of a shard: from the prefix and the count, never from what a file says. */
export function shardPath(prefix: string, shard: number, count: number): string {
  const digits = (n: number) => String(n).padStart(5, '0');
  return `${prefix}.data-${digits(shard)}-of-${digits(count)}`;
}

export class BundleCheckpoint implements Checkpoint {
  readonly format = 'V2';
  readonly files: readonly string[];
  readonly entries = new Map<string, CheckpointEntry>();
  private readonly index: string;
  private readonly stored = new Map<string, BundleEntry>();
  /** Entries of slices, by their key's bytes. */
  private readonly slices = new Map<string, BundleEntry>();
  private readonly shards = new Map<number, RandomAccessFile>();
  private shardCount = 0;

  /** Reads the index. @throws FloeError S001 when a shard is missing, S004, S005, S007 */
  constructor(readonly prefix: string) {
    this.index = `${prefix}.index`;
    const file = new RandomAccessFile(this.index);
    try {
      if (file.size > MAX_INDEX_BYTES) {
        throw fileError(
          'S010',
          this.index,
          `${this.index} has ${file.size} bytes, more than ${MAX_INDEX_BYTES}`,
        );
      }
      this.readIndex(new Table(file));
    } finally {
      file.close();
    }
    this.files = this.findShards();
  }

  private readIndex(table: Table): void {
    for (const { key, value, block } of table.entries()) {
      if (key.length === 0) {
        this.readHeader(decode('BundleHeaderProto', value, this.index, block));
        continue;
      }
      if (this.shardCount === 0) throw damaged(this.index, block, 'it has no header');
      const entry = decode('BundleEntryProto', value, this.index, block);
      if (isSliceKey(key)) {
        this.slices.set(key.toString('latin1'), entry);
        continue;
      }
      const name = key.toString('utf8');
      this.stored.set(name, entry);
      const shape = this.shapeOf(name, entry.shape);
      const dtype = dtypeFromCode(entry.dtype);
      if (entry.slices.length > MAX_SLICES) throw damaged(this.index, block, `"${name}" has too many slices`);
      // A type newer than this reader must not stop the use of the other variables.
      if (!dtype) continue;
      this.entries.set(name, {
        dtype,
        shape,
        byteLength: dtype === 'string' ? undefined : elementCount(shape) * dtypeSize(dtype),
        slices: entry.slices.length,
      });
    }
    if (this.shardCount === 0) throw damaged(this.index, undefined, 'it has no header');
  }

  private readHeader(header: Message<'BundleHeaderProto'>): void {
    if (header.endianness !== 0) {
      const message = `${this.prefix} was written on a big-endian machine, which is not supported`;
      throw fileError('S007', this.index, message, 'save it again on a little-endian machine');
    }
    if (header.version && header.version.min_consumer > BUNDLE_VERSION) {
      const message = `${this.prefix} needs a reader of bundle version ${header.version.min_consumer}`;
      throw fileError('S007', this.index, `${message}; this one knows version ${BUNDLE_VERSION}`);
    }
    if (header.num_shards < 1 || header.num_shards > MAX_SHARDS) {
      throw damaged(this.index, undefined, `it says it has ${header.num_shards} shards`);
    }
    this.shardCount = header.num_shards;
  }

  private shapeOf(name: string, proto: TensorShapeProto | null): number[] {
    const dims = proto?.dim ?? [];
    if (proto?.unknown_rank || dims.length > MAX_RANK || dims.some((d) => d.size < 0n)) {
      throw damaged(this.index, undefined, `the shape of "${name}" is not a shape of stored elements`);
    }
    const shape = dims.map((d) => Number(d.size));
    if (!Number.isSafeInteger(elementCount(shape)) || shape.some((d) => !Number.isSafeInteger(d))) {
      throw damaged(this.index, undefined, `the shape of "${name}" has too many elements`);
    }
    return shape;
  }

  /** The index and the shards that exist; those that entries lie in must. */
  private findShards(): string[] {
    const used = new Set<number>();
    for (const entry of [...this.stored.values(), ...this.slices.values()]) {
      if (entry.slices.length === 0) used.add(entry.shard_id);
    }
    for (const shard of used) {
      if (shard < 0 || shard >= this.shardCount) {
        throw damaged(this.index, undefined, `an entry lies in shard ${shard} of ${this.shardCount}`);
      }
    }
    const files = [this.index];
    for (let shard = 0; shard < this.shardCount; shard++) {
      const path = shardPath(this.prefix, shard, this.shardCount);
      if (pathKind(path) === 'file') files.push(path);
      else if (used.has(shard)) {
        const message = `${path} does not exist: the checkpoint ${this.prefix} has ${this.shardCount} data file(s)`;
        throw fileError('S001', path, message, 'copy it beside the .index file');
      }
    }
    return files;
  }

  /** @throws FloeError S001, S004, S005 (checksum), S007, S008 (no such variable) */
  read(name: string): Tensor {
    const entry = this.stored.get(name);
    if (!entry)
      throw fileError('S008', this.index, `the checkpoint ${this.prefix} has no variable "${name}"`);
    const dtype = dtypeFromCode(entry.dtype);
    if (!dtype || (dtypeSize(dtype) === 0 && dtype !== 'string')) {
      const type = enumName('DataType', entry.dtype) ?? `number ${entry.dtype}`;
      throw fileError(
        'S007',
        this.index,
        `"${name}" in ${this.prefix} is of type ${type}, which cannot be read`,
      );
    }
    const shape = this.shapeOf(name, entry.shape);
    if (entry.slices.length === 0) return this.readEntry(name, dtype, shape, entry);
    this.checkSize(name, dtype, shape);
    try {
      const parts = entry.slices.map((proto) => sliceOf(name, shape, proto));
      return assembleSlices(dtype, shape, this.readSlices(name, dtype, parts));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw damaged(this.index, undefined, `the slices of "${name}": ${error.message}`);
    }
  }

  private *readSlices(name: string, dtype: DType, slices: ReturnType<typeof sliceOf>[]) {
    for (const slice of slices) {
      const entry = this.slices.get(slice.key.toString('latin1'));
      if (!entry || dtypeFromCode(entry.dtype) !== dtype) {
        const place = `[${slice.start.join(',')}] + [${slice.shape.join(',')}]`;
        throw damaged(this.index, undefined, `the slice ${place} of "${name}" has no entry`);
      }
      yield { slice, tensor: this.readEntry(name, dtype, slice.shape, entry) };
    }
  }

  private checkSize(name: string, dtype: DType, shape: readonly number[]): void {
    const bytes = elementCount(shape) * Math.max(1, dtypeSize(dtype));
    if (bytes > MAX_TENSOR_BYTES || (dtype === 'string' && elementCount(shape) > MAX_STRINGS)) {
      throw fileError(
        'S010',
        this.index,
        `"${name}" in ${this.prefix} is larger than can be read: ${bytes} bytes`,
      );
    }
  }

  private readEntry(name: string, dtype: DType, shape: readonly number[], entry: BundleEntry): Tensor {
    this.checkSize(name, dtype, shape);
    const path = shardPath(this.prefix, entry.shard_id, this.shardCount);
    const { offset, size } = entry;
    const wanted = elementCount(shape) * dtypeSize(dtype);
    if (dtype !== 'string' && size !== BigInt(wanted)) {
      const message = `"${name}", ${dtype} [${shape.join(',')}], has ${size} bytes instead of ${wanted}`;
      throw damaged(this.index, undefined, message);
    }
    const shard = this.shard(entry.shard_id);
    if (offset < 0n || size < 0n || offset + size > BigInt(shard.size)) {
      const message = `"${name}" lies at bytes ${offset} to ${offset + size}, the file has ${shard.size} bytes`;
      throw damaged(path, shard.size, message);
    }
    const bytes = shard.read(Number(offset), Number(size));
    if (dtype === 'string') return this.strings(name, shape, entry, bytes, path);
    this.checkSum(name, crc32c(bytes), entry, path);
    return Tensor.fromBytes(dtype, shape, bytes);
  }

  private checkSum(name: string, sum: number, entry: BundleEntry, path: string): void {
    if (sum === unmaskCrc(entry.crc32c)) return;
    throw damaged(
      path,
      Number(entry.offset),
      `the checksum of "${name}" (${entry.size} bytes) does not match`,
      'S005',
    );
  }

  private strings(
    name: string,
    shape: readonly number[],
    entry: BundleEntry,
    bytes: Buffer,
    path: string,
  ): Tensor {
    const at = Number(entry.offset);
    const cursor = new ByteCursor(bytes, 0, bytes.length, (pos, reason) =>
      damaged(path, at + pos, `the strings of "${name}": ${reason}`),
    );
    const count = elementCount(shape);
    // Each length takes a byte at least: found before memory is taken for a claimed count.
    if (count > bytes.length) throw cursor.fail(`${count} strings in ${bytes.length} bytes`);
    const lengths = new Array<number>(count);
    const word = Buffer.alloc(8);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      lengths[i] = cursor.varint();
      word.writeBigUInt64LE(BigInt(lengths[i]));
      sum = crc32c(lengths[i] <= 0xffffffff ? word.subarray(0, 4) : word, sum);
    }
    // TensorFlow writes nothing at all where it was given no elements.
    if (bytes.length > 0) {
      const stored = cursor.take(4);
      if (unmaskCrc(Buffer.from(stored).readUInt32LE()) !== sum) {
        throw damaged(
          path,
          at + cursor.pos - 4,
          `the checksum of the lengths of "${name}" does not match`,
          'S005',
        );
      }
      sum = crc32c(bytes.subarray(cursor.pos - 4), sum);
    }
    const strings = lengths.map((length) => cursor.take(length));
    if (cursor.pos !== bytes.length) throw cursor.fail('there are bytes after the last one');
    this.checkSum(name, sum, entry, path);
    return Tensor.fromStrings(shape, strings);
  }

  private shard(id: number): RandomAccessFile {
    let file = this.shards.get(id);
    if (!file)
      this.shards.set(id, (file = new RandomAccessFile(shardPath(this.prefix, id, this.shardCount))));
    return file;
  }

  close(): void {
    for (const file of this.shards.values()) file.close();
    this.shards.clear();
  }
}
