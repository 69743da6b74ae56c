/** The op table: every family's rows joined. */
import type { OpRow, OpTable } from './op-row';
import { table as activations } from './activations';
import { table as arrays } from './arrays';
import { table as binary } from './binary';
import { table as cast } from './cast';
import { table as controlFlow } from './control-flow';
import { table as detection } from './detection';
import { table as diagonals } from './diagonals';
import { table as fft } from './fft';
import { table as gather } from './gather';
import { table as image } from './image';
import { table as imageBoxes } from './image-boxes';
import { table as imageColor } from './image-color';
import { table as logic } from './logic';
import { table as matmul } from './matmul';
import { table as nnConv } from './nn-conv';
import { table as nnNorm } from './nn-norm';
import { table as nnPool } from './nn-pool';
import { table as nnRnn } from './nn-rnn';
import { table as parts } from './parts';
import { table as quantize } from './quantize';
import { table as random } from './random';
import { table as reduce } from './reduce';
import { table as scans } from './scans';
import { table as segments } from './segments';
import { table as shapes } from './shapes';
import { table as slices } from './slices';
import { table as sort } from './sort';
import { table as spaceBatch } from './space-batch';
import { table as sparse } from './sparse';
import { table as state } from './state';
import { table as strings } from './strings';
import { table as tensorLists } from './tensor-lists';
import { table as unary } from './unary';

const FAMILIES: OpTable[] = [
  activations,
  arrays,
  binary,
  cast,
  controlFlow,
  detection,
  diagonals,
  fft,
  gather,
  image,
  imageBoxes,
  imageColor,
  logic,
  matmul,
  nnConv,
  nnNorm,
  nnPool,
  nnRnn,
  parts,
  quantize,
  random,
  reduce,
  scans,
  segments,
  shapes,
  slices,
  sort,
  spaceBatch,
  sparse,
  state,
  strings,
  tensorLists,
  unary,
];

const ROWS = new Map<string, OpRow>();
for (const family of FAMILIES) {
  for (const [op, row] of Object.entries(family)) {
    if (ROWS.has(op)) throw new Error(`op ${op} stands in two families`);
    ROWS.set(op, row);
  }
}

/** What Floe knows of an op; undefined when it is not in the table. */
export function opRow(op: string): OpRow | undefined {
  return ROWS.get(op);
}

/** Every op of the table, sorted. */
export function tableOps(): string[] {
  return [...ROWS.keys()].sort();
}
