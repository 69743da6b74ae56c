/** The passes that turn TensorFlow's ops into those of the lowering table: the list, and why each stands where it stands. */
import type { Pass } from '@floe/export-core';
import { canonicalize } from './canonicalize';
import { explicitBroadcast } from './explicit-broadcast';
import { fuseGelu } from './fuse-gelu';
import type { PrepareContext } from './prepare';
import { rewriteToBuiltins } from './rewrite-to-builtins';
import { splitComplex } from './split-complex';
import { widenTypes } from './widen-types';

export const REWRITE_PASSES: Pass<PrepareContext>[] = [
  // First what makes graphs smaller, so that nothing is rewritten that falls away.
  { name: 'canonicalize', run: canonicalize },
  // Before everything that knows real numbers alone.
  { name: 'splitComplex', run: splitComplex },
  // Before rewriteToBuiltins, which writes out the erf in it.
  { name: 'fuseGelu', run: fuseGelu },
  { name: 'rewriteToBuiltins', run: rewriteToBuiltins },
  // After it: asks the lowering table about every op that is left, also about those the rewrites made.
  { name: 'widenTypes', run: widenTypes },
  // Last: looks at the operands that the kernels get, casts and all.
  { name: 'explicitBroadcast', run: explicitBroadcast },
];
