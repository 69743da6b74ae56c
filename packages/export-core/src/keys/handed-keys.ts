/**
 * Keys on their way from a scheduler's hook to the executors, and into the scheduler's hashes.
 *
 * The scheduler has to hash each target on the target's own key. Two ways:
 *
 * - A file per target, hashed straight from disk. A later command may write it again while this one runs, so what an
 *   executor goes by is a snapshot of all keys of its command, with the stamps of the files: where a file has been
 *   written since, the scheduler may have hashed another key than the snapshot's, and nothing is run.
 *
 *       <folder>/ABCDEFGHIJ    a target's key, 22 characters; empty where there can be none
 *       <folder>/keys.json     { "folder": …, "keys": { "ABCDEFGHIJ": ["<key>", "<stamp of the file>"], … } }
 *
 * - An environment variable per target, for schedulers that cannot hash such files. Nx copies the whole environment
 *   for each task, so its cost grows with the square of the targets: fine for dozens of models.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { writeFileAtomic, writing } from './atomic';

/** Keys by `keyName`; empty ones for targets that cannot have any. */
export type Keys = ReadonlyMap<string, string>;

/** Names the snapshot of a command's keys, where they are handed over in files. */
const KEYS_FILE = 'FLOE_KEYS_FILE';
const RECORD = 'keys.json';

interface Snapshot {
  folder: string;
  keys: Record<string, [key: string, stamp: string]>;
}

/**
 * The name of a target's key: ten capital letters and digits, because Windows does not tell cases apart and all
 * variables of an environment share a limited space. `projectRoot` is relative to the workspace.
 */
export function keyName(projectRoot: string, target: string): string {
  const project = projectRoot.replaceAll('\\', '/').replace(/^\.\/|\/$/g, '') || '.';
  const digest = createHash('sha256').update(`${project}\0${target}`).digest();
  // 32 letters, of which each byte picks one: no letter is likelier than another.
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(digest.subarray(0, 10), (byte) => letters[byte % 32]).join('');
}

/** The environment variable of a key, where keys are handed over in the environment. */
export function keyVariable(name: string): string {
  return `FLOE_${name}`;
}

/** Hands keys over in the environment. */
export function handInEnvironment(env: NodeJS.ProcessEnv, keys: Keys): void {
  env[KEYS_FILE] = '';
  for (const [name, key] of keys) env[keyVariable(name)] = key;
}

/**
 * Hands keys over in files of `folder`, of which only those are written that are not right already.
 *
 * @param snapshot where the snapshot is written for the executors of this command
 * @throws FloeError K005 when the folder cannot be written: the scheduler would hash keys of an earlier command
 */
export function handInFiles(env: NodeJS.ProcessEnv, keys: Keys, folder: string, snapshot: string): void {
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  const record = join(folder, RECORD);
  const before = readSnapshot(record)?.keys ?? {};
  const after: Snapshot['keys'] = {};
  let changed = false;
  for (const [name, key] of keys) {
    const known = before[name];
    const file = join(folder, name);
    if (known?.[0] === key && known[1] === stampOf(file)) {
      after[name] = known;
      continue;
    }
    after[name] = [key, bringAbout(file, key)];
    changed = true;
  }
  const gone = Object.keys(before).filter((name) => !keys.has(name));
  for (const name of gone) rmSync(join(folder, name), { force: true });
  const text = JSON.stringify({ folder, keys: after } satisfies Snapshot);
  if (changed || gone.length > 0) writeFileAtomic(record, text);
  writeFileAtomic(snapshot, text);
  env[KEYS_FILE] = snapshot;
}

/** Leaves a file alone that has the content already, as a command beside this one may have written it. */
function bringAbout(file: string, key: string): string {
  for (;;) {
    const stamp = stampOf(file);
    if (stamp !== undefined && readOrNothing(file) === key && stampOf(file) === stamp) return stamp;
    writeFileAtomic(file, key);
  }
}

/**
 * The key that was handed over for a target; undefined when none was.
 *
 * @throws FloeError K007 when another command has handed over other keys since
 */
export function handedKey(env: NodeJS.ProcessEnv, projectRoot: string, target: string): string | undefined {
  const name = keyName(projectRoot, target);
  if (!env[KEYS_FILE]) return env[keyVariable(name)];
  const snapshot = snapshotOf(env[KEYS_FILE]);
  const handed = snapshot?.keys[name];
  if (!snapshot || !handed) return undefined;
  const [key, stamp] = handed;
  if (stampOf(join(snapshot.folder, name)) === stamp) return key;
  throw new FloeError([
    {
      code: 'K007',
      severity: 'error',
      message: `${target} was given another key by a command that was started after this one`,
      hint: 'run it again: what was edited meanwhile is then part of it',
    },
  ]);
}

let last: { file: string; snapshot: Snapshot | undefined } | undefined;

/** A process runs many targets of one command. */
function snapshotOf(file: string): Snapshot | undefined {
  if (last?.file !== file) last = { file, snapshot: readSnapshot(file) };
  return last.snapshot;
}

function readSnapshot(file: string): Snapshot | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
  } catch {
    return undefined;
  }
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Another one for each time that the file is written: by a rename, which is another inode and another ctime. */
function stampOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.ctimeNs}`;
}
