/** Whether the files that a model.yaml names are there. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Diagnostics, type Diagnostic, type Place } from '../diagnostics/diagnostic';
import { nearest, suggestion } from '../diagnostics/suggest';
import { sourceFiles } from '../keys/sources';
import type { Descriptor } from './schema';
import type { Path } from './yaml-file';

/**
 * One S001 for each file of the descriptor that is not there, with the nearest name that is. Files that only one
 * variant needs are checked for the variants given (default: all).
 *
 * @param root  the model project's folder
 * @param place finds a path's place in model.yaml (`LoadedDescriptor.place`)
 */
export function checkFiles(
  descriptor: Descriptor,
  root: string,
  place?: (path: Path) => Place,
  variants: readonly string[] = Object.keys(descriptor.variants),
): Diagnostic[] {
  const out = new Diagnostics();
  const missing = (path: Path, message: string, hint?: string): void =>
    out.error('S001', message, { where: place?.(path), hint });
  const { source, verify, detection } = descriptor;

  const simple: [Path, string | undefined][] = [
    [['source', 'graph'], source.graph],
    [['source', 'savedModel'], source.savedModel],
    [['source', 'frozenGraph'], source.frozenGraph],
    [['verify', 'data'], verify.data],
    [['detection', 'pipelineConfig'], detection?.pipelineConfig],
    [['detection', 'anchors'], detection?.anchors?.endsWith('.npy') ? detection.anchors : undefined],
    ...variants.map((name): [Path, string | undefined] => [
      ['variants', name, 'calibration', 'data'],
      descriptor.variants[name]?.calibration?.data,
    ]),
  ];
  for (const [path, name] of simple) {
    if (name === undefined || existsSync(resolve(root, name))) continue;
    missing(path, `${name} does not exist`, nearestFile(name, root));
  }
  if (source.checkpoint !== undefined) checkCheckpoint(source, source.checkpoint, root, missing);
  return out.list;
}

function checkCheckpoint(
  source: Descriptor['source'],
  name: string,
  root: string,
  missing: (path: Path, message: string, hint?: string) => void,
): void {
  const at = ['source', 'checkpoint'];
  const path = resolve(root, name);
  const absent = sourceFiles({ source }, root).filter((file) => !existsSync(file.path));
  const weights = absent.find(({ role }) => role.startsWith('checkpoint'));
  const graph = absent.find(({ role }) => role === 'graph');
  if (isFolder(path) && !existsSync(join(path, 'checkpoint'))) {
    missing(
      at,
      `${name} has no \`checkpoint\` state file that says which checkpoint to take`,
      choices(name, path),
    );
  } else if (weights && isFolder(path)) {
    const latest = relative(path, weights.path);
    missing(at, `the state file in ${name} names ${latest}, which is not there`, choices(name, path));
  } else if (weights) {
    missing(at, `there is no checkpoint ${name}`, nearestFile(name, root, prefixOf));
  } else if (graph && source.graph === undefined) {
    const hint = 'name its graph: `graph: file.meta` (or .pb, .pbtxt)';
    missing(at, `the checkpoint's graph ${relative(root, graph.path)} does not exist`, hint);
  }
}

/** A hint: names in the folder where the file was looked for, or the first folder on the way that is not there. */
function nearestFile(name: string, root: string, form = (file: string): string => file): string | undefined {
  let wanted = name.replace(/\/+$/, '');
  while (
    dirname(wanted) !== '.' &&
    dirname(wanted) !== wanted &&
    !existsSync(resolve(root, dirname(wanted)))
  ) {
    wanted = dirname(wanted);
  }
  const folder = dirname(wanted);
  const prefix = folder === '.' ? '' : folder === '/' ? '/' : `${folder}/`;
  const found = [...new Set(namesIn(resolve(root, folder)).map(form))];
  const near = nearest(basename(wanted), found).map((file) => prefix + file);
  if (near.length > 0) return suggestion(near);
  return wanted === name.replace(/\/+$/, '') ? undefined : `there is no folder ${wanted}`;
}

/** A hint: the checkpoints that a folder has. */
function choices(name: string, folder: string): string | undefined {
  const prefixes = namesIn(folder)
    .filter((file) => file.endsWith('.index'))
    .map(prefixOf);
  const listed = prefixes.slice(0, 5).map((prefix) => `\`${name.replace(/\/+$/, '')}/${prefix}\``);
  return listed.length > 0 ? `there: ${listed.join(', ')}` : undefined;
}

/** A checkpoint's prefix out of one of its files' names. */
function prefixOf(file: string): string {
  return file.replace(/\.(?:index|meta|data-\d{5}-of-\d{5})$/, '');
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
