/** Opens what model.yaml names as its source: a graph, and the values of its variables. */
import { basename, join, resolve } from 'node:path';
import type { Signature } from '../contract/contract';
import type { Descriptor, Source } from '../descriptor/schema';
import { openCheckpoint, resolveCheckpoint, type Checkpoint } from '../format/checkpoint';
import { fileError } from '../format/file';
import type { MetaGraphDef } from '../format/proto';
import type { Graph } from '../graph/graph';
import { graphFromDef, parseInput } from '../graph/graphdef';
import type { VariableValues } from '../passes/freeze-context';
import { readGraphFile } from './graph-file';
import { assetFiles, openVariables, readSavedModel } from './saved-model';
import { chooseSignatures, signaturesOf } from './signatures';
import { checkpointValues, transferredValues } from './variable-values';

export { signaturesOf } from './signatures';

export interface LoadedSource {
  graph: Graph;
  /** Undefined for frozen graphs. */
  variables?: VariableValues;
  /** Signatures that the files themselves carry; of a SavedModel those that the descriptor chooses. */
  signatures: Signature[];
  /** Nodes that a SavedModel runs once it is loaded. */
  mainOps: string[];
  /** Files of the source that string constants of the graph name: tensor → path. */
  assets: ReadonlyMap<string, string>;
  /** What is known of where it comes from; for the manifest. */
  provenance: Record<string, unknown>;
  close(): void;
}

/** What the descriptor says of its contract: a SavedModel's signatures need not be asked where it says all. */
export type DeclaredContract = Pick<Descriptor, 'inputs' | 'outputs' | 'signatures'>;

/**
 * @param root the folder that the descriptor's paths are relative to
 * @throws FloeError when a file is missing, damaged or of another kind, or has no such signature
 */
export function loadSource(source: Source, root: string, declared: DeclaredContract = {}): LoadedSource {
  if (source.savedModel !== undefined) return loadSavedModel(source, root, declared);
  if (source.frozenGraph !== undefined) {
    const { graph, meta } = readGraphFile(resolve(root, source.frozenGraph));
    return {
      graph,
      signatures: meta ? signaturesOf(meta, graph) : [],
      mainOps: meta ? mainOpsOf(meta) : [],
      assets: new Map(),
      provenance: provenanceOf(graph, meta),
      close: () => undefined,
    };
  }
  return loadCheckpoint(source, root);
}

function loadCheckpoint(source: Source, root: string): LoadedSource {
  const target = resolve(root, source.checkpoint as string);
  const { prefix } = resolveCheckpoint(target);
  const checkpoint = openCheckpoint(target);
  return closeOnError([checkpoint], () => {
    const file =
      source.graph === undefined
        ? `${prefix.replace(/-\?{5}-of-\d{5}$/, '')}.meta`
        : resolve(root, source.graph);
    const { graph, meta } = readGraphFile(file);
    return {
      graph,
      variables: checkpointValues(checkpoint),
      signatures: meta ? signaturesOf(meta, graph) : [],
      mainOps: meta ? mainOpsOf(meta) : [],
      assets: new Map(),
      provenance: { ...provenanceOf(graph, meta), checkpoint: describe(checkpoint) },
      close: () => checkpoint.close(),
    };
  });
}

function loadSavedModel(source: Source, root: string, declared: DeclaredContract): LoadedSource {
  const files = readSavedModel(resolve(root, source.savedModel as string), source.tags);
  const { meta, file, folder } = files;
  const graph = graphFromDef(meta.graph_def!, file, { saver: meta.saver_def });
  const wanted = source.signatures ?? (source.signature === undefined ? undefined : [source.signature]);
  const found = signaturesOf(meta, graph);
  const signatures =
    declared.signatures && !wanted ? found : chooseSignatures(found, wanted, isComplete(declared), file);
  const assets = assetFiles(files);
  const own = openVariables(folder);
  if (!own && source.checkpoint === undefined && hasVariables(graph)) {
    const index = join(folder, 'variables', 'variables.index');
    const message = `${index} does not exist: the variables of the SavedModel are not in its folder`;
    throw fileError('S001', index, message, 'copy the folder `variables` along with saved_model.pb');
  }
  const opened = own ? [own] : [];
  return closeOnError(opened, () => {
    const checkpoint =
      source.checkpoint === undefined ? undefined : openCheckpoint(resolve(root, source.checkpoint));
    if (checkpoint) opened.push(checkpoint);
    return {
      graph,
      variables: checkpoint ? transferredValues(own, checkpoint) : own && checkpointValues(own, file),
      signatures,
      mainOps: mainOpsOf(meta),
      assets,
      provenance: {
        ...provenanceOf(graph, meta),
        tags: [...(meta.meta_info_def?.tags ?? [])],
        signatures: signatures.map((s) => s.key),
        ...(checkpoint ? { checkpoint: describe(checkpoint) } : {}),
      },
      close: () => opened.forEach((each) => each.close()),
    };
  });
}

function hasVariables(graph: Graph): boolean {
  return [...graph.nodes.values()].some((node) => /^(VariableV2|Variable|VarHandleOp)$/.test(node.op));
}

/** Whether the descriptor itself says every input and output, with its tensor. */
function isComplete({ inputs, outputs }: DeclaredContract): boolean {
  const named = (list: readonly { tensor?: string }[]) => list.every((spec) => spec.tensor !== undefined);
  return (
    outputs === 'auto' || (inputs !== undefined && outputs !== undefined && named(inputs) && named(outputs))
  );
}

/** What TensorFlow runs after it has loaded a graph: the main op, the older init op, the tables' initialisers. */
function mainOpsOf(meta: MetaGraphDef): string[] {
  const names: string[] = [];
  for (const key of ['saved_model_main_op', 'legacy_init_op', 'table_initializer']) {
    names.push(...(meta.collection_def[key]?.node_list?.value ?? []));
  }
  const init = meta.signature_def.__saved_model_init_op?.outputs.__saved_model_init_op;
  if (init?.name) names.push(init.name);
  return [...new Set(names.map((name) => parseInput(name).name))];
}

function describe(checkpoint: Checkpoint): { name: string; format: string } {
  return { name: basename(checkpoint.prefix), format: checkpoint.format };
}

function closeOnError<T>(opened: readonly Checkpoint[], load: () => T): T {
  try {
    return load();
  } catch (error) {
    opened.forEach((each) => each.close());
    throw error;
  }
}

function provenanceOf(graph: Graph, meta: MetaGraphDef | undefined): Record<string, unknown> {
  const version = meta?.meta_info_def?.tensorflow_version;
  return {
    ...(version ? { tensorflow: version } : {}),
    producer: graph.versions.producer,
    minConsumer: graph.versions.minConsumer,
  };
}
