/**
 * Ranges that were trained into the model: QUANTIZE→DEQUANTIZE pairs in the converted model.
 *
 * Given:  y = DEQUANTIZE(QUANTIZE(x))
 * Result: x in place of y, and the pair's parameters known of it
 */
import { SubgraphEdit } from '../fuse/edit';
import { TfliteTensor, type Quantization, type TfliteModel, type TfliteSubgraph } from '../tflite/model';
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
