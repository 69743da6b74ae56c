/**
 * What a file is, told from its contents: names and extensions lie (`.pb` is three formats, a checkpoint has none).
 *
 *   tflite           "TFL3" at byte 4                       hdf5   89 "HDF" 0d 0a 1a 0a at 0, 512, 1024, …
 *   keras, npz       a zip: "PK" 03 04                      table  57 fb 80 8b 24 75 47 db at the end
 *   protobuf         GraphDef      1: nodes, each with a name (1) and an op (2)   2: library   4: versions
 *                    MetaGraphDef  1: meta info   2: graph   3: saver   4: collections   5: signatures …
 *                    SavedModel    1: a number   2: MetaGraphDefs
 *                    ONNX          1: a number   2: producer   7: graph   8: operator sets
 *   text             the name of the first field
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { MAX_SNIFF_BYTES, MAX_SNIFF_FIELDS } from '../bytes/limits';
import { hasTextState, pathKind, RandomAccessFile, systemError } from './file';
import { hasTableFooter, Table } from './table';
import { wireFields, type WireField } from './wire';
import { zipEntries } from './zip';

/** Every kind, with what to call it in a message. */
export const FILE_KINDS = {
  graphdef: 'a TensorFlow graph (GraphDef)',
  'graphdef-text': 'a TensorFlow graph (GraphDef) as text',
  metagraph: 'a TensorFlow graph with its saver and signatures (MetaGraphDef)',
  'metagraph-text': 'a TensorFlow graph with its saver and signatures (MetaGraphDef) as text',
  savedmodel: 'the graph of a SavedModel',
  'savedmodel-text': 'the graph of a SavedModel as text',
  'savedmodel-dir': 'a SavedModel',
  'checkpoint-index': 'the index of a checkpoint',
  'checkpoint-v1': 'a checkpoint in V1 format',
  'checkpoint-state': 'a `checkpoint` state file',
  'checkpoint-dir': 'a folder with checkpoints',
  tflite: 'a TensorFlow Lite model',
  hdf5: 'an HDF5 file (Keras weights or model)',
  keras: 'a Keras 3 model',
  npz: 'a zip archive (.npz)',
  onnx: 'an ONNX model',
  'lfs-pointer': 'a Git LFS pointer: the file itself has not been fetched',
  empty: 'an empty file',
  unknown: 'of no known format',
} as const;

export type FileKind = keyof typeof FILE_KINDS;

/**
 * Tells what a file or folder is. Reads little: the start, the end, the heads of the first fields.
 *
 * @throws FloeError S001 when there is nothing, S002 when it cannot be read
 */
export function sniff(target: string): { kind: FileKind } {
  if (pathKind(target) === 'directory') return { kind: sniffFolder(target) };
  const file = new RandomAccessFile(target);
  try {
    return { kind: sniffFile(file) };
  } finally {
    file.close();
  }
}

function sniffFolder(folder: string): FileKind {
  let names: string[];
  try {
    names = fs.readdirSync(folder);
  } catch (error) {
    throw systemError(folder, error);
  }
  if (names.includes('saved_model.pb') || names.includes('saved_model.pbtxt')) return 'savedmodel-dir';
  if (names.some((name) => name.endsWith('.index'))) return 'checkpoint-dir';
  for (const name of names) {
    const full = path.join(folder, name);
    if (name === 'checkpoint' && pathKind(full) === 'file' && hasTextState(full)) return 'checkpoint-dir';
    if (/\.(meta|pb|pbtxt|npz|json|yaml|tflite|h5|keras|md|txt)$/.test(name)) continue;
    if (pathKind(full) === 'file' && sniff(full).kind === 'checkpoint-v1') return 'checkpoint-dir';
  }
  return 'unknown';
}

function sniffFile(file: RandomAccessFile): FileKind {
  if (file.size === 0) return 'empty';
  const head = file.read(0, Math.min(file.size, MAX_SNIFF_BYTES));
  if (head.toString('latin1', 4, 8) === 'TFL3') return 'tflite';
  if (isHdf5(file)) return 'hdf5';
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04' || head.toString('latin1', 0, 4) === 'PK\x05\x06') {
    return sniffZip(file);
  }
  if (hasTableFooter(file)) return sniffTable(file);
  return sniffText(head) ?? sniffProtobuf(file) ?? 'unknown';
}

/** HDF5's signature stands at the start or, behind a user block, at 512, 1024, 2048, … */
function isHdf5(file: RandomAccessFile): boolean {
  const signature = Buffer.from('894844460d0a1a0a', 'hex');
  for (let at = 0; at + 8 <= Math.min(file.size, MAX_SNIFF_BYTES); at = at === 0 ? 512 : at * 2) {
    if (file.read(at, 8).equals(signature)) return true;
  }
  return false;
}

function sniffZip(file: RandomAccessFile): FileKind {
  try {
    const names = new Set(zipEntries(file).map((entry) => entry.name));
    return names.has('config.json') || names.has('model.weights.h5') ? 'keras' : 'npz';
  } catch (error) {
    // What is wrong with it is for its reader to say.
    if (error instanceof FloeError) return 'npz';
    throw error;
  }
}

