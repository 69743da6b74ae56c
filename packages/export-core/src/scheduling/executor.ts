/**
 * Executors as Nx calls them, one task at a time or many in a batch: thin shells round a stage. Of Nx only the
 * shapes of what it hands over are known here.
 */
import { processMemo } from '../stages/run-stage';
import { runScheduled, type ScheduledTarget } from '../stages/scheduled';
import type { StageFunctions } from '../stages/stage';
import type { StageName } from '../stages/table';
import type { CodeIdentity, TargetRef } from '../stages/target-key';
import { runJobs } from './run-jobs';

/** What of Nx's ExecutorContext is needed. */
export interface ExecutorContext {
  root: string;
  projectName?: string;
  targetName?: string;
  projectsConfigurations: { projects: Record<string, { root: string }> };
  /** Of the whole run; missing where an executor is called by a program. */
  taskGraph?: ExecutorTaskGraph & {
    /** Task ids; since Nx 24 in objects. */
    dependencies: Record<string, readonly (string | { id: string })[]>;
  };
}

export interface ExecutorOptions {
  variant?: string;
}

export interface ExecutorTaskGraph {
  tasks: Record<string, { target: { project: string; target: string } }>;
}

export interface ExecutorTaskResult {
  task: string;
  result: { success: boolean; terminalOutput: string; startTime: number; endTime: number };
}

export interface StagePackage {
  stages: StageFunctions;
  /** What of it runs in a stage: the keys cover it. */
  code: (target: TargetRef) => CodeIdentity;
  /** The package's own module that exports `runJob`, for worker threads. */
  module: string;
}

/** A task, as it can be sent to a worker. */
export interface StageJob {
  task: string;
  target: ScheduledTarget;
}

type BatchImplementation = (
  graph: ExecutorTaskGraph,
  options: Record<string, ExecutorOptions>,
  overrides: unknown,
  context: ExecutorContext,
) => AsyncGenerator<ExecutorTaskResult>;

export interface StageExecutors {
  /** The executor of a stage for one task. */
  single(
    stage: StageName,
  ): (options: ExecutorOptions, context: ExecutorContext) => Promise<{ success: boolean }>;
  /** The executor of a stage for many tasks: no process for each, all cores, results in the order of the tasks. */
  batch(stage: StageName): BatchImplementation;
  runJob(job: StageJob): Promise<ExecutorTaskResult>;
}

/** The executors of a package with stages. */
export function stageExecutors({ stages, code, module }: StagePackage): StageExecutors {
  // Digests are shared within a thread, so that a source read by several tasks is hashed once.
  const memo = processMemo();

  const runJob = async ({ task, target }: StageJob): Promise<ExecutorTaskResult> => {
    const startTime = Date.now();
    const { success, output } = await runScheduled(target, { stages, code, memo });
    return { task, result: { success, terminalOutput: output, startTime, endTime: Date.now() } };
  };

  return {
    runJob,
    single: (stage) => async (options, context) => {
      const { projectName = '', targetName = '' } = context;
      const job = jobOf(stage, `${projectName}:${targetName}`, projectName, options, context);
      const { success, terminalOutput } = (await runJob(job)).result;
      (success ? process.stdout : process.stderr).write(terminalOutput);
      return { success };
    },
    batch: (stage) =>
      async function* ({ tasks }, options, _overrides, context) {
        const jobs = Object.entries(tasks).map(([task, { target }]) =>
          jobOf(stage, task, target.project, options[task] ?? {}, context),
        );
        yield* runJobs(jobs, { module, runJob, died });
      },
  };
}

function jobOf(
  stage: StageName,
  task: string,
  projectName: string,
  { variant }: ExecutorOptions,
  context: ExecutorContext,
): StageJob {
  const projectRoot = context.projectsConfigurations.projects[projectName].root;
  const dependencies = dependenciesInRun(task, projectName, context);
  return {
    task,
    target: { workspace: context.root, projectRoot, projectName, stage, variant, dependencies },
  };
}

/** The project's targets that Nx ran before a task. */
function dependenciesInRun(
  task: string,
  project: string,
  { taskGraph }: ExecutorContext,
): string[] | undefined {
  return taskGraph?.dependencies[task]
    ?.map((entry) => taskGraph.tasks[typeof entry === 'string' ? entry : entry.id]?.target)
    .filter((target) => target?.project === project)
    .map((target) => target.target);
}

/** A worker takes only its own model with it. */
function died({ task }: StageJob, error: Error): ExecutorTaskResult {
  const now = Date.now();
  const terminalOutput = `✖ ${task}: its worker thread ended: ${error.message}\n  FLOE_THREADS=1 runs one model at a time\n`;
  return { task, result: { success: false, terminalOutput, startTime: now, endTime: now } };
}
