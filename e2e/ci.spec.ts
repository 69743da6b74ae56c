/**
 * The workflow files of examples/ci, run as they are written: shards on machines of their own, a shared cache, one run
 * that gathers everything without the sources, and pull requests that cannot write.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { bash, runGithub, runGitlab, type JobResult, type Runner } from './testing/ci';
import { run, Workspace } from './testing/workspace';

const MODEL = resolve(__dirname, '../packages/generators/src/generators/preset/files');
const MODELS = ['a', 'b', 'c'];
const workflow = (name: string): never =>
  parse(readFileSync(resolve(__dirname, '../examples/ci', name), 'utf8')) as never;

/** Where the repository is, with pointers in place of checkpoints, as Git LFS leaves them. */
const origin = new Workspace();
const lfs = join(origin.outside, 'lfs');
const sourceOf = (model: string): string => `models/${model}/saved_model/variables`;
let server: ChildProcess;
let url: string;
let jobs = 0;
const env: Record<string, string> = {};

function commit(message: string): string {
  origin.git('add', '-A');
  origin.git('commit', '-q', '-m', message);
  return origin.git('rev-parse', 'HEAD').trim();
}

const runner: Runner = {
  env,
  checkout(_, withContent) {
    const folder = join(origin.outside, `job${jobs++}`);
    run('git', ['clone', '-q', origin.root, folder], origin.outside);
    if (withContent)
      for (const model of MODELS)
        cpSync(join(lfs, model), join(folder, sourceOf(model)), { recursive: true });
    return folder;
  },
};

/** What the jobs since the last call said to the cache: hit, miss, put, refused. */
async function log(): Promise<string[]> {
  const lines = (await (await fetch(`${url}/log`)).json()) as string[];
  return lines.map((line) => line.split(' ')[0]);
}

function expectSuccess(results: JobResult[], names: string[]): void {
  for (const { name, code, output } of results) expect({ name, code, output }).toMatchObject({ code: 0 });
  expect(results.map(({ name }) => name)).toEqual(names);
}

