/**
 * The fingerprint of the code that a stage runs: without it in the key, an upgrade of Floe would still hit what the
 * old one cached.
 *
 * Each package's build writes `dist/fingerprint.json` with a digest over its built files. The versions of its
 * dependencies are looked up where they are installed, not taken from the build: a range in package.json may give
 * another version there.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { writeFileAtomic } from './atomic';
import { canonicalJson } from './canonical';

const FILE = 'fingerprint.json';

interface PackageJson {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
}

interface PackageFingerprint {
  package: string;
  version: string;
  /** Over the built .js and .json files. */
  sha256: string;
  /** As installed when it was built, for people; keys take the versions found at run time. */
  dependencies: Record<string, string>;
}

/** Writes `dist/fingerprint.json` of a built package; part of the build. */
export function writeFingerprint(packageFolder: string): PackageFingerprint {
  const dist = join(packageFolder, 'dist');
  const hash = createHash('sha256');
  for (const path of builtFiles(dist)) {
    hash.update(
      `${path}\0${createHash('sha256')
        .update(readFileSync(join(dist, path)))
        .digest('hex')}\n`,
    );
  }
  const { name, version, dependencies } = readPackage(packageFolder);
  const result: PackageFingerprint = {
    package: name,
    version,
    sha256: hash.digest('hex'),
    dependencies: installedVersions(packageFolder, dependencies),
  };
  writeFileAtomic(join(dist, FILE), JSON.stringify(result, null, 2) + '\n');
  return result;
}

const cache = new Map<string, string>();

/**
 * The fingerprint of several packages of Floe together, read once a process.
 *
 * @param packages npm names
 * @param from     a folder from which they can be resolved; a caller that depends on them gives its `__dirname`
 * @throws FloeError K001 when a package is not installed or not built
 */
export function fingerprint(packages: readonly string[], from: string = __dirname): string {
  const id = [from, ...packages].join('\0');
  let result = cache.get(id);
  if (result === undefined) {
    const parts = [...new Set(packages)].sort().map((name) => readFingerprint(name, from));
    result = createHash('sha256').update(canonicalJson(parts)).digest('base64url');
    cache.set(id, result);
  }
  return result;
}

function readFingerprint(name: string, from: string): PackageFingerprint {
  const folder = findPackage(name, from);
  if (!folder) throw noKey(`package ${name} is not installed`, `npm install ${name}`);
  const { version, dependencies } = readPackage(folder);
  let sha256: unknown;
  try {
    ({ sha256 } = JSON.parse(readFileSync(join(folder, 'dist', FILE), 'utf8')) as PackageFingerprint);
  } catch {
    // Said below, as when the file is there but holds no digest.
  }
  if (typeof sha256 !== 'string')
    throw noKey(`package ${name} has no ${FILE}: its build is not complete`, 'npm run build');
  return { package: name, version, sha256, dependencies: installedVersions(folder, dependencies) };
}

function noKey(message: string, hint: string): FloeError {
  return new FloeError({ code: 'K001', severity: 'error', message: `no key can be made: ${message}`, hint });
}

function builtFiles(dist: string): string[] {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|json)$/.test(entry.name) && !/\.spec\.js$/.test(entry.name))
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== FILE)
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Floe's own packages are left out: each stage names those it runs, with their digests. */
function installedVersions(
  folder: string,
  dependencies: Record<string, string> = {},
): Record<string, string> {
  const names = Object.keys(dependencies).filter((name) => !name.startsWith('@floe/'));
  return Object.fromEntries(
    names.map((name) => {
      const found = findPackage(name, folder);
      return [name, found ? readPackage(found).version : 'missing'];
    }),
  );
}

/**
 * Where a package lies, as Node would find it from a folder; the package that the folder belongs to finds itself.
 * Not `require.resolve`, which packages may keep from their package.json by `exports`.
 */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && readPackage(folder).name === name) return folder;
    const installed = join(folder, 'node_modules', name);
    if (existsSync(join(installed, 'package.json'))) return installed;
    if (folder === dirname(folder)) return undefined;
  }
}

function readPackage(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
}
