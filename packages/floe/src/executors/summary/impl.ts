/**
 * The last line of `nx run MODEL:export-tflite`: where the models are, how large, and what came from the cache. It is
 * the executor of the aggregate, which has no work of its own and is never cached itself.
 */
import { statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { formatSize, ranTargets, withDependencies } from '@floe/export-core';
import { Outlines } from '../../plugin/create-nodes';
import type { ModelOutline } from '../../plugin/targets';

/** What of Nx's ExecutorContext is needed. */
export interface Context {
  root: string;
  projectName?: string;
  projectsConfigurations: { projects: Record<string, { root: string }> };
}

export interface TaskGraph {
  tasks: Record<string, { target: { project: string } }>;
}

export interface TaskResult {
  task: string;
  result: { success: boolean; terminalOutput: string };
}

/** The summary of one model; ends in a newline. */
export function summaryOf(
  projectName: string,
  projectRoot: string,
  workspace: string,
  outline: ModelOutline,
): string {
  const lines = outline.variants.map((variant) => {
    const path = posix.join(projectRoot.replaceAll('\\', '/'), 'dist', variant, 'model.tflite');
    return `${projectName} ${variant}: ${path}, ${formatSize(statSync(join(workspace, path)).size)}`;
  });
  const ran = ranTargets(projectRoot);
  if (ran && outline.valid) {
    const isExport = ({ stage }: { stage: string }): boolean => stage === 'export-tflite';
    const all = withDependencies(outline.targets, isExport, (t) => t.dependsOn).map(({ target }) => target);
    const made = all.filter((target) => ran.has(target));
    const cached = all.filter((target) => !ran.has(target));
    const parts = [
      made.length > 0 ? `run: ${made.join(', ')}` : '',
      cached.length > 0 ? `from the cache: ${made.length > 0 ? cached.join(', ') : 'everything'}` : '',
    ];
    lines.push(`  ${parts.filter(Boolean).join('; ')}`);
  }
  return lines.join('\n') + '\n';
}

function summarise(
  projectName: string,
  context: Context,
  outlines: Outlines,
): { success: boolean; output: string } {
  try {
    const { root } = context.projectsConfigurations.projects[projectName];
    const outline = outlines.read(join(root, 'model.yaml'));
    return { success: true, output: summaryOf(projectName, root, context.root, outline) };
  } catch (error) {
    // Run without its dependencies (--exclude-task-dependencies), before anything was exported.
    return { success: false, output: `${projectName}: not exported yet (${(error as Error).message})\n` };
  }
}

export default async function summary(_options: unknown, context: Context): Promise<{ success: boolean }> {
  const { success, output } = summarise(context.projectName ?? '', context, new Outlines(context.root));
  (success ? process.stdout : process.stderr).write(output);
  return { success };
}

export async function* batchImplementation(
  { tasks }: TaskGraph,
  _options: unknown,
  _overrides: unknown,
  context: Context,
): AsyncGenerator<TaskResult> {
  const outlines = new Outlines(context.root);
  for (const [task, { target }] of Object.entries(tasks)) {
    const { success, output } = summarise(target.project, context, outlines);
    yield { task, result: { success, terminalOutput: output } };
  }
}
