import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withinDist, writeFileAtomic } from './atomic';
import { readManifest, upToDate, writeManifest } from './manifest';

let root: string;
let dist: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'floe-manifest-'));
  dist = join(root, 'dist');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('withinDist', () => {
  it('gives absolute paths below dist', () => {
    expect(withinDist(dist, 'frozen/graph.pb')).toBe(join(dist, 'frozen/graph.pb'));
    expect(withinDist(dist, '..a/b')).toBe(join(dist, '..a/b'));
    expect(withinDist(dist, 'a/../b')).toBe(join(dist, 'b'));
  });

  it.each(['..', '.', '', '../dist2/x', 'a/../../x', '/etc/passwd'])('refuses %s', (path) => {
    expect(() => withinDist(dist, path)).toThrow(/nothing is written outside it/);
  });

  it('refuses a link that leads out; dist itself may be one', () => {
    mkdirSync(dist);
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(dist, 'frozen'));
    expect(() => withinDist(dist, 'frozen/graph.pb')).toThrow(/nothing is written outside it/);
    expect(() => withinDist(dist, 'frozen/new/graph.pb')).toThrow(/nothing is written outside it/);
    symlinkSync(join(root, 'elsewhere'), join(root, 'linked'));
    expect(withinDist(join(root, 'linked'), 'a/b')).toBe(join(root, 'linked/a/b'));
  });
});

describe('writeFileAtomic', () => {
  it('writes texts, buffers and lists of buffers, making folders', () => {
    writeFileAtomic('a/b/text', 'é', dist);
    expect(readFileSync(join(dist, 'a/b/text'), 'utf8')).toBe('é');
    const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i % 5, i));
    writeFileAtomic('many', chunks, dist);
    expect(readFileSync(join(dist, 'many'))).toEqual(Buffer.concat(chunks));
    writeFileAtomic('none', [], dist);
    expect(statSync(join(dist, 'none')).size).toBe(0);
    writeFileAtomic('one', new Uint8Array([1, 2]), dist);
    expect([...readFileSync(join(dist, 'one'))]).toEqual([1, 2]);
  });

  it('replaces a file, keeps its mode and leaves nothing else', () => {
    writeFileAtomic('f', 'old', dist);
    chmodSync(join(dist, 'f'), 0o640);
    writeFileAtomic('f', 'new', dist);
    expect(readFileSync(join(dist, 'f'), 'utf8')).toBe('new');
    expect(statSync(join(dist, 'f')).mode & 0o777).toBe(0o640);
    expect(readdirSync(dist)).toEqual(['f']);
  });

  it('replaces a link, not what it points at', () => {
    writeFileSync(join(root, 'outside'), 'old');
    mkdirSync(dist);
    symlinkSync(join(root, 'outside'), join(dist, 'f'));
    writeFileAtomic('f', 'new', dist);
    expect(readFileSync(join(root, 'outside'), 'utf8')).toBe('old');
    expect(readFileSync(join(dist, 'f'), 'utf8')).toBe('new');
  });

  it('leaves the old file and no other when it fails', () => {
    writeFileAtomic('f', 'old', dist);
    expect(() => writeFileAtomic('f', [Buffer.from('x'), { length: 1 } as Uint8Array], dist)).toThrow();
    expect(readFileSync(join(dist, 'f'), 'utf8')).toBe('old');
    mkdirSync(join(dist, 'folder/inner'), { recursive: true });
    expect(() => writeFileAtomic('folder', 'x', dist)).toThrow();
    expect(readdirSync(dist)).toEqual(['f', 'folder']);
  });

  it('writes nothing outside', () => {
    expect(() => writeFileAtomic('../x', 'x', dist)).toThrow(/S006/);
    expect(existsSync(join(root, 'x'))).toBe(false);
  });
});

describe('manifests', () => {
  const path = 'frozen/manifest.json';
  const write = (provenance?: Record<string, unknown>): string => {
    const outputs = {
      'frozen/graph.pb': writeFileAtomic('frozen/graph.pb', 'graph', dist),
      'frozen/contract.json': writeFileAtomic('frozen/contract.json', '{}', dist),
    };
    writeManifest(dist, path, 'key', outputs, provenance);
    return join(dist, path);
  };

  it('are the same text whatever the order of their keys', () => {
    const first = readFileSync(write({ ops: ['a'], producer: { b: 1, a: 2 } }), 'utf8');
    const second = readFileSync(write({ producer: { a: 2, b: 1 }, ops: ['a'] }), 'utf8');
    expect(second).toBe(first);
    expect(JSON.parse(first)).toMatchObject({
      key: 'key',
      ops: ['a'],
      outputs: {
        'graph.pb': { size: 5, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        'contract.json': {},
      },
    });
  });

  it('tell whether the outputs are still what was written', () => {
    const file = write();
    expect(upToDate(file, 'key')).toBe(true);
    expect(upToDate(file, 'another')).toBe(false);
    writeFileSync(join(dist, 'frozen/graph.pb'), 'hpargh'.slice(0, 5));
    expect(upToDate(file, 'key')).toBe(false);
    write();
    rmSync(join(dist, 'frozen/contract.json'));
    expect(upToDate(file, 'key')).toBe(false);
    rmSync(file);
    expect(upToDate(file, 'key')).toBe(false);
  });

  it('are not believed when they name other files or are damaged', () => {
    const file = write();
    writeFileSync(join(dist, 'secret'), 'graph');
    const { outputs } = readManifest(file)!;
    for (const name of ['../secret', '/etc/passwd', 'a/../../secret', '..', '']) {
      writeFileSync(file, JSON.stringify({ key: 'key', outputs: { [name]: outputs['graph.pb'] } }));
      expect(readManifest(file)).toBeUndefined();
    }
    for (const text of ['', '[]', 'null', '{"key":"key"}', '{"key":"key","outputs":{"graph.pb":null}}']) {
      writeFileSync(file, text);
      expect(upToDate(file, 'key')).toBe(false);
    }
  });

  it('cannot be written over outputs that lie elsewhere', () => {
    const other = writeFileAtomic('other/file', 'x', dist);
    expect(() => writeManifest(dist, path, 'key', { 'other/file': other })).toThrow(/not in the folder/);
  });
});
