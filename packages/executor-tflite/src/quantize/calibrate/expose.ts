/**
 * Copies of a model that hand out what is computed inside: some tensors at a time, because every output keeps its
 * memory for the whole run.
 */
import { joinPieces } from '@floe/export-core';
import type {
  TfliteModel,
  TfliteOp,
  TfliteSignature,
  TfliteSubgraph,
  TfliteTensor,
} from '../../tflite/model';
import { writeModel } from '../../tflite/write';

/** Bytes of the tensors that one pass hands out. */
const MAX_PASS_BYTES = 1 << 27;
/** Taken for tensors of unknown size, where what is known of it is not more. */
const UNKNOWN_BYTES = 1 << 20;

/** A run of the model over all samples: what it hands out, by the name of the output. */
export interface Pass {
  bytes: Uint8Array;
  tensors: Map<string, TfliteTensor>;
}

/** Divides tensors into groups whose bytes stay under the bound; one that is larger is alone. */
export function groupsOf(tensors: readonly TfliteTensor[], limit = MAX_PASS_BYTES): TfliteTensor[][] {
  const groups: TfliteTensor[][] = [];
  let left = 0;
  for (const tensor of tensors) {
    const known = (tensor.shape ?? []).reduce((n, d) => n * Math.abs(d), 4);
    const bytes = tensor.isStatic ? known : Math.max(known, UNKNOWN_BYTES);
    if (!groups.length || bytes > left) {
      groups.push([]);
      left = limit;
    }
    groups[groups.length - 1].push(tensor);
    left -= bytes;
  }
  return groups;
}

/**
 * The model with one signature, whose outputs are these tensors of its graph; nothing is computed that they do not need.
 * The model is as before afterwards.
 */
export function exposing(
  model: TfliteModel,
  signature: TfliteSignature,
  tensors: readonly TfliteTensor[],
): Pass {
  const { subgraph } = signature;
  const before = { signatures: model.signatures, outputs: subgraph.outputs, ops: subgraph.ops };
  const named = new Map(tensors.map((tensor, i) => [`value ${i}`, tensor]));
  const outputs = [...named].map(([name, tensor]) => ({ name, tensor }));
  try {
    model.signatures = [{ ...signature, outputs }];
    subgraph.outputs = [...tensors];
    subgraph.ops = needed(subgraph);
    return { bytes: joinPieces(writeModel(model)), tensors: named };
  } finally {
    model.signatures = before.signatures;
    Object.assign(subgraph, { outputs: before.outputs, ops: before.ops });
  }
}

/** Operators that outputs need, and those that do more than compute with what they need. */
function needed({ ops, outputs }: TfliteSubgraph): TfliteOp[] {
  const wanted = new Set<TfliteTensor | undefined>(outputs);
  const found = ops.toReversed().filter((op) => {
    const isNeeded = op.hasEffect || op.outputs.some((tensor) => wanted.has(tensor));
    if (isNeeded) op.inputs.forEach((tensor) => wanted.add(tensor));
    return isNeeded;
  });
  return found.reverse();
}
