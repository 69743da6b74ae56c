/** The key of a target: what its stage reads of model.yaml and of the files it names, and the code that runs. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Descriptor } from '../descriptor/schema';
import { FloeError } from '../diagnostics/diagnostic';
import { canonicalJson } from '../keys/canonical';
import { digestOf } from '../keys/digest';
import { entryOf, lockedPath, type LockEntry, type ModelLock } from '../keys/lock';
import type { Memo } from '../keys/memo';
import { stageKey } from '../keys/stage-key';
import type { StageTarget } from './targets';

/** The stage of a target, and the variant it is for. */
export type TargetRef = Pick<StageTarget, 'stage' | 'variant'>;

/** What runs, as far as keys cover it. */
export interface CodeIdentity {
  /** Of the packages that the stage loads (`fingerprint`). */
  fingerprint: string;
  /** Name and version of the engine, for stages that run models. */
  engine?: string;
}

/** What a target's stage reads outside `dist/`. */
export interface Sources {
  /** What the key is made of, by role. */
  digests: { role: string; sha256: string }[];
  /** Git LFS pointer files in place of content. */
  pointers: string[];
  /** Files that are not on this machine, whose digests are the lock's; as the lock names them. */
  absent: string[];
  /** What the lock should say of them: its own entry where that is right; undefined where a file is absent. */
  entry?: LockEntry;
  /** Where the files that are there are not those of the lock: one line for each difference. */
  mismatch: string[];
}

const NO_SOURCES: Sources = { digests: [], pointers: [], absent: [], mismatch: [] };

/** The digest of what a stage reads of model.yaml. Callers with many models remember it as long as that is unchanged. */
export function sliceDigest({ stage, variant }: TargetRef, descriptor: Descriptor): string {
  return createHash('sha256')
    .update(canonicalJson(stage.slice(descriptor, variant)))
    .digest('base64url');
}

/**
 * The digests of a target's files: of their bytes where they are there, from the lock where none that is there
 * contradicts it.
 *
 * @throws FloeError S001, S002 when a file cannot be read and the lock does not stand in for it
 */
export function sourcesOf(
  { stage, variant }: TargetRef,
  descriptor: Descriptor,
  root: string,
  memo?: Memo,
  lock?: ModelLock,
): Sources {
  const section = stage.locked(descriptor, variant);
  if (!section) return NO_SOURCES;
  const locked = entryOf(lock, section);
  const found: LockEntry = { from: section.from, files: {} };
  const digests: Sources['digests'] = [];
  const pointers: string[] = [];
  let missing: FloeError | undefined;
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      if (!locked || !isMissing(error, (file) => isLocked(lockedPath(file, section, root), locked)))
        throw error;
      missing ??= error;
      return undefined;
    }
  };
  let otherFiles = false;
  for (const { role, path } of attempt(() => stage.files(descriptor, root, variant)) ?? []) {
    const name = lockedPath(path, section, root);
    otherFiles ||= locked?.files[role]?.path !== name;
    const digest = attempt(() => digestOf(path, memo));
    if (!digest) continue;
    digests.push({ role, sha256: digest.sha256 });
    pointers.push(...digest.pointers);
    found.files[role] = { path: name, sha256: digest.sha256, size: digest.size };
  }
  if (!locked) return { digests, pointers, absent: [], entry: found, mismatch: [] };

  // A file that the search did not get to, or that only the lock knows (a shard of which nothing else tells).
  const unseen = Object.entries(locked.files).filter(([role]) => !Object.hasOwn(found.files, role));
  for (const [role, file] of otherFiles ? [] : unseen) {
    const path = resolve(root, file.path);
    const digest = existsSync(path) ? digestOf(path, memo) : undefined;
    if (digest) found.files[role] = { path: file.path, sha256: digest.sha256, size: digest.size };
  }
  const absent = Object.entries(locked.files).filter(([role]) => !Object.hasOwn(found.files, role));
  const mismatch = otherFiles || !agree(found, locked) ? differences(locked, found) : [];
  if (mismatch.length === 0 && absent.length > 0) {
    const all = Object.entries(locked.files).map(([role, { sha256 }]) => ({ role, sha256 }));
    return { digests: all, pointers, absent: absent.map(([, { path }]) => path), mismatch: [] };
  }
  if (missing) throw missing;
  const same = mismatch.length === 0 && Object.keys(found.files).length === Object.keys(locked.files).length;
  return { digests, pointers, absent: [], entry: same ? locked : found, mismatch };
}

/** The key of a target over sources that were looked at already. */
export function keyOver(
  { stage, variant }: TargetRef,
  slice: string,
  { digests }: Pick<Sources, 'digests'>,
  { fingerprint, engine }: CodeIdentity,
): string {
  return stageKey({
    stage: stage.name,
    variant,
    slice,
    sources: digests,
    fingerprint,
    engine: stage.usesEngine ? engine : undefined,
  });
}

/**
 * The key of a target.
 *
 * @throws FloeError as `sourcesOf`
 */
export function keyOf(
  target: TargetRef,
  descriptor: Descriptor,
  root: string,
  code: CodeIdentity,
  memo?: Memo,
  lock?: ModelLock,
): string {
  return keyOver(
    target,
    sliceDigest(target, descriptor),
    sourcesOf(target, descriptor, root, memo, lock),
    code,
  );
}

/** Whether all that is wrong is that such files are not there. */
function isMissing(error: unknown, such: (file: string) => boolean): error is FloeError {
  if (!(error instanceof FloeError)) return false;
  return error.diagnostics.every(
    ({ code, where }) => code === 'S001' && where !== undefined && such(where.file),
  );
}

/**
 * Whether a path is one of the lock's files, a folder with one, or the checkpoint that they make up. A state file
 * that is there may name another one, which the lock must not be taken for: `model-1` is not `model-10`.
 */
function isLocked(path: string, { files }: LockEntry): boolean {
  const part = /^(|\/.*|\.(index|meta|data-\d{5}-of-\d{5})|-\d{5}-of-\d{5})$/;
  return Object.values(files).some(
    (file) => file.path.startsWith(path) && part.test(file.path.slice(path.length)),
  );
}

function agree(found: LockEntry, locked: LockEntry): boolean {
  return Object.entries(found.files).every(
    ([role, { path, sha256 }]) => locked.files[role]?.sha256 === sha256 && locked.files[role].path === path,
  );
}

/** What of a lock's entry is not as found, for people. */
function differences(locked: LockEntry, found: LockEntry): string[] {
  const roles = [...new Set([...Object.keys(locked.files), ...Object.keys(found.files)])].sort();
  const text = (file: LockEntry['files'][string] | undefined): string =>
    file ? `${file.path} with sha256 ${file.sha256}` : 'nothing';
  return roles.flatMap((role) => {
    const [a, b] = [locked.files[role], found.files[role]];
    if (a && b && a.sha256 === b.sha256 && a.path === b.path) return [];
    return [`${role}: the lock has ${text(a)}, here is ${text(b)}`];
  });
}
