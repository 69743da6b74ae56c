/** An Nx workspace as a user has it: Floe from its packed packages, nothing from this repository. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
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

  /** Packs Floe and installs it beside Nx. */
  install(): void {
    const built = join(REPOSITORY, 'packages', 'floe', 'dist', 'fingerprint.json');
    if (!existsSync(built)) throw new Error('the packages are not built: npm run build');
    const pack = ['pack', '--silent', '--pack-destination', this.outside];
    run('npm', [...pack, ...PACKAGES.flatMap((name) => ['-w', `packages/${name}`])], REPOSITORY);
    const tarballs = readdirSync(this.outside).filter((name) => name.endsWith('.tgz'));
    const versions = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as PackageJson)
      .devDependencies;
    this.write('package.json', {
      name: 'user-workspace',
      private: true,
      devDependencies: {
        nx: versions.nx,
        '@nx/devkit': versions['@nx/devkit'],
        ...Object.fromEntries(tarballs.map((name) => [packageName(name), `file:../${name}`])),
      },
    });
    this.write('nx.json', { cacheDirectory: '.nx/cache', analytics: false, neverConnectToCloud: true });
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], this.root);
  }

  nx(...args: string[]): Result {
    return this.command('nx', args);
  }

  /** The same with other variables. */
  nxIn(env: NodeJS.ProcessEnv, ...args: string[]): Result {
    return this.command('nx', args, env);
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

  private command(name: string, args: string[], more: NodeJS.ProcessEnv = {}): Result {
    const env: NodeJS.ProcessEnv = { ...process.env, NX_DAEMON: 'false', NO_COLOR: '1', CI: 'true' };
    // What this repository's own run of Nx or jest sets is not for the workspace.
    for (const key of Object.keys(env))
      if (/^(FLOE_|NX_(?!DAEMON)|JEST_|FORCE_COLOR)/.test(key)) delete env[key];
    Object.assign(env, this.env, more);
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
    cpSync(from, this.path(to), { recursive: true, filter: (file) => !/\/(dist|train)$/.test(file) });
  }

  remove(): void {
    rmSync(this.outside, { recursive: true, force: true });
  }
}

interface PackageJson {
  devDependencies: Record<string, string>;
}

/** `floe-executor-tflite-0.1.0.tgz` is @floe/executor-tflite. */
function packageName(tarball: string): string {
  const name = tarball.replace(/-\d+\.\d+\.\d+.*\.tgz$/, '');
  return name === 'floe' ? name : name.replace(/^floe-/, '@floe/');
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stderr, stdout, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
