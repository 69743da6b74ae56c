/**
 * The hook that runs when a command's tasks are done: what came from a cache is what a stage wrote, or is made again.
 * Nx itself takes whatever lies in its cache.
 */
import { join } from 'node:path';
import {
  isWhole,
  remakeScheduled,
  STAGES,
  type Memo,
  type ScheduledRun,
  type StageName,
  type TargetRef,
} from '@floe/export-core';
import type { PostTasksExecutionContext } from '@nx/devkit';

const FROM_CACHE: readonly string[] = ['local-cache', 'local-cache-kept-existing', 'remote-cache'];

export interface CheckOptions extends ScheduledRun {
  workspaceRoot: string;
  /** Folders of models, relative to the workspace. */
  projectRoots: ReadonlySet<string>;
  memo: Memo;
}

/** What was found damaged: whether it could be made again, and what there is to say. */
export interface Damage {
  repaired: boolean;
  output: string;
}

/** Looks at the outputs of every Floe target that Nx took from a cache. Never throws over what it finds. */
export async function checkHits(
  taskResults: PostTasksExecutionContext['taskResults'],
  { workspaceRoot, projectRoots, ...run }: CheckOptions,
): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const { task, status } of Object.values(taskResults)) {
    const { project, target } = task.target;
    const projectRoot = (task.projectRoot ?? '').replaceAll('\\', '/');
    const ref = refOf(target);
    if (!ref || !FROM_CACHE.includes(status) || !projectRoots.has(projectRoot)) continue;
    if (isWhole(join(workspaceRoot, projectRoot, 'dist'), ref, run.memo)) continue;
    const { success, output } = await remakeScheduled(
      {
        workspace: workspaceRoot,
        projectRoot,
        projectName: project,
        stage: ref.stage.name,
        variant: ref.variant,
      },
      run,
    );
    found.push({ repaired: success, output });
  }
  return found;
}

function refOf(target: string): TargetRef | undefined {
  const colon = target.indexOf(':');
  const name = (colon < 0 ? target : target.slice(0, colon)) as StageName;
  const stage = STAGES.find((s) => s.name === name);
  const variant = colon < 0 ? undefined : target.slice(colon + 1);
  return stage && stage.perVariant === (variant !== undefined) ? { stage, variant } : undefined;
}
