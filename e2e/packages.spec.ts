/** What npm packs: all that a package needs and names, and nothing else. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

const REPOSITORY = resolve(__dirname, '..');
const PACKAGES = ['export-core', 'executor-freeze', 'executor-tflite', 'generators', 'floe'];

interface PackageJson {
  name: string;
  main: string;
  types: string;
  bin?: Record<string, string>;
  executors?: string;
  generators?: string;
  'nx-migrations'?: { migrations: string };
}

/** Paths in the tarball, by the package's npm name. */
const packed = new Map<string, string[]>();

beforeAll(() => {
  const where = PACKAGES.flatMap((name) => ['-w', `packages/${name}`]);
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', ...where], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  const result = JSON.parse(stdout) as Record<string, { name: string; files: { path: string }[] }>;
  for (const { name, files } of Object.values(result)) {
    packed.set(
      name,
      files.map(({ path }) => path),
    );
  }
});

const json = (name: string, path: string): unknown =>
  JSON.parse(readFileSync(join(REPOSITORY, 'packages', name, path), 'utf8'));

/** `./dist/a.js` of this package, or `@floe/generators/dist/a.js` of another. */
function expectPacked(from: string, path: string): void {
  const [, owner, rest] = /^(@floe\/[^/]+)\/(.+)$/.exec(path) ?? ['', from, path];
  const file = posix.normalize(rest.split('#', 1)[0]);
  const there = packed.get(owner)!;
  expect(there.some((name) => name === file || name === `${file}.js`) || `${owner} lacks ${file}`).toBe(true);
}

describe.each(PACKAGES)('%s', (folder) => {
  const meta = json(folder, 'package.json') as PackageJson;

  it('has what its package.json and its tables name', () => {
    const named = [meta.main, meta.types, ...Object.values(meta.bin ?? {})];
    const tables = [meta.executors, meta.generators, meta['nx-migrations']?.migrations].filter(
      (t) => t !== undefined,
    );
    for (const path of [...named, ...tables]) expectPacked(meta.name, path);
    for (const table of tables) {
      const { executors, generators } = json(folder, table) as Record<string, Record<string, unknown>>;
      for (const entry of Object.values({ ...executors, ...generators })) {
        if (typeof entry === 'string') continue;
        const { implementation, batchImplementation, factory, schema } = entry as Record<string, string>;
        const paths = [implementation, batchImplementation, factory, schema].filter(
          (path) => path !== undefined,
        );
        for (const path of paths) expectPacked(meta.name, path);
      }
    }
  });

  it('has its licence and its words, and nothing that only this repository needs', () => {
    const files = packed.get(meta.name)!;
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/fingerprint.json']),
    );
    const needless = files.filter((path) =>
      /\.spec\.|(^|\/)(testing|fixtures|src|node_modules)\/|tsbuildinfo|(?<!\.d)\.ts$|\.map$/.test(path),
    );
    expect(needless).toEqual([]);
  });
});

it('the generators have the model of the preset, the core its schema', () => {
  expect(packed.get('@floe/generators')).toContain(
    'dist/generators/preset/files/saved_model/variables/variables.data-00000-of-00001',
  );
  expect(packed.get('@floe/export-core')).toContain('model.schema.json');
});
