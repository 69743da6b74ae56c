/**
 * The Nx plugin: every model.yaml is a project, its stages are cached targets.
 *
 * Nx loads this for each of its commands: everything else is required when it is first needed.
 */
import { join, posix } from 'node:path';
import type { CreateNodes, PostTasksExecution, PreTasksExecution } from '@nx/devkit';

export const name = 'floe';

/** Projects and targets for each model.yaml. */
export const createNodes: CreateNodes = [
  '**/model.yaml',
  (files, _options, context) => {
    const { createModelNodes } = require('./plugin/create-nodes') as typeof import('./plugin/create-nodes');
    return createModelNodes(files, context);
  },
];

/** The keys of all targets, where Nx and the executors find them. */
export const preTasksExecution: PreTasksExecution = (_options, { workspaceRoot, argv }) => {
  const { makeKeys } = require('./plugin/keys-hook') as typeof import('./plugin/keys-hook');
  const data = require('./plugin/workspace-data') as typeof import('./plugin/workspace-data');
  const { handInEnvironment, handInFiles, isCI, LOCK_MODE } =
    require('@floe/export-core') as typeof import('@floe/export-core');
  const { allCode, codeOf } = require('./stage-packages') as typeof import('./stage-packages');
  const models = data.rememberedModels(workspaceRoot);
  if (models.length === 0) return;
  const memo = data.workspaceMemo(workspaceRoot, 'keys');
  const runFile = data.newRunFile(workspaceRoot);
  process.env.FLOE_RAN_FILE = runFile;
  const frozenLock =
    isCI(process.env) || argv.some((arg) => /^--(frozen-lock|frozenLock)(=true)?$/.test(arg));
  process.env[LOCK_MODE] = frozenLock ? 'frozen' : '';
  const codeVersion = `${data.codeVersion()} ${allCode()}`;
  const keys = makeKeys({ workspaceRoot, models, memo, codeVersion, code: codeOf, frozenLock });
  if (!data.keysInFiles()) handInEnvironment(process.env, keys);
  else if (runFile === '') throw new Error(`nothing can be written below ${data.dataFolder(workspaceRoot)}`);
  else handInFiles(process.env, keys, join(workspaceRoot, data.KEYS_FOLDER), `${runFile}.keys`);
  memo.save();
};

/** Artefacts that came damaged from a cache are made again; the command fails where they cannot be. */
export const postTasksExecution: PostTasksExecution = async (_options, { workspaceRoot, taskResults }) => {
  const data = require('./plugin/workspace-data') as typeof import('./plugin/workspace-data');
  const models = data.rememberedModels(workspaceRoot);
  if (models.length === 0) return;
  const { checkHits } = require('./plugin/check-hits') as typeof import('./plugin/check-hits');
  const { allStages, codeOf } = require('./stage-packages') as typeof import('./stage-packages');
  const memo = data.workspaceMemo(workspaceRoot, 'artefacts');
  const projectRoots = new Set(models.map((file) => posix.dirname(file.replaceAll('\\', '/'))));
  const options = { workspaceRoot, projectRoots, memo, stages: allStages(), code: codeOf };
  const damage = await checkHits(taskResults, options);
  memo.save();
  const said = damage.map(({ output }) => output).join('');
  if (damage.some(({ repaired }) => !repaired))
    throw new Error(`artefacts came damaged from a cache\n${said}`);
  if (said !== '') process.stderr.write(said);
};
