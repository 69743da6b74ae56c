/**
 * The `checkpoint` state file: a CheckpointState in text format that names the latest checkpoint of its folder.
 *
 *   model_checkpoint_path: "model.ckpt-200"
 *   all_model_checkpoint_paths: "model.ckpt-100"
 *   all_model_checkpoint_paths: "model.ckpt-200"
 *
 * TensorFlow writes absolute paths when it was given such, and then the folder is moved: a prefix is therefore
 * looked for beside the state file first. It never leads out of the folder.
 */
import * as path from 'node:path';
import { MAX_STATE_FILE_BYTES } from '../bytes/limits';
import { fileError, readFile } from './file';
import { parseText } from './text-proto';

export interface CheckpointState {
  /** Prefix of the latest checkpoint, as written. */
  latest: string;
  /** Prefixes of all checkpoints, oldest first, as written. */
  all: readonly string[];
}

/** Reads a state file. @throws FloeError S001, S002, S004, S010 */
export function readCheckpointState(stateFile: string): CheckpointState {
  const state = parseText('CheckpointState', readFile(stateFile, MAX_STATE_FILE_BYTES), stateFile);
  return { latest: state.model_checkpoint_path, all: state.all_model_checkpoint_paths };
}

/**
 * The latest checkpoint that a state file names.
 *
 * @param locate finds the checkpoint of a prefix, undefined when there is none
 * @throws FloeError S001 when it is not there, S006 when it lies outside the state file's folder
 */
export function latestCheckpoint<T>(stateFile: string, locate: (prefix: string) => T | undefined): T {
  const { latest, all } = readCheckpointState(stateFile);
  if (latest === '') {
    throw fileError('S004', stateFile, `${stateFile} names no checkpoint (model_checkpoint_path is missing)`);
  }
  const folder = path.dirname(stateFile);
  for (const candidate of candidates(folder, latest)) {
    const found = locate(candidate);
    if (found) return found;
  }
  if (leaves(folder, latest)) {
    const message = `${stateFile} names ${latest}, which is outside its folder and not beside it either`;
    throw fileError('S006', stateFile, message, 'name the checkpoint itself instead of its folder');
  }
  const other = all.filter((p) => p !== latest && candidates(folder, p).some((c) => locate(c)));
  const message = `${stateFile} names ${latest} as the latest checkpoint, which does not exist`;
  const hint = other.length
    ? `name another one, such as ${path.join(folder, baseName(other[other.length - 1]))}`
    : `copy its files into ${folder}, or name the checkpoint itself`;
  throw fileError('S001', stateFile, message, hint);
}

/** Windows paths and URLs (gs://…) count as absolute on every system: the file may come from another one. */
function isAbsolute(prefix: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\]|[a-z][a-z0-9+.-]*:\/\/)/i.test(prefix);
}

function baseName(prefix: string): string {
  return prefix.slice(Math.max(prefix.lastIndexOf('/'), prefix.lastIndexOf('\\')) + 1);
}

/** True when a prefix as written leads out of the folder. */
function leaves(folder: string, prefix: string): boolean {
  const relative = path.relative(path.resolve(folder), path.resolve(folder, prefix));
  return isAbsolute(prefix) && !path.isAbsolute(prefix)
    ? true
    : relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}

/** Where a prefix may be, within the folder, in the order to look. */
function candidates(folder: string, prefix: string): string[] {
  const beside = baseName(prefix);
  const list: string[] = [];
  if (isAbsolute(prefix) && beside !== '' && beside !== '.' && beside !== '..')
    list.push(path.join(folder, beside));
  if (!leaves(folder, prefix)) list.push(isAbsolute(prefix) ? prefix : path.join(folder, prefix));
  return list;
}
