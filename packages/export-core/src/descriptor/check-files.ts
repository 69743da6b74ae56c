/** Whether the files that a model.yaml names are there. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { Diagnostics, type Diagnostic, type Place } from '../diagnostics/diagnostic';
import { didYouMean } from '../diagnostics/suggest';
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
  if (source.checkpoint !== undefined) {
    const files = sourceFiles({ source }, root).filter(({ path }) => !existsSync(path));
    const [weights] = files.filter(({ role }) => role.startsWith('checkpoint'));
    const [graph] = files.filter(({ role }) => role === 'graph');
    const at = ['source', 'checkpoint'];
    if (weights) {
      missing(at, `there is no checkpoint ${source.checkpoint}`, nearestFile(source.checkpoint, root, prefixOf));
    } else if (isFolder(resolve(root, source.checkpoint)) && !existsSync(resolve(root, source.checkpoint, 'checkpoint'))) {
      const folder = source.checkpoint.replace(/\/$/, '');
      const hint = choices(folder, prefixesIn(resolve(root, folder)));
      missing(at, `the folder ${folder} has no \`checkpoint\` state file that says which one to take`, hint);
    } else if (graph && source.graph === undefined) {
      const name = relative(root, graph.path);
      missing(at, `the checkpoint's graph ${name} does not exist`, 'name the graph: `graph: file.meta` (or .pb, .pbtxt)');
    }
  }
  return out.list;
}

/** A hint: names in the folder where the file was looked for, or the first folder on the way that is not there. */
function nearestFile(name: string, root: string, form = (file: string): string => file): string | undefined {
  let wanted = name.replace(/\/+$/, '');
  while (dirname(wanted) !== '.' && dirname(wanted) !== wanted && !existsSync(resolve(root, dirname(wanted)))) {
    wanted = dirname(wanted);
  }
  const folder = dirname(wanted);
  const prefix = folder === '.' ? '' : folder === '/' ? '/' : `${folder}/`;
  const found = [...new Set(namesIn(resolve(root, folder)).map(form))];
  const near = didYouMean(basename(wanted), found);
  if (near) return near.replace(/`/g, (tick, at: number) => (isOpening(near, at) ? `\`${prefix}` : tick));
  if (wanted !== name.replace(/\/+$/, '')) return `there is no folder ${wanted}`;
  return undefined;
}

/** Backquotes open and close by turns. */
function isOpening(text: string, at: number): boolean {
  return text.slice(0, at).split('`').length % 2 === 1;
}

function choices(folder: string, prefixes: string[]): string | undefined {
  if (prefixes.length === 0) return undefined;
  return `there: ${prefixes.slice(0, 5).map((p) => `\`${folder}/${p}\``).join(', ')}`;
}

function prefixesIn(folder: string): string[] {
  return namesIn(folder).filter((file) => file.endsWith('.index')).map(prefixOf);
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
