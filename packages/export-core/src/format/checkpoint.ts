/**
 * Checkpoints: the values of variables by name, in either of TensorFlow's formats.
 *
 * What a user names (a prefix, a file of the checkpoint, a folder) is resolved to a prefix first; then the index is
 * read, and the bytes of a variable when it is asked for.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { nearest } from '../diagnostics/suggest';
import { MAX_FOLDER_ENTRIES, MAX_SHARDS } from '../bytes/limits';
import type { DType } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';
import { BundleCheckpoint } from './checkpoint-bundle';
import { latestCheckpoint } from './checkpoint-state';
import { isV1Table, V1Checkpoint } from './checkpoint-v1';
import { fileError, hasTextState, pathKind, RandomAccessFile, systemError } from './file';
import { hasTableFooter, Table } from './table';

/** A variable as the checkpoint's index describes it. */
export interface CheckpointEntry {
  dtype: DType;
  shape: number[];
  /** Bytes of the packed elements; undefined for strings, which have none, and so no digest of raw bytes. */
  byteLength: number | undefined;
  /** Number of slices of a partitioned variable, else 0. */
  slices: number;
}

export interface Checkpoint {
  readonly format: 'V1' | 'V2';
  /** As TensorFlow names the checkpoint: `ckpt/model.ckpt-10`, or `ckpt/model.ckpt-?????-of-00002` (V1 shards). */
  readonly prefix: string;
  /** Every file it consists of. */
  readonly files: readonly string[];
  /** Variables sorted by their names' bytes; a partitioned variable is one entry with its full shape. */
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  /** The elements of a variable, read now. @throws FloeError S004, S005, S007, S008, S010 */
  read(name: string): Tensor;
  close(): void;
}

/** Where a checkpoint is. */
export interface CheckpointLocation {
  prefix: string;
  format: 'V1' | 'V2';
  /** The `checkpoint` state file that named it, when one did: it is read too. */
  stateFile?: string;
  /** V1: its files. V2 has them from its index. */
  files?: string[];
}

const DATA_SUFFIX = /\.data-\d{5}-of-\d{5}$/;
const SHARD_SUFFIX = /-(\d{5})-of-(\d{5})$/;
const SHARD_PATTERN = /-\?{5}-of-(\d{5})$/;

/**
 * Finds the checkpoint that a path means: a prefix; its `.index`, `.data-…` or `.meta` file; a V1 file, one of its
 * shards or their common name (`-?????-of-00002`); a `checkpoint` state file; a folder with one, or with exactly one
 * checkpoint.
 *
 * @throws FloeError S001 (nothing there), S003 (something else), S006 (a state file that leaves its folder)
 */
export function resolveCheckpoint(target: string): CheckpointLocation {
  const kind = pathKind(target);
  const byPrefix = prefixLocation(target);
  if (byPrefix && kind !== 'directory') return byPrefix;
  if (kind === 'directory') {
    const state = path.join(target, 'checkpoint');
    if (pathKind(state) === 'file' && hasTextState(state)) return resolveState(state);
    return byPrefix ?? resolveFolder(target);
  }
  if (kind === 'file') return resolveFile(target);
  const stem = target.replace(/\.meta$|\.index$/, '').replace(DATA_SUFFIX, '');
  const byStem = stem === target ? undefined : prefixLocation(stem);
  if (byStem) return byStem;
  throw missing(target);
}

/** Opens the checkpoint that a path means (see `resolveCheckpoint`). @throws FloeError as that, S004, S005, S007 */
export function openCheckpoint(target: string): Checkpoint {
  const { prefix, format, files } = resolveCheckpoint(target);
  return format === 'V2' ? new BundleCheckpoint(prefix) : new V1Checkpoint(prefix, files!);
}

/** The checkpoint of exactly this prefix. */
function prefixLocation(prefix: string): CheckpointLocation | undefined {
  if (pathKind(`${prefix}.index`) === 'file') return { prefix, format: 'V2' };
  const pattern = SHARD_PATTERN.exec(prefix);
  if (pattern) return shardLocation(prefix.slice(0, pattern.index), Number(pattern[1]));
  if (pathKind(prefix) !== undefined) return undefined;
  // A prefix of V1 shards without the `-?????-of-00002`.
  const base = path.basename(prefix);
  const counts = new Set<number>();
  for (const name of listFolder(path.dirname(prefix), true)) {
    const match = SHARD_SUFFIX.exec(name);
    if (match && name.slice(0, match.index) === base) counts.add(Number(match[2]));
  }
  if (counts.size > 1) {
    const list = [...counts].map((n) => `${prefix}-?????-of-${fiveDigits(n)}`).join(' and ');
    throw fileError('S003', prefix, `${prefix} could mean ${list}`, 'name one of them');
  }
  return counts.size === 1 ? shardLocation(prefix, [...counts][0]) : undefined;
}

function fiveDigits(n: number): string {
  return String(n).padStart(5, '0');
}

/** V1 shards: all must be there. */
function shardLocation(base: string, count: number): CheckpointLocation {
  const prefix = `${base}-?????-of-${fiveDigits(count)}`;
  if (count < 1 || count > MAX_SHARDS) throw fileError('S003', prefix, `${prefix} names ${count} shards`);
  const present = new Set(listFolder(path.dirname(base), true));
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    const file = `${base}-${fiveDigits(i)}-of-${fiveDigits(count)}`;
    if (!present.has(path.basename(file))) {
      throw fileError('S001', file, `${file} does not exist: the checkpoint ${prefix} has ${count} files`);
    }
    files.push(file);
  }
  return { prefix, format: 'V1', files };
}

