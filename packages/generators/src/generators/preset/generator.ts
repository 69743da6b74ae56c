/** `create-nx-workspace --preset=floe`: a workspace whose first export works. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { formatFiles, joinPathFragments, logger, type GeneratorCallback, type Tree } from '@nx/devkit';
import { initGenerator } from '../init/generator';

export interface PresetSchema {
  /** The workspace's; not used: the model has its own. */
  name?: string;
  directory?: string;
  skipFormat?: boolean;
}

/** A trained network for sin(x): scripts/preset-model/make.py makes it. */
const FILES = join(__dirname, 'files');

/** Adds Floe and a model; a folder with a model.yaml is left alone. */
export async function presetGenerator(tree: Tree, options: PresetSchema = {}): Promise<GeneratorCallback> {
  const directory = options.directory ?? 'models/sine';
  const file = joinPathFragments(directory, 'model.yaml');
  if (tree.exists(file)) throw new Error(`${file} already exists: nothing was written`);
  const install = await initGenerator(tree, { skipFormat: true });
  const up = directory
    .split('/')
    .map(() => '..')
    .join('/');
  for (const path of filesBelow(FILES)) {
    const content = readFileSync(join(FILES, path));
    const text =
      path === 'model.yaml'
        ? content.toString().replace('../../node_modules', `${up}/node_modules`)
        : content;
    tree.write(joinPathFragments(directory, path), text);
  }
  if (!options.skipFormat) await formatFiles(tree);
  return async () => {
    await install();
    logger.info('\nExport the first model: npx nx run sine:export-tflite');
  };
}

/** Relative paths with forward slashes. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

export default presetGenerator;
