/** Whether the files that a model.yaml names are there. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { Diagnostics, FloeError, type Diagnostic, type Place } from '../diagnostics/diagnostic';
import { nearest, suggestion } from '../diagnostics/suggest';
import { sourceFiles } from '../keys/sources';
import type { Descriptor } from './schema';
import type { Path } from './yaml-file';

/**
 * One S001 for each file of the descriptor that is not there, with the nearest name that is; whatever keeps a
 * checkpoint from being found. Files that only one variant needs are checked for the variants given (default: all).
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
  const { source, verify, detection } = descriptor;
  const named: [Path, string | undefined][] = [
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
  for (const [path, name] of named) {
    if (name === undefined || existsSync(resolve(root, name))) continue;
    out.error('S001', `${name} does not exist`, { where: place?.(path), hint: nearestFile(name, root) });
  }
  if (source.checkpoint !== undefined) {
    const where = place?.(['source', 'checkpoint']);
    try {
      const graph = sourceFiles(descriptor, root).find(({ role }) => role === 'graph');
      if (graph && source.graph === undefined && !existsSync(graph.path)) {
        if (isObjectBased(resolve(root, source.checkpoint)))
          out.add(withoutStructure(source.checkpoint, where));
        else {
          const hint = 'name its graph: `graph: file.meta` (or .pb, .pbtxt)';
          out.error('S001', `the checkpoint's graph ${relative(root, graph.path)} does not exist`, {
            where,
            hint,
          });
        }
      }
    } catch (error) {
      if (!(error instanceof FloeError)) throw error;
      out.addAll(error.diagnostics.map((d) => ({ ...d, where })));
    }
  }
  return out.list;
}

/** Whether a checkpoint was written by tf.train.Checkpoint (Keras: save_weights), which saves no graph. */
function isObjectBased(target: string): boolean {
  const { openCheckpoint } = require('../format/checkpoint') as typeof import('../format/checkpoint');
  const { OBJECT_GRAPH_KEY } = require('../source/object-graph') as typeof import('../source/object-graph');
  try {
    const checkpoint = openCheckpoint(target);
    try {
      return checkpoint.entries.has(OBJECT_GRAPH_KEY);
    } finally {
      checkpoint.close();
    }
  } catch (error) {
    // What is wrong with the checkpoint itself is told when it is read.
    if (error instanceof FloeError) return false;
    throw error;
  }
}

function withoutStructure(checkpoint: string, where: Place | undefined): Diagnostic {
  return {
    code: 'S007',
    severity: 'error',
    message: `${checkpoint} is a tf.train.Checkpoint: it holds weights, and nothing that says how they are used`,
    hint: `save the structure once with tf.saved_model.save(model, "saved_model") (Keras: model.export("saved_model")), then source: { savedModel: saved_model, checkpoint: ${checkpoint} }`,
    where,
  };
}

/** A hint: names in the folder where the file was looked for, or the first folder on the way that is not there. */
function nearestFile(name: string, root: string): string | undefined {
  const whole = name.replace(/\/+$/, '');
  let wanted = whole;
  while (dirname(wanted) !== wanted && !existsSync(resolve(root, dirname(wanted)))) wanted = dirname(wanted);
  const folder = dirname(wanted);
  const prefix = folder === '.' ? '' : folder === '/' ? '/' : `${folder}/`;
  const near = nearest(basename(wanted), namesIn(resolve(root, folder))).map((file) => prefix + file);
  return suggestion(near) ?? (wanted === whole ? undefined : `there is no folder ${wanted}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
