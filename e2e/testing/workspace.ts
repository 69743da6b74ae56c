/** An Nx workspace as a user has it: Floe from its packed packages, nothing from this repository. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const REPOSITORY = join(__dirname, '..', '..');
const PACKAGES = ['export-core', 'executor-freeze', 'executor-tflite', 'generators', 'floe'];

/** Plugins without processes of their own: half the time of a command. The tests of the workspace keep the default. */
export const IN_PROCESS: NodeJS.ProcessEnv = { NX_ISOLATE_PLUGINS: 'false' };

export interface Result {
  code: number | null;
  /** Both streams, without colours. */
  output: string;
  stdout: string;
}

export class Workspace {
  /** A folder beside the workspace, for what lies outside it. */
  readonly outside: string;
  readonly root: string;

  /** @param env further variables of every command */
  constructor(private readonly env: NodeJS.ProcessEnv = {}) {
    this.outside = realpathSync(mkdtempSync(join(tmpdir(), 'floe-e2e-')));
    this.root = join(this.outside, 'workspace');
    mkdirSync(this.root);
  }

  /** Floe, packed and installed beside Nx. */
  install(): void {
    cpSync(made('installed', makeInstalled), this.outside, { recursive: true, verbatimSymlinks: true });
  }

  nx(...args: string[]): Result {
    return this.command('nx', args);
  }

  /** The same with other variables. */
  nxIn(env: NodeJS.ProcessEnv, ...args: string[]): Result {
    return this.command('nx', args, env);
  }

  /** Nx, and all that it has started, killed after so many milliseconds. */
  async killed(ms: number, ...args: string[]): Promise<void> {
    const bin = join(this.root, 'node_modules', '.bin', 'nx');
    const options = { cwd: this.root, env: this.environment(), stdio: 'ignore', detached: true } as const;
    const child = spawn(bin, args, options);
    const ended = new Promise((done) => child.on('exit', done));
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), ms);
    await ended;
    clearTimeout(timer);
  }

  git(...args: string[]): string {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    return run('git', [...who, ...args], this.root);
  }

  floe(...args: string[]): Result {
    return this.command('floe', args);
  }

  npm(...args: string[]): void {
    run('npm', args, this.root);
  }

  private environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { ...process.env, NX_DAEMON: 'false', NO_COLOR: '1', CI: 'true' };
    // What this repository's own run of Nx or jest sets is not for the workspace.
    for (const key of Object.keys(env))
      if (/^(FLOE_|NX_(?!DAEMON)|JEST_|FORCE_COLOR)/.test(key)) delete env[key];
    return Object.assign(env, this.env, more);
  }

  private command(name: string, args: string[], more: NodeJS.ProcessEnv = {}): Result {
    const env = this.environment(more);
    const bin = join(this.root, 'node_modules', '.bin', name);
    const { status, stdout, stderr, error } = spawnSync(bin, args, { cwd: this.root, env, encoding: 'utf8' });
    if (error) throw error;
    // eslint-disable-next-line no-control-regex
    const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');
    return { code: status, output: plain(stdout + stderr), stdout: plain(stdout) };
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  read(path: string): Buffer {
    return readFileSync(this.path(path));
  }

  write(path: string, content: string | object): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }

  copy(from: string, to: string): void {
    cpSync(from, this.path(to), {
      recursive: true,
      filter: (file) => !/\/(dist|train|model\.lock\.json)$/.test(file),
    });
  }

  remove(): void {
    // A daemon that was stopped may still write its last lines.
    rmSync(this.outside, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

interface PackageJson {
  devDependencies: Record<string, string>;
}

/** The packed packages of Floe, as npm would publish them. */
export function packed(): string {
  return made('packed', (folder) => {
    const built = join(REPOSITORY, 'packages', 'floe', 'dist', 'fingerprint.json');
    if (!existsSync(built)) throw new Error('the packages are not built: npm run build');
    const where = PACKAGES.flatMap((name) => ['-w', `packages/${name}`]);
    run('npm', ['pack', '--silent', '--pack-destination', folder, ...where], REPOSITORY);
  });
}

/** The tarballs, and a folder `workspace` in which they are installed. */
function makeInstalled(folder: string): void {
  cpSync(packed(), folder, { recursive: true });
  const root = join(folder, 'workspace');
  mkdirSync(root);
  const { nx } = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as PackageJson)
    .devDependencies;
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const floe = Object.fromEntries(tarballs.map((name) => [packageName(name), `file:../${name}`]));
  const files = {
    'package.json': { name: 'user-workspace', private: true, devDependencies: { nx, ...floe } },
    'nx.json': { cacheDirectory: '.nx/cache', analytics: false, neverConnectToCloud: true },
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(root, name), JSON.stringify(content, null, 2));
  }
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], root);
}

/**
 * A folder that several test files need and that takes long to make: made by the first, for packages as they are now.
 * The next build's replaces it.
 */
function made(what: string, make: (folder: string) => void): string {
  const prefix = `floe-e2e-${what}-`;
  const parent = realpathSync(tmpdir());
  const folder = join(parent, prefix + packagesDigest());
  if (existsSync(folder)) return folder;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const own = mkdtempSync(join(parent, 'floe-e2e-new-'));
  make(own);
  try {
    renameSync(own, folder);
  } catch {
    // Another test file was quicker.
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}

/** Changes with every build. */
function packagesDigest(): string {
  const hash = createHash('sha256').update(readFileSync(join(REPOSITORY, 'package.json')));
  for (const name of PACKAGES) {
    const root = join(REPOSITORY, 'packages', name);
    const own = readdirSync(root).filter((path) => /\.(json|md)$/.test(path));
    const dist = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
    for (const path of [...own, ...dist.map((file) => join('dist', file))].sort()) {
      const { size, mtimeMs } = statSync(join(root, path));
      hash.update(`${name}/${path} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** `floe-executor-tflite-0.1.0.tgz` is @floe/executor-tflite. */
function packageName(tarball: string): string {
  const name = tarball.replace(/-\d+\.\d+\.\d+.*\.tgz$/, '');
  return name === 'floe' ? name : name.replace(/^floe-/, '@floe/');
}

/** Runs a command to its end; throws with what it said when it fails. */
export function run(command: string, args: string[], cwd: string, env?: NodeJS.ProcessEnv): string {
  const { status, stderr, stdout, error } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
