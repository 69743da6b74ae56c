/** Writes table files, for what TensorFlow does not write by default: snappy blocks, many blocks, damage. */
import { compress } from 'snappyjs';
import { crc32c, maskCrc } from '../../bytes/crc32c';

export interface TableOptions {
  snappy?: boolean;
  /** Entries per block. */
  perBlock?: number;
  /** Entries between restarts. */
  restartEvery?: number;
}

export function varint(value: number): number[] {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}

/** The contents of a block with prefix-compressed keys and a restart array. */
export function blockContents(entries: readonly [Uint8Array, Uint8Array][], restartEvery = 16): Buffer {
  const parts: Uint8Array[] = [];
  const restarts: number[] = [];
  let size = 0;
  let last: Uint8Array = new Uint8Array(0);
  entries.forEach(([key, value], i) => {
    let shared = 0;
    if (i % restartEvery === 0) restarts.push(size);
    else while (shared < Math.min(last.length, key.length) && last[shared] === key[shared]) shared++;
    const head = Buffer.from([...varint(shared), ...varint(key.length - shared), ...varint(value.length)]);
    for (const part of [head, key.subarray(shared), value]) {
      parts.push(part);
      size += part.length;
    }
    last = key;
  });
  if (restarts.length === 0) restarts.push(0);
  const tail = Buffer.alloc(4 * restarts.length + 4);
  [...restarts, restarts.length].forEach((n, i) => tail.writeUInt32LE(n, 4 * i));
  return Buffer.concat([...parts, tail]);
}

/** A block as it stands in a file: contents, compression (also one that does not exist), checksum. */
export function storedBlock(contents: Uint8Array, snappy = false, compression = snappy ? 1 : 0): Buffer {
  const data = snappy ? compress(contents) : contents;
  const typed = Buffer.concat([data, Buffer.of(compression)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(maskCrc(crc32c(typed)));
  return Buffer.concat([typed, sum]);
}

/** A whole table file of entries that are sorted by key. */
export function writeTable(entries: readonly [Uint8Array, Uint8Array][], options: TableOptions = {}): Buffer {
  const { snappy = false, perBlock = 8, restartEvery = 16 } = options;
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (block: Buffer): number[] => {
    const handle = [...varint(offset), ...varint(block.length - 5)];
    parts.push(block);
    offset += block.length;
    return handle;
  };
  const index: [Uint8Array, Uint8Array][] = [];
  for (let i = 0; i < entries.length; i += perBlock) {
    const some = entries.slice(i, i + perBlock);
    const handle = add(storedBlock(blockContents(some, restartEvery), snappy));
    index.push([some[some.length - 1][0], Buffer.from(handle)]);
  }
  const meta = add(storedBlock(blockContents([]), snappy));
  const footer = [...meta, ...add(storedBlock(blockContents(index, 1), snappy))];
  const padding = new Array<number>(40 - footer.length).fill(0);
  return Buffer.concat([
    ...parts,
    Buffer.from([...footer, ...padding]),
    Buffer.from('57fb808b247547db', 'hex'),
  ]);
}
