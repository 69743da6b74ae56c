/** Reads a model.yaml: everything that is wrong with it at once, each with its place. */
import { basename, dirname, resolve } from 'node:path';
import { Diagnostics, type Diagnostic, type Place } from '../diagnostics/diagnostic';
import { checkRules } from './check';
import { PROJECT_NAME, VARIANT_NAME } from './names';
import type { Descriptor } from './schema';
import { parseYaml, readYaml, type Path, type YamlFile } from './yaml-file';

export interface LoadedDescriptor {
  /** With every default filled in; undefined when the file is wrong. */
  descriptor?: Descriptor;
  /** With an error among them, none of the model's stages may run. */
  diagnostics: Diagnostic[];
  /** What can be said even of a wrong file, for tools that list projects and targets. */
  outline: { name: string; variants: string[] };
  /** Where a path such as `['inputs', 0, 'tensor']` stands in the file. */
  place(path: Path): Place;
}

/** Reads and checks a model.yaml. Never throws over what the file holds. */
export function loadDescriptor(file: string): LoadedDescriptor {
  return check(file, readYaml(file));
}

/** The same for a text in memory; `file` says whose it is. */
export function parseDescriptor(file: string, text: string): LoadedDescriptor {
  return check(file, parseYaml(file, text));
}

function check(file: string, yaml: YamlFile): LoadedDescriptor {
  const out = new Diagnostics();
  out.addAll(yaml.diagnostics);
  const value = emptyMaps(yaml.value);
  const folder = basename(dirname(resolve(file)));
  let descriptor: Descriptor | undefined;
  if (!out.hasErrors) {
    // Required here, not at the top: zod is only worth its loading time once there is a file to check.
    const { descriptorSchema } = require('./schema') as typeof import('./schema');
    const { addIssues } = require('./problems') as typeof import('./problems');
    const parsed = descriptorSchema.safeParse(value);
    if (!parsed.success) addIssues(parsed.error.issues, descriptorSchema, { ...yaml, value }, out);
    checkRules(value, (code, path, message, hint) =>
      out.error(code, message, { where: yaml.place(path), hint }),
    );
    out.list.sort(byPlace);
    if (parsed.success && !out.hasErrors) descriptor = { ...parsed.data, name: parsed.data.name ?? folder };
  }
  return {
    descriptor,
    diagnostics: out.list,
    outline: outlineOf(value, folder, descriptor),
    place: yaml.place,
  };
}

const MAPS = ['freeze', 'tflite', 'target', 'variants', 'verify', 'detection'];

/** `freeze:` with nothing behind it is an empty map, not null; so is a variant's name alone. */
function emptyMaps(value: unknown): unknown {
  if (!isMap(value)) return value;
  const out = { ...value };
  for (const key of MAPS) if (out[key] === null) out[key] = {};
  if (value.variants === null) delete out.variants;
  else if (isMap(out.variants)) {
    out.variants = Object.fromEntries(Object.entries(out.variants).map(([name, v]) => [name, v ?? {}]));
  }
  return out;
}

function outlineOf(
  value: unknown,
  folder: string,
  descriptor: Descriptor | undefined,
): LoadedDescriptor['outline'] {
  if (descriptor) return { name: descriptor.name, variants: Object.keys(descriptor.variants) };
  const map = isMap(value) ? value : {};
  const name = typeof map.name === 'string' && PROJECT_NAME.test(map.name) ? map.name : folder;
  const variants = isMap(map.variants) ? Object.keys(map.variants) : ['float'];
  return { name, variants: variants.filter((v) => VARIANT_NAME.test(v)) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.where?.line ?? 0) - (b.where?.line ?? 0) || (a.where?.column ?? 0) - (b.where?.column ?? 0);
}
