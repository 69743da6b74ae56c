/**
 * Running a target for a scheduler that has made its key: what every executor does. The key is handed over in a way
 * that the scheduler can hash (`keys/handed-keys.ts`); without one nothing runs, because what was stored then would
 * be stored under the wrong name.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic';
import type { Memo } from '../keys/memo';
import { handedKey } from '../keys/handed-keys';
import { obstacles, openModel, runTarget, type ModelProject } from './model-project';
import { printResult } from './print-result';
import { readLock } from '../keys/lock';
import { isLockFrozen } from '../keys/lock-mode';
import { nowAndThen } from './now-and-then';
import { isDamage, remake, remakeUpstream, repaired, type RunOne } from './remake';
import { failure, type RunResult } from './run-stage';
import { lockMismatch, missingFiles } from './source-errors';
import type { StageFunctions } from './stage';
import { stageOf, type StageName } from './table';
import { dependenciesOf, targetName } from './targets';
import { sourcesOf, type CodeIdentity, type TargetRef } from './target-key';

export interface ScheduledTarget {
  /** The workspace, absolute. */
  workspace: string;
  /** The project's folder, relative to the workspace. */
  projectRoot: string;
  /** As the scheduler calls the project. */
  projectName: string;
  stage: StageName;
  variant?: string;
  /** Targets of the same project that ran before this one, as the scheduler knows; undefined when nothing is cached. */
  dependencies?: readonly string[];
}

export interface ScheduledRun {
  stages: StageFunctions;
  code: (target: TargetRef) => CodeIdentity;
  memo?: Memo;
  env?: NodeJS.ProcessEnv;
}

export interface ScheduledResult {
  success: boolean;
  /** Everything there is to say to people. */
  output: string;
}

/** Runs one target. Never throws. */
export function runScheduled(scheduled: ScheduledTarget, run: ScheduledRun): Promise<ScheduledResult> {
  return perform(scheduled, run, async (project, target, runOne) => {
    const refused = missingDependencies(project, target, scheduled.dependencies);
    const result = refused ?? (await runOne(target));
    const { descriptor } = project.loaded;
    if (!descriptor || refused || !isDamage(result)) return result;
    // Nx has hashed this target with the damaged bytes. What is stored under that hash is made of the right ones: a
    // later run finds the same damage, and gets the right result.
    const failed = await remakeUpstream(descriptor, target, runOne);
    if (failed) return { ...failed, diagnostics: [...result.diagnostics, ...failed.diagnostics] };
    const again = await runOne(target);
    if (isDamage(again)) return again;
    return { ...again, diagnostics: [...repaired(result.diagnostics), ...again.diagnostics] };
  });
}

/** Makes a target again that a cache gave back damaged, and what it reads where that is damaged too. Never throws. */
export function remakeScheduled(scheduled: ScheduledTarget, run: ScheduledRun): Promise<ScheduledResult> {
  return perform(scheduled, run, async ({ loaded }, target, runOne) => {
    const name = targetName(target.stage.name, target.variant);
    if (!loaded.descriptor) return runOne(target);
    const message = `what ${name} wrote is not what came from the cache`;
    const damage: Diagnostic[] = [{ code: 'K003', severity: 'error', message }];
    const failed = await remake(loaded.descriptor, target, runOne);
    return failed
      ? { ...failed, diagnostics: [...damage, ...failed.diagnostics] }
      : { outcome: 'done', diagnostics: repaired(damage) };
  });
}

/** How often long work says how far it is. */
const PROGRESS_MS = 10_000;

