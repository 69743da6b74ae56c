/** Lookup tables. The kernels have two kinds: strings to int64 and int64 to strings. */
import { createHash } from 'node:crypto';
import type { Node } from '@floe/export-core';
import { tensorType } from '../tflite/model';
import type { LoweringTable, Refusal } from './row';

const kindOf = (node: Node) => `${node.type('key_dtype')} to ${node.type('value_dtype')}`;

/** True for a HashTableV2 of a kind that the runtime has. */
export function hasTable(node: Node): boolean {
  return /^(string to int64|int64 to string)$/.test(kindOf(node));
}

function refuseKind(node: Node): Refusal | undefined {
  return hasTable(node)
    ? undefined
    : {
        reason: `the runtime has no tables from ${kindOf(node)}`,
        hint: 'it has string to int64 and int64 to string',
      };
}

/** Tables are told apart by a number: the same for all handles of one table. */
function tableId(node: Node): number {
  const name = node.string('shared_name') || node.name;
  return createHash('sha256').update(name).digest().readInt32LE(0) & 0x7fffffff;
}

export const table: LoweringTable = {
  HashTableV2: {
    to: ['HASHTABLE'],
    note: 'string to int64, int64 to string',
    refuse: refuseKind,
    build: (c) =>
      c.emit('HASHTABLE', [], [c.output()], {
        type: 'HashtableOptions',
        table_id: tableId(c.node),
        key_dtype: tensorType(c.node.type('key_dtype')),
        value_dtype: tensorType(c.node.type('value_dtype')),
      }),
  },
  LookupTableFindV2: {
    to: ['HASHTABLE_FIND'],
    build: (c) => c.emit('HASHTABLE_FIND', c.inputs(), [c.output()]),
  },
  LookupTableImportV2: {
    to: ['HASHTABLE_IMPORT'],
    build: (c) => c.emit('HASHTABLE_IMPORT', c.inputs(), []),
  },
  InitializeTableV2: {
    to: ['HASHTABLE_IMPORT'],
    build: (c) => c.emit('HASHTABLE_IMPORT', c.inputs(), []),
  },
  LookupTableSizeV2: {
    to: ['HASHTABLE_SIZE'],
    build: (c) => c.emit('HASHTABLE_SIZE', c.inputs(), [c.output()]),
  },
};
