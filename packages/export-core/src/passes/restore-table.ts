/**
 * Given:  t = MutableHashTableV2, whose contents the checkpoint has
 * Result: LookupTableImportV2(t, keys, values), an initialiser
 *
 * A MutableDenseHashTable is saved with its unused places, which hold the empty or the deleted key: they are left out,
 * and the others inserted, as it imports whole memories only.
 */
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { dtypeSize } from '../tensor/dtype';
import { elementCount } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { FreezeContext } from './freeze-context';

/** The node that fills the table; none where the checkpoint has nothing of it. */
export function restoreTable(graph: Graph, table: Node, { tableEntries, variables }: FreezeContext): Node[] {
  const entry = tableEntries?.get(table.name);
  if (!entry || !variables?.info(entry.keys) || !variables.info(entry.values)) return [];
  let keys = variables.read(entry.keys);
  let values = variables.read(entry.values);
  if (table.op.startsWith('MutableDense')) {
    const places = [table.inputs[0], table.inputs[1]].flatMap((v) => v?.node.constant ?? []);
    const unused = new Set(places.map((key) => rowsOf(key, 1)[0]));
    const used = rowsOf(keys, keys.shape[0]).flatMap((row, i) => (unused.has(row) ? [] : [i]));
    keys = takeRows(keys, used, places[0]?.shape ?? keys.shape.slice(1));
    values = takeRows(values, used, table.shape('value_shape') as number[]);
  }
  const inputs = [
    table.output(),
    graph.addConst(`${table.name}/keys`, keys).output(),
    graph.addConst(`${table.name}/values`, values).output(),
  ];
  const way = table.op.startsWith('MutableDense') ? 'Insert' : 'Import';
  const op = `LookupTable${way}${table.op.endsWith('V2') ? 'V2' : ''}`;
  const types = { Tin: attr.type(keys.dtype), Tout: attr.type(values.dtype) };
  return [graph.add(`${table.name}/initialize`, op, inputs, types)];
}

/** Each row as text that is equal for equal rows. */
function rowsOf(tensor: Tensor, rows: number): string[] {
  const size = rows === 0 ? 0 : tensor.size / rows;
  return Array.from({ length: rows }, (_, i) => {
    if (tensor.dtype === 'string')
      return tensor.strings
        .slice(i * size, (i + 1) * size)
        .map((s) => Buffer.from(s).toString('hex'))
        .join();
    const step = size * dtypeSize(tensor.dtype);
    return Buffer.from(tensor.bytes.subarray(i * step, (i + 1) * step)).toString('latin1');
  });
}

/** Some rows, each of the given shape. */
function takeRows(tensor: Tensor, rows: readonly number[], shape: readonly number[]): Tensor {
  const size = elementCount(shape);
  const dims = [rows.length, ...shape];
  if (tensor.dtype === 'string')
    return Tensor.fromStrings(
      dims,
      rows.flatMap((i) => tensor.strings.slice(i * size, (i + 1) * size)),
    );
  const step = size * dtypeSize(tensor.dtype);
  const { bytes } = tensor;
  return Tensor.fromBytes(
    tensor.dtype,
    dims,
    Buffer.concat(rows.map((i) => bytes.subarray(i * step, (i + 1) * step))),
  );
}
