/**
 * Given:  functional control flow with shapes inferred
 * Result: the same with constant choices made, constants inside the bodies, and no operands that nobody needs
 *
 * Each of these makes work for the others, so they run until nothing changes.
 */
import { foldConstants, inferShapes, parseInput, type Graph } from '@floe/export-core';
import type { PrepareContext } from '../prepare';
import { removeIdentities } from '../remove-identities';
import { removeUnused } from '../remove-unused';
import { allGraphs, calledFunctions } from './functions';
import { inlineBranches } from './inline-branches';
import { mergeCounters } from './merge-counters';
import { reduceOperands } from './reduce-operands';

/** Far above what models need: one round a level of nesting. */
const MAX_ROUNDS = 50;

export function simplifyControlFlow(graph: Graph, context: PrepareContext): void {
  const outputs = context.signatures.flatMap((s) => s.outputs.map((o) => parseInput(o.tensor).name));
  const named = new Set(outputs);
  const none: PrepareContext = { ...context, signatures: [] };
  for (let round = 0; round < MAX_ROUNDS && calledFunctions(graph).length > 0; round++) {
    let changes = 0;
    for (const each of allGraphs(graph)) {
      const own = each === graph ? context : none;
      removeIdentities(each, own);
      // What nobody needs reads operands and results too.
      removeUnused(each, own);
    }
    for (const each of allGraphs(graph)) {
      changes += inlineBranches(each);
      mergeCounters(each);
    }
    // From the inside out: what an inner body needs no more, the outer one may not need either.
    for (const each of allGraphs(graph).reverse()) {
      changes += reduceOperands(each, each === graph ? named : new Set());
    }
    if (changes === 0) break;
    inferShapes(graph, context.diagnostics);
    for (const each of allGraphs(graph)) foldConstants(each, { useShapes: true });
  }
}
