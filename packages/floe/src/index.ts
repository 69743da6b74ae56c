/**
 * The Nx plugin: every model.yaml is a project, its stages are cached targets.
 *
 * Nx loads this for each of its commands: everything else is required when it is first needed.
 */
import type { CreateNodes, PreTasksExecution } from '@nx/devkit';

export const name = 'floe';

/** Projects and targets for each model.yaml. */
export const createNodes: CreateNodes = [
  '**/model.yaml',
  (files, _options, context) => {
    const { createModelNodes } = require('./plugin/create-nodes') as typeof import('./plugin/create-nodes');
    return createModelNodes(files, context);
  },
];

/** The keys of all targets, into the environment. */
export const preTasksExecution: PreTasksExecution = (_options, { workspaceRoot }) => {
  const { assignKeys } = require('./plugin/keys-hook') as typeof import('./plugin/keys-hook');
  const data = require('./plugin/workspace-data') as typeof import('./plugin/workspace-data');
  const { codeOf } = require('./stage-packages') as typeof import('./stage-packages');
  const models = data.rememberedModels(workspaceRoot);
  if (models.length === 0) return;
  const memo = data.workspaceMemo(workspaceRoot, 'keys');
  process.env.FLOE_RAN_FILE = data.newRunFile(workspaceRoot);
  assignKeys(process.env, { workspaceRoot, models, memo, codeVersion: data.codeVersion(), code: codeOf });
  memo.save();
};
