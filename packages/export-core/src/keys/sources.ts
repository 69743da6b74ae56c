/** The files that a model's source consists of, found without reading any of them whole. */
import { readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Descriptor } from '../descriptor/schema';
import { systemError } from '../format/file';

/** A file (or folder) and what it is to its stage: keys are made of roles and contents, never of paths. */
export interface SourceFile {
  role: string;
  /** Absolute. */
  path: string;
}

/**
 * What `freeze` reads, in a stable order. A file that the descriptor names is listed whether or not it is there:
 * making its digest says so. The state file of a checkpoint folder is not listed: all it decides is which files
 * are, and TensorFlow rewrites it with every save.
 *
 * @throws FloeError when the checkpoint cannot be found (see `resolveCheckpoint`)
 */
export function sourceFiles({ source }: Pick<Descriptor, 'source'>, root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const add = (role: string, path: string): unknown => files.push({ role, path: resolve(root, path) });
  if (source.frozenGraph !== undefined) add('graph', source.frozenGraph);
  if (source.savedModel !== undefined) add('savedModel', source.savedModel);
  if (source.checkpoint !== undefined) {
    const { prefix, files: checkpoint } = checkpointFiles(resolve(root, source.checkpoint));
    files.push(...checkpoint);
    if (source.savedModel === undefined) add('graph', source.graph ?? `${prefix}.meta`);
  }
  return files;
}

/** A checkpoint's files: index and data files, or the file or shards of V1. */
function checkpointFiles(target: string): { prefix: string; files: SourceFile[] } {
  // Required on use: the readers' schemas take time to load, which `floe --help` need not wait for.
  const { resolveCheckpoint } = require('../format/checkpoint') as typeof import('../format/checkpoint');
  const { prefix, format, files } = resolveCheckpoint(target);
  if (format === 'V1') {
    const shard = /-(\d{5}-of-\d{5})$/;
    return {
      prefix: prefix.replace(/-\?{5}-of-\d{5}$/, ''),
      files: (files ?? []).map((path) => {
        const part = files?.length === 1 ? undefined : shard.exec(path)?.[1];
        return { role: part ? `checkpoint/${part}` : 'checkpoint', path };
      }),
    };
  }
  // How many data files there are stands in the index; the folder tells it without reading that.
  const start = `${basename(prefix)}.`;
  const parts = namesIn(dirname(prefix))
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length))
    .filter((part) => /^data-\d{5}-of-\d{5}$/.test(part));
  // The index always, also where a state file names a checkpoint that is not there: its path says which one.
  parts.push('index');
  return { prefix, files: parts.map((part) => ({ role: `checkpoint/${part}`, path: `${prefix}.${part}` })) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw systemError(folder, error);
  }
}
