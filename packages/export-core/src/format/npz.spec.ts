import * as fs from 'node:fs';
import * as path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { crc32 } from '../bytes/crc32c';
import { readNpy, readNpz } from './npz';
import {
  codesOf,
  described,
  EXPECTED,
  fixture,
  messageOf,
  removeTempFolders,
  tempFolder,
} from './testing/fixtures';

afterEach(removeTempFolders);

function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Buffer {
  const text = Buffer.from(header, version === 3 ? 'utf8' : 'latin1');
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  return Buffer.concat([head, text, data]);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

interface Member {
  name: string;
  data: Buffer;
  method?: number;
  flags?: number;
  size?: number;
  crc?: number;
}

/** A zip archive; `wide` writes zip64 records instead of 32-bit fields. */
function zip(members: Member[], wide = false): string {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 0, flags = 0, size = data.length, crc = crc32(data) } of members) {
    const packed = method === 8 ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(wide ? 0xffffffff : packed.length, 20);
    entry.writeUInt32LE(wide ? 0xffffffff : size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(wide ? 28 : 0, 30);
    entry.writeUInt32LE(wide ? 0xffffffff : offset, 42);
    const extra = Buffer.alloc(wide ? 28 : 0);
    if (wide) {
      extra.writeUInt16LE(1);
      extra.writeUInt16LE(24, 2);
      [size, packed.length, offset].forEach((n, i) => extra.writeBigUInt64LE(BigInt(n), 4 + 8 * i));
    }
    directory.push(entry, Buffer.from(name), extra);
    parts.push(local, Buffer.from(name), packed);
    offset += 30 + name.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(wide ? 0xffff : members.length, 10);
  end.writeUInt32LE(wide ? 0xffffffff : list.length, 12);
  end.writeUInt32LE(wide ? 0xffffffff : offset, 16);
  if (wide) {
    const record = Buffer.alloc(76);
    record.writeUInt32LE(0x06064b50);
    [members.length, list.length, offset].forEach((n, i) => record.writeBigUInt64LE(BigInt(n), 32 + 8 * i));
    record.writeUInt32LE(0x07064b50, 56);
    record.writeBigUInt64LE(BigInt(offset + list.length), 64);
    parts.push(list, record, end);
  } else parts.push(list, end);
  const file = path.join(tempFolder(), 'some.npz');
  fs.writeFileSync(file, Buffer.concat(parts));
  return file;
}

const small = npy(header('<i2', '(2,)'), Buffer.from([1, 0, 2, 0]));

describe('readNpz', () => {
  it.each(['npz/arrays.npz', 'npz/packed.npz'])('reads %s as NumPy does', (name) => {
    const arrays = readNpz(fixture(name));
    const got = Object.fromEntries([...arrays].map(([key, tensor]) => [key, described(tensor)]));
    expect(got).toEqual(EXPECTED['npz/arrays.npz']);
  });

  it('reads zip64 archives', () => {
    const file = zip(
      [
        { name: 'a.npy', data: small },
        { name: 'b.npy', data: small, method: 8 },
      ],
      true,
    );
    expect([...readNpz(file)].map(([name, t]) => [name, t.toNumbers()])).toEqual([
      ['a', [1, 2]],
      ['b', [1, 2]],
    ]);
  });

  it('refuses Python objects, with what to do instead', () => {
    expect(messageOf(() => readNpz(fixture('npz/objects.npz')))).toMatch(/\|O \(Python objects\).*astype/);
  });

  it.each<[string, Member[], string]>([
    ['another file in it', [{ name: 'readme.txt', data: small }], 'S003'],
    ['a wrong checksum', [{ name: 'a.npy', data: small, crc: 1 }], 'S005'],
    ['an encrypted member', [{ name: 'a.npy', data: small, flags: 1 }], 'S007'],
    ['another compression', [{ name: 'a.npy', data: small, method: 12 }], 'S007'],
    [
      'a name twice',
      [
        { name: 'a.npy', data: small },
        { name: 'a.npy', data: small },
      ],
      'S004',
    ],
    ['a wrong size', [{ name: 'a.npy', data: small, size: 5 }], 'S004'],
    ['a bomb', [{ name: 'a.npy', data: Buffer.alloc(1e6), method: 8, size: 1e5 }], 'S004'],
    ['a size of 4 GiB', [{ name: 'a.npy', data: small, method: 8, size: 0xfffffffe }], 'S004'],
  ])('refuses %s', (_, members, code) => {
    expect(codesOf(() => readNpz(zip(members)))).toEqual([code]);
  });

  it('skips folders', () => {
    expect(readNpz(zip([{ name: 'f/', data: Buffer.alloc(0) }])).size).toBe(0);
  });
});

describe('readNpy', () => {
  it('reads every version and spelling of the header', () => {
    const data = Buffer.from([1, 0, 2, 0]);
    for (const version of [1, 2, 3]) {
      expect(readNpy(npy(header('<i2', '(2,)'), data, version), 'x').toNumbers()).toEqual([1, 2]);
    }
    for (const text of [
      `{"shape":(2L,),"descr":"<i2","fortran_order":False}`,
      `{u'descr': u'<i2', 'fortran_order' : True , 'shape': [2], 'other': None}   \n`,
    ]) {
      expect(readNpy(npy(text, data), 'x').shape).toEqual([2]);
    }
    expect(readNpy(npy(header('=i2', '(1, 2)'), data), 'x').toNumbers()).toEqual([1, 2]);
    expect(readNpy(npy(header('<f4', '()'), Buffer.alloc(4)), 'x').shape).toEqual([]);
  });

  it.each([
    ['no .npy', Buffer.from('PK\x03\x04 something'), 'S004'],
    ['a version to come', npy(header('<i2', '(0,)'), undefined, 4), 'S007'],
    ['a header that is cut off', small.subarray(0, 20), 'S004'],
    ['too little data', small.subarray(0, small.length - 1), 'S004'],
    ['too much data', Buffer.concat([small, Buffer.from([1])]), 'S004'],
    ['an absurd shape', npy(header('<i2', '(9007199254740993, 99999)')), 'S004'],
    ['a negative shape', npy(header('<i2', '(-1,)')), 'S004'],
    ['no shape', npy(`{'descr': '<i2', 'fortran_order': False}`), 'S004'],
    ['code for a header', npy(`{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}`), 'S004'],
    ['a key twice', npy(`{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (0,)}`), 'S004'],
    ['more after the header', npy(`${header('<i2', '(0,)')}x`), 'S004'],
    ['nested brackets', npy(`{'shape': ${'('.repeat(1000)}`), 'S004'],
    ['fields', npy(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,), }`), 'S007'],
    ['dates', npy(header('<M8[s]', '(0,)')), 'S007'],
    ['long doubles', npy(header('<f16', '(0,)')), 'S007'],
    ['a truth value of 2', npy(header('|b1', '(1,)'), Buffer.from([2])), 'S004'],
    ['a character beyond Unicode', npy(header('<U1', '(1,)'), Buffer.from([0, 0, 0x11, 0])), 'S004'],
    ['many texts of no width', npy(header('|S0', '(2000000000,)')), 'S010'],
  ])('refuses %s', (_, bytes, code) => {
    expect(codesOf(() => readNpy(bytes, 'x.npy'))).toEqual([code]);
  });
});
