/**
 * `floe export --watch`: exports a model again whenever its model.yaml or a file that it names has changed.
 *
 * Files are looked at, not subscribed to: that also works where checkpoints usually lie (network folders, mounts of
 * a container), for files that do not exist yet, and for ones that are replaced. Nothing is exported before two looks
 * have seen the same: a training run writes its checkpoint in several files.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openModel, targetsOf, type ModelProject } from '@floe/export-core';
import type { Terminal } from './terminal';

/** Between two looks; more where a look takes long, so that watching takes a tenth of one core at most. */
const PAUSE_MS = 300;
const SHARE = 9;
/** Of files that changed together: a SavedModel has dozens. */
const MAX_LINES = 5;
/** The stamp of a folder: what is in it is looked at one by one. */
const FOLDER = 'folder';

export interface WatchOptions {
  /** The model.yaml files there are now. */
  find(): string[];
  /** Exports models and says what came of it. */
  exportModels(models: readonly string[]): Promise<unknown>;
  io: Terminal;
  /** Ends the watching, after the target that is being made. */
  signal: AbortSignal;
  pause?: number;
}

/** Files by path, with what changes when they do; a file that is not there has an empty stamp. */
type Stamps = ReadonlyMap<string, string>;

/** Exports everything once, then what changes. Returns when the signal says so. */
export async function watch({
  find,
  exportModels,
  io,
  signal,
  pause = PAUSE_MS,
}: WatchOptions): Promise<void> {
  const looks = new Looks();
  // What each model's files were when it was last exported: from before, so that a change meanwhile is one.
  const exported = new Map<string, Stamps>();
  let before = looks.at(find());
  let changed = [...before.keys()];
  while (!signal.aborted) {
    if (changed.length > 0) {
      for (const file of changed) exported.set(file, before.get(file)!);
      await exportModels(changed);
      if (!signal.aborted) io.err(`watching ${before.size} ${before.size === 1 ? 'model' : 'models'}\n`);
    }
    const started = performance.now();
    const now = looks.at(attempt(find) ?? []);
    const took = performance.now() - started;
    changed = [...now.keys()].filter((file) => !same(now.get(file), exported.get(file)));
    if (!changed.every((file) => same(now.get(file), before.get(file)))) changed = [];
    before = now;
    for (const file of changed) {
      for (const line of differences(exported.get(file), now.get(file)!, io.cwd)) io.err(`${line}\n`);
    }
    if (changed.length === 0)
      await sleep(Math.max(pause, took * SHARE), undefined, { signal }).catch(() => undefined);
  }
}

/** Looks at models; a model.yaml is read again only when it has changed. */
class Looks {
  private readonly projects = new Map<string, { stamp: string; project: ModelProject }>();

  at(models: readonly string[]): Map<string, Stamps> {
    return new Map(models.map((file) => [file, this.stamps(file)]));
  }

  private stamps(file: string): Stamps {
    const own = stampOf(file);
    let known = this.projects.get(file);
    if (known?.stamp !== own) this.projects.set(file, (known = { stamp: own, project: openModel(file) }));
    const stamps = new Map([[file, own]]);
    for (const path of filesOf(known.project)) {
      for (const part of partsOf(path)) stamps.set(part, stampOf(part));
    }
    return stamps;
  }
}

/** Every file and folder that a model's stages read, as far as it is known which they are. */
function filesOf({ root, loaded: { descriptor } }: ModelProject): string[] {
  if (!descriptor) return [];
  const paths = targetsOf(descriptor).flatMap(
    // A checkpoint that is not there yet: it is looked for again at the next look.
    ({ stage, variant }) => attempt(() => stage.files(descriptor, root, variant)) ?? [],
  );
  return [...new Set(paths.map(({ path }) => path))];
}

/** A file itself; of a folder every file in it. */
function partsOf(path: string): string[] {
  if (!attempt(() => statSync(path).isDirectory())) return [path];
  const names = attempt(() => readdirSync(path, { recursive: true, encoding: 'utf8' })) ?? [];
  return [path, ...names.sort().map((name) => join(path, name))];
}

function stampOf(path: string): string {
  const stat = attempt(() => statSync(path, { bigint: true }));
  if (!stat) return '';
  if (stat.isDirectory()) return FOLDER;
  return [stat.size, stat.mtimeNs, stat.ctimeNs, stat.dev, stat.ino].join(' ');
}

function same(a: Stamps | undefined, b: Stamps | undefined): boolean {
  return a?.size === b?.size && [...(a ?? [])].every(([path, stamp]) => b?.get(path) === stamp);
}

/** A line for each file that is not as it was; of a model that is new, one. */
function differences(before: Stamps | undefined, now: Stamps, cwd: string): string[] {
  const [file] = now.keys();
  if (!before) return [`${relative(cwd, file)} is new`];
  const lines = [...new Set([...before.keys(), ...now.keys()])].flatMap((path) => {
    const [was, is] = [before.get(path) ?? '', now.get(path) ?? ''];
    if (was === is || was === FOLDER || is === FOLDER) return [];
    return [`${relative(cwd, path)} ${was === '' ? 'is new' : is === '' ? 'is gone' : 'has changed'}`];
  });
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `and ${more} more`] : lines;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
