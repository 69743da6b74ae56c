/**
 * Given:  ops that no kernel computes by itself: y = Softsign(x)
 * Result: the same out of ops that the lowering table takes: y = x / (|x| + 1)
 *
 * One row an op, one file a family. Rows that need constants or known shapes leave the op alone without them, and
 * lowering then says what is missing.
 */
import { attr, outputTypes, type Graph } from '@floe/export-core';
import type { PrepareContext } from './prepare';
import { applyRewrites, type Rewrite, type RewriteTable } from './rewrite';
import { table as arrays } from './rewrites/arrays';
import { table as einsum } from './rewrites/einsum';
import { table as batchNorm } from './rewrites/batch-norm';
import { table as fakeQuant } from './rewrites/fake-quant';
import { table as fft } from './rewrites/fft';
import { table as image } from './rewrites/image';
import { table as math } from './rewrites/math';
import { table as matrices } from './rewrites/matrices';
import { table as partitions } from './rewrites/partitions';
import { table as pool } from './rewrites/pool';
import { table as scatter } from './rewrites/scatter';
import { table as slices } from './rewrites/slices';
import { table as tables } from './rewrites/tables';

const FAMILIES: RewriteTable[] = [
  arrays,
  batchNorm,
  einsum,
  fakeQuant,
  fft,
  image,
  math,
  matrices,
  partitions,
  pool,
  scatter,
  slices,
  tables,
];

const ROWS: RewriteTable = {};
for (const family of FAMILIES) {
  for (const [op, row] of Object.entries(family)) {
    if (Object.hasOwn(ROWS, op)) throw new Error(`op ${op} stands in two families`);
    ROWS[op] = row;
  }
}

/** Where an empty segment's value is the type's own limit. */
const OWN_LIMITS = /^UnsortedSegment/;

/** Half floats are computed in float32 and rounded once, not after every step. */
function inFloat32(row: Rewrite): Rewrite {
  return (graph, node, b) => {
    const type = node.attr('T');
    const half = type?.kind === 'type' && /^b?float16$/.test(type.value) ? type.value : undefined;
    if (!half || !node.def || OWN_LIMITS.test(node.op)) return row(graph, node, b);
    if (!row(graph, node, b)) return undefined;
    const inputs = node.inputs.map((v) => (v.dtype === half ? b.cast(v, 'float32') : v));
    const wide = b.add(node.op, inputs, { ...Object.fromEntries(node.attrs), T: attr.type('float32') });
    return outputTypes(node)!.map((dtype, i) =>
      dtype === half ? b.cast(wide.output(i), half) : wide.output(i),
    );
  };
}

const TABLE: RewriteTable = Object.fromEntries(Object.entries(ROWS).map(([op, row]) => [op, inFloat32(row)]));

export function rewriteToBuiltins(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  applyRewrites(graph, TABLE, signatures);
}

/** Every op that is rewritten, sorted. */
export function rewrittenOps(): string[] {
  return Object.keys(ROWS).sort();
}
