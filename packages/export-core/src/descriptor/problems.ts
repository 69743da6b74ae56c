/** What zod found wrong with a model.yaml, in Floe's words: code, cause, nearest right name. */
import type { core, ZodType } from 'zod';
import type { Diagnostics } from '../diagnostics/diagnostic';
import { didYouMean } from '../diagnostics/suggest';
import { RESERVED_VARIANTS } from './names';
import type { Path, YamlFile } from './yaml-file';

type Issue = core.$ZodIssue;

/** Adds one diagnostic for each of zod's issues. */
export function addIssues(issues: readonly Issue[], schema: ZodType, file: YamlFile, out: Diagnostics): void {
  for (const issue of issues) addIssue(issue, [], schema, file, out);
}

function addIssue(issue: Issue, base: Path, schema: ZodType, file: YamlFile, out: Diagnostics): void {
  const path = [...base, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) addUnknownKey(key, path, schema, file, out);
      return;
    case 'invalid_union':
      for (const inner of nearestBranch(issue, valueAt(file.value, path))) {
        addIssue(inner, path, schema, file, out);
      }
      return;
    case 'invalid_key':
      addBadKey(path, file, out);
      return;
    default:
      addBadValue(issue, path, file, out);
  }
}

function addUnknownKey(key: string, path: Path, schema: ZodType, file: YamlFile, out: Diagnostics): void {
  const where = file.keyPlace([...path, key]);
  const known = keysAt(schema, path);
  if (key === '<<') {
    out.error('D002', 'merge keys (<<) are not part of YAML 1.2', { where, hint: 'use `key: *anchor`' });
    return;
  }
  const elsewhere = placesOf(schema, key);
  const hint =
    didYouMean(key, known) ??
    (elsewhere.length > 0
      ? `\`${key}\` stands at ${elsewhere.map((p) => `\`${p}\``).join(', ')}`
      : `known here: ${known.join(', ')}`);
  out.error('D002', `unknown key \`${key}\`${inside(path)}`, { where, hint });
}

function addBadKey(path: Path, file: YamlFile, out: Diagnostics): void {
  const key = String(path.at(-1));
  const where = file.keyPlace(path);
  if (path[0] === 'variants' && path.length === 2) {
    const reserved = RESERVED_VARIANTS.includes(key);
    const usable = key
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[-_]+/, '');
    out.error(
      'D003',
      reserved
        ? `a variant cannot be called \`${key}\`: that folder of dist belongs to a stage`
        : `\`${key}\` cannot name a variant: only a-z, 0-9, _ and -, beginning with a letter or digit`,
      { where, hint: reserved || usable === '' ? undefined : `\`${usable}\`` },
    );
    return;
  }
  out.error('D003', `\`${key}\` cannot be a key${inside(path.slice(0, -1))}`, { where });
}

function addBadValue(issue: Issue, path: Path, file: YamlFile, out: Diagnostics): void {
  const name = describePath(path);
  const value = valueAt(file.value, path);
  if (value === undefined) {
    const hint =
      issue.code === 'invalid_value' ? `\`${path.at(-1)}: ${String(issue.values[0])}\`` : undefined;
    out.error('D004', `${name} is missing`, { where: file.keyPlace(path), hint });
    return;
  }
  const where = file.place(path);
  const is = describeValue(value, file.text(path));
  switch (issue.code) {
    case 'invalid_type': {
      const quotable = issue.expected === 'string' && typeof value !== 'object';
      const hint = quotable
        ? `write it in quotes: "${file.text(path)}"`
        : value === -1
          ? undefined
          : issue.expected === 'array'
            ? 'write a list: [ … ]'
            : undefined;
      out.error('D003', `${name} must be ${TYPE_NAMES[issue.expected] ?? issue.expected}, not ${is}`, {
        where,
        hint,
      });
      return;
    }
    case 'invalid_value':
      if (path.length === 1 && path[0] === 'version') {
        out.error('D003', `version ${file.text(path) ?? is} of model.yaml is not known: this is version 1`, {
          where,
        });
        return;
      }
      out.error('D003', `${name} must be ${choice(issue.values.map(String), path)}, not ${is}`, {
        where,
        hint: typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : undefined,
      });
      return;
    default:
      out.error('D003', `${name} ${constraint(issue, path)}${value === '' ? '' : `, not ${is}`}`, {
        where,
        hint: valueHint(path, value),
      });
  }
}

