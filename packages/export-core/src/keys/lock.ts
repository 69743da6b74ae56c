/**
 * `model.lock.json`: digests of the files that a model.yaml names, committed beside it. With it a machine that has
 * none of them still knows the keys of everything that was made of them, and a commit says that they changed.
 *
 * A section counts only while model.yaml names its files as it did, and only for files that are not there: bytes
 * that are there always decide.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { writeFileAtomic } from './atomic';
import { canonicalJson } from './canonical';
import { removeLeftovers } from './leftovers';

export const LOCK_FILE = 'model.lock.json';
const VERSION = 1;

/** The part of a lock that one stage's files are in. */
export interface LockSection {
  name: string;
  /** As model.yaml names the files, by its keys. */
  from: Record<string, string>;
}

export interface LockedFile {
  /** From the model's folder, or absolute where model.yaml says it so; forward slashes. */
  path: string;
  sha256: string;
  size: number;
}

export interface LockEntry {
  from: Record<string, string>;
  /** By role (`SourceFile`). */
  files: Record<string, LockedFile>;
}

/** By section. */
export type ModelLock = Record<string, LockEntry>;

/** A model's lock; empty when there is none that can be read. */
export function readLock(root: string): ModelLock {
  try {
    return parseLock(readFileSync(join(root, LOCK_FILE), 'utf8'));
  } catch {
    return {};
  }
}

/** What a lock file says; of a damaged one, or one of a later version, nothing. */
export function parseLock(text: string): ModelLock {
  try {
    const { version, sections } = JSON.parse(text) as { version: unknown; sections: ModelLock };
    return version === VERSION && Object.values(sections).every(isEntry) ? sections : {};
  } catch {
    return {};
  }
}

/** Writes a model's lock, when that changes it; an empty one is not begun. */
export function writeLock(root: string, lock: ModelLock): void {
  const file = join(root, LOCK_FILE);
  const text = lockText(lock);
  if (existsSync(file) ? readFileSync(file, 'utf8') === text : Object.keys(lock).length === 0) return;
  removeLeftovers([file]);
  writeFileAtomic(file, text);
}

/** Sorted and indented: the same digests give the same bytes, and a commit shows the lines that changed. */
export function lockText(lock: ModelLock): string {
  return `${JSON.stringify(JSON.parse(canonicalJson({ version: VERSION, sections: lock })), null, 2)}\n`;
}

/** The entry of a section, where it is about the files that model.yaml names now. */
export function entryOf(lock: ModelLock | undefined, { name, from }: LockSection): LockEntry | undefined {
  const entry = lock && Object.hasOwn(lock, name) ? lock[name] : undefined;
  return entry && canonicalJson(entry.from) === canonicalJson(from) ? entry : undefined;
}

/**
 * How a lock names a file: like the name in model.yaml that led to it, so that the clone's place does not matter,
 * and an absolute name stays one.
 */
export function lockedPath(path: string, { from }: LockSection, root: string): string {
  for (const name of Object.values(from)) {
    const folder = dirname(resolve(root, name));
    const way = relative(folder, path);
    if (way !== '' && way.split(sep)[0] !== '..') return portable(join(dirname(name), way));
  }
  return portable(relative(root, path));
}

function portable(path: string): string {
  return path.split(sep).join('/');
}

function isEntry(entry: LockEntry): boolean {
  return (
    typeof entry?.from === 'object' &&
    entry.from !== null &&
    Object.values(entry.files).every(
      (file) =>
        typeof file?.path === 'string' && typeof file.sha256 === 'string' && typeof file.size === 'number',
    )
  );
}
