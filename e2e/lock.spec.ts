/** model.lock.json in a real workspace: who writes it, when it decides, and what `nx affected` makes of it. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { changeWeight } from './testing/checkpoint';
import { IN_PROCESS, Workspace, type Result } from './testing/workspace';

const EXAMPLE = join(__dirname, '..', 'examples', 'mobilenet-v1');
const WEIGHTS = 'MobilenetV1/Conv2d_3_pointwise/weights';
const LOCK = 'models/shapes/model.lock.json';
const HERE = { CI: 'false' };

const workspace = new Workspace(IN_PROCESS);
const ckpt = workspace.path('models/shapes/ckpt');
const hidden = join(workspace.outside, 'hidden');
const weightsBy = (by: number): void => changeWeight(join(ckpt, 'model.ckpt-2000'), WEIGHTS, by);
const run = (env: NodeJS.ProcessEnv, ...args: string[]): Result =>
  workspace.nxIn(env, 'run', 'shapes:export-tflite', ...args);
const lockOf = (name: string): string =>
  readFileSync(workspace.path('models', name, 'model.lock.json'), 'utf8');

beforeAll(() => {
  workspace.install();
  workspace.nx('g', 'floe:init');
  const yaml = readFileSync(join(EXAMPLE, 'model.yaml'), 'utf8');
  for (const name of ['shapes', 'other']) {
    workspace.copy(EXAMPLE, `models/${name}`);
    workspace.write(`models/${name}/model.yaml`, yaml.replace(/^name: .*$/m, `name: ${name}`));
  }
  workspace.write('.gitignore', 'node_modules\ndist\n.nx\nckpt\n');
}, 180_000);
afterAll(() => workspace.remove());

it('is written by a developer’s run, and not in CI', () => {
  expect(run({}).code).toBe(0);
  expect(existsSync(workspace.path(LOCK))).toBe(false);
  expect(run(HERE).code).toBe(0);
  const { sections } = JSON.parse(lockOf('shapes')) as { sections: { source: { files: object } } };
  expect(Object.keys(sections.source.files)).toEqual([
    'checkpoint/data-00000-of-00001',
    'checkpoint/index',
    'graph',
  ]);
  expect(lockOf('other')).toContain('"version": 1');
});

it('reruns nothing: the run after it was written takes everything from the cache', () => {
  const before = lockOf('shapes');
  expect(run(HERE).output).toContain('from the cache: everything');
  expect(lockOf('shapes')).toBe(before);
});

it('fails other bytes in CI and under --frozen-lock, with both digests, and nobody else’s model', () => {
  cpSync(ckpt, hidden, { recursive: true });
  const before = lockOf('shapes');
  weightsBy(0.5);
  for (const result of [run({}), run(HERE, '--frozen-lock')]) {
    expect(result.code).not.toBe(0);
    expect(result.output).toMatch(
      /K006.*data-00000-of-00001 with sha256 [0-9a-f]{64}, here is .* sha256 [0-9a-f]{64}/,
    );
  }
  expect(lockOf('shapes')).toBe(before);
  expect(workspace.nx('run', 'other:export-tflite').code).toBe(0);
});

it('follows a developer’s change; nx affected then has that model, and only it', () => {
  const git = (...args: string[]): string => workspace.git(...args);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'models');
  const before = lockOf('shapes');
  expect(run(HERE).code).toBe(0);
  expect(lockOf('shapes')).not.toBe(before);
  expect(git('status', '--porcelain').trim()).toBe(`M ${LOCK}`);
  git('commit', '-q', '-a', '-m', 'trained');
  const affected = (): string[] => {
    const file = join(workspace.outside, 'graph.json');
    workspace.nx('affected', '-t', 'export-tflite', '--base=HEAD~1', '--head=HEAD', `--graph=${file}`);
    const { tasks } = JSON.parse(readFileSync(file, 'utf8')) as { tasks: { tasks: Record<string, unknown> } };
    return Object.keys(tasks.tasks).filter((id) => id.endsWith(':export-tflite'));
  };
  expect(affected()).toEqual(['shapes:export-tflite']);
  workspace.write(
    'models/other/model.yaml',
    `# reviewed\n${workspace.read('models/other/model.yaml').toString()}`,
  );
  git('commit', '-q', '-a', '-m', 'reviewed');
  expect(affected()).toEqual(['other:export-tflite']);
});

it('gives a machine without the checkpoint everything from the cache', () => {
  const model = workspace.read('models/shapes/dist/float/model.tflite');
  renameSync(ckpt, `${hidden}-away`);
  rmSync(workspace.path('models/shapes/dist'), { recursive: true });
  for (const env of [{}, HERE]) {
    const { code, output } = run(env);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('from the cache: everything');
  }
  expect(workspace.read('models/shapes/dist/float/model.tflite')).toEqual(model);
});

it('says what is missing where no cache has it', () => {
  for (const folder of ['.nx/cache', 'models/shapes/dist']) {
    rmSync(workspace.path(folder), { recursive: true, force: true });
  }
  rmSync(workspace.path('.nx/workspace-data'), { recursive: true, force: true });
  const { code, output } = run({});
  expect(code).not.toBe(0);
  expect(output).toMatch(/K004.*model\.ckpt-2000.* is not on this machine/);
  expect(output).not.toContain('K001');
});
