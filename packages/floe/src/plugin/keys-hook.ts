/**
 * The hook that runs once per Nx command, before tasks are hashed: it gives each target its key, in an environment
 * variable that is the target's input.
 */
import { dirname, join } from 'node:path';
import {
  envName,
  keyOf,
  loadDescriptor,
  sliceDigest,
  stageOf,
  type CodeIdentity,
  type Descriptor,
  type Memo,
  type TargetRef,
} from '@floe/export-core';
import { outlineOf } from './targets';

/** What keys need of a model.yaml; plain JSON, remembered for as long as the file is not touched. */
interface KeyedModel {
  /** Undefined when the file is wrong: its targets get no key. */
  descriptor?: Descriptor;
  targets: {
    stage: TargetRef['stage']['name'];
    variant?: string;
    target: string;
    /** Digest of the target's slice; undefined when its variant is wrong. */
    slice?: string;
  }[];
}

export interface KeyOptions {
  workspaceRoot: string;
  /** model.yaml files, relative to the workspace. */
  models: readonly string[];
  memo: Memo;
  /** Tells the memo's values of this code from those of another. */
  codeVersion: string;
  code: (target: TargetRef) => CodeIdentity;
}

/**
 * Assigns every target's key to `env`; an empty one to targets that cannot have any (their executors say why).
 * Never throws over a user's file.
 */
export function assignKeys(env: NodeJS.ProcessEnv, options: KeyOptions): void {
  const { workspaceRoot, models, memo, codeVersion, code } = options;
  const kind = `keys ${codeVersion}`;
  for (const file of models) {
    const path = join(workspaceRoot, file);
    const projectRoot = dirname(file).replaceAll('\\', '/');
    const model = readModel(path, memo, kind);
    for (const { stage, variant, target, slice } of model.targets) {
      const ref: TargetRef = { stage: stageOf(stage), variant };
      const key =
        model.descriptor && slice !== undefined
          ? keyOrNone(() => keyOf(ref, model.descriptor!, dirname(path), code(ref), memo, slice))
          : '';
      // Also where there is none: a daemon keeps the environment of its last run.
      env[envName(projectRoot, target)] = key;
    }
  }
}

function readModel(path: string, memo: Memo, kind: string): KeyedModel {
  try {
    return memo.get(kind, path, keyedModel);
  } catch {
    return { targets: [] };
  }
}

function keyedModel(path: string): KeyedModel {
  const loaded = loadDescriptor(path);
  const { descriptor, diagnostics, variantDiagnostics } = loaded;
  const usable =
    descriptor && !diagnostics.some(({ severity }) => severity === 'error') ? descriptor : undefined;
  return {
    descriptor: usable,
    targets: outlineOf(loaded).targets.map(({ stage, variant, target }) => {
      const wrong = variant !== undefined && (variantDiagnostics[variant]?.length ?? 0) > 0;
      return {
        stage,
        variant,
        target,
        slice: usable && !wrong ? sliceDigest({ stage: stageOf(stage), variant }, usable) : undefined,
      };
    }),
  };
}

function keyOrNone(make: () => string): string {
  try {
    return make();
  } catch {
    // A source that is missing or unreadable; the executor finds the same and says so.
    return '';
  }
}
