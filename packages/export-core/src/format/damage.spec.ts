/** Every file of the fixtures cut off at every place and changed at every byte: a right answer or a diagnostic. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { openCheckpoint } from './checkpoint';
import { readNpz } from './npz';
import { sniff } from './sniff';
import { codesOf, copied, described, EXPECTED, removeTempFolders } from './testing/fixtures';

afterAll(removeTempFolders);

/** Reads what can be read: an error is a FloeError, a value is the right one. */
function readAll(target: string, expected: Map<string, string>): number {
  let right = 0;
  codesOf(() => {
    const checkpoint = openCheckpoint(target);
    try {
      for (const name of checkpoint.entries.keys()) {
        codesOf(() => {
          // toEqual is slow, and this is called very often.
          if (JSON.stringify(described(checkpoint.read(name))) !== expected.get(name)) {
            throw new Error(`"${name}" was read wrongly from a damaged file`);
          }
          right++;
        });
      }
    } finally {
      checkpoint.close();
    }
  });
  return right;
}

/** What `described` gives for each variable, as text. */
function expectedTexts(name: string): Map<string, string> {
  const texts = Object.entries(EXPECTED[name]).map(
    ([key, { dtype, shape, bytes, strings }]): [string, string] => [
      key,
      JSON.stringify(bytes === undefined ? { dtype, shape, strings } : { dtype, shape, bytes }),
    ],
  );
  return new Map(texts);
}

const CASES: [name: string, files: string[], target: string][] = [
  [
    'v2/sharded.ckpt',
    ['index', 'data-00000-of-00002', 'data-00001-of-00002'].map((s) => `v2/sharded.ckpt.${s}`),
    'sharded.ckpt',
  ],
  ['v2/dtypes.ckpt', ['index', 'data-00000-of-00001'].map((s) => `v2/dtypes.ckpt.${s}`), 'dtypes.ckpt'],
  ['v1/single.ckpt', ['v1/single.ckpt'], 'single.ckpt'],
  [
    'v1/sharded.ckpt-?????-of-00002',
    ['v1/sharded.ckpt-00000-of-00002', 'v1/sharded.ckpt-00001-of-00002'],
    'sharded.ckpt',
  ],
];

describe.each(CASES)('%s', (name, files, target) => {
  const folder = copied(...files);
  const whole = path.join(folder, target);
  const expected = expectedTexts(name);

  /** Runs `use` with a changed copy in place of each file in turn. */
  function eachFile(use: (file: string, bytes: Buffer) => void): void {
    for (const one of files) {
      const file = path.join(folder, path.basename(one));
      const bytes = fs.readFileSync(file);
      try {
        use(file, bytes);
      } finally {
        fs.writeFileSync(file, bytes);
      }
    }
  }

  it('is whole to begin with', () => {
    expect(readAll(whole, expected)).toBe(expected.size);
  });

  it('cut off anywhere', () => {
    eachFile((file, bytes) => {
      for (let end = 0; end < bytes.length; end++) {
        fs.writeFileSync(file, bytes.subarray(0, end));
        readAll(whole, expected);
        codesOf(() => sniff(file));
      }
    });
  });

  it('with a bit of any byte turned', () => {
    eachFile((file, bytes) => {
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] ^= 1 << ((at * 5 + 3) % 8);
        fs.writeFileSync(file, changed);
        readAll(whole, expected);
      }
    });
  });

  it('with several bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 6 });
    eachFile((file, bytes) => {
      fc.assert(
        fc.property(changes, (list) => {
          const changed = Buffer.from(bytes);
          for (const [at, byte] of list) changed[at % changed.length] = byte;
          fs.writeFileSync(file, changed);
          readAll(whole, expected);
          codesOf(() => sniff(file));
        }),
        { numRuns: 200 },
      );
    });
  });
});

describe.each(['npz/arrays.npz', 'npz/packed.npz'])('%s', (name) => {
  const folder = copied(name);
  const file = path.join(folder, path.basename(name));
  const bytes = fs.readFileSync(file);
  const expected = expectedTexts('npz/arrays.npz');

  function readAll(): void {
    codesOf(() => {
      for (const [key, tensor] of readNpz(file)) {
        // A name is not covered by a checksum; the elements are.
        if (!expected.has(key)) continue;
        if (JSON.stringify(described(tensor)) !== expected.get(key)) {
          throw new Error(`"${key}" was read wrongly from a damaged file`);
        }
      }
    });
  }

  it('cut off anywhere', () => {
    for (let end = 0; end < bytes.length; end += end < 400 || end > bytes.length - 400 ? 1 : 13) {
      fs.writeFileSync(file, bytes.subarray(0, end));
      readAll();
    }
  });

  it('with bytes changed', () => {
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1 << (at % 8);
      fs.writeFileSync(file, changed);
      readAll();
    }
  });
});
