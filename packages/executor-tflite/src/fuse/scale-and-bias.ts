/**
 * Given:  y = ADD(MUL(CONV_2D(x, w, b), m), a)       m, a constant: one number, or one an output channel
 * Result: y = CONV_2D(x, w · m, b · m + a)
 *
 * Likewise SUB and DIV, and every operator of convolutions.ts; what is only added also where w is computed.
 * Batch norms end here.
 */
import { Tensor } from '@floe/export-core';
import { TfliteTensor, type ConstBuffer, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { biasChannels, constantSide, FILTERS, foldableChannels, type FilterRow } from './convolutions';
import { activationOf, bufferOf, floats, floatsOf, SubgraphEdit } from './edit';

export function fuseScaleAndBias(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const side = constantSide(edit, op);
    if (side < 0) continue;
    const value = op.inputs[1 - side] as TfliteTensor;
    const conv = edit.producer(value);
    const scales = op.code === 'MUL' || op.code === 'DIV';
    const channels = scales ? foldableChannels(conv) : biasChannels(conv);
    if (!conv || channels === undefined || !edit.usedOnce(value)) continue;
    const row = FILTERS[conv.code];
    const constant = perChannel(op.inputs[side] as TfliteTensor, channels, op);
    if (!constant) continue;
    if (scales) multiply(edit, conv, op.code === 'MUL' ? constant : constant.map((c) => 1 / c), row);
    else addBias(edit, conv, op.code === 'ADD' ? constant : constant.map((c) => -c), row);
    const activation = activationOf(op);
    if (activation) conv.options = { ...conv.options!, fused_activation_function: activation };
    edit.absorb(conv, op);
  }
  return edit.commit();
}

/** The constant as one number a channel, in double precision; undefined when it varies along another axis. */
function perChannel(constant: TfliteTensor, channels: number, op: TfliteOp): Float64Array | undefined {
  const data = floats(constant) as Float32Array;
  const shape = constant.shape ?? [];
  const result = op.outputs[0].shape;
  // Broadcasting must not add axes to the convolution's result.
  if (!result || shape.length > result.length) return undefined;
  if (data.length === 1) return new Float64Array(channels).fill(data[0]);
  if (data.length !== channels || shape.at(-1) !== channels) return undefined;
  return Float64Array.from(data);
}

function multiply(edit: SubgraphEdit, conv: TfliteOp, factor: Float64Array, row: FilterRow): void {
  const filter = conv.inputs[1] as TfliteTensor;
  const scaled = new TfliteTensor(filter.name, filter.type, filter.shape);
  const source = filter.buffer as ConstBuffer;
  // Computed when it is written: a model's filters are not held twice.
  const result = Tensor.deferred('float32', filter.shape as number[], () =>
    scaledBytes(source, factor, row.axis),
  );
  scaled.buffer = result;
  edit.setInput(conv, 1, scaled);
  const bias = conv.inputs[row.bias];
  const values = bias && floats(bias);
  if (bias && values)
    edit.setInput(
      conv,
      row.bias,
      constantLike(
        bias,
        values.map((b, c) => b * factor[c]),
      ),
    );
}

/** The filter with each output channel multiplied by its factor. */
function scaledBytes(source: ConstBuffer, factor: Float64Array, axis: 'first' | 'last'): Uint8Array {
  const filter = floatsOf(source.bytes);
  const out = new Float32Array(filter.length);
  const channels = factor.length;
  if (axis === 'last') {
    for (let i = 0, c = 0; i < out.length; i++, c = c + 1 === channels ? 0 : c + 1)
      out[i] = filter[i] * factor[c];
  } else {
    const size = filter.length / channels;
    for (let c = 0, i = 0; c < channels; c++)
      for (const end = i + size; i < end; i++) out[i] = filter[i] * factor[c];
  }
  return new Uint8Array(out.buffer);
}

function addBias(edit: SubgraphEdit, conv: TfliteOp, addend: Float64Array, { bias: i }: FilterRow): void {
  const bias = conv.inputs[i];
  const channels = addend.length;
  const values = bias ? (floats(bias) as Float32Array) : new Float32Array(channels);
  const like = bias ?? new TfliteTensor(`${conv.outputs[0].name}/bias`, 'FLOAT32', [channels]);
  while (conv.inputs.length < i) conv.inputs.push(undefined);
  edit.setInput(
    conv,
    i,
    constantLike(
      like,
      values.map((b, c) => b + addend[c]),
    ),
  );
}

function constantLike(tensor: TfliteTensor, data: Float32Array): TfliteTensor {
  const result = new TfliteTensor(tensor.name, tensor.type, tensor.shape);
  result.buffer = bufferOf(data);
  return result;
}
