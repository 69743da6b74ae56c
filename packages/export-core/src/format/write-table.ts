/** Writes table files; table.ts has their layout. */
import { crc32c, maskCrc } from '../bytes/crc32c';

export type Entry = readonly [key: Uint8Array, value: Uint8Array];

export interface TableOptions {
  /** Entries per block. */
  perBlock?: number;
  /** Entries between restarts. */
  restartEvery?: number;
  /** A block as it stands in the file, of its contents. */
  store?: (contents: Uint8Array) => Buffer;
}

function varint(value: number): number[] {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}

/** The contents of a block with prefix-compressed keys and a restart array. */
export function blockContents(entries: readonly Entry[], restartEvery = 16): Buffer {
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

/** A block of data that may be compressed, with the number of that compression and its checksum. */
export function storedBlock(data: Uint8Array, compression = 0): Buffer {
  const typed = Buffer.concat([data, Buffer.of(compression)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(maskCrc(crc32c(typed)));
  return Buffer.concat([typed, sum]);
}

/** A whole table file of entries that are sorted by the bytes of their keys. */
export function writeTable(entries: readonly Entry[], options: TableOptions = {}): Buffer {
  const { perBlock = 64, restartEvery = 16, store = storedBlock } = options;
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (contents: Uint8Array): number[] => {
    const block = store(contents);
    const handle = [...varint(offset), ...varint(block.length - 5)];
    parts.push(block);
    offset += block.length;
    return handle;
  };
  const index: Entry[] = [];
  for (let i = 0; i < entries.length; i += perBlock) {
    const some = entries.slice(i, i + perBlock);
    const handle = add(blockContents(some, restartEvery));
    index.push([some[some.length - 1][0], Buffer.from(handle)]);
  }
  const meta = add(blockContents([]));
  const footer = [...meta, ...add(blockContents(index, 1))];
  const padding = new Array<number>(40 - footer.length).fill(0);
  return Buffer.concat([
    ...parts,
    Buffer.from([...footer, ...padding]),
    Buffer.from('57fb808b247547db', 'hex'),
  ]);
}
