/**
 * Running a target for a scheduler that has made its key: what every executor does. The scheduler hands the key over
 * in the environment, so that it can hash it; without one nothing runs, because what was stored then would be
 * stored under the wrong name.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic';
import type { Memo } from '../keys/memo';
import { envName } from '../keys/stage-key';
import { obstacles, openModel, runTarget, type ModelProject } from './model-project';
import { printResult } from './print-result';
import { readLock } from '../keys/lock';
import { failure, lockMismatch, missingFiles, type RunResult } from './run-stage';
import type { StageFunctions } from './stage';
import { dependenciesOf, stageOf, targetName, type StageName } from './table';
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

/** Runs one target; `output` is everything there is to say to people. Never throws. */
export async function runScheduled(
  { workspace, projectRoot, projectName, stage: stageName, variant, dependencies }: ScheduledTarget,
  { stages, code, memo, env = process.env }: ScheduledRun,
): Promise<{ success: boolean; output: string }> {
  const stage = stageOf(stageName);
  const name = targetName(stageName, variant);
  const target: TargetRef = { stage, variant: stage.perVariant ? variant : undefined };
  const project = openModel(join(workspace, projectRoot, 'model.yaml'));
  const key = env[envName(projectRoot, name)];
  const frozenLock = isLockFrozen(env);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(`  ${line}\n`);
  const result =
    missingDependencies(project, target, dependencies) ??
    (key === undefined || key === ''
      ? withoutKey(project, target, code, frozenLock)
      : await runTarget(project, target, stages, { key, code, memo, frozenLock, log }));
  if (result.outcome !== 'up to date') noteRun(projectRoot, name, env);
  const output =
    lines.join('') + printResult(projectName, name, result, { color: wantsColor(env), cwd: workspace });
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

/** Says to executors whether model.lock.json is binding (`frozen`); set by whoever makes the keys. */
export const LOCK_MODE = 'FLOE_LOCK';

/** Whether files have to be those of model.lock.json: in CI and on request. */
export function isLockFrozen(env: NodeJS.ProcessEnv): boolean {
  return env[LOCK_MODE] === 'frozen' || isCI(env);
}

/** Whether a build machine runs this, by what the common ones set. */
export function isCI(env: NodeJS.ProcessEnv): boolean {
  if (['false', '0'].includes(env.CI ?? '')) return false;
  return Boolean(env.CI || env.TF_BUILD || env.JENKINS_URL || env.TEAMCITY_VERSION || env.CODEBUILD_BUILD_ID);
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

/** Executors write to pipes: only what Nx says of the terminal counts. */
function wantsColor({ NO_COLOR, FORCE_COLOR }: NodeJS.ProcessEnv): boolean {
  return !NO_COLOR && FORCE_COLOR !== undefined && !['', '0', 'false'].includes(FORCE_COLOR);
}
