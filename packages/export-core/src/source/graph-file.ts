/** Reads a graph in whatever form it was saved: GraphDef or MetaGraphDef, binary or text, told by content. */
import { FloeError } from '../diagnostics/diagnostic';
import { MAX_MESSAGE_BYTES, MAX_TEXT_BYTES } from '../bytes/limits';
import { fileError, readFile } from '../format/file';
import { readGraphDefFile } from '../format/graphdef-file';
import { decode, type GraphDef, type MetaGraphDef } from '../format/proto';
import { FILE_KINDS, sniff, type FileKind } from '../format/sniff';
import { parseText } from '../format/text-proto';
import { graphFromDef } from '../graph/graphdef';
import type { Graph } from '../graph/graph';

export interface GraphFile {
  graph: Graph;
  /** Saver, signatures and collections, where the file has them. */
  meta?: MetaGraphDef;
}

/** What to do with files that hold models but no TensorFlow graph. */
export const CURES: Partial<Record<FileKind, string>> = {
  hdf5: 'save a SavedModel instead: keras.models.load_model("model.h5").export("saved_model") (a file of weights only: build the model and load_weights first)',
  keras: 'save a SavedModel instead: keras.models.load_model("model.keras").export("saved_model")',
  onnx: 'Floe starts from TensorFlow: save the model it came from as a SavedModel',
  tflite: 'this is what Floe makes, not what it starts from',
  'lfs-pointer': 'run: git lfs pull',
  'checkpoint-index':
    'a checkpoint has no graph: name it as source: { checkpoint: … } and the .meta beside it as graph',
  'checkpoint-v1': 'source: { checkpoint: … }, and its graph (.meta, .pb or .pbtxt) as graph',
  'checkpoint-dir': 'source: { checkpoint: … }, and its graph (.meta, .pb or .pbtxt) as graph',
  'checkpoint-state': 'source: { checkpoint: <its folder> }, and its graph (.meta, .pb or .pbtxt) as graph',
  npz: 'arrays are no model: save a SavedModel, or a checkpoint with its graph',
  'savedmodel-dir': 'source: { savedModel: … }',
  savedmodel: 'source: { savedModel: <its folder> }',
};

/** @throws FloeError S001, S002, S003 (another kind of file), S004 (damaged), G007 (no sound graph) */
export function readGraphFile(file: string): GraphFile {
  const { kind } = sniff(file);
  switch (kind) {
    case 'graphdef': {
      const { def, contents } = readGraphDefFile(file);
      return { graph: graphFromDef(def, file, { contents }) };
    }
    case 'graphdef-text':
      return { graph: graphFromDef(parseText('GraphDef', readFile(file, MAX_TEXT_BYTES), file), file) };
    case 'metagraph':
      return fromMeta(decode('MetaGraphDef', readFile(file, MAX_MESSAGE_BYTES), file), file);
    case 'metagraph-text':
      return fromMeta(parseText('MetaGraphDef', readFile(file, MAX_TEXT_BYTES), file), file);
    default:
      throw fileError(
        'S003',
        file,
        `${file} is ${FILE_KINDS[kind]}, not a graph (.meta, .pb or .pbtxt)`,
        CURES[kind],
      );
  }
}

function fromMeta(meta: MetaGraphDef, file: string): GraphFile {
  const def: GraphDef | null = meta.graph_def;
  if (!def)
    throw new FloeError({
      code: 'S004',
      severity: 'error',
      message: `${file} has no graph in it`,
      where: { file },
    });
  return { graph: graphFromDef(def, file, { saver: meta.saver_def }), meta };
}
