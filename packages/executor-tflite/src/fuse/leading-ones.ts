/**
 * Given:  y = ADD(RESHAPE(x), z)      the RESHAPE only puts axes of size 1 in front, and z has as many axes as y
 * Result: y = ADD(x, z)
 *
 * Likewise SUB, MUL, DIV, MAXIMUM and MINIMUM: broadcasting puts those axes in front itself.
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';
import { agrees } from './match';

const BROADCASTS = new Set(['ADD', 'SUB', 'MUL', 'DIV', 'MAXIMUM', 'MINIMUM']);

export function fuseLeadingOnes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!BROADCASTS.has(op.code) || op.outputs[0].quantization) continue;
    for (const i of [0, 1]) {
      const wide = op.inputs[i] as TfliteTensor;
      const source = edit.plain(wide, 'RESHAPE')?.inputs[0];
      const rank = op.inputs[1 - i]?.shape?.length;
      if (source && rank !== undefined && rank >= (wide.shape?.length ?? Infinity) && isWidened(source, wide))
        edit.setInput(op, i, source);
    }
  }
  return edit.commit();
}

function isWidened(source: TfliteTensor, wide: TfliteTensor): boolean {
  const added = (wide.shape?.length ?? 0) - (source.shape?.length ?? 0);
  if (!source.shape || !wide.shape || added <= 0) return false;
  return wide.shape.slice(0, added).every((d) => d === 1) && agrees(source.shape, wide.shape.slice(added));
}
