/**
 * From the frozen graph to one that lowers row by row: the list, and why each stands where it stands.
 *
 * Whatever makes extra ops is done here, at TensorFlow's level, so that constant folding still sees it.
 */
import {
  foldConstants,
  inferShapes,
  type Diagnostics,
  type Graph,
  type Pass,
  type Signature,
} from '@floe/export-core';
import { explicitPadding } from './explicit-padding';
import { fuseDilatedConv } from './fuse-dilated-conv';
import { lowerBatchNorm } from './lower-batch-norm';
import { removeIdentities } from './remove-identities';
import { removeUnused } from './remove-unused';
import { toNhwc } from './to-nhwc';

export interface PrepareContext {
  signatures: Signature[];
  diagnostics: Diagnostics;
}

const infer: Pass<PrepareContext> = {
  name: 'inferShapes',
  run: (graph, c) => inferShapes(graph, c.diagnostics),
};
const fold: Pass<PrepareContext> = {
  name: 'foldConstants',
  run: (graph) => void foldConstants(graph, { useShapes: true }),
};

export const PREPARE_PASSES: Pass<PrepareContext>[] = [
  infer,
  fold,
  { name: 'removeIdentities', run: removeIdentities },
  // Patterns of several ops, before anything splits them.
  { name: 'fuseDilatedConv', run: fuseDilatedConv },
  // Layout before padding: explicit paddings follow it.
  { name: 'toNhwc', run: toNhwc },
  { name: 'explicitPadding', run: explicitPadding },
  { name: 'lowerBatchNorm', run: lowerBatchNorm },
  { name: 'removeMoreIdentities', run: removeIdentities },
  // Folded again with what the rewrites made; unused inputs of folded nodes go.
  infer,
  fold,
  { name: 'removeUnused', run: removeUnused },
];

/** Runs the passes over a graph and over the functions it calls. */
export function prepareGraph(graph: Graph, context: PrepareContext): void {
  for (const pass of PREPARE_PASSES) pass.run(graph, context);
}
