/** Tables of kinds that the runtime has not, with contents that are known: found by comparing with every key. */
import { Tensor, type Graph, type Node, type Value } from '@floe/export-core';
import { hasTable } from '../../lower/tables';
import { range } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

/** Every element looked up is compared with as many keys. */
const MAX_KEYS = 10_000;

interface Contents {
  keys: Tensor;
  values: Tensor;
  fill: Node;
}

/** What the one initialiser of a table fills in; undefined for tables that the runtime has, or that change. */
function contentsOf(graph: Graph, handle: Value): Contents | undefined {
  const { node } = handle;
  if (node.op !== 'HashTableV2' || hasTable(node)) return undefined;
  const users = [...graph.nodes.values()].filter((n) => n.inputs[0]?.node === node);
  const fills = users.filter((n) => /^(InitializeTableV2|LookupTableImportV2)$/.test(n.op));
  const [keys, values] = fills.length === 1 ? fills[0].inputs.slice(1).map((v) => v.node.constant) : [];
  return keys && values && keys.size <= MAX_KEYS ? { keys, values, fill: fills[0] } : undefined;
}

/** The place of the key that is equal, counted from 1, picks the value; 0 the default. */
function find(graph: Graph, { inputs: [handle, x, missing] }: Node, b: Rewriter): Value[] | undefined {
  const contents = contentsOf(graph, handle);
  if (!contents || contents.keys.shape.length !== 1 || contents.values.shape.length !== 1) return undefined;
  const { keys, values, fill } = contents;
  // Nothing has to wait for it now.
  for (const node of graph.nodes.values()) node.controls = node.controls.filter((c) => c !== fill);
  const places = Tensor.fromNumbers('int32', [keys.size], range(keys.size, 1));
  const equal = b.op('Equal', [b.op('ExpandDims', [x, -1]), keys]);
  const place = b.op('Max', [b.op('Mul', [b.cast(equal, 'int32'), places]), [-1]]);
  const all = b.op('ConcatV2', [b.op('Reshape', [missing, [1]]), values, b.ints(0)]);
  return [b.op('GatherV2', [all, place, b.ints(0)])];
}

export const table: RewriteTable = {
  LookupTableFindV2: find,
  LookupTableSizeV2: (graph, { inputs: [handle] }, b) => {
    const contents = contentsOf(graph, handle);
    return contents && [b.const(Tensor.scalar('int64', contents.keys.size))];
  },
};
