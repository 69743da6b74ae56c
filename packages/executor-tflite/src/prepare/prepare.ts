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
import { booleanConditions } from './control-flow/boolean-conditions';
import { caseToIfs } from './control-flow/case-to-ifs';
import { copyPassedVariables } from './control-flow/copy-passed-variables';
import { dropControlEdges } from './control-flow/drop-control-edges';
import { calledFunctions, shareLibrary } from './control-flow/functions';
import { expandBlockCells } from './control-flow/recurrent/block-cells';
import { fuseSequenceLstm } from './control-flow/recurrent/fuse-sequence-lstm';
import { expandVariableUpdates } from './control-flow/expand-variable-updates';
import { functionaliseConds } from './control-flow/functionalise-conds';
import { functionaliseLoops } from './control-flow/functionalise-loops';
import { simplifyControlFlow } from './control-flow/simplify';
import { specialiseFunctions } from './control-flow/specialise-functions';
import { arraysToLists } from './control-flow/tensor-lists/arrays-to-lists';
import { lowerTensorLists } from './control-flow/tensor-lists/lower-tensor-lists';
import { explicitPadding } from './explicit-padding';
import { fuseDilatedConv } from './fuse-dilated-conv';
import { lowerBatchNorm } from './lower-batch-norm';
import { mergeEqualNodes } from './merge-equal-nodes';
import { removeIdentities } from './remove-identities';
import { removeUnused } from './remove-unused';
import { REWRITE_PASSES } from './rewrite-passes';
import { toNhwc } from './to-nhwc';
import { upgradeVersions } from './upgrade-versions';

export interface PrepareContext {
  signatures: Signature[];
  /** Nodes that run once before the first inference. */
  initializers?: readonly string[];
  diagnostics: Diagnostics;
}

interface PreparePass extends Pass<PrepareContext> {
  /** Goes into called functions itself; the others run over each of them like over the main graph. */
  wholeModel?: true;
}

const infer: PreparePass = {
  name: 'inferShapes',
  wholeModel: true,
  run: (graph, c) => inferShapes(graph, c.diagnostics),
};
const fold: PreparePass = {
  name: 'foldConstants',
  run: (graph) => void foldConstants(graph, { useShapes: true }),
};

export const PREPARE_PASSES: PreparePass[] = [
  // First what makes functions and gives each its one caller: every pass after these runs over bodies too. Loops
  // before branches: without them the graph has no cycles.
  { name: 'functionaliseLoops', run: functionaliseLoops },
  { name: 'functionaliseConds', run: functionaliseConds },
  // Control edges told branches apart until now.
  { name: 'dropControlEdges', run: dropControlEdges },
  // Before shapes: what is added is inferred with the rest.
  { name: 'expandVariableUpdates', run: expandVariableUpdates },
  { name: 'specialiseFunctions', run: specialiseFunctions, wholeModel: true },
  { name: 'caseToIfs', run: caseToIfs },
  { name: 'arraysToLists', run: arraysToLists, wholeModel: true },
  // Old spellings go before anything looks for patterns of the new ones.
  { name: 'upgradeVersions', run: upgradeVersions },
  infer,
  fold,
  { name: 'removeIdentities', run: removeIdentities },
  // Needs types, and constants before they are folded.
  { name: 'booleanConditions', run: booleanConditions },
  // Makes loops, whose bodies have no shapes yet.
  { name: 'expandBlockCells', run: expandBlockCells },
  infer,
  // As soon as constants are known: branches that are never taken need no lowering.
  { name: 'simplifyControlFlow', run: simplifyControlFlow, wholeModel: true },
  // Lists need shapes, and tell more: what depends on them is simplified again.
  { name: 'lowerTensorLists', run: lowerTensorLists, wholeModel: true },
  fold,
  { name: 'removeListIdentities', run: removeIdentities },
  { name: 'simplifyLists', run: simplifyControlFlow, wholeModel: true },
  // Loops of layers, while their cells are as Keras wrote them.
  { name: 'fuseSequenceLstm', run: fuseSequenceLstm },
  // Patterns of several ops, before anything splits them.
  { name: 'fuseDilatedConv', run: fuseDilatedConv },
  // Layout before padding: explicit paddings follow it.
  { name: 'toNhwc', run: toNhwc },
  { name: 'explicitPadding', run: explicitPadding },
  { name: 'lowerBatchNorm', run: lowerBatchNorm },
  { name: 'removeMoreIdentities', run: removeIdentities },
  // Rewrites look at shapes and constants, also those of what was made above.
  infer,
  fold,
  ...REWRITE_PASSES,
  // Folded again with what the rewrites made; unused inputs of folded nodes go.
  infer,
  fold,
  { name: 'removeRewrittenIdentities', run: removeIdentities },
  // When spellings and layouts are alike; identities between equal nodes are gone.
  { name: 'mergeEqualNodes', run: mergeEqualNodes },
  // At the end, where nothing takes its identities for superfluous.
  { name: 'copyPassedVariables', run: copyPassedVariables },
  { name: 'removeUnused', run: removeUnused },
];

/** Runs the passes over a graph and over the functions it calls. */
export function prepareGraph(graph: Graph, context: PrepareContext): void {
  shareLibrary(graph);
  const inside: PrepareContext = { ...context, signatures: [], initializers: [] };
  for (const pass of PREPARE_PASSES) {
    const bodies = pass.wholeModel ? [] : calledFunctions(graph);
    pass.run(graph, context);
    for (const body of bodies) pass.run(body, inside);
  }
}
