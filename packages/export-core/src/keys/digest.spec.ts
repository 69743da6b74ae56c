import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from './digest';
import { Memo } from './memo';

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

let root: string;
beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'floe-digest-')))));
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true });
});

const at = (...names: string[]): string => join(root, ...names);
function put(path: string, content: string | Uint8Array): string {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
  return at(path);
}

describe('digestOf a file', () => {
  it('is its sha256, over any number of chunks', () => {
    const large = Buffer.alloc(3 * (1 << 20) + 7, 'abc');
    expect(digestOf(put('large', large))).toEqual({
      sha256: sha256(large),
      size: large.length,
      pointers: [],
    });
    expect(digestOf(put('empty', ''))).toEqual({ sha256: sha256(''), size: 0, pointers: [] });
  });

  it('of a Git LFS pointer is the digest of what it points at', () => {
    const oid = sha256('the weights');
    const file = put('w', `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 11\n`);
    expect(digestOf(file)).toEqual({ sha256: oid, size: 11, pointers: [file] });
    const text = 'version https://git-lfs.github.com/spec/v1\nis what a pointer begins with\n';
    expect(digestOf(put('t', text))).toEqual({ sha256: sha256(text), size: text.length, pointers: [] });
  });

  it('says what is not there, and what is no file', () => {
    expect(() => digestOf(at('none'))).toThrow(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'S001' })] }),
    );
    expect(() => digestOf('/dev/null')).toThrow(/not a regular file/);
    expect(() => digestOf('a\0b')).toThrow(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'S002' })] }),
    );
  });
});

describe('digestOf a folder', () => {
  it('depends on paths and contents, not on where it is or how it was made', () => {
    put('a/saved_model.pb', 'x');
    put('a/variables/variables.index', 'y');
    put('b/variables/variables.index', 'y');
    put('b/saved_model.pb', 'x');
    const { sha256: digest } = digestOf(at('a'));
    expect(digestOf(at('b')).sha256).toBe(digest);
    renameSync(at('b/saved_model.pb'), at('b/saved_model.pbtxt'));
    expect(digestOf(at('b')).sha256).not.toBe(digest);
    put('a/variables/variables.index', 'z');
    expect(digestOf(at('a')).sha256).not.toBe(digest);
  });

  it('follows links to content, and refuses one that leads back', () => {
    put('real/f', 'x');
    put('plain/inner/f', 'x');
    mkdirSync(at('linked'));
    symlinkSync(at('real'), at('linked/inner'));
    expect(digestOf(at('linked'))).toEqual(digestOf(at('plain')));
    symlinkSync(at('linked'), at('real/back'));
    expect(() => digestOf(at('linked'))).toThrow(/is a link to a folder that contains it/);
  });

  it('tells pointers in it', () => {
    put('a/x', `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256('1')}\nsize 1\n`);
    put('b/x', '1');
    expect(digestOf(at('a')).pointers).toEqual([at('a/x')]);
    expect(digestOf(at('a')).sha256).toBe(digestOf(at('b')).sha256);
  });
});

describe('Memo', () => {
  /** Runs `body` as if so many seconds had passed. */
  function later<T>(seconds: number, body: () => T): T {
    const now = Date.now();
    const spy = jest.spyOn(Date, 'now').mockReturnValue(now + seconds * 1000);
    try {
      return body();
    } finally {
      spy.mockRestore();
    }
  }
  const counted = (memo: Memo, file: string): { value: string; runs: number } => {
    let runs = 0;
    const value = memo.get('text', file, (real) => {
      runs++;
      return readFileSync(real, 'utf8');
    });
    return { value, runs };
  };

  it('remembers a file that has settled, also in the next process', () => {
    const file = put('f', 'one');
    const memo = new Memo(at('cache'));
    later(3, () => {
      expect(counted(memo, file).runs).toBe(1);
      expect(counted(memo, file).runs).toBe(0);
    });
    memo.save();
    expect(counted(new Memo(at('cache')), file)).toEqual({ value: 'one', runs: 0 });
    expect(memo.get('other kind', file, () => 'computed')).toBe('computed');
  });

  it('does not remember a file younger than 2 s, nor one from the future', () => {
    const file = put('f', 'one');
    const memo = new Memo(at('cache'));
    later(1.5, () => {
      expect(counted(memo, file).runs).toBe(1);
      expect(counted(memo, file).runs).toBe(1);
    });
    utimesSync(file, new Date(), new Date(Date.now() + 3_600_000));
    later(3, () => {
      expect(counted(memo, file).runs).toBe(1);
      expect(counted(memo, file).runs).toBe(1);
    });
  });

  it('notices equal length with a restored mtime, and a file put in the place of another', () => {
    const file = put('f', 'one');
    const memo = new Memo(at('cache'));
    later(3, () => counted(memo, file));
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'two');
    utimesSync(file, atime, mtime);
    expect(counted(memo, file)).toEqual({ value: 'two', runs: 1 });

    later(3, () => counted(memo, file));
    put('g', 'six');
    utimesSync(at('g'), atime, mtime);
    renameSync(at('g'), file);
    expect(counted(memo, file)).toEqual({ value: 'six', runs: 1 });
  });

  it('follows links: another target is another file', () => {
    const memo = new Memo(at('cache'));
    put('f', 'one');
    put('g', 'two');
    symlinkSync(at('f'), at('link'));
    later(3, () => expect(counted(memo, at('link')).value).toBe('one'));
    rmSync(at('link'));
    symlinkSync(at('g'), at('link'));
    later(3, () => expect(counted(memo, at('link')).value).toBe('two'));
    expect(counted(memo, at('f')).value).toBe('one');
  });

  it('computes again when the file changes meanwhile, and then does not remember', () => {
    const file = put('f', '1');
    const memo = new Memo(at('cache'));
    let runs = 0;
    const value = later(3, () =>
      memo.get('text', file, (real) => {
        const text = readFileSync(real, 'utf8');
        if (++runs === 1) appendFileSync(file, '2');
        return text;
      }),
    );
    expect([value, runs]).toEqual(['12', 2]);
  });

  it('does without a memo that is damaged, of another format, or not writable', () => {
    const file = put('f', 'one');
    for (const text of [
      '',
      '{',
      'null',
      '{"format":1}',
      '{"format":99,"entries":{}}',
      '{"format":1,"entries":{"a":1}}',
    ]) {
      put('cache/memo.json', text);
      expect(counted(new Memo(at('cache')), file)).toEqual({ value: 'one', runs: 1 });
    }
    const memo = new Memo(at('f/below a file'));
    later(3, () => counted(memo, file));
    expect(() => memo.save()).not.toThrow();
  });

  it('serves digests', () => {
    const file = put('f', 'one');
    const memo = new Memo(at('cache'));
    const digest = later(3, () => digestOf(file, memo));
    expect(digest).toEqual(digestOf(file));
    memo.save();
    expect(readFileSync(at('cache/memo.json'), 'utf8')).toContain(sha256('one'));
    expect(digestOf(file, new Memo(at('cache')))).toEqual(digest);
  });
});
