/** What a file or folder of TensorFlow's holds: checkpoint, SavedModel or graph, told by content. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { MAX_MESSAGE_BYTES, MAX_TEXT_BYTES } from '../bytes/limits';
import type { Signature } from '../contract/contract';
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { openCheckpoint } from '../format/checkpoint';
import { fileError, pathKind, readFile } from '../format/file';
import { decode, type SavedModel } from '../format/proto';
import { FILE_KINDS, sniff, type FileKind } from '../format/sniff';
import { parseText } from '../format/text-proto';
import { graphFromDef } from '../graph/graphdef';
import { readGraphFile } from '../source/graph-file';
import { signaturesOf } from '../source/load-source';
import { describeGraph, type DescribedGraph, type DescribedVariable } from './describe-graph';

/** What an artefact holds. */
export interface Artefact extends DescribedGraph {
  kind: 'checkpoint' | 'savedModel' | 'graph' | 'tflite';
  /** How it is stored, for people: `V2 checkpoint model.ckpt-10`. */
  format: string;
  signatures: Signature[];
  /** What could not be read beside it, as warnings. */
  diagnostics: Diagnostic[];
}

export interface InspectOptions {
  /** Also the sha256 of each variable's elements: reads all of them. */
  digest?: boolean;
}

/**
 * Inspects a checkpoint (prefix, file or folder), a SavedModel or a graph.
 *
 * @throws FloeError S001 (nothing there), S003 (none of these), S004 … S010 (damaged, unreadable)
 */
export function inspectArtefact(path: string, options: InspectOptions = {}): Artefact {
  // A prefix is no file of its own.
  const kind: FileKind = pathKind(path) === undefined ? 'checkpoint-index' : sniff(path).kind;
  switch (kind) {
    case 'checkpoint-index':
    case 'checkpoint-v1':
    case 'checkpoint-state':
    case 'checkpoint-dir':
      return inspectCheckpoint(path, options);
    case 'savedmodel-dir':
      return inspectSavedModel(path, options);
    case 'savedmodel':
    case 'savedmodel-text':
      return inspectSavedModel(dirname(path), options);
    case 'graphdef':
    case 'graphdef-text':
    case 'metagraph':
    case 'metagraph-text':
      return inspectGraph(path, kind);
    default:
      // The data file of a checkpoint has no mark of its own, only its name.
      if (/\.data-\d{5}-of-\d{5}$/.test(path)) return inspectCheckpoint(path, options);
      throw fileError(
        'S003',
        path,
        `${path} is ${FILE_KINDS[kind]}: there is nothing to inspect`,
        'inspect a checkpoint, a SavedModel, a graph (.meta, .pb, .pbtxt) or a .tflite',
      );
  }
}

const NO_GRAPH: DescribedGraph = { inputs: [], outputs: [], variables: [], ops: {} };

function inspectCheckpoint(path: string, options: InspectOptions): Artefact {
  const { variables, format, prefix } = readVariables(path, options);
  const result: Artefact = {
    kind: 'checkpoint',
    format: `${format} checkpoint ${basename(prefix)}`,
    signatures: [],
    ...NO_GRAPH,
    variables,
    diagnostics: [],
  };
  const meta = `${prefix.replace(/-\?{5}-of-\d{5}$/, '')}.meta`;
  if (pathKind(meta) !== 'file') return result;
  try {
    const graph = inspectGraph(meta, 'metagraph');
    return { ...result, signatures: graph.signatures, ...pickContract(graph) };
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    return { ...result, diagnostics: error.diagnostics.map((d) => ({ ...d, severity: 'warning' as const })) };
  }
}

function pickContract({
  inputs,
  outputs,
  ops,
  detection,
}: Artefact): Pick<Artefact, 'inputs' | 'outputs' | 'ops' | 'detection'> {
  return { inputs, outputs, ops, ...(detection ? { detection } : {}) };
}

function inspectGraph(path: string, kind: FileKind): Artefact {
  const { graph, meta } = readGraphFile(path);
  const signatures = meta ? signaturesOf(meta) : [];
  return {
    kind: 'graph',
    format: FILE_KINDS[kind].replace(/^a /, ''),
    signatures,
    ...describeGraph(graph, signatures),
    diagnostics: [],
  };
}

function inspectSavedModel(folder: string, options: InspectOptions): Artefact {
  const binary = join(folder, 'saved_model.pb');
  const text = join(folder, 'saved_model.pbtxt');
  const isBinary = pathKind(binary) === 'file';
  const file = isBinary ? binary : text;
  const saved: SavedModel = isBinary
    ? decode('SavedModel', readFile(binary, MAX_MESSAGE_BYTES), binary)
    : parseText('SavedModel', readFile(text, MAX_TEXT_BYTES), text);
  const tagsOf = (graph: SavedModel['meta_graphs'][number]): readonly string[] =>
    graph.meta_info_def?.tags ?? [];
  const meta = saved.meta_graphs.find((graph) => tagsOf(graph).includes('serve')) ?? saved.meta_graphs[0];
  if (!meta?.graph_def) throw fileError('S004', file, `${file} has no graph in it`);
  // Without those of initialisation, which begin with two underscores: nobody calls them.
  const signatures = signaturesOf(meta).filter(({ key }) => !key.startsWith('__'));
  const prefix = join(folder, 'variables', 'variables');
  const hasVariables = pathKind(`${prefix}.index`) === 'file';
  const tags = tagsOf(meta).join(', ');
  return {
    kind: 'savedModel',
    format: `SavedModel${tags ? ` with tags ${tags}` : ''}`,
    signatures,
    ...describeGraph(graphFromDef(meta.graph_def, file), signatures),
    variables: hasVariables ? readVariables(prefix, options).variables : [],
    diagnostics: [],
  };
}

function readVariables(
  path: string,
  { digest = false }: InspectOptions,
): { variables: DescribedVariable[]; format: string; prefix: string } {
  const checkpoint = openCheckpoint(path);
  try {
    const { format, prefix, entries } = checkpoint;
    const variables = [...entries].map(([name, { dtype, shape }]): DescribedVariable => {
      const described = { name, dtype, shape };
      if (!digest || dtype === 'string') return described;
      const { bytes } = checkpoint.read(name);
      return { ...described, sha256: createHash('sha256').update(bytes).digest('hex') };
    });
    return { variables, format, prefix };
  } finally {
    checkpoint.close();
  }
}
