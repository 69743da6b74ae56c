/**
 * Manifests: what a stage wrote, under which key. An executor that finds its manifest with the right key and every
 * output untouched has nothing to do.
 *
 * A manifest lies in the folder of its outputs and names them relative to itself. It holds no time and no place, so
 * that the same work gives the same manifest.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { canonicalJson } from './canonical';
import { digestOf } from './digest';
import type { Memo } from './memo';
import { writeFileAtomic, type Written } from './atomic';

export interface Manifest {
  /** What was read, shortened (`artefactKey`). */
  key: string;
  /** By path relative to the manifest. */
  outputs: Record<string, Written>;
  /** What else is worth knowing of the outputs' origin. */
  [provenance: string]: unknown;
}

/**
 * Writes a manifest over outputs that were just written; returns it.
 *
 * @param path       the manifest's, below `dist`
 * @param outputs    what the stage wrote, by path below `dist`: in the manifest's folder or below it
 * @param provenance further keys, as plain JSON values
 */
export function writeManifest(
  dist: string,
  path: string,
  key: string,
  outputs: Readonly<Record<string, Written>>,
  provenance: Record<string, unknown> = {},
): Manifest {
  const folder = dirname(join(dist, path));
  const entries = Object.entries(outputs).map(([output, { sha256, size }]): [string, Written] => {
    const name = relative(folder, join(dist, output)).split(sep).join('/');
    if (!isInside(name)) throw new RangeError(`${output} is not in the folder of ${path}`);
    return [name, { sha256, size }];
  });
  const manifest: Manifest = { ...provenance, key, outputs: Object.fromEntries(entries) };
  // Canonical, then indented: the same bytes whatever order the keys were given in.
  const text = JSON.stringify(JSON.parse(canonicalJson(manifest)), null, 2) + '\n';
  writeFileAtomic(path, text, dist);
  return manifest;
}

/** A manifest, or undefined when there is none that can be read. */
export function readManifest(path: string): Manifest | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    const good =
      typeof value.key === 'string' &&
      typeof value.outputs === 'object' &&
      value.outputs !== null &&
      Object.entries(value.outputs).every(
        ([name, o]) => isInside(name) && typeof o?.sha256 === 'string' && typeof o.size === 'number',
      );
    return good ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when the manifest has this key and each of its outputs is there, byte for byte. */
export function upToDate(path: string, key: string, memo?: Memo): boolean {
  const manifest = readManifest(path);
  return manifest?.key === key && isIntact(path, manifest, memo);
}

/** True when each output of a manifest is there, byte for byte. */
export function isIntact(path: string, manifest: Manifest, memo?: Memo): boolean {
  return Object.entries(manifest.outputs).every(([name, { sha256, size }]) => {
    const file = join(dirname(path), name);
    try {
      const stat = statSync(file);
      if (stat.isFile() && stat.size !== size) return false;
      return digestOf(file, memo).sha256 === sha256;
    } catch {
      return false;
    }
  });
}

function isInside(name: string): boolean {
  const normal = posix.normalize(name);
  return (
    name !== '' && normal === name && !posix.isAbsolute(name) && normal !== '.' && !/^\.\.(\/|$)/.test(normal)
  );
}
