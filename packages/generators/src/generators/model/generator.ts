/** `nx g floe:model NAME --source=…`: a model.yaml that runs, made from what the artefact itself says. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import {
  FloeError,
  parseDescriptor,
  printDiagnostics,
  type Diagnostic,
  type Quantization,
} from '@floe/export-core';
import {
  formatFiles,
  joinPathFragments,
  logger,
  readNxJson,
  type GeneratorCallback,
  type Tree,
} from '@nx/devkit';
import { checkModel } from '../../check-model';
import { currentFolder } from '../../current-folder';
import { modelYaml } from '../../model-yaml/model-yaml';
import { defaultName } from '../../model-yaml/variant';
import { initGenerator, isRegistered } from '../init/generator';
import { findSource } from './find-source';

export interface ModelSchema {
  name: string;
  source: string;
  graph?: string;
  directory?: string;
  /** Adds a variant with these numbers beside `float`. */
  quantization?: Quantization;
  skipCheck?: boolean;
  skipFormat?: boolean;
}

/**
 * Writes `<directory>/model.yaml` and says what the first run would find. Never overwrites one; writes nothing when
 * the source cannot be read.
 */
export async function modelGenerator(tree: Tree, options: ModelSchema): Promise<GeneratorCallback> {
  const here = currentFolder(tree);
  const folder = resolve(here, options.directory ?? options.name);
  const directory = relative(tree.root, folder).split(sep).join('/');
  if (directory.startsWith('..') || isAbsolute(directory)) {
    throw new Error(`${folder} is not in the workspace: give a --directory inside it`);
  }
  const file = joinPathFragments(directory, 'model.yaml');
  if (tree.exists(file)) throw new Error(`${file} already exists: nothing was written`);

  const text = describe(tree, folder, options);
  if (!options.skipCheck) report(await checkModel(join(folder, 'model.yaml'), text), options.name, tree.root);
  tree.write(file, text);
  const install = isRegistered(readNxJson(tree) ?? {}) ? () => undefined : await initGenerator(tree, {});
  if (!options.skipFormat) await formatFiles(tree);
  return async () => {
    await install();
    logger.info(`\nRun it: npx nx run ${options.name}:export-tflite`);
  };
}

/** @throws Error with the diagnostics when the source cannot be read or a name is wrong */
function describe(tree: Tree, folder: string, { name, source, graph, quantization }: ModelSchema): string {
  const here = currentFolder(tree);
  try {
    const found = findSource(resolve(here, source), graph === undefined ? undefined : resolve(here, graph));
    const variant =
      quantization === undefined || quantization === 'none'
        ? undefined
        : { name: defaultName(quantization), quantization };
    const text = modelYaml(name, found, { folder, variant, schema: schemaPath(tree, folder) });
    checkOwnWork(join(folder, 'model.yaml'), text);
    return text;
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    throw new Error(`no model.yaml was written\n\n${printDiagnostics(error.diagnostics)}`, { cause: error });
  }
}

/** Where editors find the schema of model.yaml, relative to the model; undefined when it is not installed there. */
function schemaPath(tree: Tree, folder: string): string | undefined {
  const schema = join(tree.root, 'node_modules', '@floe', 'export-core', 'model.schema.json');
  return existsSync(schema) ? relative(folder, schema).split(sep).join('/') : undefined;
}

/** What the user gave (a name, say) may still be wrong: better said now than by the first run. */
function checkOwnWork(file: string, text: string): void {
  const { diagnostics } = parseDescriptor(file, text);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new FloeError(errors);
}

/** What freeze and validate say of a model that is about to be written; errors do not keep it from that. */
function report(diagnostics: readonly Diagnostic[], name: string, root: string): void {
  if (diagnostics.length === 0) return logger.info(`${name} freezes and converts: no problems were found\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const text = printDiagnostics(diagnostics, { fileName: (file) => relative(root, file) });
  if (errors === 0) return logger.info(`${name} freezes and converts, but:\n\n${text}`);
  logger.warn(`${name} cannot be exported as it is: edit its model.yaml\n\n${text}`);
}

export default modelGenerator;
