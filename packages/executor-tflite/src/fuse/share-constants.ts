/**
 * Given:  constants of the same type, shape and bytes
 * Result: one tensor
 *
 * For finished models only: before, an operator may still be given its own form of a constant.
 */
import type { ConstBuffer, TfliteModel, TfliteTensor } from '../tflite/model';
import { textOf } from './edit';

/** Larger constants are the same only where they are one buffer. */
const MAX_COMPARED_BYTES = 1 << 16;

export function shareConstants(model: TfliteModel): void {
  const contents = new Map<string, number>();
  const buffers = new Map<ConstBuffer, number>();
  const bufferNumber = (buffer: ConstBuffer): number => {
    const known = buffers.get(buffer);
    if (known !== undefined) return known;
    let n = buffers.size;
    if ((buffer.byteLength ?? buffer.bytes.length) <= MAX_COMPARED_BYTES) {
      const content = Buffer.from(buffer.bytes).toString('latin1');
      n = contents.get(content) ?? n;
      contents.set(content, n);
    }
    buffers.set(buffer, n);
    return n;
  };
  for (const graph of model.subgraphs) {
    const fixed = new Set([...graph.inputs, ...graph.outputs]);
    const seen = new Map<string, TfliteTensor>();
    for (const op of graph.ops) {
      op.inputs = op.inputs.map((tensor) => {
        if (!tensor?.buffer || fixed.has(tensor) || tensor.isVariable || tensor.sparsity) return tensor;
        const { type, shape, quantization, buffer } = tensor;
        const key = textOf([type, shape, quantization, bufferNumber(buffer)]);
        const twin = seen.get(key);
        if (!twin) seen.set(key, tensor);
        return twin ?? tensor;
      });
    }
  }
}
