/** The Nx targets of a model project, made from the table of stages. */
import {
  AGGREGATES,
  dependenciesOf,
  keyName,
  keyVariable,
  LOCK_FILE,
  stageOf,
  targetName,
  targetsOf,
  type Descriptor,
  type LoadedDescriptor,
  type StageName,
  type StageTarget,
} from '@floe/export-core';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { KEYS_FOLDER } from './workspace-data';

/** A model, as far as its targets depend on it; plain JSON, so that it can be remembered. */
export interface ModelOutline {
  name: string;
  variants: string[];
  /** False when model.yaml is wrong: every target is there all the same and says why it cannot run. */
  valid: boolean;
  targets: { stage: StageName; variant?: string; target: string; dependsOn: string[]; upstream: string[] }[];
}

/** What a model's targets depend on. */
export function outlineOf({
  descriptor,
  outline,
}: Pick<LoadedDescriptor, 'descriptor' | 'outline'>): ModelOutline {
  const known = descriptor ?? placeholder(outline.variants);
  return {
    ...outline,
    valid: descriptor !== undefined,
    targets: targetsOf(known).map((target: StageTarget) => ({
      stage: target.stage.name,
      variant: target.variant,
      target: target.target,
      dependsOn: dependenciesOf(known, target),
      upstream: target.stage.upstream(known, target.variant).flatMap(({ files }) => files),
    })),
  };
}

/** Of a descriptor that is wrong only its variants' names are known. */
function placeholder(variants: readonly string[]): Descriptor {
  const settings = { quantization: 'none' };
  return { variants: Object.fromEntries(variants.map((name) => [name, settings])) } as unknown as Descriptor;
}

/**
 * The project that Nx sees.
 *
 * Nothing of model.yaml is copied but names: Nx reruns every target of a project whose configuration changed.
 *
 * @param root        relative to the workspace
 * @param keysInFiles how the hook hands keys over (`keysInFiles` in workspace-data.ts)
 */
export function projectOf(
  outline: ModelOutline,
  root: string,
  name: string,
  keysInFiles: boolean,
): ProjectConfiguration {
  const targets: Record<string, TargetConfiguration> = {};
  for (const entry of outline.targets) targets[entry.target] = stageTarget(entry, root, name, keysInFiles);
  for (const stage of AGGREGATES) targets[stage] = aggregateTarget(stage, outline, name);
  const { variants, valid } = outline;
  return {
    root,
    name,
    projectType: 'library',
    targets,
    metadata: {
      technologies: TECHNOLOGIES,
      description: valid
        ? `TensorFlow model with ${variants.length === 1 ? 'variant' : 'variants'} ${variants.join(', ')}`
        : 'TensorFlow model whose model.yaml has errors: run any of its targets to see them',
      targetGroups: groupsOf(outline),
    },
  };
}

const TECHNOLOGIES = ['tensorflow', 'tflite'];

function stageTarget(
  { stage: stageName, variant, target, dependsOn, upstream }: ModelOutline['targets'][number],
  root: string,
  project: string,
  keysInFiles: boolean,
): TargetConfiguration {
  const stage = stageOf(stageName);
  return {
    executor: `floe:${stageName}`,
    options: variant === undefined ? {} : { variant },
    cache: true,
    // As objects: in a string, a colon could also stand behind a project's name.
    dependsOn: dependsOn.map((name) => ({ target: name })),
    inputs: [
      // Slice of model.yaml, bytes of the source files, code: all in one key, made by the hook.
      keyInput(root, target, keysInFiles),
      ...upstream.map((path) => ({ dependentTasksOutputFiles: `**/dist/${path}` })),
      // An empty list: without any, every npm install would miss everything. Versions that matter are in the key.
      { externalDependencies: [] },
    ],
    outputs: stage.outputs(variant).map((path) => `{projectRoot}/dist/${path}`),
    metadata: {
      description: stage.description,
      technologies: TECHNOLOGIES,
      help: help(project, target),
    },
  };
}

type Input = NonNullable<TargetConfiguration['inputs']>[number];

/** What Nx hashes of the key that `keys-hook.ts` hands over. */
function keyInput(root: string, target: string, keysInFiles: boolean): Input {
  const name = keyName(root, target);
  if (!keysInFiles) return { env: keyVariable(name) };
  // The property is newer than the oldest Nx whose types this is built with.
  return { fileset: `{workspaceRoot}/${KEYS_FOLDER}/${name}`, includeIgnored: true } as Input;
}

/** All variants of a stage: no work of its own, so nothing to cache. */
function aggregateTarget(stage: StageName, { variants }: ModelOutline, project: string): TargetConfiguration {
  const description = `All variants: ${variants.map((variant) => targetName(stage, variant)).join(', ')}`;
  return {
    // Exports end with a line that says where they are; the others have nothing to say that Nx does not.
    executor: stage === 'export-tflite' ? 'floe:summary' : 'nx:noop',
    cache: false,
    // For `nx affected`, which only sees what is committed. No stage reads the lock: the hook writes it.
    inputs: ['{projectRoot}/model.yaml', `{projectRoot}/${LOCK_FILE}`],
    dependsOn: variants.map((variant) => ({ target: targetName(stage, variant) })),
    metadata: { description, technologies: TECHNOLOGIES, help: help(project, stage) },
  };
}

function help(project: string, target: string): NonNullable<TargetConfiguration['metadata']>['help'] {
  return { command: `npx nx run ${project}:${target}`, example: { args: ['--skip-nx-cache'] } };
}

/** Groups of the graph's and the editor's lists: what all variants share, then each variant. */
function groupsOf({ variants, targets }: ModelOutline): Record<string, string[]> {
  const of = (variant?: string): string[] =>
    targets.filter((t) => t.variant === variant).map((t) => t.target);
  return {
    model: [...of(undefined), ...AGGREGATES],
    ...Object.fromEntries(variants.map((variant) => [variant, of(variant)])),
  };
}
