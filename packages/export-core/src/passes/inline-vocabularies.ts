/**
 * Given:  InitializeTableFromTextFileV2(table, "…/assets/vocab.txt")
 * Result: InitializeTableV2(table, keys, values)
 *
 * For files that are part of the source (assets of a SavedModel): the frozen graph then stands alone. Which column is
 * the key and which the value is in the attributes: -2 is the whole line, -1 its number. The file's name is a constant
 * or, in TF2, a variable that the SavedModel assigns when it is loaded.
 */
import { MAX_VOCABULARY_BYTES } from '../bytes/limits';
import { fileError, readFile } from '../format/file';
import { attr } from '../graph/attr';
import type { Graph, Node, Value } from '../graph/graph';
import type { DType } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import { tableOf } from './find-initializers';
import type { FreezeContext } from './freeze-context';

const WHOLE_LINE = -2;
const LINE_NUMBER = -1;

export function inlineVocabularies(graph: Graph, context: FreezeContext): void {
  for (const node of context.initializers) {
    if (!/^InitializeTableFromTextFile(V2)?$/.test(node.op)) continue;
    const table = tableOf(node.inputs[0]);
    const file = fileOf(graph, node, context);
    if (!table || file === undefined) {
      const name = node.inputs[1]?.node.constant?.strings[0];
      context.diagnostics.warning(
        'G013',
        `table "${(table ?? node).name}" is filled from ${name ? `the file ${Buffer.from(name).toString()}` : 'a file'} when the frozen graph is initialised`,
        { hint: 'give the file along, or freeze a SavedModel, which holds it as an asset', node: node.name },
      );
      continue;
    }
    const [keys, values] = readVocabulary(node, table, file);
    const inputs = [
      node.inputs[0],
      graph.addConst(`${node.name}/keys`, keys).output(),
      graph.addConst(`${node.name}/values`, values).output(),
    ];
    const op = node.op.endsWith('V2') ? 'InitializeTableV2' : 'InitializeTable';
    graph.become(node, op, inputs, { Tkey: attr.type(keys.dtype), Tval: attr.type(values.dtype) });
  }
}

/** The asset behind the node's file name. */
function fileOf(graph: Graph, node: Node, { assets }: FreezeContext): string | undefined {
  let value: Value | undefined = node.inputs[1];
  for (let hops = 0; value && hops < 1000; hops++) {
    const file = assets?.get(value.name);
    if (file !== undefined) return file;
    const source: Value | undefined = value.node.inputs[0];
    if (value.node.op === 'Identity') value = source;
    else if (value.node.op === 'ReadVariableOp' && source) value = assignedTo(graph, source.node);
    else return undefined;
  }
  return undefined;
}

function assignedTo(graph: Graph, handle: Node): Value | undefined {
  for (const node of graph.nodes.values())
    if (node.op === 'AssignVariableOp' && node.inputs[0].node === handle) return node.inputs[1];
  return undefined;
}

/** Keys and values as TensorFlow reads them. */
function readVocabulary(node: Node, table: Node, file: string): [Tensor, Tensor] {
  let lines = linesOf(readFile(file, MAX_VOCABULARY_BYTES));
  const size = node.int('vocab_size');
  if (size >= 0) {
    if (lines.length < size)
      throw fileError(
        'S004',
        file,
        `${file} has ${lines.length} lines, the table "${table.name}" expects ${size}`,
      );
    lines = lines.slice(0, size);
  }
  const first = node.attr('offset')?.kind === 'int' ? node.int('offset') : 0;
  const delimiter = node.string('delimiter');
  const column = (index: number, dtype: DType): Tensor => {
    if (index === LINE_NUMBER)
      return parse(
        lines.map((_, i) => String(i + first)),
        dtype,
        file,
      );
    if (index === WHOLE_LINE) return parse(lines, dtype, file);
    const cells = lines.map((line, i) => {
      const cell = line.split(delimiter)[index];
      if (cell === undefined)
        throw fileError('S004', file, `line ${i + 1} of ${file} has no column ${index}`);
      return cell;
    });
    return parse(cells, dtype, file);
  };
  return [
    column(node.int('key_index'), table.type('key_dtype')),
    column(node.int('value_index'), table.type('value_dtype')),
  ];
}

/** Bytes as latin1 text, so that every byte is kept; a carriage return before the line's end is not part of it. */
function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('latin1').split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

function parse(cells: readonly string[], dtype: DType, file: string): Tensor {
  const shape = [cells.length];
  if (dtype === 'string')
    return Tensor.fromStrings(
      shape,
      cells.map((c) => Buffer.from(c, 'latin1')),
    );
  const numbers = cells.map((cell, i) => {
    const text = cell.trim();
    const isInteger = /^[+-]?\d+$/.test(text);
    if (dtype === 'int64' && isInteger) return BigInt(text);
    const value = Number(text);
    if (text === '' || Number.isNaN(value) || (/int/.test(dtype) && !isInteger))
      throw fileError('S004', file, `line ${i + 1} of ${file}: "${cell}" is no ${dtype}`);
    return value;
  });
  return Tensor.fromNumbers(dtype, shape, numbers);
}
