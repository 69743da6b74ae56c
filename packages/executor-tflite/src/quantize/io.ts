/**
 * Integer inputs and outputs: what a program feeds and reads are the numbers that the first and the last operators
 * compute with, without a conversion in the model. For `uint8` a QUANTIZE between uint8 and int8 is left.
 */
import type { Diagnostics } from '@floe/export-core';
import {
  TfliteOp,
  TfliteTensor,
  type Quantization,
  type TfliteModel,
  type TfliteSignature,
  type TfliteSubgraph,
} from '../tflite/model';
import { isFloat } from './plan';

export type IoType = 'INT8' | 'UINT8';

const OFFSET = 128;
/** Steps of int8 in one of int16. */
const COARSER = 256;

/**
 * Gives the float inputs and outputs of every signature the type. Those that no operator uses in integers stay float,
 * with a warning: nothing says what their scale would be.
 */
export function quantizeIo(model: TfliteModel, type: IoType, diagnostics: Diagnostics): void {
  const done = new Map<TfliteTensor, TfliteTensor>();
  for (const signature of model.signatures) {
    for (const [list, convert] of [
      ['inputs', convertInput],
      ['outputs', convertOutput],
    ] as const) {
      for (const entry of signature[list]) {
        const { tensor, name } = entry;
        if (!isFloat(tensor)) continue;
        const result = done.get(tensor) ?? convert(signature, tensor, type);
        if (!result) {
          diagnostics.warning(
            'Q003',
            `${list.slice(0, -1)} "${name}" stays float32: no operator takes or gives it in integers`,
          );
          continue;
        }
        done.set(tensor, result);
        entry.tensor = result;
        signature.subgraph[list] = signature.subgraph[list].map((t) => (t === tensor ? result : t));
      }
    }
  }
}

function convertInput(
  { subgraph }: TfliteSignature,
  tensor: TfliteTensor,
  type: IoType,
): TfliteTensor | undefined {
  const quantizers = subgraph.ops.filter((op) => op.code === 'QUANTIZE' && op.inputs[0] === tensor);
  const inner = quantizers[0]?.outputs[0];
  if (!inner?.quantization) return undefined;
  const outer = outerTensor(tensor.name, inner, type);
  const others =
    subgraph.outputs.includes(tensor) ||
    subgraph.ops.some((op) => op.inputs.includes(tensor) && !quantizers.includes(op));
  const first: TfliteOp[] = [];
  for (const op of quantizers) {
    if (sameForm(outer, op.outputs[0])) replaceReads(subgraph, op.outputs[0], outer);
    else first.push(new TfliteOp('QUANTIZE', [outer], op.outputs));
  }
  if (others) first.push(new TfliteOp('DEQUANTIZE', [outer], [tensor]));
  subgraph.ops = [...first, ...subgraph.ops.filter((op) => !quantizers.includes(op))];
  return outer;
}

function convertOutput(
  { subgraph }: TfliteSignature,
  tensor: TfliteTensor,
  type: IoType,
): TfliteTensor | undefined {
  const producer = subgraph.ops.find((op) => op.outputs.includes(tensor));
  const inner = producer?.code === 'DEQUANTIZE' ? producer.inputs[0] : undefined;
  if (!inner?.quantization || inner.isConstant) return undefined;
  const isRead = subgraph.ops.some((op) => op.inputs.includes(tensor));
  if (!isRead) subgraph.ops = subgraph.ops.filter((op) => op !== producer);
  const outer = outerTensor(tensor.name, inner, type);
  if (sameForm(outer, inner)) return inner;
  subgraph.ops.push(new TfliteOp('QUANTIZE', [inner], [outer]));
  return outer;
}

/** The tensor that stands outside for one that operators compute with. */
function outerTensor(name: string, inner: TfliteTensor, type: IoType): TfliteTensor {
  const outer = new TfliteTensor(name, type, inner.shape);
  outer.quantization = outerParams(inner, type);
  return outer;
}

function outerParams({ type: innerType, quantization }: TfliteTensor, type: IoType): Quantization {
  const { scale, zeroPoint } = quantization as Quantization;
  const offset = type === 'UINT8' ? OFFSET : 0;
  return innerType === 'INT16'
    ? { scale: [Math.fround(scale[0] * COARSER)], zeroPoint: [offset], axis: 0 }
    : { scale, zeroPoint: [zeroPoint[0] + offset], axis: 0 };
}

function sameForm(a: TfliteTensor, b: TfliteTensor): boolean {
  return (
    a.type === b.type &&
    a.quantization?.scale[0] === b.quantization?.scale[0] &&
    a.quantization?.zeroPoint[0] === b.quantization?.zeroPoint[0]
  );
}

function replaceReads(graph: TfliteSubgraph, from: TfliteTensor, to: TfliteTensor): void {
  for (const op of graph.ops) op.inputs = op.inputs.map((t) => (t === from ? to : t));
  graph.outputs = graph.outputs.map((t) => (t === from ? to : t));
}
