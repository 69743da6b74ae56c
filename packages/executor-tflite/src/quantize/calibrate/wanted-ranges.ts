/**
 * Which measured ranges an integer model uses: not those of tensors whose range was trained, nor of what is only moved
 * on from there, nor of results that a kernel gives a range.
 */
import type { TensorRange } from '../ranges';
import { readModel } from '../../tflite/read';
import type { TfliteModel, TfliteTensor } from '../../tflite/model';
import { isActivation } from '../plan-integer';
import { isFloat } from '../plan';
import { policyOf } from '../policy';
import { takeTrainedRanges } from '../trained-ranges';

/** A tensor of a file, by its place; the name is for people. */
export type WantedRange = Pick<TensorRange, 'subgraph' | 'index' | 'name'>;

/** @param bytes the converted model */
export function wantedRanges(bytes: Uint8Array): WantedRange[] {
  const model = readModel(bytes, 'the converted model');
  const places = model.subgraphs.map((graph) => graph.tensors());
  const wanted = wantedTensors(model);
  return places.flatMap((tensors, subgraph) =>
    tensors.flatMap((tensor, index) => (wanted.has(tensor) ? [{ subgraph, index, name: tensor.name }] : [])),
  );
}

/** Takes the trained ranges out of the model. */
function wantedTensors(model: TfliteModel): Set<TfliteTensor> {
  const known = new Set(takeTrainedRanges(model).keys());
  const wanted = new Set<TfliteTensor>();
  for (const op of model.subgraphs.flatMap((g) => g.ops)) {
    const { integer } = policyOf(op);
    if (!integer) continue;
    const inputs = op.inputs.filter((t, i): t is TfliteTensor => isFloat(t) && isActivation(op, i));
    const read = inputs.filter((t) => !t.isConstant && !known.has(t));
    const isGiven = integer.scales === 'fixed' || (integer.scales === 'same' && !read.length);
    for (const t of op.outputs.filter(isFloat)) if (isGiven) known.add(t);
    for (const t of [...read, ...op.outputs.filter(isFloat)]) if (!known.has(t)) wanted.add(t);
  }
  return wanted;
}
