/** `nx g floe:model NAME --source=…`: a model.yaml that runs, made from what the artefact itself says. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { FloeError, parseDescriptor, printDiagnostics } from '@floe/export-core';
import { formatFiles, joinPathFragments, readNxJson, type GeneratorCallback, type Tree } from '@nx/devkit';
import { initGenerator, isRegistered } from '../init/generator';
import { findSource } from './find-source';
import { modelYaml } from './model-yaml';

export interface ModelSchema {
  name: string;
  source: string;
  graph?: string;
  directory?: string;
  skipFormat?: boolean;
}

/** Writes `<directory>/model.yaml`. Never overwrites one; writes nothing when the source cannot be read. */
export async function modelGenerator(tree: Tree, options: ModelSchema): Promise<GeneratorCallback> {
  const here = currentFolder(tree);
  const folder = resolve(here, options.directory ?? options.name);
  const directory = relative(tree.root, folder).split(sep).join('/');
  if (directory.startsWith('..') || isAbsolute(directory)) {
    throw new Error(`${folder} is not in the workspace: give a --directory inside it`);
  }
  const file = joinPathFragments(directory, 'model.yaml');
  if (tree.exists(file)) throw new Error(`${file} already exists: nothing was written`);

  try {
    const source = findSource(
      resolve(here, options.source),
      options.graph === undefined ? undefined : resolve(here, options.graph),
    );
    const text = modelYaml(options.name, source, folder, schemaPath(tree, folder));
    checkOwnWork(file, text);
    tree.write(file, text);
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    throw new Error(`no model.yaml was written\n\n${printDiagnostics(error.diagnostics)}`, { cause: error });
  }
  const install = isRegistered(readNxJson(tree) ?? {}) ? () => undefined : await initGenerator(tree, {});
  if (!options.skipFormat) await formatFiles(tree);
  return async () => {
    await install();
    process.stdout.write(`\nRun it: npx nx run ${options.name}:export-tflite\n`);
  };
}

/** The folder that paths of options are relative to: where the command was typed, as long as that is inside. */
function currentFolder(tree: Tree): string {
  const way = relative(tree.root, process.cwd());
  return way.startsWith('..') || isAbsolute(way) ? tree.root : process.cwd();
}

/** Where editors find the schema of model.yaml, relative to the model; undefined when it is not installed there. */
function schemaPath(tree: Tree, folder: string): string | undefined {
  const schema = join(tree.root, 'node_modules', '@floe', 'export-core', 'model.schema.json');
  return existsSync(schema) ? relative(folder, schema).split(sep).join('/') : undefined;
}

/** What the user gave (a name, say) may still be wrong: better said now than by the first run. */
function checkOwnWork(file: string, text: string): void {
  const { diagnostics } = parseDescriptor(file, text);
  // What is not built yet (D006) is no fault of the file.
  const errors = diagnostics.filter(({ severity, code }) => severity === 'error' && code !== 'D006');
  if (errors.length > 0) throw new FloeError(errors);
}

export default modelGenerator;
