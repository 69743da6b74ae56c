import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { envName } from '../keys/stage-key';
import { openModel } from './model-project';
import { keyOf } from './target-key';
import { RAN_FILE, ranTargets, runScheduled, type ScheduledTarget } from './scheduled';
import { stageOf } from './table';
import { FAKE_CODE, fakeModel, fakeStages, MODEL_YAML, temporaryFolder } from './testing/fake-model';

const workspace = temporaryFolder();
let count = 0;

function target(yaml?: string): ScheduledTarget & { file: string } {
  const file = fakeModel(workspace, `model${count++}`, yaml);
  const projectRoot = basename(dirname(file));
  return { file, workspace, projectRoot, projectName: 'shown-name', stage: 'freeze' };
}

function run(scheduled: ScheduledTarget, env: NodeJS.ProcessEnv = {}): ReturnType<typeof runScheduled> {
  return runScheduled(scheduled, { stages: fakeStages(), code: () => FAKE_CODE, env });
}

function keys({ file, projectRoot }: ReturnType<typeof target>): NodeJS.ProcessEnv {
  const { loaded, root } = openModel(file);
  const key = keyOf({ stage: stageOf('freeze') }, loaded.descriptor!, root, FAKE_CODE);
  return { [envName(projectRoot, 'freeze')]: key };
}

it('runs with the key of the environment and notes what it ran', async () => {
  const scheduled = target();
  const ran = join(workspace, 'ran');
  writeFileSync(ran, '');
  const env = { ...keys(scheduled), [RAN_FILE]: ran };
  expect(await run(scheduled, env)).toEqual({ success: true, output: '✔ shown-name freeze  fake freeze\n' });
  expect(ranTargets(scheduled.projectRoot, env)).toEqual(new Set(['freeze']));
  writeFileSync(ran, '');
  expect((await run(scheduled, env)).output).toContain('up to date');
  expect(ranTargets(scheduled.projectRoot, env)).toEqual(new Set());
  expect(ranTargets(scheduled.projectRoot, {})).toBeUndefined();
});

it.each([[{}], [{ empty: '' }]])('refuses without a key, and says what to do', async (env) => {
  const scheduled = target();
  const named = 'empty' in env ? { [envName(scheduled.projectRoot, 'freeze')]: '' } : {};
  const { success, output } = await run(scheduled, named);
  expect(success).toBe(false);
  expect(output).toContain('K001');
  expect(output).toContain('nx.json');
  expect(existsSync(join(workspace, scheduled.projectRoot, 'dist'))).toBe(false);
});

it('says what is wrong with model.yaml rather than that there is no key', async () => {
  const { success, output } = await run(target(MODEL_YAML.replace('version: 1', 'version: 1\nvarients: {}')));
  expect(success).toBe(false);
  expect(output).toMatch(/D002.*varients[^]*at model\d+\/model\.yaml:2:1[^]*\^{8}/);
  expect(output).not.toContain('K001');
});

it('names the missing source rather than that there is no key', async () => {
  const scheduled = target();
  rmSync(join(workspace, scheduled.projectRoot, 'graph.pb'));
  const { output } = await run(scheduled);
  expect(output).toContain('S001');
  expect(output).toContain('model.yaml:2');
});

it('refuses a variant that model.yaml does not have (any more)', async () => {
  const { success, output } = await run({ ...target(), stage: 'export-tflite', variant: 'int8' });
  expect(success).toBe(false);
  expect(output).toContain('no variant `int8`');
});

it('refuses to run without what it reads from, which Nx then would not hash', async () => {
  const scheduled = { ...target(), stage: 'convert' as const };
  const { success, output } = await run({ ...scheduled, dependencies: ['validate'] });
  expect(success).toBe(false);
  expect(output).toContain('convert is run without freeze');
  // Enough dependencies: on to the next thing that is wrong.
  expect((await run({ ...scheduled, dependencies: ['validate', 'freeze'] })).output).toContain('no key');
});
