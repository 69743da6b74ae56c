/**
 * Ranges that were trained into the model: QUANTIZE→DEQUANTIZE pairs in the converted model.
 *
 * Given:  y = DEQUANTIZE(QUANTIZE(x))
 * Result: x in place of y, and the pair's parameters known of it
 */
import { bufferOf, SubgraphEdit } from '../fuse/edit';
import {
  TfliteTensor,
  type Quantization,
  type TfliteModel,
  type TfliteOp,
  type TfliteSubgraph,
} from '../tflite/model';
import { INTEGER_TYPES } from './affine';
import { isFloat } from './plan';

const OFFSET = 128;

/**
 * Takes the pairs out of the model. Pairs that say something else of a tensor than another pair does, and pairs with
 * a scale a channel, which integer kernels do not take for activations, stay.
 *
 * @returns parameters by tensor, for int8
 */
export function takeTrainedRanges(model: TfliteModel): Map<TfliteTensor, Quantization> {
  const trained = new Map<TfliteTensor, Quantization>();
  for (const graph of model.subgraphs) {
    takePairs(graph, (source, result, quantized) => {
      const params = int8Params(quantized);
      const known = trained.get(source);
      if (!params || (known && !same(known, params))) return false;
      trained.set(source, params);
      trained.set(result, params);
      return true;
    });
  }
  return trained;
}

/**
 * Given:  y = DEQUANTIZE(QUANTIZE(x)), for models that compute in float
 * Result: y = MINIMUM(MAXIMUM(x, lowest), highest), less what the operator before does by itself
 *
 * Only the rounding goes: a range that cuts values off is as much a part of the network as an activation.
 *
 * @returns how many pairs there were
 */
export function dropTrainedRanges(model: TfliteModel): number {
  return model.subgraphs.reduce((n, graph) => n + dropRounding(graph), 0);
}

function dropRounding(graph: TfliteSubgraph): number {
  const producers = graph.producers();
  const consumers = graph.consumers();
  const unlimited = new Set<TfliteTensor>();
  const gone = new Set<TfliteOp>();
  let dropped = 0;
  for (const op of graph.ops) {
    const quantize = op.code === 'DEQUANTIZE' ? producers.get(op.inputs[0] as TfliteTensor) : undefined;
    const source = quantize?.inputs[0];
    const quantized = quantize?.outputs[0] as TfliteTensor;
    if (quantize?.code !== 'QUANTIZE' || !isFloat(source) || consumers.get(quantized)?.length !== 1) continue;
    const limits = limitsOf(quantized, producers.get(source));
    if (!limits) continue;
    dropped++;
    if (limits.length === 2) {
      become(quantize, limits[0], source);
      Object.assign(quantized, { type: 'FLOAT32', quantization: undefined });
      become(op, limits[1], quantized);
    } else if (limits.length === 1) {
      become(op, limits[0], source);
      gone.add(quantize);
    } else unlimited.add(quantized);
  }
  graph.ops = graph.ops.filter((op) => !gone.has(op));
  takePairs(graph, (_source, _result, quantized) => unlimited.has(quantized));
  return dropped;
}

interface Limit {
  code: 'MAXIMUM' | 'MINIMUM';
  values: Float32Array;
}

/** What a pair cuts off that its operand does not lack already; undefined for scales along another axis than the last. */
function limitsOf(
  { type, quantization: q, shape }: TfliteTensor,
  before: TfliteOp | undefined,
): Limit[] | undefined {
  if (!q || !INTEGER_TYPES[type] || (q.scale.length > 1 && q.axis !== (shape?.length ?? 0) - 1))
    return undefined;
  const { min, max } = INTEGER_TYPES[type];
  const end = (step: number) => Float32Array.from(q.scale, (s, c) => s * (step - q.zeroPoint[c]));
  const [low, high] = [end(min), end(max)];
  const activation = before?.options?.fused_activation_function ?? before?.code;
  const fromZero = activation === 'RELU' || activation === 'RELU6';
  const limits: Limit[] = [];
  if (!fromZero || low.some((v) => v > 0)) limits.push({ code: 'MAXIMUM', values: low });
  if (activation !== 'RELU6' || high.some((v) => v < 6 * (1 - 1e-6)))
    limits.push({ code: 'MINIMUM', values: high });
  return limits;
}

function become(op: TfliteOp, { code, values }: Limit, source: TfliteTensor): void {
  const name = `${op.outputs[0].name}/${code.toLowerCase()}`;
  const limit = new TfliteTensor(name, 'FLOAT32', values.length > 1 ? [values.length] : []);
  limit.buffer = bufferOf(values);
  op.code = code;
  op.inputs = [source, limit];
  op.options = { type: 'MaximumMinimumOptions' };
}

/** Takes out the pairs that `wanted` says yes to. */
function takePairs(
  graph: TfliteSubgraph,
  wanted: (source: TfliteTensor, result: TfliteTensor, quantized: TfliteTensor) => boolean,
): number {
  let taken = 0;
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'DEQUANTIZE') continue;
    const quantize = edit.producer(op.inputs[0]);
    const source = quantize?.inputs[0];
    if (quantize?.code !== 'QUANTIZE' || !isFloat(source) || source.isConstant) continue;
    const [result] = op.outputs;
    if (!canBypass(edit, source, result) || !wanted(source, result, quantize.outputs[0])) continue;
    edit.setInput(op, 0, source);
    // Where the result is an output of the model, its tensor takes the source's place.
    edit.bypass(op);
    if (edit.isUnused(quantize.outputs[0])) edit.remove(quantize);
    taken++;
  }
  edit.commit();
  return taken;
}

/** An output needs an operator that gives it. */
function canBypass(edit: SubgraphEdit, source: TfliteTensor, result: TfliteTensor): boolean {
  return !edit.isOutput(result) || (edit.producer(source) !== undefined && !edit.isOutput(source));
}

function int8Params({ type, quantization: q }: TfliteTensor): Quantization | undefined {
  if (q?.scale.length !== 1 || (type !== 'INT8' && type !== 'UINT8')) return undefined;
  return type === 'INT8' ? q : { ...q, zeroPoint: [q.zeroPoint[0] - OFFSET] };
}

function same(a: Quantization, b: Quantization): boolean {
  return a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0];
}