async function perform(
  { workspace, projectRoot, projectName, stage: stageName, variant }: ScheduledTarget,
  { stages, code, memo, env = process.env }: ScheduledRun,
  work: (project: ModelProject, target: TargetRef, runOne: RunOne) => Promise<RunResult>,
): Promise<ScheduledResult> {
  const stage = stageOf(stageName);
  const project = openModel(join(workspace, projectRoot, 'model.yaml'));
  const frozenLock = isLockFrozen(env);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(`  ${line}\n`);
  const show = (line: string): void => void process.stderr.write(`  ${projectName} ${line}\n`);
  const progress = nowAndThen(show, PROGRESS_MS);
  const runOne: RunOne = async (target) => {
    const name = targetName(target.stage.name, target.variant);
    let result: RunResult;
    try {
      const key = handedKey(env, projectRoot, name);
      result = key
        ? await runTarget(project, target, stages, { key, code, memo, frozenLock, log, progress })
        : withoutKey(project, target, code, frozenLock);
    } catch (error) {
      result = failure(error);
    }
    if (result.outcome !== 'up to date') noteRun(projectRoot, name, env);
    return result;
  };
  const target: TargetRef = { stage, variant: stage.perVariant ? variant : undefined };
  const result = await work(project, target, runOne);
  const name = targetName(stageName, variant);
  // Without colours: Nx keeps what is said, and shows it again on other terminals and in logs.
  const output = lines.join('') + printResult(projectName, name, result, { color: false, cwd: workspace });
  return { success: result.outcome !== 'failed', output };
}

/**
 * The scheduler adds what dependencies wrote to the hash of a target only where they are part of the run. A success
 * without them would be found again later, whatever they write by then.
 */
function missingDependencies(
  project: ModelProject,
  target: TargetRef,
  dependencies: readonly string[] | undefined,
): RunResult | undefined {
  const { descriptor } = project.loaded;
  if (!dependencies || !descriptor || obstacles(project, target).length > 0) return undefined;
  const name = targetName(target.stage.name, target.variant);
  const missing = dependenciesOf(descriptor, { ...target, target: name }).filter(
    (dependency) => !dependencies.includes(dependency),
  );
  if (missing.length === 0) return undefined;
  const diagnostic: Diagnostic = {
    code: 'K001',
    severity: 'error',
    message: `${name} is run without ${missing.join(', ')}: Nx would not know which artefacts its result belongs to`,
    hint: 'run it with its dependencies (no --exclude-task-dependencies, no dependsOn of your own): they are cached',
  };
  return { outcome: 'failed', diagnostics: [diagnostic] };
}

/** Names the file in which executors note what they ran, so that a summary can tell it from what was cached. */
export const RAN_FILE = 'FLOE_RAN_FILE';

function noteRun(projectRoot: string, target: string, env: NodeJS.ProcessEnv): void {
  const file = env[RAN_FILE];
  if (!file) return;
  try {
    appendFileSync(file, `${projectRoot}\t${target}\n`);
  } catch {
    // Only a summary misses it.
  }
}

/** The targets of a project that executors ran in this run of the scheduler; undefined when that is not known. */
export function ranTargets(
  projectRoot: string,
  env: NodeJS.ProcessEnv = process.env,
): Set<string> | undefined {
  const file = env[RAN_FILE];
  if (!file) return undefined;
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const own = lines.filter((line) => line.startsWith(`${projectRoot}\t`));
    return new Set(own.map((line) => line.slice(projectRoot.length + 1)));
  } catch {
    return undefined;
  }
}

/** Why there is no key: what is wrong with the model, or else that nobody has made one. */
function withoutKey(
  project: ModelProject,
  target: TargetRef,
  code: (target: TargetRef) => CodeIdentity,
  frozenLock: boolean,
): RunResult {
  try {
    const { descriptor, place } = project.loaded;
    const { root } = project;
    const diagnostics = obstacles(project, target);
    if (diagnostics.length === 0 && descriptor) {
      diagnostics.push(...missingFiles(target, { descriptor, root, place }));
    }
    if (diagnostics.length === 0 && descriptor && frozenLock) {
      const name = targetName(target.stage.name, target.variant);
      diagnostics.push(...lockMismatch(name, sourcesOf(target, descriptor, root, undefined, readLock(root))));
    }
    if (diagnostics.length > 0) return { outcome: 'failed', diagnostics };
    // Throws K001 with the reason when it is the installation that cannot make one.
    code(target);
    return { outcome: 'failed', diagnostics: [noKey(targetName(target.stage.name, target.variant))] };
  } catch (error) {
    return failure(error);
  }
}

function noKey(target: string): Diagnostic {
  return {
    code: 'K001',
    severity: 'error',
    message: `${target} was given no key, so nothing can be cached rightly`,
    hint: 'run it through Nx, with "floe" among the plugins of nx.json; outside Nx there is `floe export`',
  };
}
