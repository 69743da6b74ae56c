/** This package's stages as executors; also what its worker threads load. */
import { fingerprint, stageExecutors } from '@floe/export-core';
import { stages } from '../stages';

export const { single, batch, runJob } = stageExecutors({
  stages,
  code: () => ({ fingerprint: fingerprint(['@floe/export-core', '@floe/executor-freeze'], __dirname) }),
  module: __filename,
});
