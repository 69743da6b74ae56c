/**
 * Given:  y = ADD(RESHAPE(x), z)      the RESHAPE only puts axes of size 1 in front, and z has as many axes as y
 * Result: y = ADD(x, z)
 *
 * Likewise SUB, MUL, DIV, MAXIMUM and MINIMUM: broadcasting puts those axes in front itself. All that reads the
 * RESHAPE has to be so: where one still needs it nothing is won, and it may yet go into a dense layer.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { agrees } from './match';

const BROADCASTS = new Set(['ADD', 'SUB', 'MUL', 'DIV', 'MAXIMUM', 'MINIMUM']);

export function fuseLeadingOnes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const wide = op.outputs[0];
    const source = edit.plain(wide, 'RESHAPE')?.inputs[0];
    if (!source || !isWidened(source, wide) || edit.isOutput(wide)) continue;
    const readers = edit.readersOf(wide);
    if (!readers.every((reader) => widensItself(reader, wide))) continue;
    for (const reader of readers) edit.setInput(reader, reader.inputs.indexOf(wide), source);
  }
  return edit.commit();
}

function widensItself(op: TfliteOp, wide: TfliteTensor): boolean {
  if (!BROADCASTS.has(op.code) || op.outputs[0].quantization) return false;
  const [other, ...more] = op.inputs.filter((t) => t !== wide);
  return more.length === 0 && (other?.shape?.length ?? -1) >= wide.shape!.length;
}

function isWidened(source: TfliteTensor, wide: TfliteTensor): boolean {
  const added = (wide.shape?.length ?? 0) - (source.shape?.length ?? 0);
  if (!source.shape || !wide.shape || added <= 0) return false;
  return wide.shape.slice(0, added).every((d) => d === 1) && agrees(source.shape, wide.shape.slice(added));
}
