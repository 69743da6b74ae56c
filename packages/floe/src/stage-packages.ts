/** The stages of all packages, and which code a key of theirs has to cover. */
import { createHash } from 'node:crypto';
import {
  fingerprint,
  STAGES,
  type CodeIdentity,
  type StageFunctions,
  type TargetRef,
} from '@floe/export-core';

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

/** Changes whenever any stage's code does: part of the kind of what is remembered of keys. Empty: not all is built. */
export function allCode(): string {
  try {
    const parts = STAGES.map((stage) => Object.values(codeOf({ stage })).join(' '));
    return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 12);
  } catch {
    return '';
  }
}
