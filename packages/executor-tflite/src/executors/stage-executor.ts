/** This package's stages as executors; also what its worker threads load. */
import { fingerprint, stageExecutors, type CodeIdentity, type TargetRef } from '@floe/export-core';
import { stages as freezeStages } from '@floe/executor-freeze';
import { engineIdentity } from './engine';
import { stages } from '../stages';

/** Of any stage: `freeze` is not run here, but for making again what a cache gave back damaged. */
function code({ stage }: TargetRef): CodeIdentity {
  return {
    fingerprint: fingerprint(['@floe/export-core', stage.executor], __dirname),
    engine: stage.usesEngine ? engineIdentity() : undefined,
  };
}

export const { single, batch, runJob } = stageExecutors({
  stages: { ...freezeStages, ...stages },
  code,
  module: __filename,
});
