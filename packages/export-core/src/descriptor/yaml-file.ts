/**
 * A YAML file as a plain value plus the place of each of its parts. Whatever the file holds, reading it ends in
 * diagnostics, never in an exception and never in much time or memory: size, nesting and alias expansion are
 * limited.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Document, Node, Pair } from 'yaml';
import type { Diagnostic, Place } from '../diagnostics/diagnostic';
import { Diagnostics } from '../diagnostics/diagnostic';

/** Bytes of the largest model.yaml: a hundred times the largest sensible one. */
export const MAX_YAML_BYTES = 1 << 20;
/** Nodes that aliases may add by expansion (the `yaml` library's measure). */
const MAX_ALIASES = 100;
/** Nested maps and lists; the deepest place of the schema is at 6. */
const MAX_DEPTH = 32;

export type Path = readonly (string | number)[];

export interface YamlFile {
  /** The whole file as plain values; undefined when it cannot be read as YAML. */
  value: unknown;
  diagnostics: Diagnostic[];
  /** Where a path is: a value's place, a map's or list's key; for a path that is not there, its parent. */
  place(path: Path): Place;
  /** Where the key of a path is. */
  keyPlace(path: Path): Place;
  /** A scalar as it stands in the file (`2.10`, where the value is 2.1). */
  text(path: Path): string | undefined;
}

type Loaded = typeof import('yaml');

/** Reads a YAML file. */
export function readYaml(file: string): YamlFile {
  const problems = new Diagnostics();
  const text = readText(file, problems);
  return text === undefined ? nothing(file, problems) : parse(file, text, problems);
}

/** The same for a text that is already in memory; `file` is what messages call it. */
export function parseYaml(file: string, text: string): YamlFile {
  return parse(file, text, new Diagnostics());
}

function nothing(file: string, problems: Diagnostics): YamlFile {
  const place = (): Place => ({ file });
  return { value: undefined, diagnostics: problems.list, place, keyPlace: place, text: () => undefined };
}

function readText(file: string, problems: Diagnostics): string | undefined {
  const where = { file };
  try {
    const { size } = statSync(file);
    if (size > MAX_YAML_BYTES) {
      problems.error('D007', `${file} has ${size} bytes; a model.yaml may have ${MAX_YAML_BYTES}`, { where });
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
            ? 'it is not UTF-8 text'
            : (error as Error).message;
    problems.error('D007', `${file} cannot be read: ${why}`, { where });
    return undefined;
  }
}

function parse(file: string, content: string, problems: Diagnostics): YamlFile {
  const text = content.replace(/^\uFEFF/, '');
  const yaml = require('yaml') as Loaded;
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    problems.error('D007', `${file} is larger than ${MAX_YAML_BYTES} bytes`, { where: { file } });
    return nothing(file, problems);
  }
  let doc: Document;
  try {
    doc = yaml.parseDocument(text, {
      prettyErrors: false,
      stringKeys: true,
      schema: 'core',
      logLevel: 'error',
    });
  } catch (error) {
    problems.error('D001', `the YAML parser gave up: ${(error as Error).message}`, { where: { file } });
    return nothing(file, problems);
  }
  const positions = new Positions(yaml, file, text, doc);
  for (const error of [...doc.errors, ...doc.warnings]) {
    const where = positions.range(error.pos[0], error.pos[1]);
    problems.error('D001', sentence(error.message), { where, hint: HINTS[error.code] });
  }

  const value = problems.hasErrors ? undefined : toValue(yaml, doc, positions, problems);
  return {
    value,
    diagnostics: problems.list,
    place: (path) => positions.value(path),
    keyPlace: (path) => positions.key(path),
    text: (path) => positions.text(path),
  };
}

const HINTS: Partial<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'one file describes one model: remove the `---` and what follows it',
  DUPLICATE_KEY: 'remove one of the two',
};

function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function toValue(yaml: Loaded, doc: Document, positions: Positions, problems: Diagnostics): unknown {
  const where = positions.node(undefined);
  if (doc.contents === null) {
    problems.error('D007', 'the file is empty', { where, hint: 'write a model with `nx g floe:model`' });
    return undefined;
  }
  // Nesting is measured on the file's own nodes, before aliases can multiply anything.
  let deep = false;
  yaml.visit(doc, (_key, node, ancestors) => {
    deep ||= ancestors.length > 2 * MAX_DEPTH;
    if (yaml.isAlias(node)) {
      const anchored = node.resolve(doc) as Node | undefined;
      const wrong = !anchored ? 'has no anchor before it' : ancestors.includes(anchored) && 'contains itself';
      if (wrong)
        problems.error('D001', `the alias *${node.source} ${wrong}`, { where: positions.node(node) });
    }
    return deep ? yaml.visit.BREAK : undefined;
  });
  if (deep) problems.error('D001', `maps and lists are nested more than ${MAX_DEPTH} deep`, { where });
  if (problems.hasErrors) return undefined;
  try {
    return doc.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    problems.error('D001', 'aliases expand to too much', { where, hint: 'write the values out' });
    return undefined;
  }
}

/** Finds places in a parsed document. */
class Positions {
  constructor(
    private readonly yaml: Loaded,
    private readonly file: string,
    private readonly source: string,
    private readonly doc: Document,
  ) {}

  /** Offsets at which lines begin. Not the library's LineCounter: it misses lines that follow some syntax errors. */
  private get lines(): number[] {
    return (this.lineStarts ??= [0, ...Array.from(this.source.matchAll(/\n/g), ({ index }) => index + 1)]);
  }
  private lineStarts?: number[];

  range(start: number, end: number): Place {
    const lines = this.lines;
    let line = lines.length;
    while (line > 1 && lines[line - 1] > start) line--;
    // What runs over several lines is underlined to the end of its first.
    const length = Math.max(1, this.source.slice(start, end).split(/\r?\n/, 1)[0].length);
    return { file: this.file, line, column: start - lines[line - 1] + 1, length };
  }

  value(path: Path): Place {
    const { key, node } = this.find(path);
    return this.node(node && (this.yaml.isScalar(node) || !key) ? node : (key ?? node));
  }

  key(path: Path): Place {
    const { key, node } = this.find(path);
    return this.node(key ?? node);
  }

  text(path: Path): string | undefined {
    const { node, complete } = this.find(path);
    return complete && this.yaml.isScalar(node) ? node.source : undefined;
  }

  /** A node's place; the file's beginning where there is none. */
  node(node: Node | undefined): Place {
    if (!node?.range) return { file: this.file, line: 1, column: 1 };
    return this.range(node.range[0], node.range[1]);
  }

  /** The node at a path, or the last one on the way to it, and the key it stands under. */
  private find(path: Path): { key?: Node; node?: Node; complete: boolean } {
    const { yaml, doc } = this;
    let node = (doc.contents ?? undefined) as Node | undefined;
    let key: Node | undefined;
    for (const step of path) {
      const parent = yaml.isAlias(node) ? node.resolve(doc) : node;
      if (yaml.isMap(parent)) {
        const pair = (parent.items as Pair<Node, Node | null>[]).find(
          (item) => yaml.isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (!pair) return { key, node, complete: false };
        key = pair.key;
        node = pair.value ?? undefined;
      } else if (yaml.isSeq(parent) && parent.items[step as number]) {
        key = undefined;
        node = parent.items[step as number] as Node;
      } else {
        return { key, node, complete: false };
      }
    }
    return { key, node, complete: true };
  }
}
