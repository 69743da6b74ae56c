/** Transposes a constant, block by block so that large filters stay fast. */
import { dtypeSize, stridesOf, Tensor } from '@floe/export-core';

/**
 * The tensor with its axes in the order of `perm`: result axis `i` is axis `perm[i]`. The elements are moved when
 * they are first read, so that validation, which reads none, costs nothing.
 */
export function transposeTensor(tensor: Tensor, perm: readonly number[]): Tensor {
  const size = dtypeSize(tensor.dtype);
  const shape = perm.map((p) => tensor.shape[p]);
  if (tensor.size === 0) return tensor.reshape(shape);
  if (tensor.splatElement) return Tensor.filled(tensor.dtype, shape, tensor.splatElement);
  return Tensor.deferred(tensor.dtype, shape, () => transposedBytes(tensor, perm, shape, size));
}

function transposedBytes(
  tensor: Tensor,
  perm: readonly number[],
  shape: readonly number[],
  size: number,
): Uint8Array {
  const strides = stridesOf(tensor.shape);
  const steps = perm.map((p) => strides[p]);
  const out = new Uint8Array(tensor.byteLength);
  if (size === 4 && perm.length >= 1) {
    const source = tensor.data as Float32Array | Int32Array;
    const bits = new Int32Array(source.buffer, source.byteOffset, source.length);
    permute(bits, new Int32Array(out.buffer), shape, steps);
  } else {
    const { bytes } = tensor;
    const places = new Int32Array(tensor.size);
    for (let i = 0; i < places.length; i++) places[i] = i;
    const order = new Int32Array(tensor.size);
    permute(places, order, shape, steps);
    for (let i = 0; i < order.length; i++)
      out.set(bytes.subarray(order[i] * size, order[i] * size + size), i * size);
  }
  return out;
}

/** Elements of a block's side: its lines of both arrays stay in the processor's first cache. */
const BLOCK = 32;

/** out[index] = source[Σ index·step], out in row-major order; the two last axes in an inner loop of blocks. */
function permute(
  source: Int32Array,
  out: Int32Array,
  shape: readonly number[],
  steps: readonly number[],
): void {
  const rank = shape.length;
  if (rank < 2) {
    out.set(source);
    return;
  }
  // The axis along which the source is contiguous, if it is not the last, is walked in blocks with the last one.
  let fast = steps.indexOf(Math.min(...steps.map((s, i) => (shape[i] > 1 ? s : Infinity))));
  if (fast < 0 || fast === rank - 1) fast = rank - 2;
  const outSteps = stridesOf(shape);
  const last = rank - 1;
  const outer = shape.map((_, i) => i).filter((i) => i !== fast && i !== last);
  const index = new Array<number>(outer.length).fill(0);
  const [fastStep, lastStep, outStep] = [steps[fast], steps[last], outSteps[fast]];
  for (;;) {
    let from = 0;
    let to = 0;
    outer.forEach((axis, k) => {
      from += index[k] * steps[axis];
      to += index[k] * outSteps[axis];
    });
    for (let i = 0; i < shape[fast]; i += BLOCK) {
      const rows = Math.min(BLOCK, shape[fast] - i);
      for (let j = 0; j < shape[last]; j += BLOCK) {
        const columns = Math.min(BLOCK, shape[last] - j);
        const [s, d] = [from + i * fastStep + j * lastStep, to + i * outStep + j];
        copyBlock(source, s, fastStep, lastStep, out, d, outStep, rows, columns);
      }
    }
    let axis = outer.length - 1;
    while (axis >= 0 && ++index[axis] === shape[outer[axis]]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/**
 * One block. A function by itself, because V8 compiles one that is called often soon, and a nest of five loops that is
 * entered once a filter late: most of a small model's transpositions then ran in the interpreter.
 */
function copyBlock(
  source: Int32Array,
  from: number,
  rowStep: number,
  columnStep: number,
  out: Int32Array,
  to: number,
  outStep: number,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < rows; i++) {
    let s = from + i * rowStep;
    let d = to + i * outStep;
    for (const end = d + columns; d < end; d++, s += columnStep) out[d] = source[s];
  }
}
