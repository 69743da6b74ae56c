/** Reading files: whole or by position, with every failure as a diagnostic that names the file. */
import * as fs from 'node:fs';
import { FloeError } from '../diagnostics/diagnostic';
import type { Code } from '../diagnostics/codes';

/** The error of a file that breaks its format at a byte offset (undefined: unknown). */
export function damaged(
  file: string,
  offset: number | undefined,
  reason: string,
  code: Code = 'S004',
): FloeError {
  const at = offset === undefined ? '' : ` at byte ${offset}`;
  return new FloeError({
    code,
    severity: 'error',
    message: `${file} is damaged${at}: ${reason}`,
    where: { file },
  });
}

/** Any other error about a file. */
export function fileError(code: Code, file: string, message: string, hint?: string): FloeError {
  return new FloeError({ code, severity: 'error', message, ...(hint ? { hint } : {}), where: { file } });
}

/** The diagnostic for an error of the file system: S001 when there is no such file, else S002. */
export function systemError(file: string, error: unknown): FloeError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return fileError('S001', file, `${file} does not exist`);
  if (code === 'EISDIR') return fileError('S002', file, `${file} is a folder, not a file`);
  const reason = error instanceof Error ? error.message : String(error);
  return fileError('S002', file, `${file} cannot be read: ${reason}`);
}

/** What is at a path: its kind, following links; undefined when nothing is. */
export function pathKind(path: string): 'file' | 'directory' | undefined {
  try {
    const stat = fs.statSync(path);
    return stat.isDirectory() ? 'directory' : 'file';
  } catch {
    return undefined;
  }
}

/** A file opened for reading by position. Its size is taken once; a file that shrinks meanwhile is damaged. */
export class RandomAccessFile {
  readonly size: number;
  private fd: number | undefined;

  /** @throws FloeError S001, S002 */
  constructor(readonly path: string) {
    try {
      this.fd = fs.openSync(path, 'r');
      const stat = fs.fstatSync(this.fd);
      if (stat.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
      this.size = stat.size;
    } catch (error) {
      this.close();
      throw systemError(path, error);
    }
  }

  /**
   * `length` bytes from `offset` on.
   *
   * @throws FloeError S004 when they pass the end of the file, S002 when the system cannot read
   */
  read(offset: number, length: number): Buffer {
    if (this.fd === undefined) throw fileError('S002', this.path, `${this.path} is closed`);
    if (!(offset >= 0) || !(length >= 0) || !(offset + length <= this.size)) {
      throw damaged(this.path, offset, `${length} bytes are expected there, the file has ${this.size} bytes`);
    }
    // Not from the pool: tensors are viewed as wider types and kept for long.
    const out = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      let got: number;
      try {
        // One call reads at most 2 GiB.
        got = fs.readSync(this.fd, out, done, Math.min(length - done, 2 ** 30), offset + done);
      } catch (error) {
        throw systemError(this.path, error);
      }
      if (got === 0) throw damaged(this.path, offset + done, 'the file ends while it is read');
      done += got;
    }
    return out;
  }

  close(): void {
    if (this.fd !== undefined) fs.closeSync(this.fd);
    this.fd = undefined;
  }
}

/**
 * A whole file.
 *
 * @throws FloeError S001, S002, or S010 when it is larger than `limit` bytes
 */
export function readFile(path: string, limit: number): Buffer {
  const file = new RandomAccessFile(path);
  try {
    if (file.size > limit) {
      throw fileError(
        'S010',
        path,
        `${path} has ${file.size} bytes; at most ${limit} can be read as this kind of file`,
      );
    }
    return file.read(0, file.size);
  } finally {
    file.close();
  }
}

/** True when a file reads as a `checkpoint` state file: text whose first word is a field of CheckpointState. */
export function hasTextState(path: string): boolean {
  const file = new RandomAccessFile(path);
  try {
    const head = file.read(0, Math.min(file.size, 4096)).toString('latin1');
    return /^(?:\s|#.*\n)*(?:(?:all_)?model_checkpoint_(?:path|paths|timestamps)|last_preserved_timestamp)\s*[:[]/.test(
      head,
    );
  } finally {
    file.close();
  }
}
