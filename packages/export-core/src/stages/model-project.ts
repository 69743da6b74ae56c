/** A model project on disk, and running its targets: what the executors and the command line share. */
import { dirname, join, resolve } from 'node:path';
import { loadDescriptor, type LoadedDescriptor } from '../descriptor/load';
import type { Diagnostic } from '../diagnostics/diagnostic';
import { readLock } from '../keys/lock';
import type { Memo } from '../keys/memo';
import { failure, runStage, type RunResult } from './run-stage';
import { examiner } from './examine';
import type { StageContext, StageFunctions } from './stage';
import { targetName, targetsOf } from './targets';
import type { CodeIdentity, TargetRef } from './target-key';

export interface ModelProject {
  /** model.yaml, absolute. */
  file: string;
  root: string;
  dist: string;
  loaded: LoadedDescriptor;
}

/** Reads a model project. Never throws over what its model.yaml holds. */
export function openModel(file: string): ModelProject {
  const path = resolve(file);
  const root = dirname(path);
  return { file: path, root, dist: join(root, 'dist'), loaded: loadDescriptor(path) };
}

/** What forbids to run a target: errors of the model, or that it has no such target. */
export function obstacles({ loaded }: ModelProject, { stage, variant }: TargetRef): Diagnostic[] {
  const all = loaded.diagnostics;
  if (!loaded.descriptor || all.some(({ severity }) => severity === 'error')) return all;
  const name = targetName(stage.name, variant);
  if (targetsOf(loaded.descriptor).some(({ target }) => target === name)) return [];
  const message = Object.hasOwn(loaded.descriptor.variants, variant ?? '')
    ? `variant \`${variant}\` has no ${stage.name}`
    : `model.yaml has no variant \`${variant}\``;
  return [{ code: 'D004', severity: 'error', message, where: loaded.place(['variants']) }];
}

export interface RunTargetOptions {
  /** The key that the scheduler handed over; default: made from the files as they are. */
  key?: string;
  /** Which code runs; asked for only where a stage is really looked at. May throw FloeError. */
  code: (target: TargetRef) => CodeIdentity;
  memo?: Memo;
  force?: boolean;
  /** Files that are there have to be those of model.lock.json. */
  frozenLock?: boolean;
  log(line: string): void;
  /** Shows how far long work is; default: nobody waits for it. */
  progress?(line: string): void;
}

/** Runs one target of a model project. Never throws. */
export async function runTarget(
  project: ModelProject,
  target: TargetRef,
  functions: StageFunctions,
  { key, code, memo, force, frozenLock, log, progress = () => undefined }: RunTargetOptions,
): Promise<RunResult> {
  const diagnostics = obstacles(project, target);
  const { descriptor, place } = project.loaded;
  if (diagnostics.length > 0 || !descriptor) return { outcome: 'failed', diagnostics };
  const { stage, variant } = target;
  const run = functions[stage.name];
  if (!run) return failure(new Error(`nobody has the code of the stage ${stage.name}`));
  const { root, dist } = project;
  const context: StageContext = { root, dist, descriptor, place, variant, log, progress };
  if (stage.name === 'freeze' && functions.validate) context.examine = examiner(functions.validate, context);
  try {
    return await runStage(run, target, context, {
      ...code(target),
      key,
      memo,
      force,
      frozenLock,
      lock: readLock(root),
    });
  } catch (error) {
    return failure(error);
  }
}
