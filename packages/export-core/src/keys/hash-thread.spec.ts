import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { temporaryFolder } from '../stages/testing/fake-model';
import { builtWorker } from '../scheduling/testing/built-worker';
import { writeFileAtomic } from './atomic';
import { hashBeside, type HashBeside } from './hash-thread';

const folder = temporaryFolder();
const worker = builtWorker(join(__dirname, 'hash-worker.ts'), folder);

jest.mock('./hash-thread', () => {
  const actual = jest.requireActual<typeof import('./hash-thread')>('./hash-thread');
  return {
    ...actual,
    LARGE_FILE_BYTES: 8,
    hashBeside: jest.fn((path: string) => actual.hashBeside(path, worker)),
  };
});

let count = 0;

function begin(content: Uint8Array): { hash: HashBeside; file: string } {
  const file = join(folder, `file${count++}`);
  writeFileSync(file, content);
  return { hash: hashBeside(file)!, file };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it('hashes a file as it is written, however its bytes come', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 3 << 20 }), { maxLength: 4 });
  fc.assert(
    fc.property(sizes, (parts) => {
      const { hash, file } = begin(Buffer.alloc(0));
      for (const size of parts) {
        appendFileSync(file, randomBytes(size));
        hash.advance(size);
      }
      hash.advance(0, true);
      expect(hash.digest()).toBe(sha256(readFileSync(file)));
    }),
    { numRuns: 20 },
  );
});

it('hashes several files, one after another, and what is said again is the same', () => {
  const files = [5, 0, 2_000_000, 1].map((size) => ({ size, ...begin(randomBytes(size)) }));
  for (const { hash, size } of files) hash.advance(size, true);
  for (const { hash, file } of [...files, ...files]) expect(hash.digest()).toBe(sha256(readFileSync(file)));
});

it('says nothing of a file that is not there, is shorter than it should be, or is given up', () => {
  const missing = hashBeside(join(folder, 'missing'))!;
  missing.advance(1, true);
  expect(missing.digest()).toBeUndefined();
  const { hash } = begin(Buffer.alloc(10));
  hash.advance(11, true);
  expect(hash.digest()).toBeUndefined();
  const given = begin(Buffer.alloc(10)).hash;
  given.giveUp();
  expect(given.digest()).toBeUndefined();
  const next = begin(Buffer.from('next')).hash;
  next.advance(4, true);
  expect(next.digest()).toBe(sha256(Buffer.from('next')));
});

it('is not there without its built script', () => {
  jest.isolateModules(() => {
    const fresh = jest.requireActual<typeof import('./hash-thread')>('./hash-thread');
    expect(fresh.hashBeside(folder, join(folder, 'no.js'))).toBeUndefined();
  });
});

describe('a large artefact', () => {
  it('is hashed beside its writing', () => {
    const pieces = [randomBytes(5_000_000), Buffer.alloc(0), { byteLength: 3, bytes: Buffer.from('abc') }];
    const written = writeFileAtomic(join(folder, 'artefact'), pieces);
    expect(hashBeside).toHaveBeenCalled();
    expect(written).toEqual({ size: 5_000_003, sha256: sha256(readFileSync(join(folder, 'artefact'))) });
  });

  it('leaves nothing when a piece of it cannot be made', () => {
    const before = readdirSync(folder).length;
    const broken = {
      byteLength: 1,
      get bytes(): Uint8Array {
        throw new Error('gone');
      },
    };
    expect(() => writeFileAtomic(join(folder, 'broken'), [randomBytes(100), broken])).toThrow('gone');
    expect(readdirSync(folder).length).toBe(before);
  });

  it('is hashed all the same when the thread fails', () => {
    const failing = { advance: () => undefined, digest: () => undefined, giveUp: () => undefined };
    (hashBeside as jest.Mock).mockReturnValueOnce(failing);
    const bytes = randomBytes(100);
    expect(writeFileAtomic(join(folder, 'other'), bytes)).toEqual({ size: 100, sha256: sha256(bytes) });
  });
});