function sniffTable(file: RandomAccessFile): FileKind {
  try {
    const header = new Table(file).get(new Uint8Array(0));
    // Field 1 of a BundleHeaderProto is a number, of a SavedTensorSlices a message.
    return header && (header.value[0] & 7) === 2 ? 'checkpoint-v1' : 'checkpoint-index';
  } catch (error) {
    if (error instanceof FloeError) return 'checkpoint-index';
    throw error;
  }
}

const TEXT_KINDS: [kind: FileKind, firstField: RegExp][] = [
  ['lfs-pointer', /^version https:\/\/git-lfs\.github\.com\/spec\//],
  ['savedmodel-text', /^(saved_model_schema_version\s*:|meta_graphs\s*:?\s*[{<[])/],
  [
    'metagraph-text',
    /^(meta_info_def|graph_def|saver_def|collection_def|signature_def|asset_file_def|object_graph_def)\s*:?\s*[{<[]/,
  ],
  ['graphdef-text', /^((node|library|versions|debug_info)\s*:?\s*[{<[]|version\s*:\s*\d)/],
  [
    'checkpoint-state',
    /^(model_checkpoint_path|all_model_checkpoint_(paths|timestamps)|last_preserved_timestamp)\s*:/,
  ],
];

function sniffText(head: Buffer): FileKind | undefined {
  // Protobuf text is printable; every binary message has control characters within its first bytes.
  for (const byte of head.subarray(0, 512)) {
    if (byte === 0x7f || (byte < 0x20 && (byte < 9 || byte > 13))) return undefined;
  }
  let text = head.toString('utf8');
  if (text.startsWith('\ufeff')) text = text.slice(1);
  for (;;) {
    text = text.trimStart();
    if (!text.startsWith('#')) break;
    const newline = text.indexOf('\n');
    if (newline < 0) return undefined;
    text = text.slice(newline + 1);
  }
  return TEXT_KINDS.find(([, first]) => first.test(text))?.[0];
}

function sniffProtobuf(file: RandomAccessFile): FileKind | undefined {
  const fields = wireFields(file, 0, file.size, MAX_SNIFF_FIELDS);
  if (!fields || fields.length === 0) return undefined;
  const has = (number: number, type: number) => fields.some((f) => f.number === number && f.type === type);
  if (fields[0].number === 1 && fields[0].type === 0) {
    if (fields.every((f) => f.number === 1 || (f.number === 2 && isMetaGraph(file, f)))) {
      return fields.length > 1 ? 'savedmodel' : undefined;
    }
    return has(7, 2) || has(8, 2) ? 'onnx' : undefined;
  }
  if (fields.every((f) => f.number === 2 && isMetaGraph(file, f))) return 'savedmodel';
  if (looksLikeGraph(file, fields)) return 'graphdef';
  return looksLikeMetaGraph(file, fields) ? 'metagraph' : undefined;
}

function inside(file: RandomAccessFile, field: WireField): WireField[] | undefined {
  return field.type === 2 ? wireFields(file, field.start, field.end, MAX_SNIFF_FIELDS) : undefined;
}

function isMetaGraph(file: RandomAccessFile, field: WireField): boolean {
  const fields = inside(file, field);
  return fields !== undefined && !looksLikeGraph(file, fields) && looksLikeMetaGraph(file, fields);
}

/** A GraphDef: nodes (1), library (2), version (3, a number), versions (4, numbers), debug info (5). */
function looksLikeGraph(file: RandomAccessFile, fields: WireField[]): boolean {
  return (
    fields.length > 0 &&
    fields.every((f) => {
      if (f.number === 3) return f.type === 0;
      if (f.type !== 2) return f.number > 5;
      if (f.number === 1) return isNode(file, f);
      if (f.number === 2) return isLibrary(file, f);
      if (f.number === 4) return inside(file, f)?.every((v) => v.type === 0 || v.number === 3) ?? false;
      return f.number === 5;
    })
  );
}

/** A NodeDef always has an op (2), a word; field 2 of a MetaInfoDef is a list of op definitions. */
function isNode(file: RandomAccessFile, field: WireField): boolean {
  const fields = inside(file, field);
  const op = fields?.find((f) => f.number === 2);
  if (!fields || !op || op.type !== 2 || op.end === op.start || op.end - op.start > 1000) return false;
  if (fields.some((f) => f.number <= 5 && f.type !== 2)) return false;
  return /^[\w.>]+$/.test(file.read(op.start, op.end - op.start).toString('latin1'));
}

/** A library holds functions (1), each with a signature (1) that is a message; a graph's nodes start with a name. */
function isLibrary(file: RandomAccessFile, field: WireField): boolean {
  const fields = inside(file, field);
  if (!fields) return false;
  const first = fields.find((f) => f.number === 1);
  return first === undefined || !isNode(file, first);
}

/** A MetaGraphDef: only messages, fields 1 to 7, a graph in field 2 when that is there. */
function looksLikeMetaGraph(file: RandomAccessFile, fields: WireField[]): boolean {
  if (fields.length === 0 || fields.some((f) => f.number <= 7 && f.type !== 2)) return false;
  if (fields.filter((f) => f.number === 1).length > 1) return false;
  const graph = fields.find((f) => f.number === 2);
  const nodes = graph && inside(file, graph);
  if (graph && !(nodes && (nodes.length === 0 || looksLikeGraph(file, nodes)))) return false;
  return fields.some((f) => f.number <= 7) && fields.every((f) => inside(file, f) !== undefined);
}
