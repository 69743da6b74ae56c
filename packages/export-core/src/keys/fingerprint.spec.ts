import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let root: string;
beforeEach(() => {
  jest.resetModules(); // fingerprints are read once a process
  root = mkdtempSync(join(tmpdir(), 'floe-fingerprint-'));
  put('core/package.json', {
    name: '@floe/core',
    version: '1.0.0',
    dependencies: { dep: '^1.0.0', '@floe/other': '1' },
  });
  put('core/dist/index.js', 'exports.a = 1;');
  put('core/dist/ops/defs.json', { Add: {} });
  put('node_modules/dep/package.json', { name: 'dep', version: '1.2.3' });
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content: string | object): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

const api = (): typeof import('./fingerprint') => require('./fingerprint');
const write = (): string => api().writeFingerprint(join(root, 'core')).sha256;
const read = (): string => {
  jest.resetModules();
  return api().fingerprint(['@floe/core'], join(root, 'core', 'dist'));
};

describe('writeFingerprint', () => {
  it('covers the built files, whatever lies beside them', () => {
    const first = write();
    expect(JSON.parse(readFileSync(join(root, 'core/dist/fingerprint.json'), 'utf8'))).toEqual({
      package: '@floe/core',
      version: '1.0.0',
      sha256: first,
      dependencies: { dep: '1.2.3' },
    });
    put('core/dist/index.d.ts', 'types');
    put('core/dist/a.spec.js', 'test');
    put('core/dist/.tsbuildinfo', '{}');
    expect(write()).toBe(first);
    put('core/dist/ops/defs.json', { Add: {}, Mul: {} });
    const second = write();
    put('core/dist/new.js', '');
    expect(new Set([first, second, write()]).size).toBe(3);
  });
});

describe('fingerprint', () => {
  it('changes with the code, the version and the installed dependencies', () => {
    write();
    const seen = [read()];
    expect(read()).toBe(seen[0]);
    put('core/dist/index.js', 'exports.a = 2;');
    write();
    seen.push(read());
    put('node_modules/dep/package.json', { name: 'dep', version: '1.2.4' });
    seen.push(read());
    put('core/node_modules/dep/package.json', { name: 'dep', version: '2.0.0' });
    seen.push(read());
    put('core/package.json', { name: '@floe/core', version: '1.0.1', dependencies: { dep: '^1.0.0' } });
    seen.push(read());
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('finds packages beside the caller, in any order', () => {
    write();
    put('node_modules/@floe/tflite/package.json', { name: '@floe/tflite', version: '1.0.0' });
    put('node_modules/@floe/tflite/dist/fingerprint.json', { sha256: 'x' });
    const { fingerprint } = api();
    const from = join(root, 'core');
    expect(fingerprint(['@floe/core', '@floe/tflite'], from)).toBe(
      fingerprint(['@floe/tflite', '@floe/core'], from),
    );
    expect(fingerprint(['@floe/core'], from)).not.toBe(fingerprint(['@floe/tflite', '@floe/core'], from));
  });

  it('refuses a package that is not there or not built', () => {
    expect(() => api().fingerprint(['@floe/none'], root)).toThrow(/K001.*@floe\/none is not installed/);
    expect(() => read()).toThrow(/K001.*has no fingerprint.json/);
  });
});
