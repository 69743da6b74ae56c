/** From what a user points at to the `source` of a model.yaml and the contract in it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  FloeError,
  inspectArtefact,
  type Artefact,
  type Code,
  type DetectionBlock,
  type TensorSpec,
} from '@floe/export-core';

/** What model.yaml will say of its source; paths are absolute. */
export interface FoundSource {
  checkpoint?: string;
  graph?: string;
  savedModel?: string;
  /** Where it is not the default one. */
  signature?: string;
  frozenGraph?: string;
  /** Undefined where the SavedModel's signature says it. */
  contract?: { inputs: TensorSpec[]; outputs: TensorSpec[] };
  /** The inputs of that signature. */
  signatureInputs?: TensorSpec[];
  /** Of a detector: how its post-processing is made for the phone. */
  detection?: DetectionBlock;
}

const DEFAULT_SIGNATURE = 'serving_default';

/**
 * Inspects the source.
 *
 * @param graph the graph of a checkpoint that has no .meta beside it
 * @throws FloeError with what is wrong with the artefact, or G010 when it has no likely outputs
 */
export function findSource(path: string, graph?: string): FoundSource {
  const artefact = inspectArtefact(path);
  const source = sourceOf(path, artefact, graph);
  const { detection } = graph === undefined ? artefact : inspectArtefact(graph);
  if (!detection) return source;
  const config = join(dirname(path), 'pipeline.config');
  return { ...source, detection: { ...detection, ...(existsSync(config) && { pipelineConfig: config }) } };
}

function sourceOf(path: string, artefact: Artefact, graph: string | undefined): FoundSource {
  switch (artefact.kind) {
    case 'checkpoint':
      return ofCheckpoint(path, artefact, graph);
    case 'savedModel':
      return ofSavedModel(path, artefact);
    default:
      return ofGraph(path, artefact);
  }
}

function ofCheckpoint(path: string, artefact: Artefact, graph: string | undefined): FoundSource {
  if (graph !== undefined) {
    return { checkpoint: path, graph, contract: contractOf(graph, inspectArtefact(graph)) };
  }
  if (Object.keys(artefact.ops).length === 0) {
    const [why] = artefact.diagnostics;
    if (why) throw new FloeError({ ...why, severity: 'error' });
    throw problem(
      'S001',
      `${path} has no graph beside it (.meta)`,
      'name it with --graph: .meta, .pb or .pbtxt',
    );
  }
  return { checkpoint: path, contract: contractOf(path, artefact) };
}

function ofSavedModel(path: string, { signatures }: Artefact): FoundSource {
  const named = signatures.find(({ key }) => key === DEFAULT_SIGNATURE) ?? signatures[0];
  if (!named) throw problem('G011', `${path} has no signature that could be exported`);
  const savedModel = path.replace(/[\\/]saved_model\.pb(txt)?$/, '');
  return {
    savedModel,
    signatureInputs: named.inputs,
    ...(named.key !== DEFAULT_SIGNATURE && { signature: named.key }),
  };
}

function ofGraph(path: string, artefact: Artefact): FoundSource {
  const prefix = path.replace(/\.meta$/, '');
  if (prefix !== path && existsSync(`${prefix}.index`)) {
    return { checkpoint: prefix, contract: contractOf(path, artefact) };
  }
  if (artefact.variables.length > 0) {
    const hint = 'give the checkpoint as --source, and this file as --graph';
    throw problem('S007', `${path} has ${artefact.variables.length} variables, but not their values`, hint);
  }
  return { frozenGraph: path, contract: contractOf(path, artefact) };
}

function contractOf(
  path: string,
  { inputs, outputs }: Artefact,
): { inputs: TensorSpec[]; outputs: TensorSpec[] } {
  if (outputs.length > 0) return { inputs, outputs };
  const hint = 'see what it holds with `floe inspect`, and write model.yaml by hand';
  throw problem('G010', `no likely outputs were found in the graph of ${path}`, hint);
}

function problem(code: Code, message: string, hint?: string): FloeError {
  return new FloeError({ code, severity: 'error', message, ...(hint !== undefined && { hint }) });
}
