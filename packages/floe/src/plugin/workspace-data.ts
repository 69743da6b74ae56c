/** What the plugin keeps between runs, below Nx's own folder for such data: memos, and where models are. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fingerprint, Memo, writeFileAtomic } from '@floe/export-core';

/** As Nx finds it; its own function is internal. */
export function dataFolder(workspaceRoot: string): string {
  const configured = process.env.NX_WORKSPACE_DATA_DIRECTORY ?? process.env.NX_PROJECT_GRAPH_CACHE_DIRECTORY;
  return join(resolve(workspaceRoot, configured ?? join('.nx', 'workspace-data')), 'floe');
}

/** A memo of the workspace. Each user of one has its own, because the last one to save wins. */
export function workspaceMemo(workspaceRoot: string, name: string): Memo {
  return new Memo(join(dataFolder(workspaceRoot), name));
}

/** What is computed from a file also depends on the code that computes it: part of the memo's kinds. */
export function codeVersion(): string {
  try {
    return fingerprint(['@floe/export-core', 'floe'], __dirname).slice(0, 12);
  } catch {
    // Not built completely: nothing of it can be recognised again, so nothing is shared with other processes.
    return `${process.pid}-${Date.now()}`;
  }
}

const MODELS = 'models.json';
const inProcess = new Map<string, readonly string[]>();

/** Remembers which model.yaml files there are, as Nx found them: the hook is not told. */
export function rememberModels(workspaceRoot: string, files: readonly string[]): void {
  inProcess.set(workspaceRoot, files);
  try {
    const folder = dataFolder(workspaceRoot);
    if (sameList(readModels(folder), files)) return;
    mkdirSync(folder, { recursive: true });
    writeFileAtomic(join(folder, MODELS), JSON.stringify(files));
  } catch {
    // A read-only workspace: this process knows them all the same.
  }
}

/** The model.yaml files of the workspace, relative to it. */
export function rememberedModels(workspaceRoot: string): readonly string[] {
  return inProcess.get(workspaceRoot) ?? readModels(dataFolder(workspaceRoot)) ?? [];
}

function readModels(folder: string): string[] | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, MODELS), 'utf8')) as string[];
  } catch {
    return undefined;
  }
}

function sameList(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((file, i) => file === b[i]);
}

/**
 * Where keys lie that are handed over in files, relative to the workspace: Nx hashes nothing outside it, so this is
 * here even where its own data is elsewhere.
 */
export const KEYS_FOLDER = '.nx/workspace-data/floe-keys';

/** Nx hashes files straight from disk since 23.3 (`includeIgnored`); an older one would take no notice of them. */
const IN_FILES_SINCE = [23, 3];

/** How keys are handed over: in files, or by an older Nx in the environment. */
export function keysInFiles(): boolean {
  const [major, minor] = nxVersion();
  const [sinceMajor, sinceMinor] = IN_FILES_SINCE;
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** Of the Nx that runs this, which is not the one found from here where a package is linked. */
function nxVersion(): number[] {
  const path = require.resolve('nx/package.json', { paths: [dirname(process.argv[1] ?? ''), __dirname] });
  const { version } = require(path) as { version: string };
  return version.split('.').map(Number);
}

const RUNS = 'runs';
const DAY_MS = 24 * 60 * 60 * 1000;

/** A new file in which executors note what they ran; those of yesterday go. Empty when none can be made. */
export function newRunFile(workspaceRoot: string): string {
  const folder = join(dataFolder(workspaceRoot), RUNS);
  const now = Date.now();
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (!(Number.parseInt(name, 10) > now - DAY_MS)) rmSync(join(folder, name), { force: true });
    }
    const file = join(folder, `${now}-${process.pid}`);
    writeFileSync(file, '');
    return file;
  } catch {
    return '';
  }
}
