/**
 * Given:  y = CONV_2D(MUL(x, m), w)      m constant: one number, or one an input channel
 * Result: y = CONV_2D(x, w · m)
 *
 * Likewise DIV, and FULLY_CONNECTED(ADD(x, a), w, b) = FULLY_CONNECTED(x, w, b + w · a): a batch norm before a layer.
 * Not an ADD before a convolution: what is padded is not shifted.
 */
import { Tensor } from '@floe/export-core';
import { TfliteTensor, type ConstBuffer, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { constantSide, foldableBias, hasFloatFilter } from './convolutions';
import { activationOf, bufferOf, floats, floatsOf, SubgraphEdit } from './edit';
import { sameShape } from './match';

/** The input channel of each element of a filter: its index divided by the first number, modulo the second. */
type ChannelOf = { divisor: number; channels: number };

function channelOf(op: TfliteOp): ChannelOf | undefined {
  const shape = op.inputs[1]?.shape as number[];
  switch (op.code) {
    case 'CONV_2D':
    case 'FULLY_CONNECTED':
      return { divisor: 1, channels: shape.at(-1)! };
    case 'CONV_3D':
      return { divisor: shape[4], channels: shape[3] };
    case 'DEPTHWISE_CONV_2D': {
      const multiplier = Number(op.options?.depth_multiplier);
      return { divisor: multiplier, channels: shape[3] / multiplier };
    }
    default:
      return undefined;
  }
}

export function fuseScaleBefore(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const before = edit.producer(op.inputs[0]);
    const side = before && hasFloatFilter(op) ? constantSide(edit, before) : -1;
    if (!before || side < 0 || activationOf(before)) continue;
    const value = before.outputs[0];
    const x = before.inputs[1 - side] as TfliteTensor;
    const where = channelOf(op);
    if (!where || !sameShape(x, value) || !edit.usedOnce(value) || value.shape?.at(-1) !== where.channels)
      continue;
    const constant = perChannel(before.inputs[side] as TfliteTensor, where.channels);
    if (!constant) continue;
    const scales = before.code === 'MUL' || before.code === 'DIV';
    if (scales) scale(edit, op, before.code === 'MUL' ? constant : constant.map((c) => 1 / c), where);
    else if (op.code !== 'FULLY_CONNECTED' || !foldableBias(op)) continue;
    else shift(edit, op, before.code === 'ADD' ? constant : constant.map((c) => -c));
    edit.setInput(op, 0, x);
  }
  return edit.commit();
}

function perChannel(constant: TfliteTensor, channels: number): Float64Array | undefined {
  const data = floats(constant) as Float32Array;
  if (data.length === 1) return new Float64Array(channels).fill(data[0]);
  return data.length === channels && constant.shape?.at(-1) === channels
    ? Float64Array.from(data)
    : undefined;
}

function scale(edit: SubgraphEdit, op: TfliteOp, factor: Float64Array, where: ChannelOf): void {
  const filter = op.inputs[1] as TfliteTensor;
  const source = filter.buffer as ConstBuffer;
  const scaled = new TfliteTensor(filter.name, filter.type, filter.shape);
  // Computed when it is written: a model's filters are not held twice.
  scaled.buffer = Tensor.deferred('float32', filter.shape as number[], () => {
    const out = floatsOf(source.bytes).slice();
    for (let i = 0; i < out.length; i++) out[i] *= factor[Math.floor(i / where.divisor) % where.channels];
    return new Uint8Array(out.buffer);
  });
  edit.setInput(op, 1, scaled);
}

function shift(edit: SubgraphEdit, op: TfliteOp, addend: Float64Array): void {
  const weights = op.inputs[1] as TfliteTensor;
  const [rows, columns] = weights.shape as number[];
  const data = floatsOf((weights.buffer as ConstBuffer).bytes);
  const old = floats(op.inputs[2]);
  const sums = Float32Array.from({ length: rows }, (_, r) => {
    let sum = old?.[r] ?? 0;
    for (let c = 0; c < columns; c++) sum += data[r * columns + c] * addend[c];
    return sum;
  });
  const bias = new TfliteTensor(op.inputs[2]?.name ?? `${op.outputs[0].name}/bias`, 'FLOAT32', [rows]);
  bias.buffer = bufferOf(sums);
  while (op.inputs.length < 2) op.inputs.push(undefined);
  edit.setInput(op, 2, bias);
}
