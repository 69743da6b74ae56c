/** The converter: a frozen graph and its signatures in, a TFLite model out. No files. */
import { parseInput, type Diagnostics, type Graph, type Signature, type Value } from '@floe/export-core';
import { fuseModel } from '../fuse/fuse';
import { lowerSignature, ModelBuilder } from '../lower/lower';
import { prepareGraph } from '../prepare/prepare';
import type { TfliteModel } from '../tflite/model';

/**
 * Prepares and lowers the graph, which is used up by it. Everything that cannot be converted is a diagnostic, and the
 * model is then not whole; nothing heavy is computed before `fuseModel`, so that validation can stop here.
 */
export function lowerModel(graph: Graph, signatures: Signature[], diagnostics: Diagnostics): TfliteModel {
  prepareGraph(graph, { signatures, diagnostics });
  const builder = new ModelBuilder(graph.functions, diagnostics);
  const valueOf = (tensor: string): Value => {
    const { name, index } = parseInput(tensor);
    const node = graph.node(name);
    if (!node) throw new RangeError(`${tensor} is not in the graph`);
    return node.output(index);
  };
  for (const signature of signatures) lowerSignature(builder, graph, signature, valueOf);
  return builder.model;
}

/** Lowers and fuses. With errors in `diagnostics` the result must not be used. */
export function convertGraph(graph: Graph, signatures: Signature[], diagnostics: Diagnostics): TfliteModel {
  const model = lowerModel(graph, signatures, diagnostics);
  if (!diagnostics.hasErrors) fuseModel(model);
  return model;
}