const TYPE_NAMES: Partial<Record<string, string>> = {
  string: 'text',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  tuple: 'a list of two numbers',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
};

function choice(values: string[], path: Path): string {
  if (path.at(-1) === 'outputs') return 'a list of outputs or `auto`';
  if (path.at(-1) === 'dtype') return "one of TensorFlow's element types";
  return values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
}

/** What zod's remaining checks mean for the value. */
function constraint(issue: Issue, path: Path): string {
  const last = path.at(-1);
  if (issue.code === 'invalid_format') {
    if (last === 'runtime') return 'must be a version such as "2.14", or tflm';
    if (last === 'tensorflow') return 'must be a version such as "1.15"';
    if (last === 'name') return 'must be a project name: letters, digits, and . _ - / @ inside';
    return 'must be a path';
  }
  if (issue.code === 'too_small') {
    if (issue.origin === 'string') return 'must not be empty';
    if (issue.origin === 'array') return `must have at least ${issue.minimum} entries`;
    return `must be ${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}`;
  }
  if (issue.code === 'too_big') {
    if (issue.origin === 'array') return `must have ${issue.maximum} entries`;
    return `must be at most ${issue.maximum}`;
  }
  return `is not valid (${issue.message})`;
}

function valueHint(path: Path, value: unknown): string | undefined {
  return path.at(-2) === 'shape' && value === -1 ? 'an unknown size is written `null`' : undefined;
}

/** Of a union's branches, the one the user meant: the first that takes this kind of value. */
function nearestBranch(issue: Issue & { code: 'invalid_union' }, value: unknown): readonly Issue[] {
  const branches = issue.errors as Issue[][];
  const fits = branches.find((issues) => issues.every((i) => i.path.length > 0));
  const words = branches.find((issues) => issues.some((i) => i.code === 'invalid_value'));
  return fits ?? (typeof value === 'string' ? words : undefined) ?? branches.at(-1) ?? [];
}

/** The value at a path of parsed YAML. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** `inputs[0].name`, in backquotes. */
export function describePath(path: Path): string {
  if (path.length === 0) return 'the file';
  const text = path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`)).join('');
  return `\`${text.replace(/^\./, '')}\``;
}

function inside(path: Path): string {
  return path.length ? ` in ${describePath(path)}` : '';
}

function describeValue(value: unknown, text: string | undefined): string {
  if (value === null) return text ? `\`${text}\`` : 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return value === '' ? 'empty' : `\`${value}\``;
  return `${typeof value === 'number' ? 'the number ' : ''}${text ?? String(value)}`;
}

// What of zod's definitions is needed to walk a schema.
interface Def {
  type: string;
  shape?: Record<string, ZodType>;
  innerType?: ZodType;
  element?: ZodType;
  valueType?: ZodType;
  options?: ZodType[];
}

/** Children of a schema: by key, `*` for any key or index. */
function children(schema: ZodType): Record<string, ZodType> {
  const def = schema._zod.def as unknown as Def;
  if (def.shape) return def.shape;
  if (def.innerType) return children(def.innerType);
  if (def.element) return { '*': def.element };
  if (def.valueType) return { '*': def.valueType };
  return Object.assign({}, ...(def.options ?? []).map(children));
}

function keysAt(schema: ZodType, path: Path): string[] {
  let at: ZodType | undefined = schema;
  for (const step of path) {
    const below: Record<string, ZodType> = children(at);
    at = Object.hasOwn(below, step) ? below[step] : below['*'];
    if (!at) return [];
  }
  return Object.keys(children(at));
}

/** Every place of the schema that has this key, as `variants.*.io`. */
function placesOf(schema: ZodType, key: string, path: string[] = []): string[] {
  return Object.entries(children(schema)).flatMap(([name, child]) => [
    ...(name === key ? [[...path, name].join('.')] : []),
    ...placesOf(child, key, [...path, name]),
  ]);
}
