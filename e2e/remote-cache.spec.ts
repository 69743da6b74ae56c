/** The recipe of docs/ci.md: shards on many machines, a shared cache, one run that gathers everything. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IN_PROCESS, Workspace, type Result } from './testing/workspace';

const EXAMPLE = resolve(__dirname, '../examples/mobilenet-v1');
const MODELS = ['a', 'b'];

const first = new Workspace(IN_PROCESS);
const second = new Workspace(IN_PROCESS);
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  server = spawn(process.execPath, [join(__dirname, 'testing/cache-server.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await new Promise((done) =>
    server.stdout!.once('data', (port) => done(`http://127.0.0.1:${String(port).trim()}`)),
  );
  first.install();
  first.nx('g', 'floe:init');
  first.write('.gitignore', 'node_modules\ndist\n.nx\nckpt\n');
  const yaml = readFileSync(join(EXAMPLE, 'model.yaml'), 'utf8');
  for (const name of MODELS) {
    first.copy(EXAMPLE, `models/${name}`);
    first.write(`models/${name}/model.yaml`, yaml.replace(/^name: .*$/m, `name: ${name}`));
  }
  // Someone with the checkpoints commits the locks.
  first.nxIn({ CI: 'false' }, 'run-many', '-t', 'validate');
  first.git('init', '-q', '-b', 'main');
  first.git('add', '-A');
  first.git('commit', '-q', '-m', 'models');
  rmSync(first.path('.nx'), { recursive: true });
  for (const name of MODELS) rmSync(first.path('models', name, 'dist'), { recursive: true });
  rmSync(second.root, { recursive: true });
  first.git('clone', '-q', first.root, second.root);
  symlinkSync(first.path('node_modules'), second.path('node_modules'));
}, 240_000);
afterAll(() => {
  server.kill();
  first.remove();
  second.remove();
});

function nx(workspace: Workspace, token: string, ...args: string[]): Result {
  const remote = { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: url, NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token };
  return workspace.nxIn(remote, ...args);
}

async function log(): Promise<string[]> {
  const lines = (await (await fetch(`${url}/log`)).json()) as string[];
  return lines.map((line) => line.split(' ')[0]);
}

it('a clone without any checkpoint gets what the shards have made, byte for byte, and writes nothing', async () => {
  for (const name of MODELS) {
    const { code, output } = nx(first, 'writer', 'run-many', '-t', 'export-tflite', '-p', name);
    expect({ code, output }).toMatchObject({ code: 0 });
  }
  const made = await log();
  expect(made.filter((what) => what === 'put')).toHaveLength(8);
  expect(made).not.toContain('hit');

  const { code, output } = nx(second, 'reader', 'run-many', '-t', 'export-tflite');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(new Set(await log())).toEqual(new Set(['hit']));
  for (const name of MODELS) {
    expect(output).toMatch(new RegExp(`nx run ${name}:.*export-tflite:float.*\\[remote cache\\]`));
    const file = `models/${name}/dist/float/model.tflite`;
    expect(second.read(file)).toEqual(first.read(file));
  }
});

it('a pull request’s token reads and does not write', async () => {
  const yaml = first.read('models/a/model.yaml').toString();
  first.write('models/a/model.yaml', yaml.replace(/probabilities/g, 'scores'));
  expect(nx(first, 'reader', 'run', 'a:export-tflite').code).toBe(0);
  const done = await log();
  expect(done).toContain('refused');
  expect(done).not.toContain('put');
});
