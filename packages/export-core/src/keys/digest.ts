/** Digests of files and folders by their content. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { fileError, systemError } from '../format/file';
import { hashBeside, LARGE_FILE_BYTES } from './hash-thread';
import type { Memo } from './memo';

const CHUNK_BYTES = 1 << 20;
/** A pointer file of Git LFS is smaller than this (its specification). */
const MAX_POINTER_BYTES = 1024;
/** Files of one folder: a SavedModel has some dozens. */
const MAX_FOLDER_FILES = 100_000;

export interface Digest {
  /** Of the content; for a Git LFS pointer, of the content that it points at. */
  sha256: string;
  /** Bytes of that content. */
  size: number;
  /** The Git LFS pointer files found in place of content: it can be named, not read ("run git lfs pull"). */
  pointers: string[];
}

/**
 * The digest of a file, or of a folder: of its files' relative paths and digests, links followed to their content.
 *
 * @throws FloeError S001 when nothing is there, S002 when it cannot be read or a folder contains itself
 */
export function digestOf(path: string, memo?: Memo): Digest {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? digestFolder(path, memo) : digestFile(path, stat.isFile(), memo);
  } catch (error) {
    throw error instanceof FloeError ? error : systemError(path, error);
  }
}

function digestFile(path: string, isRegular: boolean, memo: Memo | undefined): Digest {
  // Opening a pipe or a device would wait for ever.
  if (!isRegular) throw fileError('S002', path, `${path} is not a regular file`);
  const content = memo ? memo.get('sha256', path, hashFile) : hashFile(path);
  return { sha256: content.sha256, size: content.size, pointers: content.pointer ? [path] : [] };
}

/** What is known of a file's content. */
interface Content {
  sha256: string;
  size: number;
  pointer?: true;
}

function hashFile(path: string): Content {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  let size = 0;
  try {
    for (let got = readSync(fd, chunk); got > 0; got = readSync(fd, chunk)) {
      if (size === 0 && got < MAX_POINTER_BYTES) {
        const pointer = parsePointer(chunk.toString('latin1', 0, got));
        if (pointer) return pointer;
      }
      hash.update(chunk.subarray(0, got));
      size += got;
    }
  } finally {
    closeSync(fd);
  }
  return { sha256: hash.digest('hex'), size };
}

/** A Git LFS pointer has the digest of the content that it stands for. */
function parsePointer(text: string): Content | undefined {
  if (!text.startsWith('version https://git-lfs.github.com/spec/')) return undefined;
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text);
  const size = /^size (\d+)$/m.exec(text);
  return oid && size ? { sha256: oid[1], size: Number(size[1]), pointer: true } : undefined;
}

/** Digests that are made beside other work. */
export interface DigestsAhead {
  /** Waits for them and remembers them: `digestOf` has them then. */
  finish(): void;
  /** Whether all files are those that there were at first, and as they were. */
  isUnchanged(): boolean;
  /** Stops: nobody will ask. */
  giveUp(): void;
}

/**
 * Begins to make the digests of files that are about to be read, in another thread.
 *
 * @param paths gives the files and folders, now and when they are compared
 * @returns undefined when there is nothing large to hash, or when hashing has to come first: what stands in for content
 *   (Git LFS) must not be read, and a file written a moment ago may change unnoticed
 * @throws as `digestOf`
 */
export function digestsAhead(paths: () => readonly string[], memo: Memo): DigestsAhead | undefined {
  const look = () => {
    const all = paths().flatMap((path) =>
      statSync(path).isDirectory() ? listFolder(path).map((file) => join(path, file)) : [path],
    );
    const sizes = all.map((file) => statSync(file).size);
    const large = all.filter((_, i) => sizes[i] >= LARGE_FILE_BYTES);
    const small = all.filter((_, i) => sizes[i] < LARGE_FILE_BYTES).map((file) => digestOf(file, memo));
    return { large, small, state: JSON.stringify([all, sizes, small]) };
  };
  const { large, small, state } = look();
  if (large.length === 0 || small.some(({ pointers }) => pointers.length > 0)) return undefined;
  const begun = large.map((file) => memo.begin<Content>('sha256', file));
  if (!begun.every((each) => each !== undefined)) return undefined;
  const hashes = large.map((file) => hashBeside(file));
  if (!hashes.every((each) => each !== undefined)) return undefined;
  const sizes = large.map((file) => statSync(file).size);
  hashes.forEach((hash, i) => hash.advance(sizes[i], true));
  return {
    finish: () =>
      hashes.forEach((hash, i) => {
        const sha256 = hash.digest();
        if (sha256 !== undefined) begun[i].keep({ sha256, size: sizes[i] });
      }),
    isUnchanged: () => begun.every((each) => each.isUnchanged()) && look().state === state,
    giveUp: () => hashes.forEach((hash) => hash.giveUp()),
  };
}

function digestFolder(folder: string, memo: Memo | undefined): Digest {
  const hash = createHash('sha256');
  const files = listFolder(folder);
  const pointers: string[] = [];
  let size = 0;
  for (const path of files) {
    const digest = digestFile(join(folder, path), true, memo);
    hash.update(`${path}\0${digest.sha256}\n`);
    pointers.push(...digest.pointers);
    size += digest.size;
  }
  return { sha256: hash.digest('hex'), size, pointers };
}

/** Every file below a folder, as sorted relative paths with forward slashes. */
function listFolder(root: string): string[] {
  const files: string[] = [];
  const walk = (folder: string, prefix: string, parents: string[]): void => {
    const real = realpathSync.native(folder);
    if (parents.includes(real))
      throw fileError('S002', folder, `${folder} is a link to a folder that contains it`);
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const stat = statSync(path);
      if (stat.isDirectory()) walk(path, `${prefix}${name}/`, [...parents, real]);
      else if (!stat.isFile()) throw fileError('S002', path, `${path} is not a regular file`);
      else if (files.push(prefix + name) > MAX_FOLDER_FILES) {
        throw fileError('S010', root, `${root} has more than ${MAX_FOLDER_FILES} files`);
      }
    }
  };
  walk(root, '', []);
  return files.sort((a, b) => (a < b ? -1 : 1));
}
