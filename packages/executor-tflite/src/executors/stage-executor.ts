/** This package's stages as executors; also what its worker threads load. */
import { fingerprint, stageExecutors } from '@floe/export-core';
import { engineIdentity } from './engine';
import { stages } from '../stages';

export const { single, batch, runJob } = stageExecutors({
  stages,
  code: ({ stage }) => ({
    fingerprint: fingerprint(['@floe/export-core', '@floe/executor-tflite'], __dirname),
    engine: stage.usesEngine ? engineIdentity() : undefined,
  }),
  module: __filename,
});
