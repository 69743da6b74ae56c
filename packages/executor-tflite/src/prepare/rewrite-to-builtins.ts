/**
 * Given:  ops that no kernel computes by itself: y = Softsign(x)
 * Result: the same out of ops that the lowering table takes: y = x / (|x| + 1)
 *
 * One row an op, one file a family. Rows that need constants or known shapes leave the op alone without them, and
 * lowering then says what is missing.
 */
import type { Graph } from '@floe/export-core';
import { applyRewrites, type RewriteTable } from './rewrite';
import { table as arrays } from './rewrites/arrays';
import { table as einsum } from './rewrites/einsum';
import { table as math } from './rewrites/math';
import { table as scatter } from './rewrites/scatter';

const FAMILIES: RewriteTable[] = [arrays, einsum, math, scatter];

const ROWS: RewriteTable = {};
for (const family of FAMILIES) {
  for (const [op, row] of Object.entries(family)) {
    if (Object.hasOwn(ROWS, op)) throw new Error(`op ${op} stands in two families`);
    ROWS[op] = row;
  }
}

export function rewriteToBuiltins(graph: Graph): void {
  applyRewrites(graph, ROWS);
}

/** Every op that is rewritten, sorted. */
export function rewrittenOps(): string[] {
  return Object.keys(ROWS).sort();
}
