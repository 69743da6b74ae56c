/** What the stages after freeze start from: the frozen graph and its contract. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cutInputs,
  Diagnostics,
  FloeError,
  inferShapes,
  readGraphFile,
  resolveContract,
  type Contract,
  type Graph,
  type StageContext,
} from '@floe/export-core';
import { detectionModel, type DetectionModel } from '../detection/detection';

export interface FrozenModel {
  graph: Graph;
  contract: Contract;
  /** Ops that may stay custom operators. */
  customOps: readonly string[];
  /** What `detection:` came to. */
  detection?: Pick<DetectionModel, 'found' | 'perCount'>;
}

export function readContract(dist: string): Contract {
  const file = join(dist, 'frozen/contract.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Contract;
  } catch (error) {
    throw new FloeError({
      code: 'K003',
      severity: 'error',
      message: `${file} cannot be read: ${(error as Error).message}`,
      hint: 'run freeze again',
    });
  }
}

/**
 * Reads the frozen graph and applies what stands in place of the contract: the model that `detection:` cuts out, the
 * inputs and outputs that `tflite:` declares. The placeholders get the shapes of their inputs.
 *
 * @param builtin false: a detector ends in TFLite's operator also where `postprocess: builtin` will write it out
 */
export function loadFrozen(
  context: StageContext,
  diagnostics: Diagnostics,
  { builtin = true } = {},
): FrozenModel {
  const { dist, descriptor, place } = context;
  const contract = readContract(dist);
  const { graph } = readGraphFile(join(dist, 'frozen/graph.pb'));
  const detection = detectionModel(graph, context, diagnostics, builtin);
  if (detection) Object.assign(contract, { signatures: [detection.signature], initializers: [] });
  const { inputs, outputs } = descriptor.tflite;
  if (inputs || outputs) {
    inferShapes(graph, new Diagnostics());
    const inner = (path: (string | number)[]) => place(['tflite', ...path]);
    const replaced = resolveContract({ inputs, outputs }, graph, contract.signatures, inner, diagnostics);
    contract.signatures.splice(0, 1, ...replaced.signatures);
    diagnostics.throwIfErrors();
  }
  cutInputs(graph, { contract });
  return {
    graph,
    contract,
    customOps: [...descriptor.allowCustomOps, ...(detection?.customOps ?? [])],
    detection,
  };
}
