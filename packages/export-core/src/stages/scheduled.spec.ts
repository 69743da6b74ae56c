import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { handInEnvironment, handInFiles, keyName, keyVariable } from '../keys/handed-keys';
import { openModel } from './model-project';
import { keyOf } from './target-key';
import { isWhole } from './remake';
import { RAN_FILE, ranTargets, remakeScheduled, runScheduled, type ScheduledTarget } from './scheduled';
import { stageOf } from './table';
import { targetsOf } from './targets';
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
  const env: NodeJS.ProcessEnv = {};
  const keys = targetsOf(loaded.descriptor!).map((t): [string, string] => [
    keyName(projectRoot, t.target),
    keyOf(t, loaded.descriptor!, root, FAKE_CODE),
  ]);
  handInEnvironment(env, new Map(keys));
  return env;
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
  const named = 'empty' in env ? { [keyVariable(keyName(scheduled.projectRoot, 'freeze'))]: '' } : {};
  const { success, output } = await run(scheduled, named);
  expect(success).toBe(false);
  expect(output).toContain('K001');
  expect(output).toContain('nx.json');
  expect(existsSync(join(workspace, scheduled.projectRoot, 'dist'))).toBe(false);
});

it('makes nothing when another command has handed over another key since', async () => {
  const scheduled = target();
  const folder = join(workspace, 'keys');
  const name = keyName(scheduled.projectRoot, 'freeze');
  const [env, later] = [{}, {}];
  handInFiles(env, new Map([[name, 'a'.repeat(22)]]), folder, `${folder}-1`);
  handInFiles(later, new Map([[name, 'b'.repeat(22)]]), folder, `${folder}-2`);
  const { success, output } = await run(scheduled, env);
  expect(success).toBe(false);
  expect(output).toContain('K007');
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

describe('an artefact that came back damaged', () => {
  const CHAIN = ['freeze', 'convert', 'export-tflite'] as const;
  /** What happens to it, and the stage that finds it. */
  const damage: [string, 'convert' | 'export-tflite', (dist: string) => void][] = [
    ['changed', 'convert', (dist) => writeFileSync(join(dist, 'frozen/graph.pb'), 'something else')],
    ['cut short', 'convert', (dist) => truncateSync(join(dist, 'frozen/graph.pb'), 3)],
    ['gone', 'convert', (dist) => rmSync(join(dist, 'frozen/graph.pb'))],
    ['with a manifest cut short', 'convert', (dist) => truncateSync(join(dist, 'frozen/manifest.json'), 20)],
    [
      'whose maker’s source is damaged too',
      'export-tflite',
      (dist) => {
        writeFileSync(join(dist, 'converted/model.tflite'), 'something else');
        writeFileSync(join(dist, 'frozen/graph.pb'), 'something else');
      },
    ],
  ];

  async function exported(): Promise<{
    scheduled: ReturnType<typeof target>;
    env: NodeJS.ProcessEnv;
    dist: string;
  }> {
    const scheduled = target();
    const env = keys(scheduled);
    for (const stage of CHAIN) {
      const { success } = await run({ ...scheduled, stage, variant: 'float' }, env);
      expect(success).toBe(true);
    }
    return { scheduled, env, dist: join(dirname(scheduled.file), 'dist') };
  }

  it.each(damage)('(%s) is made again before it is used', async (_, finder, damageIt) => {
    const { scheduled, env, dist } = await exported();
    const model = readFileSync(join(dist, 'float/model.tflite'));
    damageIt(dist);
    // As after a change that reruns only what comes next.
    rmSync(join(dist, finder === 'convert' ? 'converted' : 'float'), { recursive: true });
    const last = { ...scheduled, stage: 'export-tflite' as const, variant: 'float' };
    const ran = join(workspace, 'ran-again');
    writeFileSync(ran, '');
    const { success, output } = await run({ ...last, stage: finder }, { ...env, [RAN_FILE]: ran });
    expect({ success, output }).toMatchObject({ success: true });
    expect(output).toMatch(/warning K003.*it was made again/);
    expect(ranTargets(scheduled.projectRoot, { [RAN_FILE]: ran })).toContain('freeze');
    expect((await run(last, env)).success).toBe(true);
    expect(readFileSync(join(dist, 'float/model.tflite'))).toEqual(model);
    for (const name of CHAIN) expect(isWhole(dist, { stage: stageOf(name), variant: 'float' })).toBe(true);
  });

  it('is an error where it cannot be made again', async () => {
    const { scheduled, env, dist } = await exported();
    writeFileSync(join(dist, 'frozen/graph.pb'), 'something else');
    rmSync(join(dist, 'converted'), { recursive: true });
    rmSync(join(dirname(scheduled.file), 'graph.pb'));
    const { success, output } = await run({ ...scheduled, stage: 'convert' }, env);
    expect(success).toBe(false);
    expect(output).toMatch(/error K003[^]*error S001/);
    expect(existsSync(join(dist, 'converted'))).toBe(false);
  });

  it('is made again on its own, where nothing else reads it', async () => {
    const { scheduled, env, dist } = await exported();
    const file = join(dist, 'float/model.tflite');
    const before = readFileSync(file);
    truncateSync(file, 1);
    const last: ScheduledTarget = { ...scheduled, stage: 'export-tflite', variant: 'float' };
    const ref = { stage: stageOf('export-tflite'), variant: 'float' };
    expect(isWhole(dist, ref)).toBe(false);
    const remade = await remakeScheduled(last, { stages: fakeStages(), code: () => FAKE_CODE, env });
    expect(remade).toMatchObject({ success: true, output: expect.stringContaining('K003') });
    expect(isWhole(dist, ref)).toBe(true);
    expect(readFileSync(file)).toEqual(before);
  });
});