beforeAll(async () => {
  server = spawn(process.execPath, [join(__dirname, 'testing/cache-server.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await new Promise((done) =>
    server.stdout!.once('data', (port) => done(`http://127.0.0.1:${String(port).trim()}`)),
  );
  origin.install();
  origin.nx('g', 'floe:init');
  origin.write('.gitignore', 'node_modules\ndist\n.nx\n');
  origin.git('init', '-q', '-b', 'main');
  commit('a workspace');
  const yaml = readFileSync(join(MODEL, 'model.yaml'), 'utf8');
  for (const model of MODELS) {
    origin.copy(MODEL, `models/${model}`);
    origin.write(`models/${model}/model.yaml`, yaml.replace('name: sine', `name: ${model}`));
  }
  // Someone with the checkpoints writes the locks.
  expect(origin.nxIn({ CI: 'false' }, 'run-many', '-t', 'export-tflite').code).toBe(0);
  for (const model of MODELS) {
    const folder = origin.path(sourceOf(model));
    cpSync(folder, join(lfs, model), { recursive: true });
    for (const name of readdirSync(folder)) {
      const content = readFileSync(join(folder, name));
      const oid = createHash('sha256').update(content).digest('hex');
      const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
      writeFileSync(join(folder, name), pointer);
    }
  }
  commit('models');
  // `npm ci` of the jobs: what it would install is there already.
  const bin = join(origin.outside, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'npm'),
    `#!/bin/sh\n[ "$1" = ci ] && exec ln -s ${origin.path('node_modules')} node_modules\nexit 1\n`,
  );
  chmodSync(join(bin, 'npm'), 0o755);
  const { HOME = '', PATH = '' } = process.env;
  Object.assign(env, {
    HOME,
    PATH: `${bin}${delimiter}${PATH}`,
    CI: 'true',
    NO_COLOR: '1',
    NX_DAEMON: 'false',
  });
  Object.assign(env, { NX_ISOLATE_PLUGINS: 'false', NX_TUI: 'false' });
});
afterAll(() => {
  server.kill();
  origin.remove();
});

/** The files of a job of the gathering kind, which has no checkpoint: those that someone with them made. */
function expectModels(folder: string): void {
  const all = readdirSync(join(folder, 'models'), { recursive: true, encoding: 'utf8' });
  const files = all
    .filter((path) => /dist\/(float|int8)\/model\.tflite$/.test(path))
    .map((path) => join('models', path));
  expect(files).toHaveLength(2 * MODELS.length);
  for (const file of files) expect(readFileSync(join(folder, file))).toEqual(origin.read(file));
}

/** Twenty Nx commands, one after another. */
const MANY_JOBS_MS = 900_000;

it(
  'GitHub Actions: a push exports in shards and gathers without sources; a pull request reads only',
  async () => {
    const file = workflow('github-actions.yml');
    const secrets = { NX_CACHE_WRITE_TOKEN: 'writer', NX_CACHE_READ_TOKEN: 'reader' };
    let gathered = '';
    const actions = {
      'actions/setup-node': () => ({}),
      'nrwl/nx-set-shas': () => ({ NX_BASE: 'HEAD~1', NX_HEAD: 'HEAD' }),
      'actions/upload-artifact': (folder: string) => ((gathered = folder), {}),
    };
    const trigger = (event_name: string): JobResult[] =>
      runGithub(file, { github: { event_name }, secrets, vars: { NX_CACHE_SERVER: url } }, runner, actions);

    const push = trigger('push');
    expectSuccess(push, ['shard 0', 'shard 1', 'shard 2', 'shard 3', 'models']);
    // Three models on four machines: each is made by one.
    for (const model of MODELS) {
      const madeBy = push.filter(
        ({ output, name }) => name !== 'models' && output.includes(`run ${model}:freeze`),
      );
      expect(madeBy).toHaveLength(1);
    }
    const said = await log();
    expect(said.filter((what) => what === 'put')).toHaveLength(7 * MODELS.length);
    expect(said).not.toContain('refused');
    expect(push.at(-1)!.output).not.toMatch(/K00\d/);
    expectModels(gathered);

    origin.git('checkout', '-q', '-b', 'change');
    const yaml = origin.read('models/b/model.yaml').toString();
    origin.write(
      'models/b/model.yaml',
      yaml.replace('int8: { quantization: int8,', 'int8: { quantization: int8, io: uint8,'),
    );
    commit('phone wants bytes');
    const pull = trigger('pull_request');
    expectSuccess(pull, ['shard 0', 'shard 1', 'shard 2', 'shard 3']);
    expect(pull.filter(({ output }) => output.includes('export-tflite')).map(({ name }) => name)).toEqual([
      'shard 1',
    ]);
    const asked = await log();
    expect(asked).toContain('refused');
    expect(asked).toContain('hit');
    expect(asked).not.toContain('put');
    origin.git('checkout', '-q', 'main');
  },
  MANY_JOBS_MS,
);

it(
  'GitLab CI: the same',
  async () => {
    const file = workflow('gitlab-ci.yml');
    const cache = (token: string): Record<string, string> => ({
      NX_SELF_HOSTED_REMOTE_CACHE_SERVER: url,
      NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token,
    });
    const trigger = (branch: string, more: Record<string, string>): JobResult[] => {
      const predefined = {
        CI_DEFAULT_BRANCH: 'main',
        CI_COMMIT_SHA: origin.git('rev-parse', branch).trim(),
        ...more,
      };
      return runGitlab(file, predefined, { main: cache('writer'), '*': cache('reader') }, runner);
    };
    await fetch(`${url}/clear`);
    const base = origin.git('rev-parse', 'main~1').trim();
    const push = trigger('main', { CI_COMMIT_BRANCH: 'main', CI_COMMIT_BEFORE_SHA: base });
    expectSuccess(push, ['shard 1/4', 'shard 2/4', 'shard 3/4', 'shard 4/4', 'models']);
    const said = await log();
    expect(said.filter((what) => what === 'put')).toHaveLength(7 * MODELS.length);
    expectModels(join(origin.outside, `job${jobs - 1}`));

    origin.git('checkout', '-q', 'change');
    const pull = trigger('change', {
      CI_PIPELINE_SOURCE: 'merge_request_event',
      CI_MERGE_REQUEST_DIFF_BASE_SHA: origin.git('rev-parse', 'main').trim(),
    });
    expectSuccess(pull, ['shard 1/4', 'shard 2/4', 'shard 3/4', 'shard 4/4']);
    const asked = await log();
    expect(asked).toContain('refused');
    expect(asked).not.toContain('put');
  },
  MANY_JOBS_MS,
);

it('a machine whose cache has nothing says which source is missing', () => {
  const folder = runner.checkout('alone', false);
  const { code, output } = bash(folder, 'npm ci; npx nx run a:export-tflite', env);
  expect(code).not.toBe(0);
  expect(output).toMatch(/K004: .*variables.* is a Git LFS pointer[^]*git lfs pull/);
});
