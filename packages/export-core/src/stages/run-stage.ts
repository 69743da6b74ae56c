/**
 * The one place where a stage is really run, under Nx and from the command line alike: nothing is published whose
 * key does not cover the bytes that were read.
 */
import { devNull } from 'node:os';
import { join } from 'node:path';
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { GraphError } from '../graph/graph';
import { removeLeftovers } from '../keys/leftovers';
import { readManifest, upToDate, writeManifest, type Manifest } from '../keys/manifest';
import { Memo } from '../keys/memo';
import { artefactKey } from '../keys/stage-key';
import type { StageContext, StageFunction, StageResult } from './stage';
import { StageInputs, type InputOptions } from './stage-inputs';
import { Staging } from './staging';
import { outputsOf } from './table';
import type { TargetRef } from './target-key';
import { targetName } from './targets';
import { outputsByPath, readUpstream, rememberOwn, watchUpstream } from './upstream';

export interface RunOptions extends Omit<InputOptions, 'memo'> {
  /** Digests of this process; default: none are remembered beyond this run. */
  memo?: Memo;
  /** Work even where the artefacts are already there. */
  force?: boolean;
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
  const { descriptor, dist } = context;
  const { memo } = options;
  const name = targetName(stage.name, variant);
  const manifestPath = stage.manifest(variant);
  const inputs = new StageInputs(target, context, options);
  const manifest = options.force ? undefined : readManifest(join(dist, manifestPath));
  const upstream = readUpstream(target, descriptor, dist, memo);
  const mayBeCurrent =
    manifest !== undefined &&
    (options.key === undefined || manifest.key === artefactKey(options.key, upstream));
  if (!mayBeCurrent) inputs.hashBeside();
  inputs.makeKey();
  if (mayBeCurrent && isComplete(target, manifest)) {
    const isCurrent = upToDate(join(dist, manifestPath), artefactKey(inputs.key, upstream), memo);
    if (isCurrent) return { outcome: 'up to date', ...remembered(manifest) };
  }
  inputs.check();

  removeLeftovers(stage.outputs(variant).map((path) => join(dist, path)));
  const checkUpstream = watchUpstream(upstream, name);
  const staging = new Staging(dist);
  let result: StageResult | undefined;
  try {
    result = await run(context);
    checkPromises(target, name, result);
    for (const [path, content] of Object.entries(result.artefacts)) staging.write(path, content);
    // Weights are read when they are written, so only now can be said whether what was read is what the key stands for.
    inputs.checkUnchanged();
    checkUpstream();
    staging.publish();
    if (!hasErrors(result)) staging.removeOtherForms(target);
  } catch (error) {
    staging.discard();
    throw error;
  } finally {
    inputs.release();
    result?.release?.();
  }
  const { diagnostics, summary, provenance } = result;
  if (hasErrors(result)) return { outcome: 'failed', diagnostics, summary };
  writeManifest(dist, manifestPath, artefactKey(inputs.key, upstream), staging.written, {
    stage: stage.name,
    ...(inputs.digests.length > 0 && {
      sources: Object.fromEntries(inputs.digests.map(({ role, sha256 }) => [role, sha256])),
    }),
    ...(provenance && { provenance }),
    ...(summary !== undefined && { summary }),
    ...(diagnostics.length > 0 && { diagnostics: diagnostics.map(({ where: _, ...rest }) => rest) }),
  });
  for (const [path, { sha256 }] of Object.entries(staging.written)) rememberOwn(join(dist, path), sha256);
  return { outcome: 'done', diagnostics, summary };
}

const hasErrors = ({ diagnostics }: StageResult): boolean =>
  diagnostics.some(({ severity }) => severity === 'error');

/** Whether a manifest lists all that the stage has to write. */
function isComplete({ stage, variant }: TargetRef, manifest: Manifest): boolean {
  const listed = outputsByPath(stage.manifest(variant), manifest);
  const isListed = (path: string): boolean => Object.hasOwn(listed, path);
  return outputsOf(stage, variant, isListed).every(isListed);
}

/** What a manifest remembers of the run that wrote it: a second run has the same to say. */
function remembered(manifest: Manifest): Pick<RunResult, 'diagnostics' | 'summary'> {
  const { diagnostics, summary } = manifest as Manifest & Partial<Pick<RunResult, 'diagnostics' | 'summary'>>;
  return {
    diagnostics: Array.isArray(diagnostics) ? diagnostics : [],
    ...(typeof summary === 'string' && { summary }),
  };
}

/** A stage that breaks its row of the table is a fault in Floe. */
function checkPromises({ stage, variant }: TargetRef, name: string, result: StageResult): void {
  const { artefacts } = result;
  const promised = outputsOf(stage, variant, (path) => Object.hasOwn(artefacts, path));
  const extra = Object.keys(artefacts).find((path) => !promised.includes(path));
  if (extra !== undefined) throw new Error(`${name} wrote ${extra}, which the stage table does not list`);
  if (hasErrors(result)) return;
  const absent = promised.find((path) => !Object.hasOwn(artefacts, path));
  if (absent !== undefined) throw new Error(`${name} succeeded but did not write ${absent}`);
}
