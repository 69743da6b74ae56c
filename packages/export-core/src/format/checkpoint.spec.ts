import * as fs from 'node:fs';
import * as path from 'node:path';
import { openCheckpoint } from './checkpoint';
import { RandomAccessFile } from './file';
import { decode, encode, type MessageInit } from './proto';
import { Table } from './table';
import {
  codesOf,
  contents,
  copied,
  EXPECTED,
  fixture,
  messageOf,
  removeTempFolders,
  tempFolder,
} from './testing/fixtures';
import { snappyBlock } from './testing/table-writer';
import { writeTable } from './write-table';

afterEach(removeTempFolders);

function contentsOf(target: string) {
  const checkpoint = openCheckpoint(target);
  try {
    return contents(checkpoint);
  } finally {
    checkpoint.close();
  }
}

/** The entries of a table file. */
function entriesOf(name: string): [Buffer, Buffer][] {
  const file = new RandomAccessFile(name);
  try {
    return [...new Table(file).entries()].map((e) => [e.key, e.value]);
  } finally {
    file.close();
  }
}

describe('openCheckpoint', () => {
  it.each([
    'v2/dtypes.ckpt',
    'v2/sharded.ckpt',
    'v1/single.ckpt',
    'v1/sharded.ckpt-?????-of-00002',
    'tf2/ckpt-1',
  ])('reads the variables of %s as TensorFlow does', (name) => {
    expect(contentsOf(fixture(name))).toEqual(EXPECTED[name]);
  });

  it('lists variables in the order of their bytes, a partitioned one once', () => {
    const checkpoint = openCheckpoint(fixture('v2/sharded.ckpt'));
    expect([...checkpoint.entries.keys()]).toEqual([
      'layer/b',
      'layer/columns/w',
      'layer/rows/w',
      'layer/step',
    ]);
    expect(checkpoint.entries.get('layer/columns/w')).toEqual({
      dtype: 'float32',
      shape: [4, 7],
      byteLength: 112,
      slices: 3,
    });
    expect(checkpoint.format).toBe('V2');
    expect(checkpoint.files.map((f) => path.basename(f))).toEqual([
      'sharded.ckpt.index',
      'sharded.ckpt.data-00000-of-00002',
      'sharded.ckpt.data-00001-of-00002',
    ]);
    checkpoint.close();
    const old = openCheckpoint(fixture('v1/single.ckpt'));
    expect([...old.entries.keys()]).toEqual([
      'bool',
      'half',
      'int64',
      'layer/b',
      'layer/columns/w',
      'layer/rows/w',
      'layer/step',
      'strings',
    ]);
    expect(old.entries.get('layer/columns/w')!.slices).toBe(3);
    expect([old.format, old.files]).toEqual(['V1', [fixture('v1/single.ckpt')]]);
    old.close();
  });

  it('gives the object graph as one string', () => {
    const checkpoint = openCheckpoint(fixture('tf2/ckpt-2'));
    const [bytes] = checkpoint.read('_CHECKPOINTABLE_OBJECT_GRAPH').strings;
    checkpoint.close();
    const graph = decode('TrackableObjectGraph', bytes, 'object graph');
    const keys = graph.nodes.flatMap((n) => n.attributes.map((a) => a.checkpoint_key));
    expect(keys).toContain('model/w/.ATTRIBUTES/VARIABLE_VALUE');
  });

  it('reads an index of snappy blocks', () => {
    const folder = copied('v2/sharded.ckpt.data-00000-of-00002', 'v2/sharded.ckpt.data-00001-of-00002');
    const entries = entriesOf(fixture('v2/sharded.ckpt.index'));
    fs.writeFileSync(
      path.join(folder, 'sharded.ckpt.index'),
      writeTable(entries, { store: snappyBlock, perBlock: 3 }),
    );
    expect(contentsOf(path.join(folder, 'sharded.ckpt'))).toEqual(EXPECTED['v2/sharded.ckpt']);
  });

  it('reads a V1 file of snappy blocks', () => {
    const name = path.join(tempFolder(), 'model.ckpt');
    fs.writeFileSync(
      name,
      writeTable(entriesOf(fixture('v1/single.ckpt')), { store: snappyBlock, perBlock: 2 }),
    );
    expect(contentsOf(name)).toEqual(EXPECTED['v1/single.ckpt']);
  });

  it('gives values that stay good after it is closed', () => {
    const checkpoint = openCheckpoint(fixture('v2/dtypes.ckpt'));
    const tensor = checkpoint.read('of/float64');
    checkpoint.close();
    expect(tensor.at(2)).toBe(1.5);
    expect(tensor.data).toBeInstanceOf(Float64Array);
  });

  it('names a variable that is not there', () => {
    for (const name of ['v2/dtypes.ckpt', 'v1/single.ckpt']) {
      const checkpoint = openCheckpoint(fixture(name));
      expect(codesOf(() => checkpoint.read('nothing'))).toEqual(['S008']);
      checkpoint.close();
    }
  });

  it('finds damaged elements by their checksum, and only where they are', () => {
    const folder = copied('v2/dtypes.ckpt.index', 'v2/dtypes.ckpt.data-00000-of-00001');
    const data = path.join(folder, 'dtypes.ckpt.data-00000-of-00001');
    const index = path.join(folder, 'dtypes.ckpt.index');
    const entry = entriesOf(index).find(([key]) => key.toString() === 'of/int16')![1];
    const offset = Number(decode('BundleEntryProto', entry, index).offset);
    const bytes = fs.readFileSync(data);
    bytes[offset + 3] ^= 0x10;
    fs.writeFileSync(data, bytes);
    const checkpoint = openCheckpoint(path.join(folder, 'dtypes.ckpt'));
    expect(codesOf(() => checkpoint.read('of/int16'))).toEqual(['S005']);
    expect(messageOf(() => checkpoint.read('of/int16'))).toContain(
      `at byte ${offset}: the checksum of "of/int16"`,
    );
    expect(codesOf(() => checkpoint.read('of/int32'))).toEqual([]);
    checkpoint.close();
  });

  it('misses a shard at once, by name', () => {
    const folder = copied('v2/sharded.ckpt.index', 'v2/sharded.ckpt.data-00000-of-00002');
    const message = messageOf(() => openCheckpoint(path.join(folder, 'sharded.ckpt')));
    expect(message).toContain('sharded.ckpt.data-00001-of-00002 does not exist');
    fs.copyFileSync(fixture('v1/sharded.ckpt-00000-of-00002'), path.join(folder, 'old-00000-of-00002'));
    expect(codesOf(() => openCheckpoint(path.join(folder, 'old-00000-of-00002')))).toEqual(['S001']);
  });

  it('finds a data file that is too short', () => {
    const folder = copied('v2/dtypes.ckpt.index', 'v2/dtypes.ckpt.data-00000-of-00001');
    fs.truncateSync(path.join(folder, 'dtypes.ckpt.data-00000-of-00001'), 100);
    const checkpoint = openCheckpoint(folder);
    expect(messageOf(() => checkpoint.read('of/uint8'))).toMatch(
      /damaged at byte 100.*the file has 100 bytes/,
    );
    checkpoint.close();
  });
});

