/** The stages of all packages, and which code a key of theirs has to cover. */
import { fingerprint, type CodeIdentity, type StageFunctions, type TargetRef } from '@floe/export-core';

/** Every stage there is; each is loaded when it first runs. */
export function allStages(): StageFunctions {
  const { stages: freeze } = require('@floe/executor-freeze') as typeof import('@floe/executor-freeze');
  const { stages: tflite } = require('@floe/executor-tflite') as typeof import('@floe/executor-tflite');
  return { ...freeze, ...tflite };
}

/** What runs in a target's stage. The executors say the same of themselves: their keys have to agree. */
export function codeOf({ stage }: TargetRef): CodeIdentity {
  const { engineIdentity } = require('@floe/executor-tflite') as typeof import('@floe/executor-tflite');
  return {
    fingerprint: fingerprint(['@floe/export-core', stage.executor], __dirname),
    engine: stage.usesEngine ? engineIdentity() : undefined,
  };
}
