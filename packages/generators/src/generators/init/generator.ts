/** `nx g floe:init`, which `nx add floe` runs: makes a workspace one with models. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addDependenciesToPackageJson,
  formatFiles,
  readNxJson,
  updateNxJson,
  type GeneratorCallback,
  type NxJsonConfiguration,
  type Tree,
} from '@nx/devkit';

export interface InitSchema {
  skipPackageJson?: boolean;
  skipFormat?: boolean;
}

const PLUGIN = 'floe';
/** Lines of a .gitignore that cover every model's `dist` folder. */
const IGNORES_DIST = /^(\*\*\/)?dist\/?$/;

/** Adds Floe to a workspace; what is there already stays as it is. */
export async function initGenerator(tree: Tree, options: InitSchema = {}): Promise<GeneratorCallback> {
  const nxJson: NxJsonConfiguration = readNxJson(tree) ?? {};
  if (!isRegistered(nxJson)) updateNxJson(tree, { ...nxJson, plugins: [...(nxJson.plugins ?? []), PLUGIN] });
  ignoreDist(tree);
  const install = options.skipPackageJson
    ? () => undefined
    : addDependenciesToPackageJson(tree, {}, { [PLUGIN]: version() }, 'package.json', true);
  if (!options.skipFormat) await formatFiles(tree);
  return install;
}

/** Whether nx.json names the plugin, with options or without. */
export function isRegistered({ plugins = [] }: NxJsonConfiguration): boolean {
  return plugins.some((entry) => (typeof entry === 'string' ? entry : entry.plugin) === PLUGIN);
}

function ignoreDist(tree: Tree): void {
  const text = tree.read('.gitignore', 'utf8') ?? '';
  if (text.split(/\r?\n/).some((line) => IGNORES_DIST.test(line.trim()))) return;
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  tree.write('.gitignore', `${text}${separator}dist\n`);
}

/** The packages of Floe are released together, under one version. */
function version(): string {
  const file = join(__dirname, '..', '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

export default initGenerator;
