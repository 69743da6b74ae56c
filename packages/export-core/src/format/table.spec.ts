import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { RandomAccessFile } from './file';
import { Table } from './table';
import { codesOf, fixture, messageOf, removeTempFolders, tempFolder } from './testing/fixtures';
import { snappyBlock } from './testing/table-writer';
import { blockContents, storedBlock, writeTable } from './write-table';

afterEach(removeTempFolders);

function opened<T>(bytes: Uint8Array, use: (table: Table) => T): T {
  const name = path.join(tempFolder(), 'some.index');
  fs.writeFileSync(name, bytes);
  const file = new RandomAccessFile(name);
  try {
    return use(new Table(file));
  } finally {
    file.close();
  }
}

const listed = (table: Table) =>
  [...table.entries()].map((e) => [e.key.toString('latin1'), e.value.toString('hex')]);

const sortedEntries = fc
  .uniqueArray(fc.uint8Array({ maxLength: 6 }), {
    selector: (k) => Buffer.from(k).toString('hex'),
    maxLength: 40,
  })
  .chain((keys) =>
    fc.tuple(
      fc.constant(keys.sort(Buffer.compare)),
      fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: keys.length, maxLength: keys.length }),
    ),
  )
  .map(([keys, values]) => keys.map((k, i): [Buffer, Buffer] => [Buffer.from(k), Buffer.from(values[i])]));

describe('Table', () => {
  it('reads what TensorFlow wrote', () => {
    const file = new RandomAccessFile(fixture('v2/dtypes.ckpt.index'));
    const keys = [...new Table(file).entries()].map((e) => e.key.toString());
    file.close();
    expect(keys.slice(0, 4)).toEqual(['', 'empty', 'no_strings', 'of/bfloat16']);
    expect(keys).toHaveLength(21);
  });

  it('reads any entries, in blocks of any size, snappy or not, by order and by key', () => {
    const options = fc.record({
      store: fc.constantFrom(undefined, snappyBlock),
      perBlock: fc.integer({ min: 1, max: 9 }),
      restartEvery: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(sortedEntries, options, fc.uint8Array({ maxLength: 3 }), (entries, how, other) => {
        opened(writeTable(entries, how), (table) => {
          expect(listed(table)).toEqual(entries.map(([k, v]) => [k.toString('latin1'), v.toString('hex')]));
          for (const [key, value] of entries) expect(table.get(key)!.value.equals(value)).toBe(true);
          const known = entries.some(([k]) => k.equals(other));
          expect(table.get(other) !== undefined).toBe(known);
        });
        removeTempFolders();
      }),
      { numRuns: 60 },
    );
  });

  it('reads keys whose shared prefix ends within a character', () => {
    const entries = ['h\u00e9', 'h\u00ea'].map((k): [Buffer, Buffer] => [Buffer.from(k), Buffer.from(k)]);
    opened(writeTable(entries), (table) => {
      expect([...table.entries()].map((e) => e.key.toString('utf8'))).toEqual(['h\u00e9', 'h\u00ea']);
    });
  });

  it('tells a wrong checksum from other damage', () => {
    const bytes = writeTable([[Buffer.from('a'), Buffer.from('value')]]);
    bytes[5] ^= 1;
    expect(codesOf(() => opened(bytes, listed))).toEqual(['S005']);
    expect(messageOf(() => opened(bytes, listed))).toContain('at byte 0: the checksum of a block');
    expect(codesOf(() => opened(Buffer.alloc(60), listed))).toEqual(['S004']);
    expect(codesOf(() => opened(Buffer.alloc(7), listed))).toEqual(['S004']);
  });

  it('refuses keys that are out of order', () => {
    const entries = ['b', 'a'].map((k): [Buffer, Buffer] => [Buffer.from(k), Buffer.from(k)]);
    expect(messageOf(() => opened(writeTable(entries), listed))).toContain('not in order');
  });

  /** A table whose only data block is the given contents, with a right checksum. */
  function tableOf(contents: Uint8Array, compression = 0): Buffer {
    const block = storedBlock(contents, compression);
    const index = storedBlock(blockContents([[Buffer.from('z'), Buffer.from([0, contents.length])]]));
    const handle = [block.length, index.length - 5];
    const footer = Buffer.alloc(48);
    Buffer.from([0, 0, ...handle]).copy(footer);
    Buffer.from('57fb808b247547db', 'hex').copy(footer, 40);
    return Buffer.concat([block, index, footer]);
  }

  it.each([
    ['more restarts than bytes', [1, 2, 3, 4, 255, 255, 255, 15]],
    ['no restart array', [1, 2]],
    ['a key that shares more than there is', [5, 1, 0, 97, 0, 0, 0, 0, 1, 0, 0, 0]],
    ['a value past the restart array', [0, 1, 9, 97, 0, 0, 0, 0, 1, 0, 0, 0]],
    ['a key length past the block', [0, 120, 0, 97, 0, 0, 0, 0, 1, 0, 0, 0]],
    ['an endless number', [...new Array<number>(11).fill(255), 0, 0, 0, 0]],
  ])('refuses a block with %s', (_, contents) => {
    expect(codesOf(() => opened(tableOf(Buffer.from(contents)), listed))).toEqual(['S004']);
  });

  it('refuses an unknown compression and a block beyond the file', () => {
    const bytes = tableOf(blockContents([[Buffer.from('a'), Buffer.from('b')]]));
    const beyond = Buffer.from(bytes);
    beyond[beyond.length - 48 + 2] = 200;
    expect(codesOf(() => opened(beyond, listed))[0]).toMatch(/S00[45]/);
    const unknown = tableOf(blockContents([[Buffer.from('a'), Buffer.from('b')]]), 7);
    expect(messageOf(() => opened(unknown, listed))).toContain('unknown compression 7');
  });
});
