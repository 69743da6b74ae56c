/** Opens what model.yaml names as its source: a graph, and the values of its variables. */
import { basename, resolve } from 'node:path';
import type { Signature } from '../contract/contract';
import type { Source } from '../descriptor/schema';
import { openCheckpoint, resolveCheckpoint, type Checkpoint } from '../format/checkpoint';
import type { MetaGraphDef } from '../format/proto';
import type { Graph } from '../graph/graph';
import type { VariableValues } from '../passes/freeze-context';
import { dtypeFromCode } from '../tensor/dtype';
import { shapeFromProto } from '../format/tensor-proto';
import { readGraphFile } from './graph-file';

export interface LoadedSource {
  graph: Graph;
  /** Undefined for frozen graphs. */
  variables?: VariableValues;
  /** Signatures that the files themselves carry. */
  signatures: Signature[];
  /** What is known of where it comes from; for the manifest. */
  provenance: Record<string, unknown>;
  close(): void;
}

/**
 * @param root the folder that the descriptor's paths are relative to
 * @throws FloeError when a file is missing, damaged or of another kind
 */
export function loadSource(source: Source, root: string): LoadedSource {
  if (source.frozenGraph !== undefined) {
    const { graph, meta } = readGraphFile(resolve(root, source.frozenGraph));
    return {
      graph,
      signatures: meta ? signaturesOf(meta) : [],
      provenance: provenanceOf(graph, meta),
      close: () => undefined,
    };
  }
  const target = resolve(root, source.checkpoint as string);
  const { prefix } = resolveCheckpoint(target);
  const checkpoint = openCheckpoint(target);
  try {
    const file =
      source.graph === undefined
        ? `${prefix.replace(/-\?{5}-of-\d{5}$/, '')}.meta`
        : resolve(root, source.graph);
    const { graph, meta } = readGraphFile(file);
    return {
      graph,
      variables: valuesOf(checkpoint),
      signatures: meta ? signaturesOf(meta) : [],
      provenance: {
        ...provenanceOf(graph, meta),
        checkpoint: { name: basename(prefix), format: checkpoint.format },
      },
      close: () => checkpoint.close(),
    };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

function valuesOf(checkpoint: Checkpoint): VariableValues {
  return {
    name: basename(checkpoint.prefix),
    names: () => [...checkpoint.entries.keys()],
    info: (name) => checkpoint.entries.get(name),
    read: (name) => checkpoint.read(name),
  };
}

/** The signatures of a MetaGraphDef, in the order of their keys: a protobuf map has none of its own. */
export function signaturesOf(meta: MetaGraphDef): Signature[] {
  return Object.keys(meta.signature_def)
    .sort()
    .map((key) => {
      const def = meta.signature_def[key];
      const specs = (infos: typeof def.inputs) =>
        Object.keys(infos)
          .sort()
          .flatMap((name) => {
            const info = infos[name];
            const dtype = dtypeFromCode(info.dtype);
            return info.name && dtype
              ? [{ name, tensor: info.name, dtype, shape: shapeFromProto(info.tensor_shape) }]
              : [];
          });
      return { key, inputs: specs(def.inputs), outputs: specs(def.outputs) };
    });
}

function provenanceOf(graph: Graph, meta: MetaGraphDef | undefined): Record<string, unknown> {
  const version = meta?.meta_info_def?.tensorflow_version;
  return {
    ...(version ? { tensorflow: version } : {}),
    producer: graph.versions.producer,
    minConsumer: graph.versions.minConsumer,
  };
}
