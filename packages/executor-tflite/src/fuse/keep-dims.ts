/**
 * Given:  y = RESHAPE(MEAN(x, axes))      that adds the axes with size 1 again, or drops them
 * Result: y = MEAN(x, axes, keep_dims)    or without
 */
import type { TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';
import { agrees, axesOf } from './match';

export const REDUCTIONS = new Set([
  'MEAN',
  'SUM',
  'REDUCE_MAX',
  'REDUCE_MIN',
  'REDUCE_PROD',
  'REDUCE_ALL',
  'REDUCE_ANY',
]);

export function fuseKeepDims(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'RESHAPE' || !op.outputs[0].shape) continue;
    const value = op.inputs[0] as TfliteTensor;
    const reduce = edit.producer(value);
    if (!reduce || !REDUCTIONS.has(reduce.code) || !edit.usedOnce(value)) continue;
    const shape = reduce.inputs[0]?.shape;
    const axes = axesOf(ints(reduce.inputs[1]), shape?.length ?? 0);
    if (!shape || !axes) continue;
    const keep = !reduce.options?.keep_dims;
    const other = shape.map((d, i) => (axes.includes(i) ? 1 : d)).filter((_, i) => keep || !axes.includes(i));
    if (!agrees(other, op.outputs[0].shape)) continue;
    reduce.options = { ...reduce.options!, keep_dims: keep };
    edit.absorb(reduce, op);
  }
  return edit.commit();
}
