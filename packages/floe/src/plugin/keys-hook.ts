/**
 * The hook that runs once per Nx command, before tasks are hashed: it makes each target's key, and keeps every
 * model.lock.json as its files are.
 */
import { dirname, join } from 'node:path';
import {
  keyOver,
  LOCK_FILE,
  parseLock,
  sourcesOf,
  stageOf,
  writeLock,
  type CodeIdentity,
  type Descriptor,
  type Keys,
  type Memo,
  type ModelLock,
  type Sources,
  type TargetRef,
} from '@floe/export-core';
import { readFileSync } from 'node:fs';
import { keyedModel, type KeyedModel } from './keyed-model';

export interface KeyOptions {
  workspaceRoot: string;
  /** model.yaml files, relative to the workspace. */
  models: readonly string[];
  memo: Memo;
  /** Tells the memo's values of this code from those of another: keys are among them. */
  codeVersion: string;
  code: (target: TargetRef) => CodeIdentity;
  /** Locks are binding: nothing is written, and a target whose files are others gets no key. */
  frozenLock?: boolean;
}

/**
 * Every target's key; an empty one for targets that cannot have any (their executors say why). Never throws over a
 * user's file.
 */
export function makeKeys(options: KeyOptions): Keys {
  const keys = new Map<string, string>();
  for (const file of options.models) {
    const projectRoot = dirname(file).replaceAll('\\', '/');
    const root = join(options.workspaceRoot, projectRoot);
    const model = readModel(join(options.workspaceRoot, file), projectRoot, options);
    // Also where there is none: an earlier command's would stay.
    for (const [name, key] of keysOf(model, root, options)) keys.set(name, key);
  }
  return keys;
}

function readModel(path: string, projectRoot: string, { memo, codeVersion, code }: KeyOptions): KeyedModel {
  const make = (real: string): KeyedModel => keyedModel(real, projectRoot, code);
  return attempt(() => memo.get(`keys ${codeVersion} ${projectRoot}`, path, make)) ?? { targets: [] };
}

/** A model's keys by name; on the way its lock is brought up to date. */
function keysOf({ files, targets }: KeyedModel, root: string, options: KeyOptions): [string, string][] {
  const { memo, code, frozenLock = false } = options;
  const descriptor = files as Descriptor | undefined;
  const lock = descriptor ? rememberedLock(root, memo) : {};
  const next: ModelLock = {};
  const sections = new Map<string, Sources | undefined>();
  const look = (target: TargetRef): Sources | undefined => {
    const section = target.stage.locked(descriptor!, target.variant)!;
    if (!sections.has(section.name)) {
      const sources = attempt(() => sourcesOf(target, descriptor!, root, memo, lock));
      sections.set(section.name, sources);
      const entry = sources?.entry ?? lock[section.name];
      if (entry) next[section.name] = entry;
    }
    return sections.get(section.name);
  };
  const keys = targets.map(({ stage, variant, name, key, slice }): [string, string] => {
    if (key !== undefined) return [name, key];
    const target: TargetRef = { stage: stageOf(stage), variant };
    const sources = look(target);
    // A source that is missing, unreadable or not the locked one; the executor finds the same and says so.
    if (!sources || (frozenLock && sources.mismatch.length > 0)) return [name, ''];
    return [name, attempt(() => keyOver(target, slice!, sources, code(target))) ?? ''];
  });
  const names = new Set([...Object.keys(lock), ...Object.keys(next)]);
  const changed = [...names].some((name) => next[name] !== lock[name]);
  if (descriptor && !frozenLock && changed) attempt(() => writeLock(root, next));
  return keys;
}

function rememberedLock(root: string, memo: Memo): ModelLock {
  const read = (path: string): ModelLock => parseLock(readFileSync(path, 'utf8'));
  return attempt(() => memo.get('lock', join(root, LOCK_FILE), read)) ?? {};
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
