/**
 * A SavedModel's folder, opened.
 *
 *   saved_model.pb (or .pbtxt)       SavedModel: MetaGraphDefs, told apart by their tags
 *   variables/variables.index, …     a tensor bundle with the values of the variables
 *   assets/                          files that the graph names (vocabularies)
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MAX_MESSAGE_BYTES, MAX_TEXT_BYTES } from '../bytes/limits';
import { FloeError } from '../diagnostics/diagnostic';
import { nearest, suggestion } from '../diagnostics/suggest';
import { openCheckpoint, type Checkpoint } from '../format/checkpoint';
import { fileError, pathKind, readFile } from '../format/file';
import { decode, type Message, type MetaGraphDef, type SavedModel } from '../format/proto';
import { FILE_KINDS, sniff } from '../format/sniff';
import { parseText } from '../format/text-proto';
import { CURES } from './graph-file';

/** The tag of graphs that are made for inference. */
const SERVE = 'serve';

export interface SavedModelFiles {
  /** `…/saved_model.pb`, for messages. */
  file: string;
  folder: string;
  meta: MetaGraphDef;
}

/**
 * @param tags exactly the tags of the wanted graph; default: `serve`, or the only graph there is
 * @throws FloeError S001, S002, S003 (not a SavedModel), S004 (damaged), S012 (no graph with these tags)
 */
export function readSavedModel(target: string, tags?: readonly string[]): SavedModelFiles {
  const file = graphOf(target);
  const model: SavedModel = file.endsWith('.pbtxt')
    ? parseText('SavedModel', readFile(file, MAX_TEXT_BYTES), file)
    : decode('SavedModel', readFile(file, MAX_MESSAGE_BYTES), file);
  return { file, folder: target, meta: pickMetaGraph(model, file, tags) };
}

/** The bundle with its variables; undefined when it has none. @throws FloeError S004, S005, S007 */
export function openVariables(folder: string): Checkpoint | undefined {
  const prefix = path.join(folder, 'variables', 'variables');
  return pathKind(`${prefix}.index`) === 'file' ? openCheckpoint(prefix) : undefined;
}

/** The files that the graph names by string constants: tensor name → path. @throws FloeError S006 */
export function assetFiles({ meta, folder, file }: SavedModelFiles): Map<string, string> {
  const assets = new Map<string, string>();
  const root = path.resolve(folder, 'assets');
  for (const { filename, tensor_info } of assetDefs(meta, file)) {
    if (!tensor_info?.name || filename === '') continue;
    const asset = path.resolve(root, filename);
    if (!asset.startsWith(root + path.sep)) {
      throw fileError(
        'S006',
        file,
        `${file} names the asset ${filename}, which is outside its assets folder`,
      );
    }
    assets.set(tensor_info.name, asset);
  }
  return assets;
}

/** SavedModels of TF1 list their assets in a collection, those of TF2 in a field of their own. */
function assetDefs(meta: MetaGraphDef, file: string): Message<'AssetFileDef'>[] {
  const packed = meta.collection_def.saved_model_assets?.any_list?.value ?? [];
  return [...meta.asset_file_def, ...packed.map(({ value }) => decode('AssetFileDef', value, file))];
}

/** The file with the graph; for everything else that `savedModel` may name, what to name instead. */
function graphOf(target: string): string {
  if (pathKind(target) === 'file') {
    const { kind } = sniff(target);
    if (kind === 'savedmodel' || kind === 'savedmodel-text') {
      const hint = `savedModel: ${path.dirname(target)}`;
      throw fileError('S003', target, `${target} is the graph of a SavedModel: name its folder`, hint);
    }
    const cure =
      CURES[kind] ??
      (kind === 'graphdef' || kind === 'graphdef-text' ? 'source: { frozenGraph: … }' : undefined);
    throw fileError('S003', target, `${target} is ${FILE_KINDS[kind]}, not the folder of a SavedModel`, cure);
  }
  if (pathKind(target) === undefined) throw fileError('S001', target, `${target} does not exist`);
  for (const name of ['saved_model.pb', 'saved_model.pbtxt']) {
    const file = path.join(target, name);
    if (pathKind(file) === 'file') return file;
  }
  throw fileError(
    'S003',
    target,
    `${target} has no saved_model.pb: it is not a SavedModel`,
    cureOfFolder(target),
  );
}

function cureOfFolder(folder: string): string | undefined {
  const names = fs.readdirSync(folder).sort();
  // Estimators export into a folder named by the time.
  const inner = names.filter((name) => pathKind(path.join(folder, name, 'saved_model.pb')) === 'file').pop();
  if (inner !== undefined) return `savedModel: ${path.join(folder, inner)}`;
  if (sniff(folder).kind === 'checkpoint-dir') return CURES['checkpoint-dir'];
  const model = names.find((name) => /\.(keras|h5|hdf5|onnx|tflite)$/.test(name));
  if (model !== undefined) {
    const { kind } = sniff(path.join(folder, model));
    return CURES[kind] && `${model} is ${FILE_KINDS[kind]}: ${CURES[kind]}`;
  }
  return undefined;
}

function pickMetaGraph(model: SavedModel, file: string, tags: readonly string[] | undefined): MetaGraphDef {
  const graphs = model.meta_graphs;
  const tagsOf = (meta: MetaGraphDef) => [...(meta.meta_info_def?.tags ?? [])].sort();
  const same = (meta: MetaGraphDef, wanted: readonly string[]) =>
    JSON.stringify(tagsOf(meta)) === JSON.stringify([...new Set(wanted)].sort());
  const found = tags
    ? graphs.find((meta) => same(meta, tags))
    : (graphs.find((meta) => same(meta, [SERVE])) ?? (graphs.length === 1 ? graphs[0] : undefined));
  if (found) {
    if (!found.graph_def) throw fileError('S004', file, `${file} has no graph in it`);
    return found;
  }
  if (graphs.length === 0) throw fileError('S004', file, `${file} has no graph in it`);
  const wanted = tags ?? [SERVE];
  const near = tags && nearest(tags[0], graphs.flatMap(tagsOf), 1);
  const list = graphs.map((meta) => `[${tagsOf(meta).join(', ')}]`);
  throw new FloeError({
    code: 'S012',
    severity: 'error',
    message: `${file} has no graph with the tags [${wanted.join(', ')}]; it has ${list.join(' and ')}`,
    hint: (near?.length ? suggestion(near) : undefined) ?? `tags: ${list[0]}`,
    where: { file },
  });
}
