/** This package's stages as executors; also what its worker threads load. */
import { fingerprint, stageExecutors, type StageFunctions } from '@floe/export-core';
import { stages } from '../stages';

/**
 * What a failing freeze asks, so that a user reads everything that is wrong in one run. No result that is kept depends
 * on it, so it is in no key; where it is not installed, less is told. It depends on this package, so it is found as Nx
 * finds it: beside this package or from the model's project upwards.
 */
const validate: StageFunctions['validate'] = async (context) => {
  try {
    const path = require.resolve('@floe/executor-tflite', { paths: [__dirname, context.root] });
    const { stages: tflite } = require(path) as { stages: StageFunctions };
    return await tflite.validate!(context);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return { diagnostics: [], artefacts: {} };
  }
};

export const { single, batch, runJob } = stageExecutors({
  stages: { ...stages, validate },
  code: () => ({ fingerprint: fingerprint(['@floe/export-core', '@floe/executor-freeze'], __dirname) }),
  module: __filename,
});
