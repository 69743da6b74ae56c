/** The converter: a frozen graph and its signatures in, a TFLite model out. No files. */
import {
  parseInput,
  type Contract,
  type Diagnostics,
  type Graph,
  type Node,
  type Signature,
  type Value,
} from '@floe/export-core';
import { fuseModel } from '../fuse/fuse';
import { lowerInitializers, lowerSignature, ModelBuilder, type RefusedNode } from '../lower/lower';
import { prepareGraph } from '../prepare/prepare';
import { tensorType, type TfliteModel } from '../tflite/model';
import { refusalCode } from '../validate/refusal-code';
import { neededInitializers } from './cut-contract';

/** What a model is to the converter: its signatures, and the nodes to run once before the first inference. */
export type Conversion = Pick<Contract, 'signatures'> & Partial<Pick<Contract, 'initializers'>>;

export interface Lowered {
  model: TfliteModel;
  /** Nodes that stand between the model and being whole. */
  refused: RefusedNode[];
}

/**
 * Prepares and lowers the graph, which is used up by it. What cannot be lowered is listed, and the model is then not
 * whole; nothing heavy is computed before `fuseModel`, so that validation can stop here.
 *
 * @param customOps ops that may stay custom operators
 */
export function lowerWhole(
  graph: Graph,
  contract: Conversion,
  diagnostics: Diagnostics,
  customOps: readonly string[] = [],
): Lowered {
  const { signatures, initializers = [] } = contract;
  prepareGraph(graph, { signatures, initializers, diagnostics });
  const builder = new ModelBuilder(graph.functions, diagnostics, new Set(customOps));
  const valueOf = (tensor: string): Value => {
    const { name, index } = parseInput(tensor);
    const node = graph.node(name);
    if (!node) throw new RangeError(`${tensor} is not in the graph`);
    return node.output(index);
  };
  // Of a custom op's output the contract may be the only one to know the type.
  for (const { tensor, dtype } of signatures.flatMap((s) => s.outputs)) valueOf(tensor).dtype ??= dtype;
  if (hasOnlyKnownTypes(signatures, diagnostics)) {
    for (const signature of signatures) lowerSignature(builder, graph, signature, valueOf);
    // Tables may have become constants.
    const needed = neededInitializers(graph, { signatures, initializers: [...initializers] });
    const nodes = needed.map((name) => graph.node(name)).filter((n): n is Node => n !== undefined);
    if (nodes.length) lowerInitializers(builder, graph, nodes);
  }
  return { model: builder.model, refused: builder.refused };
}

function hasOnlyKnownTypes(signatures: readonly Signature[], diagnostics: Diagnostics): boolean {
  const strange = signatures.flatMap((s) => [...s.inputs, ...s.outputs]).filter((s) => !tensorType(s.dtype));
  for (const { name, tensor, dtype } of strange) {
    diagnostics.error('T001', `"${name}" is of type ${dtype}, and TFLite has no such tensors`, {
      hint: 'declare a tensor before or behind it, of another type',
      node: parseInput(tensor).name,
    });
  }
  return strange.length === 0;
}

/** The same, with a diagnostic for each node that cannot be lowered. */
export function lowerModel(
  graph: Graph,
  contract: Conversion,
  diagnostics: Diagnostics,
  customOps: readonly string[] = [],
): TfliteModel {
  const { model, refused } = lowerWhole(graph, contract, diagnostics, customOps);
  for (const { node, refusal } of refused) {
    const code = refusalCode(node, refusal);
    diagnostics.error(code, `${node.op} "${node.name}" cannot be converted: ${refusal.reason}`, {
      hint: refusal.hint,
      node: node.name,
    });
  }
  return model;
}

/** Lowers and fuses. With errors in `diagnostics` the result must not be used. */
export function convertGraph(
  graph: Graph,
  contract: Conversion,
  diagnostics: Diagnostics,
  customOps: readonly string[] = [],
): TfliteModel {
  const model = lowerModel(graph, contract, diagnostics, customOps);
  if (!diagnostics.hasErrors) fuseModel(model);
  return model;
}
