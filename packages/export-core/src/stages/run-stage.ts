/**
 * The one place where a stage is really run, under Nx and from the command line alike: nothing is published whose
 * key does not cover the bytes that were read.
 */
import { renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { withPaths } from '../checks/places';
import { checkFiles } from '../descriptor/check-files';
import type { Descriptor } from '../descriptor/schema';
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { GraphError } from '../graph/graph';
import { withinDist, writeFileAtomic, writing, type Written } from '../keys/atomic';
import { digestOf, digestsAhead } from '../keys/digest';
import { removeLeftovers, temporaryName } from '../keys/leftovers';
import { LOCK_FILE, type ModelLock } from '../keys/lock';
import { readManifest, upToDate, writeManifest, type Manifest } from '../keys/manifest';
import { Memo } from '../keys/memo';
import { artefactKey } from '../keys/stage-key';
import type { StageContext, StageFunction, StageResult } from './stage';
import { outputsOf, stageOf } from './table';
import { targetName } from './targets';
import {
  keyOver,
  sliceDigest,
  sourcesOf,
  type CodeIdentity,
  type Sources,
  type TargetRef,
} from './target-key';

export interface RunOptions extends CodeIdentity {
  /** The key handed in by whoever scheduled the stage; default: made of the files as they are. */
  key?: string;
  /** Digests of this process; default: none are remembered beyond this run. */
  memo?: Memo;
  /** Work even where the artefacts are already there. */
  force?: boolean;
  /** Digests of files that are not there. */
  lock?: ModelLock;
  /** Files that are there have to be the lock's. */
  frozenLock?: boolean;
}

export type Outcome = 'done' | 'up to date' | 'failed';

export interface RunResult {
  outcome: Outcome;
  diagnostics: Diagnostic[];
  /** One line for people, also for artefacts that were already there. */
  summary?: string;
  /** A fault in Floe itself: nothing a user did. */
  internalError?: Error;
}

/** A memo that lives as long as the process: nothing can be read from or saved below the null device. */
export function processMemo(): Memo {
  return new Memo(devNull);
}

/** Runs a stage unless its artefacts are already there. Never throws. */
export async function runStage(
  run: StageFunction,
  target: TargetRef,
  context: StageContext,
  options: RunOptions,
): Promise<RunResult> {
  try {
    return await runOrThrow(run, target, context, { ...options, memo: options.memo ?? processMemo() });
  } catch (error) {
    return failure(error);
  }
}

/** What an exception means for the user. */
export function failure(error: unknown): RunResult {
  if (error instanceof FloeError) return { outcome: 'failed', diagnostics: [...error.diagnostics] };
  if (error instanceof GraphError) {
    // A node that breaks its op's definition in a way that only its use shows.
    const { message, node } = error;
    const hint = 'the graph was edited or damaged: write it again with TensorFlow';
    return {
      outcome: 'failed',
      diagnostics: [{ code: 'G007', severity: 'error', message, hint, node: node.name }],
    };
  }
  const system = error as NodeJS.ErrnoException;
  if (error instanceof Error && typeof system.syscall === 'string') {
    // A file without permission, a disk that fails: nothing that Floe could have done better.
    const where = system.path === undefined ? undefined : { file: system.path };
    return {
      outcome: 'failed',
      diagnostics: [{ code: 'S002', severity: 'error', message: error.message, ...(where && { where }) }],
    };
  }
  const internalError = error instanceof Error ? error : new Error(String(error));
  return { outcome: 'failed', diagnostics: [], internalError };
}

async function runOrThrow(
  run: StageFunction,
  target: TargetRef,
  context: StageContext,
  options: RunOptions & { memo: Memo },
): Promise<RunResult> {
  const { stage, variant } = target;
  const { descriptor, root, dist } = context;
  const { memo, lock } = options;
  const name = targetName(stage.name, variant);
  const manifestPath = stage.manifest(variant);
  const slice = sliceDigest(target, descriptor);
  const keyIs = (sources: Sources): string => keyOver(target, slice, sources, options);
  const look = (): Sources => {
    try {
      return sourcesOf(target, descriptor, root, memo, lock);
    } catch (error) {
      // A missing file is named with its place in model.yaml, where that can be said.
      throwIfAny(missingFiles(target, context));
      throw error;
    }
  };
  const manifest = options.force ? undefined : readManifest(join(dist, manifestPath));
  const upstream = readUpstream(target, descriptor, dist, memo);
  const mayBeCurrent =
    manifest && (options.key === undefined || manifest.key === artefactKey(options.key, upstream));
  // Where the digests say nothing yet, another thread makes those of large files while the stage reads them.
  const ahead = mayBeCurrent || options.frozenLock ? undefined : beginDigests(target, context, memo);
  const sources = !ahead && (options.key === undefined || options.frozenLock) ? look() : undefined;
  if (sources && options.frozenLock) throwIfAny(lockMismatch(name, sources));
  let key = options.key ?? (sources && keyIs(sources));

  const listed = manifest && outputsByPath(manifestPath, manifest);
  const isListed = (path: string): boolean => listed !== undefined && Object.hasOwn(listed, path);
  const complete = outputsOf(stage, variant, isListed).every(isListed);
  if (manifest && complete && upToDate(join(dist, manifestPath), artefactKey(key!, upstream), memo)) {
    return { outcome: 'up to date', ...remembered(manifest) };
  }

  const check = (found: Sources): Sources => {
    key ??= keyIs(found);
    if (keyIs(found) !== key) throw changed(`what ${name} reads has changed since its key was made`);
    if (found.absent.length > 0) throw absentError(name, found.absent);
    if (found.pointers.length > 0) throw pointerError(found.pointers);
    return found;
  };
  let before = ahead ? undefined : check(look());

  removeLeftovers(stage.outputs(variant).map((path) => join(dist, path)));
  const stamps = upstream.map(({ file }) => stampOf(file));
  const result = await run(context).catch((error: unknown) => {
    ahead?.giveUp();
    throw error;
  });
  const { diagnostics, summary, provenance } = result;
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  const staged = new Map<string, string>();
  const written: Record<string, Written> = {};
  try {
    checkPromises(target, name, result);
    // Under other names at first: weights are read when they are written, so only then can be said whether what was
    // read is what the key stands for.
    for (const [path, content] of Object.entries(result.artefacts)) {
      const own = stagedPath(path);
      staged.set(path, own);
      written[path] = writeFileAtomic(own, content, dist);
    }
    ahead?.finish();
    const after = look();
    before ??= check(after);
    if (keyIs(after) !== key || ahead?.isUnchanged() === false) {
      throw changed(`what ${name} reads was changed while it ran`);
    }
    upstream.forEach(({ file, path, sha256 }, i) => {
      if (stampOf(file) !== stamps[i] && digestOf(file).sha256 !== sha256) {
        throw changed(`${path} was changed while ${name} read it`);
      }
    });
    for (const [path, own] of staged)
      writing(join(dist, path), () => renameSync(join(dist, own), join(dist, path)));
    if (!failed) removeOtherForms(target, dist, written);
  } catch (error) {
    for (const own of staged.values()) rmSync(join(dist, own), { force: true });
    removeEmpty([...[...staged.keys()].map((path) => dirname(join(dist, path))), dist]);
    throw error;
  } finally {
    ahead?.giveUp();
    result.release?.();
  }
  if (failed) return { outcome: 'failed', diagnostics, summary };
  writeManifest(dist, manifestPath, artefactKey(key!, upstream), written, {
    stage: stage.name,
    ...(before.digests.length > 0 && {
      sources: Object.fromEntries(before.digests.map(({ role, sha256 }) => [role, sha256])),
    }),
    ...(provenance && { provenance }),
    ...(summary !== undefined && { summary }),
    ...(diagnostics.length > 0 && { diagnostics: diagnostics.map(({ where: _, ...rest }) => rest) }),
  });
  for (const [path, { sha256 }] of Object.entries(written)) {
    const file = join(dist, path);
    ownFiles.set(file, { stamp: stampOf(file), sha256 });
  }
  return { outcome: 'done', diagnostics, summary };
}

/** Begins to hash what a stage reads, where that can be done beside it. What is wrong with the files is told later. */
function beginDigests({ stage, variant }: TargetRef, { descriptor, root }: StageContext, memo: Memo) {
  if (!stage.locked(descriptor, variant)) return undefined;
  try {
    return digestsAhead(() => stage.files(descriptor, root, variant).map(({ path }) => path), memo);
  } catch {
    return undefined;
  }
}

/** What an earlier run wrote in place of what this one did is nobody's any more. */
function removeOtherForms(
  { stage, variant }: TargetRef,
  dist: string,
  written: Record<string, Written>,
): void {
  const isWritten = (path: string): boolean => Object.hasOwn(written, path);
  const current = new Set([...outputsOf(stage, variant, isWritten), stage.manifest(variant)]);
  const gone = stage.outputs(variant).filter((path) => !current.has(path));
  for (const path of gone) rmSync(withinDist(dist, path), { force: true });
  removeEmpty(gone.flatMap((path) => [dirname(join(dist, path)), dirname(dirname(join(dist, path)))]));
}

/** Folders that hold nothing any more, or never did. */
function removeEmpty(folders: readonly string[]): void {
  const innerFirst = [...new Set(folders)].sort((a, b) => b.length - a.length);
  for (const folder of innerFirst) {
    try {
      rmdirSync(folder);
    } catch {
      // Something else is in it, or it is not there.
    }
  }
}

/** A name beside an artefact's own, for as long as it is not certain; two threads may make the same one again. */
function stagedPath(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return path.slice(0, slash) + temporaryName(path.slice(slash), `staged${threadId}`);
}

/** What a manifest remembers of the run that wrote it: a second run has the same to say. */
function remembered(manifest: Manifest): Pick<RunResult, 'diagnostics' | 'summary'> {
  const { diagnostics, summary } = manifest as Manifest & Partial<Pick<RunResult, 'diagnostics' | 'summary'>>;
  return {
    diagnostics: Array.isArray(diagnostics) ? diagnostics : [],
    ...(typeof summary === 'string' && { summary }),
  };
}

/**
 * Files that this process has written: their digests need no second reading as long as nobody has touched them.
 * The memo would not remember them, they are too young for it; but a write by someone else would have to hit the
 * same inode in the same tick of the clock.
 */
const ownFiles = new Map<string, { stamp: string; sha256: string }>();

function stampOf(file: string): string {
  const { size, mtimeNs, ctimeNs, dev, ino } = statSync(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, dev, ino].join(' ');
}

interface UpstreamFile {
  /** Below `dist`, as keys name it. */
  path: string;
  file: string;
  sha256: string;
}

/** The artefacts that a stage reads, as their manifests say they are. */
function readUpstream(
  { stage, variant }: TargetRef,
  descriptor: Descriptor,
  dist: string,
  memo?: Memo,
): UpstreamFile[] {
  return stage.upstream(descriptor, variant).flatMap(({ stage: name, files }) => {
    const from = stageOf(name);
    const itsVariant = from.perVariant ? variant : undefined;
    const producer = targetName(name, itsVariant);
    const manifestPath = from.manifest(itsVariant);
    const manifest = readManifest(join(dist, manifestPath));
    if (!manifest) throw artefactError(`${manifestPath} is missing or unreadable`, producer);
    const outputs = outputsByPath(manifestPath, manifest);
    const isListed = (path: string): boolean => Object.hasOwn(outputs, path);
    const inForm = new Set(outputsOf(from, itsVariant, isListed));
    const wanted = files.filter((path) => inForm.has(path));
    return wanted.map((path) => {
      const file = join(dist, path);
      const entry = isListed(path) ? outputs[path] : undefined;
      if (!entry) throw artefactError(`${manifestPath} does not list ${path}`, producer);
      let sha256: string;
      try {
        const own = ownFiles.get(file);
        sha256 = own && own.stamp === stampOf(file) ? own.sha256 : digestOf(file, memo).sha256;
      } catch {
        throw artefactError(`${path} is missing or unreadable`, producer);
      }
      if (sha256 !== entry.sha256) {
        throw artefactError(`${path} is not what ${producer} wrote: its sha256 differs`, producer);
      }
      return { path, file, sha256 };
    });
  });
}

/** A manifest's outputs by their path below `dist`; all paths have forward slashes. */
function outputsByPath(manifestPath: string, { outputs }: Manifest): Manifest['outputs'] {
  const folder = manifestPath.slice(0, manifestPath.lastIndexOf('/') + 1);
  return Object.fromEntries(Object.entries(outputs).map(([name, entry]) => [folder + name, entry]));
}

/** Keys of model.yaml under which a stage's files are named. */
const FILE_KEYS: Partial<Record<string, string>> = {
  freeze: 'source',
  validate: 'detection',
  convert: 'detection',
  calibrate: 'variants',
  verify: 'verify',
};

/** S001 for each file of model.yaml that this stage needs and that is not there, with its place and a suggestion. */
export function missingFiles(
  { stage, variant }: TargetRef,
  { descriptor, root, place }: Pick<StageContext, 'descriptor' | 'root' | 'place'>,
): Diagnostic[] {
  const variants = variant === undefined ? [] : [variant];
  const ofStage = new Set<Diagnostic['where']>();
  const all = checkFiles(
    descriptor,
    root,
    (path) => {
      const where = withPaths(place)([...path]);
      if (path[0] === FILE_KEYS[stage.name]) ofStage.add(where);
      return where;
    },
    variants,
  );
  return all.filter(({ where }) => ofStage.has(where));
}

/** A stage that breaks its row of the table is a fault in Floe. */
function checkPromises(
  { stage, variant }: TargetRef,
  name: string,
  { artefacts, diagnostics }: StageResult,
): void {
  const promised = outputsOf(stage, variant, (path) => Object.hasOwn(artefacts, path));
  const extra = Object.keys(artefacts).find((path) => !promised.includes(path));
  if (extra !== undefined) throw new Error(`${name} wrote ${extra}, which the stage table does not list`);
  if (diagnostics.some(({ severity }) => severity === 'error')) return;
  const absent = promised.find((path) => !Object.hasOwn(artefacts, path));
  if (absent !== undefined) throw new Error(`${name} succeeded but did not write ${absent}`);
}

function throwIfAny(diagnostics: Diagnostic[]): void {
  if (diagnostics.length > 0) throw new FloeError(diagnostics);
}

function changed(message: string): FloeError {
  const hint =
    'nothing was published; run it again once the files are at rest (after an upgrade of Floe: `nx reset`)';
  return new FloeError({ code: 'K002', severity: 'error', message, hint });
}

function artefactError(message: string, producer: string): FloeError {
  const hint = `make it again: run \`${producer}\``;
  return new FloeError({ code: 'K003', severity: 'error', message, hint });
}

/** K006 for files that are not what model.lock.json says of them. */
export function lockMismatch(target: string, { mismatch }: Pick<Sources, 'mismatch'>): Diagnostic[] {
  if (mismatch.length === 0) return [];
  return [
    {
      code: 'K006',
      severity: 'error',
      message: `${target} does not read the files of ${LOCK_FILE}: ${mismatch.join('; ')}`,
      hint: `to accept them, run it without CI and --frozen-lock and commit ${LOCK_FILE}`,
    },
  ];
}

function absentError(target: string, files: string[]): FloeError {
  const several = files.length > 1 ? ` and ${files.length - 1} more` : '';
  return new FloeError({
    code: 'K004',
    severity: 'error',
    message:
      `${files[0]}${several} is not on this machine: ${LOCK_FILE} says which file it was, ` +
      `but neither this machine nor a cache has what ${target} made of it`,
    hint: 'fetch the file, or run it once on a machine that has it and shares its Nx cache',
  });
}

function pointerError(files: string[]): FloeError {
  return new FloeError(
    files.map((file) => ({
      code: 'K004',
      severity: 'error',
      message: `${file} is a Git LFS pointer: its content is not on this machine`,
      hint: 'git lfs pull',
      where: { file },
    })),
  );
}
