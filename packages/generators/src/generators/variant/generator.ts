/** `nx g floe:variant MODEL --quantization=int8`: one more .tflite of a model. */
import { join, relative, resolve, sep } from 'node:path';
import { nearest, parseDescriptor, printDiagnostics, type Quantization } from '@floe/export-core';
import {
  formatFiles,
  globAsync,
  joinPathFragments,
  logger,
  type GeneratorCallback,
  type Tree,
} from '@nx/devkit';
import { dirname } from 'node:path/posix';
import { currentFolder } from '../../current-folder';
import { insertVariant } from '../../model-yaml/insert-variant';
import { calibrationNote, defaultName, settingsText, type CalibratedInputs } from '../../model-yaml/variant';

export interface VariantSchema {
  /** Name of the model's project, or its folder. */
  project: string;
  quantization: Quantization;
  /** Default: the quantisation. */
  name?: string;
  /** Path of calibration data, relative to the current folder. */
  data?: string;
  samples?: number;
  io?: 'float32' | 'int8' | 'uint8';
  onUnsupported?: 'float' | 'error';
  skipFormat?: boolean;
}

/** Adds an entry to `variants` of a model.yaml; all else in it stays as it is. */
export async function variantGenerator(tree: Tree, options: VariantSchema): Promise<GeneratorCallback> {
  const root = await findModel(tree, options.project);
  const file = joinPathFragments(root, 'model.yaml');
  const path = join(tree.root, file);
  const before = tree.read(file, 'utf8')!;
  const { descriptor, diagnostics, outline } = parseDescriptor(path, before);
  if (!descriptor) throw wrong(`${file} has errors: nothing was written`, diagnostics);
  const name = options.name ?? defaultName(options.quantization);
  if (outline.variants.includes(name)) {
    throw new Error(`${file} already has a variant ${name}: give another --name; nothing was written`);
  }

  const { quantization, samples, io, onUnsupported } = options;
  const data =
    options.data === undefined
      ? undefined
      : relative(join(tree.root, root), resolve(currentFolder(tree), options.data))
          .split(sep)
          .join('/');
  const variant = { name, quantization, data, samples, io, onUnsupported };
  const note = calibrationNote(variant, inputsOf(descriptor));
  const after = insertVariant(before, name, settingsText(variant), note);
  if (after === undefined) {
    throw new Error(`${file}: \`variants\` is an alias: add \`${name}: ${settingsText(variant)}\` by hand`);
  }
  const problems = parseDescriptor(path, after).diagnostics;
  if (problems.some(({ severity }) => severity === 'error')) {
    throw wrong('there can be no such variant: nothing was written', problems);
  }
  tree.write(file, after);
  if (!options.skipFormat) await formatFiles(tree);
  return () => logger.info(`\nRun it: npx nx run ${outline.name}:export-tflite:${name}`);
}

function wrong(title: string, diagnostics: Parameters<typeof printDiagnostics>[0]): Error {
  return new Error(`${title}\n\n${printDiagnostics(diagnostics)}`);
}

/** The inputs as model.yaml says them; what is left out there is the signature's or the graph's. */
function inputsOf({
  inputs,
  tflite,
}: NonNullable<ReturnType<typeof parseDescriptor>['descriptor']>): CalibratedInputs {
  const list = tflite.inputs ?? inputs ?? [];
  return list.map(({ name, dtype = 'float32', shape }) => ({ name, dtype, shape: shape ?? null }));
}

/** The folder of a model, by its project's name or by the folder itself. */
async function findModel(tree: Tree, project: string): Promise<string> {
  const roots = (await globAsync(tree, ['**/model.yaml', 'model.yaml'])).map((file) => dirname(file)).sort();
  const folder =
    relative(tree.root, resolve(currentFolder(tree), project))
      .split(sep)
      .join('/') || '.';
  const names = roots.map((root) => nameOf(tree, root));
  const found = roots.filter((_, i) => names[i] === project);
  if (found.length === 1) return found[0];
  if (roots.includes(folder)) return folder;
  if (found.length > 1) {
    throw new Error(`several models are called ${project}: name the folder of one, ${found.join(' or ')}`);
  }
  const [near] = nearest(project, names, 1);
  const hint = near === undefined ? ': nx g floe:model adds one' : `: did you mean ${near}?`;
  throw new Error(`there is no model ${project}${hint}`);
}

function nameOf(tree: Tree, root: string): string {
  const file = joinPathFragments(root, 'model.yaml');
  return parseDescriptor(join(tree.root, file), tree.read(file, 'utf8') ?? '').outline.name;
}

export default variantGenerator;
