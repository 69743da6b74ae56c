/** The lowering table: every family's rows joined. */
import type { LoweringRow, LoweringTable } from './row';
import { table as activations } from './activations';
import { table as arrays } from './arrays';
import { table as compare } from './compare';
import { table as controlFlow } from './control-flow';
import { table as conv } from './conv';
import { table as elementwise } from './elementwise';
import { table as fakeQuant } from './fake-quant';
import { table as fft } from './fft';
import { table as gather } from './gather';
import { table as image } from './image';
import { table as norm } from './norm';
import { table as pool } from './pool';
import { table as random } from './random';
import { table as recurrent } from './recurrent';
import { table as reduce } from './reduce';
import { table as slices } from './slices';
import { table as sort } from './sort';
import { table as state } from './state';
import { table as tables } from './tables';

const FAMILIES: LoweringTable[] = [
  activations,
  arrays,
  compare,
  controlFlow,
  conv,
  elementwise,
  fakeQuant,
  fft,
  gather,
  image,
  norm,
  pool,
  random,
  recurrent,
  reduce,
  slices,
  sort,
  state,
  tables,
];

const ROWS = new Map<string, LoweringRow>();
for (const family of FAMILIES) {
  for (const [op, row] of Object.entries(family)) {
    if (ROWS.has(op)) throw new Error(`op ${op} stands in two families`);
    ROWS.set(op, row);
  }
}

/** How an op is lowered; undefined when it is not. */
export function loweringRow(op: string): LoweringRow | undefined {
  return ROWS.get(op);
}

/** Every op of the table, sorted. */
export function loweredOps(): string[] {
  return [...ROWS.keys()].sort();
}
