/** What the stages after freeze start from: the frozen graph and its contract. */
import {
  Diagnostics,
  inferShapes,
  readFrozen,
  resolveContract,
  type Contract,
  type Graph,
  type StageContext,
} from '@floe/export-core';
import { detectionModel, type DetectionModel } from '../detection/detection';
import { cutContract } from './cut-contract';

export interface FrozenModel {
  graph: Graph;
  contract: Contract;
  /** Ops that may stay custom operators. */
  customOps: readonly string[];
  /** What `detection:` came to. */
  detection?: Pick<DetectionModel, 'found' | 'perCount'>;
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
  const { graph, contract } = readFrozen(dist);
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
  cutContract(graph, contract);
  return {
    graph,
    contract,
    customOps: [...descriptor.allowCustomOps, ...(detection?.customOps ?? [])],
    detection,
  };
}