describe('a bundle that claims nonsense', () => {
  type Header = MessageInit<'BundleHeaderProto'>;
  type Entry = MessageInit<'BundleEntryProto'>;
  const header: Header = { num_shards: 1, version: { producer: 1 } };

  function opened(entries: Record<string, Entry>, first: Header | null = header, data = 64) {
    const prefix = path.join(tempFolder(), 'm');
    const list = Object.entries(entries).map(([name, entry]): [Buffer, Buffer] => [
      Buffer.from(name),
      encode('BundleEntryProto', entry),
    ]);
    if (first) list.unshift([Buffer.alloc(0), encode('BundleHeaderProto', first)]);
    fs.writeFileSync(`${prefix}.index`, writeTable(list));
    fs.writeFileSync(`${prefix}.data-00000-of-00001`, Buffer.alloc(data));
    return openCheckpoint(prefix);
  }
  const shape = (...dims: (number | bigint)[]) => ({ dim: dims.map((d) => ({ size: BigInt(d) })) });
  const read = (entry: Entry) => () => {
    const checkpoint = opened({ v: entry });
    try {
      return checkpoint.read('v');
    } finally {
      checkpoint.close();
    }
  };

  it.each<[string, Header | null, string]>([
    ['no header', null, 'S004'],
    ['a big-endian one', { ...header, endianness: 1 }, 'S007'],
    ['one of a newer version', { ...header, version: { min_consumer: 2 } }, 'S007'],
    ['no shards', { num_shards: 0 }, 'S004'],
    ['a million shards', { num_shards: 1e6 }, 'S004'],
  ])('is refused with header: %s', (_, first, code) => {
    expect(codesOf(() => opened({ v: { dtype: 1, shape: shape(2), size: 8n } }, first))).toEqual([code]);
  });

  it.each<[string, Entry, string]>([
    ['a shape of too many elements', { dtype: 1, shape: shape(2n ** 40n, 2n ** 40n), size: 8n }, 'S004'],
    ['a negative dimension', { dtype: 1, shape: shape(-1), size: 8n }, 'S004'],
    ['an unknown rank', { dtype: 1, shape: { unknown_rank: true }, size: 8n }, 'S004'],
    ['300 dimensions', { dtype: 1, shape: shape(...new Array<number>(300).fill(1)), size: 4n }, 'S004'],
    ['a size unlike its shape', { dtype: 1, shape: shape(3), size: 8n }, 'S004'],
    ['a place past the end', { dtype: 1, shape: shape(2), offset: 60n, size: 8n }, 'S004'],
    ['a place past 2^53', { dtype: 1, shape: shape(2), offset: 2n ** 62n, size: 8n }, 'S004'],
    ['a place before the start', { dtype: 1, shape: shape(2), offset: -8n, size: 8n }, 'S004'],
    ['a shard that is not', { dtype: 1, shape: shape(2), shard_id: 7, size: 8n }, 'S004'],
    ['a negative shard', { dtype: 1, shape: shape(2), shard_id: -1, size: 8n }, 'S004'],
    ['a wrong checksum', { dtype: 1, shape: shape(2), size: 8n, crc32c: 5 }, 'S005'],
    ['resource elements', { dtype: 20, shape: shape(), size: 8n }, 'S007'],
    ['elements of 2^33 bytes', { dtype: 1, shape: shape(2n ** 31n), size: 2n ** 33n }, 'S010'],
    ['2^30 strings in a few bytes', { dtype: 7, shape: shape(2n ** 30n), size: 64n }, 'S010'],
    ['a million strings in a few bytes', { dtype: 7, shape: shape(1e6), size: 64n }, 'S004'],
    ['strings without a checksum', { dtype: 7, shape: shape(3), size: 3n }, 'S004'],
    [
      'slices that are not there',
      { dtype: 1, shape: shape(4), slices: [{ extent: [{ start: 0n, length: 4n }] }] },
      'S004',
    ],
    [
      'a slice beyond its shape',
      { dtype: 1, shape: shape(4), slices: [{ extent: [{ start: 2n, length: 4n }] }] },
      'S004',
    ],
    ['a slice of 2^40 elements', { dtype: 1, shape: shape(2n ** 40n), slices: [{ extent: [{}] }] }, 'S010'],
  ])('is refused with %s', (_, entry, code) => {
    expect(codesOf(read(entry))).toEqual([code]);
  });

  it('leaves out a variable of an unknown dtype, and says so when it is asked for', () => {
    const checkpoint = opened({
      a: { dtype: 29, shape: shape(2), size: 1n },
      b: { dtype: 1, shape: shape(0), crc32c: 0xa282ead8 },
    });
    expect([...checkpoint.entries.keys()]).toEqual(['b']);
    expect(messageOf(() => checkpoint.read('a'))).toContain('DT_INT4');
    expect(checkpoint.read('b').size).toBe(0);
    checkpoint.close();
  });
});
