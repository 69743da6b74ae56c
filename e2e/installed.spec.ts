/**
 * Floe as a user gets it: from a registry, into a new workspace of each version of Nx that its peer range names. The
 * Node is the one that runs this; `npx -p node@24 -- jest e2e/installed` takes another.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packed, run } from './testing/workspace';

const MODEL = resolve(__dirname, '../packages/generators/src/generators/preset/files');
const NX_VERSIONS = ['22', '23', '24'];

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'floe-installed-')));
let server: ChildProcess;
const env: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  for (const [key, value] of Object.entries(process.env)) {
    // What this repository's own run of Nx, npm or jest sets is not for the workspace.
    if (!/^(FLOE_|NX_|JEST_|FORCE_COLOR|npm_|INIT_CWD)/.test(key)) env[key] = value;
  }
  Object.assign(env, { NX_DAEMON: 'false', NO_COLOR: '1', CI: 'true', NX_TUI: 'false' });
  const usual = run('npm', ['config', 'get', 'registry'], folder, env).trim();
  server = spawn(process.execPath, [join(__dirname, 'testing/registry.js'), packed(), usual], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise((done) => server.stdout!.once('data', (data) => done(String(data).trim())));
  Object.assign(env, {
    npm_config_registry: `http://127.0.0.1:${String(port)}/`,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    // Of its own: what it says of `floe` is not for anyone else.
    npm_config_cache: join(folder, 'npm-cache'),
  });
});
afterAll(() => {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
});

const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T;

it.each(NX_VERSIONS)('Nx %s: nx add, generate, export, export again from the cache', (version) => {
  const root = join(folder, `nx${version}`);
  mkdirSync(root);
  const write = (name: string, content: object): void =>
    writeFileSync(join(root, name), JSON.stringify(content));
  write('package.json', { name: 'user', private: true, devDependencies: { nx: `^${version}.0.0` } });
  write('nx.json', { cacheDirectory: '.nx/cache', analytics: false, neverConnectToCloud: true });
  const npm = (...args: string[]): string => run('npm', args, root, env);
  const nx = (...args: string[]): string => run(join(root, 'node_modules/.bin/nx'), args, root, env);
  npm('install');
  nx('add', 'floe');
  expect(json(root, 'nx.json')).toMatchObject({ plugins: ['floe'] });
  expect(json(root, 'package.json')).toMatchObject({ devDependencies: { floe: expect.any(String) } });
  // Nothing brings another Nx.
  const { dependencies } = JSON.parse(npm('ls', 'nx', '--json', '--all')) as { dependencies: object };
  const versions = [...JSON.stringify(dependencies).matchAll(/"nx":\{"version":"(\d+)/g)].map(
    ([, major]) => major,
  );
  expect(new Set(versions)).toEqual(new Set([version]));

  cpSync(join(MODEL, 'saved_model'), join(root, 'saved_model'), { recursive: true });
  nx('g', 'floe:model', 'sine', '--source=saved_model', '--directory=models/sine', '--quantization=int8');
  expect(nx('run', 'sine:export-tflite')).toContain('sine int8: models/sine/dist/int8/model.tflite');
  rmSync(join(root, 'models/sine/dist'), { recursive: true });
  expect(nx('run', 'sine:export-tflite')).toContain('from the cache: everything');
  expect(existsSync(join(root, 'models/sine/dist/float/model.tflite'))).toBe(true);
  nx('run', 'sine:verify');
});

it('create-nx-workspace --preset=floe makes a workspace whose model exports', () => {
  const options = [
    '--preset=floe',
    '--trustThirdPartyPreset',
    '--nxCloud=skip',
    '--packageManager=npm',
    '--interactive=false',
  ];
  run('npx', ['--yes', 'create-nx-workspace@latest', 'fresh', ...options], folder, {
    ...env,
    GIT_AUTHOR_NAME: 'test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
  });
  const root = join(folder, 'fresh');
  expect(json(root, 'nx.json')).toMatchObject({ plugins: ['floe'] });
  const said = run('npx', ['nx', 'run', 'sine:export-tflite'], root, env);
  expect(said).toContain('sine float: models/sine/dist/float/model.tflite');
});
