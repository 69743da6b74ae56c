/**
 * The Nx plugin: every model.yaml is a project, its stages are cached targets.
 *
 * Nx loads this for each of its commands: everything else is required when it is first needed.
 */
import type { CreateNodes, PreTasksExecution } from '@nx/devkit';

export const name = 'floe';

// In a worker of Nx that is Floe's alone, keys are only passed on from here. The system's own environment is a list
// that each assignment searches: 15,000 of them take a third of a second, in an object of its own nothing.
if ((globalThis as { NX_PLUGIN_WORKER?: boolean }).NX_PLUGIN_WORKER) process.env = { ...process.env };

/** Projects and targets for each model.yaml. */
export const createNodes: CreateNodes = [
  '**/model.yaml',
  (files, _options, context) => {
    const { createModelNodes } = require('./plugin/create-nodes') as typeof import('./plugin/create-nodes');
    return createModelNodes(files, context);
  },
];

/** The keys of all targets, into the environment. */
export const preTasksExecution: PreTasksExecution = (_options, { workspaceRoot, argv }) => {
  const { assignKeys } = require('./plugin/keys-hook') as typeof import('./plugin/keys-hook');
  const data = require('./plugin/workspace-data') as typeof import('./plugin/workspace-data');
  const { isCI, LOCK_MODE } = require('@floe/export-core') as typeof import('@floe/export-core');
  const { allCode, codeOf } = require('./stage-packages') as typeof import('./stage-packages');
  const models = data.rememberedModels(workspaceRoot);
  if (models.length === 0) return;
  const memo = data.workspaceMemo(workspaceRoot, 'keys');
  process.env.FLOE_RAN_FILE = data.newRunFile(workspaceRoot);
  const frozenLock =
    isCI(process.env) || argv.some((arg) => /^--(frozen-lock|frozenLock)(=true)?$/.test(arg));
  process.env[LOCK_MODE] = frozenLock ? 'frozen' : '';
  const codeVersion = `${data.codeVersion()} ${allCode()}`;
  assignKeys(process.env, { workspaceRoot, models, memo, codeVersion, code: codeOf, frozenLock });
  memo.save();
};
