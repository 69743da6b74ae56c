/** Writing artefacts: whole or not at all, and nowhere but below `dist/`. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writevSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { fileError } from '../format/file';
import { digestOf } from './digest';
import { hashBeside, LARGE_FILE_BYTES } from './hash-thread';
import { temporaryName } from './leftovers';

/** Buffers handed to the system in one call (IOV_MAX is 1024 where it is smallest), and their bytes. */
const BATCH = 512;
const BATCH_BYTES = 1 << 23;

/** A part of a file: bytes, or bytes that are made when they are written and need not be kept. */
export type Piece = Uint8Array | { readonly byteLength: number; readonly bytes: Uint8Array };

/**
 * The absolute path of a file below `dist`.
 *
 * @throws FloeError S006 when the path leaves `dist`, also through a link on its way
 */
export function withinDist(dist: string, path: string): string {
  const root = resolve(dist);
  const target = resolve(root, path);
  const below = (folder: string, file: string): boolean => {
    const way = relative(folder, file);
    return way !== '' && way !== '..' && !way.startsWith('..' + sep) && !isAbsolute(way);
  };
  const outside = (): never => {
    throw fileError('S006', target, `${path} is not below ${root}: nothing is written outside it`);
  };
  if (!below(root, target)) outside();
  // `dist` itself may be a link (to a larger disk); what lies in it may not lead out of it. The file itself may be
  // a link: a rename replaces the link, not what it points at.
  if (existsSync(root) && !below(realpathSync.native(root), join(realFolder(dirname(target)), 'file')))
    outside();
  return target;
}

/** The real path of a folder; of one that is not there yet, what it will be. */
function realFolder(path: string): string {
  let rest = '';
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync.native(at), rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) throw error;
      rest = join(basename(at), rest);
    }
  }
}

/** What was written. */
export interface Written {
  sha256: string;
  size: number;
}

/**
 * Writes a file in one step: into a temporary file in the same folder, which then takes the name. Readers see the
 * old content or the new one, and a killed process leaves no half file under the name. The bytes are not forced
 * to the disk: after a power cut digests tell what is damaged. An existing file's mode is kept; folders are made.
 *
 * @param chunks the content; pieces are written one after another, without being joined
 * @param dist   when given, the path has to lie below it (S006)
 * @throws FloeError K005 when the system refuses (a full disk, a folder without permission)
 */
export function writeFileAtomic(
  path: string,
  chunks: string | Uint8Array | readonly Piece[],
  dist?: string,
): Written {
  const target = dist === undefined ? resolve(path) : writing(path, () => withinDist(dist, path));
  const folder = dirname(target);
  writing(target, () => mkdirSync(folder, { recursive: true }));
  const temporary = join(folder, temporaryName(basename(target), `${randomBytes(6).toString('hex')}.tmp`));
  const list =
    typeof chunks === 'string' ? [Buffer.from(chunks)] : chunks instanceof Uint8Array ? [chunks] : chunks;
  let hash: OutputHash | undefined;
  try {
    const fd = writing(target, () => openSync(temporary, 'wx'));
    let written: Written;
    try {
      hash = outputHash(temporary, list);
      const size = writeAll(fd, list, hash, target);
      written = { sha256: hash.digest(), size };
      const mode = existingMode(target);
      if (mode !== undefined) fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
    writing(target, () => renameSync(temporary, target));
    return written;
  } catch (error) {
    hash?.giveUp();
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Does something to a file that is being written; what the system refuses becomes a diagnostic.
 *
 * @throws FloeError K005
 */
export function writing<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { syscall, code, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const reason = full ? 'the disk is full' : message;
    throw fileError(
      'K005',
      file,
      `${file} cannot be written: ${reason}`,
      full ? 'make room, and run it again' : undefined,
    );
  }
}

function existingMode(path: string): number | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat.mode : undefined;
}

/** Makes the digest of a file on its way to the disk, so that it need not be read again. */
interface OutputHash {
  /** Bytes that are about to be written. */
  update(bytes: Uint8Array): void;
  /** How many have been written. */
  wrote(bytes: number): void;
  digest(): string;
  giveUp(): void;
}

function outputHash(file: string, chunks: readonly Piece[]): OutputHash {
  const size = chunks.reduce((n, piece) => n + piece.byteLength, 0);
  const beside = size < LARGE_FILE_BYTES ? undefined : hashBeside(file);
  if (beside) {
    return {
      update: () => undefined,
      wrote: (bytes) => beside.advance(bytes),
      digest: () => {
        beside.advance(0, true);
        return beside.digest() ?? digestOf(file).sha256;
      },
      giveUp: () => beside.giveUp(),
    };
  }
  const hash = createHash('sha256');
  return {
    update: (bytes) => hash.update(bytes),
    wrote: () => undefined,
    digest: () => hash.digest('hex'),
    giveUp: () => undefined,
  };
}

/** Every byte of every piece; gives their number. One call may write less than it was given (2 GiB at most on Linux). */
function writeAll(fd: number, chunks: readonly Piece[], hash: OutputHash, target: string): number {
  let next = 0;
  let size = 0;
  let pending: Uint8Array[] = [];
  for (;;) {
    let waiting = pending.reduce((n, p) => n + p.length, 0);
    while (pending.length < BATCH && waiting < BATCH_BYTES && next < chunks.length) {
      const chunk = chunks[next++];
      if (chunk.byteLength === 0) continue;
      const bytes = chunk instanceof Uint8Array ? chunk : chunk.bytes;
      hash.update(bytes);
      pending.push(bytes);
      waiting += bytes.length;
      size += bytes.length;
    }
    if (pending.length === 0) return size;
    let written = writing(target, () => writevSync(fd, pending));
    hash.wrote(written);
    let done = 0;
    while (done < pending.length && written >= pending[done].length) written -= pending[done++].length;
    pending = pending.slice(done);
    if (written > 0) pending[0] = pending[0].subarray(written);
  }
}

/** The pieces of a file in one buffer; for readers that need all of it. */
export function joinPieces(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map((p) => (p instanceof Uint8Array ? p : p.bytes)));
}
