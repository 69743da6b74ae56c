/** The files that a model's source consists of, found without reading any of them whole. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Descriptor } from '../descriptor/schema';

/** A file (or folder) and what it is to its stage: keys are made of roles and contents, never of paths. */
export interface SourceFile {
  role: string;
  /** Absolute. */
  path: string;
}

/**
 * What `freeze` reads, in a stable order. A file that should be there but is not is listed all the same: making
 * its digest says so. The state file of a checkpoint folder is not listed: all it decides is which files are, and
 * TensorFlow rewrites it with every save.
 */
export function sourceFiles({ source }: Pick<Descriptor, 'source'>, root: string): SourceFile[] {
  const files: SourceFile[] = [];
  if (source.frozenGraph !== undefined)
    files.push({ role: 'graph', path: resolve(root, source.frozenGraph) });
  if (source.savedModel !== undefined)
    files.push({ role: 'savedModel', path: resolve(root, source.savedModel) });
  if (source.checkpoint !== undefined) {
    const prefix = checkpointPrefix(resolve(root, source.checkpoint));
    files.push(...checkpointFiles(prefix));
    if (source.savedModel === undefined) {
      const graph = source.graph === undefined ? `${prefix}.meta` : resolve(root, source.graph);
      files.push({ role: 'graph', path: graph });
    }
  }
  return files;
}

/** The prefix of a checkpoint that is given as prefix, as one of its files, or as a folder with a state file. */
function checkpointPrefix(path: string): string {
  if (!isFolder(path)) return path.replace(/\.(?:index|meta|data-\d{5}-of-\d{5})$/, '');
  let text: string;
  try {
    text = readFileSync(join(path, 'checkpoint'), 'utf8');
  } catch {
    return path;
  }
  const [, quoted] = /^\s*model_checkpoint_path\s*:\s*("(?:[^"\\]|\\.)*")/m.exec(text) ?? [];
  if (quoted === undefined) return path;
  const latest = quoted.slice(1, -1).replace(/\\(["\\])/g, '$1');
  // A moved folder: beside the state file first, whatever folder it was once written in.
  const beside = join(path, basename(latest));
  if (checkpointFiles(beside).length > 1 || isAbsolute(latest)) return beside;
  const below = resolve(path, latest);
  return relative(path, below).startsWith('..') ? beside : below;
}

/** Index and shards of a V2 checkpoint, or the file or shards of a V1 one; the prefix itself when nothing is there. */
function checkpointFiles(prefix: string): SourceFile[] {
  const folder = dirname(prefix);
  const name = basename(prefix).replace(/-\?{5}-of-\d{5}$/, '');
  const files = names(folder).flatMap((file): SourceFile[] => {
    if (!file.startsWith(name)) return [];
    const end = file.slice(name.length);
    const shard = /^(?:\.(index|data-\d{5}-of-\d{5})|-(\d{5}-of-\d{5}))$/.exec(end);
    return shard ? [{ role: `checkpoint/${shard[1] ?? shard[2]}`, path: join(folder, file) }] : [];
  });
  const isV2 = files.some(({ role }) => role === 'checkpoint/index');
  const chosen = files.filter(({ role }) => /index|data/.test(role) === isV2);
  if (isV2 || (chosen.length > 0 && !existsSync(prefix))) return chosen;
  return [{ role: 'checkpoint', path: prefix }];
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
