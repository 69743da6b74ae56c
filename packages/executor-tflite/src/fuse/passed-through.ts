/**
 * Given:  a signature's output that is a copy of one of its inputs
 * Result: the output is the input's tensor, and no operator copies
 */
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import { agrees } from './match';

export function passInputsThrough(model: TfliteModel): void {
  for (const signature of model.signatures) {
    const { subgraph } = signature;
    const inputs = new Set(subgraph.inputs);
    const shown = new Set<TfliteTensor>(subgraph.outputs);
    for (const op of subgraph.ops) {
      const [source] = op.inputs;
      const [result] = op.outputs;
      if (op.code !== 'RESHAPE' || !source?.shape || !result.shape || !agrees(source.shape, result.shape))
        continue;
      // A tensor stands once among the outputs.
      if (!inputs.has(source) || shown.has(source) || !shown.has(result)) continue;
      const renamed = (t: TfliteTensor) => (t === result ? source : t);
      subgraph.outputs = subgraph.outputs.map(renamed);
      for (const output of signature.outputs) output.tensor = renamed(output.tensor);
      for (const reader of subgraph.ops) reader.inputs = reader.inputs.map((t) => t && renamed(t));
      subgraph.ops = subgraph.ops.filter((o) => o !== op);
      shown.add(source);
    }
  }
}