function resolveFile(target: string): CheckpointLocation {
  if (target.endsWith('.index')) {
    const prefix = target.slice(0, -'.index'.length);
    return { prefix, format: 'V2' };
  }
  const data = DATA_SUFFIX.exec(target);
  if (data) {
    const prefix = target.slice(0, data.index);
    const hint = 'the .index file says what is in the data files; copy it beside them';
    const message = `${prefix}.index does not exist, only data files of this checkpoint do`;
    return prefixLocation(prefix) ?? fail(fileError('S001', `${prefix}.index`, message, hint));
  }
  if (target.endsWith('.meta')) {
    const prefix = target.slice(0, -'.meta'.length);
    const message = `${target} is the graph of a checkpoint whose files are not beside it`;
    return prefixLocation(prefix) ?? v1File(prefix) ?? fail(fileError('S001', target, message));
  }
  const v1 = v1File(target);
  if (v1) return v1;
  if (hasTextState(target)) return resolveState(target);
  throw fileError(
    'S003',
    target,
    `${target} is not a checkpoint`,
    'name its prefix, such as ckpt/model.ckpt-1000',
  );
}

function fail(error: FloeError): never {
  throw error;
}

/** A V1 checkpoint in one file, or the shards of which this file is one; undefined when it is something else. */
function v1File(target: string): CheckpointLocation | undefined {
  if (pathKind(target) !== 'file') return undefined;
  const file = new RandomAccessFile(target);
  try {
    if (!hasTableFooter(file) || !isV1Table(new Table(file), target)) return undefined;
  } finally {
    file.close();
  }
  const shard = SHARD_SUFFIX.exec(target);
  if (shard) return shardLocation(target.slice(0, shard.index), Number(shard[2]));
  return { prefix: target, format: 'V1', files: [target] };
}

function resolveState(stateFile: string): CheckpointLocation {
  const location = latestCheckpoint(stateFile, (prefix) => prefixLocation(prefix) ?? v1File(prefix));
  return { ...location, stateFile };
}

/** The one checkpoint of a folder without a state file. */
function resolveFolder(folder: string): CheckpointLocation {
  const found = new Map<string, CheckpointLocation>();
  for (const name of listFolder(folder, false).sort()) {
    const file = path.join(folder, name);
    if (name.endsWith('.index')) {
      const prefix = file.slice(0, -'.index'.length);
      found.set(prefix, { prefix, format: 'V2' });
    } else if (!/\.(meta|pb|pbtxt|npz|json|yaml|tflite|h5|keras)$/.test(name) && !DATA_SUFFIX.test(name)) {
      const location = pathKind(file) === 'file' ? v1File(file) : undefined;
      if (location) found.set(location.prefix, location);
    }
  }
  if (found.size === 1) return [...found.values()][0];
  if (found.size > 1) {
    const names = [...found.keys()].map((p) => path.basename(p));
    const list = names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
    const message = `${folder} holds ${found.size} checkpoints (${list}) and no \`checkpoint\` file that tells the latest`;
    throw fileError(
      'S003',
      folder,
      message,
      `name one of them, such as ${path.join(folder, names[names.length - 1])}`,
    );
  }
  if (pathKind(path.join(folder, 'saved_model.pb')) === 'file') {
    const hint = `its variables are ${path.join(folder, 'variables', 'variables')}`;
    throw fileError('S003', folder, `${folder} is a SavedModel, not a checkpoint`, hint);
  }
  throw fileError(
    'S001',
    folder,
    `${folder} holds no checkpoint`,
    'a checkpoint has an .index and .data files',
  );
}

/** Names in a folder; `quiet`: none when it cannot be read. */
function listFolder(folder: string, quiet: boolean): string[] {
  try {
    const names = fs.readdirSync(folder);
    if (names.length <= MAX_FOLDER_ENTRIES) return names;
  } catch (error) {
    if (quiet) return [];
    throw systemError(folder, error);
  }
  throw fileError('S010', folder, `${folder} has more than ${MAX_FOLDER_ENTRIES} files`);
}

/** The error for a path at which there is nothing, with what is there instead. */
function missing(target: string): FloeError {
  const folder = path.dirname(target);
  const prefixes = new Set<string>();
  for (const name of listFolder(folder, true)) {
    if (name.endsWith('.index')) prefixes.add(name.slice(0, -'.index'.length));
    const shard = SHARD_SUFFIX.exec(name);
    if (shard && !DATA_SUFFIX.test(name)) prefixes.add(`${name.slice(0, shard.index)}-?????-of-${shard[2]}`);
    if (DATA_SUFFIX.test(name) && name.replace(DATA_SUFFIX, '') === path.basename(target)) {
      const hint = 'the .index file says what is in the data files; copy it beside them';
      return fileError('S001', `${target}.index`, `${target}.index does not exist, only data files do`, hint);
    }
  }
  const near =
    nearest(path.basename(target), prefixes, 1)[0] ?? (prefixes.size === 1 ? [...prefixes][0] : undefined);
  const hint = near === undefined ? undefined : `did you mean ${path.join(folder, near)}?`;
  return fileError(
    'S001',
    target,
    `there is no checkpoint ${target} (no ${target}.index, no file ${target})`,
    hint,
  );
}
