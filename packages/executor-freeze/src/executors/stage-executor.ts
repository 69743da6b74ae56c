/** Executors as Nx calls them, one task at a time or many in a batch: thin shells round a stage. */
import { fingerprint, processMemo, runScheduled, type CodeIdentity, type StageName } from '@floe/export-core';
import { stages } from '../stages';

/** What of Nx's ExecutorContext is needed. */
export interface Context {
  root: string;
  projectName?: string;
  targetName?: string;
  projectsConfigurations: { projects: Record<string, { root: string }> };
  /** Of the whole run; missing where an executor is called by a program. */
  taskGraph?: TaskGraph & { dependencies: Record<string, readonly { id: string }[]> };
}

export interface Options {
  variant?: string;
}

export interface TaskGraph {
  tasks: Record<string, { target: { project: string; target: string } }>;
}

export interface TaskResult {
  task: string;
  result: { success: boolean; terminalOutput: string; startTime: number; endTime: number };
}

/** Digests are shared within the process, so that a source read by several tasks is hashed once. */
const memo = processMemo();

const code = (): CodeIdentity => ({
  fingerprint: fingerprint(['@floe/export-core', '@floe/executor-freeze'], __dirname),
});

function run(stage: StageName, task: string, projectName: string, { variant }: Options, context: Context) {
  const projectRoot = context.projectsConfigurations.projects[projectName].root;
  const dependencies = dependenciesInRun(task, projectName, context);
  return runScheduled(
    { workspace: context.root, projectRoot, projectName, stage, variant, dependencies },
    { stages, code, memo },
  );
}

/** The project's targets that Nx ran before a task. */
function dependenciesInRun(task: string, project: string, { taskGraph }: Context): string[] | undefined {
  return taskGraph?.dependencies[task]
    ?.map(({ id }) => taskGraph.tasks[id]?.target)
    .filter((target) => target?.project === project)
    .map((target) => target.target);
}

/** The executor of a stage for one task. */
export function single(stage: StageName) {
  return async (options: Options, context: Context): Promise<{ success: boolean }> => {
    const { projectName = '', targetName = '' } = context;
    const task = `${projectName}:${targetName}`;
    const { success, output } = await run(stage, task, projectName, options, context);
    (success ? process.stdout : process.stderr).write(output);
    return { success };
  };
}

/** The executor of a stage for many tasks: no process for each, and each result as soon as it is there. */
export function batch(stage: StageName) {
  return async function* (
    { tasks }: TaskGraph,
    options: Record<string, Options>,
    _overrides: unknown,
    context: Context,
  ): AsyncGenerator<TaskResult> {
    for (const [task, { target }] of Object.entries(tasks)) {
      const startTime = Date.now();
      const { success, output } = await run(stage, task, target.project, options[task] ?? {}, context);
      yield { task, result: { success, terminalOutput: output, startTime, endTime: Date.now() } };
    }
  };
}
