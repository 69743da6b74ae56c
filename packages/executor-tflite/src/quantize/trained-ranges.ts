/**
 * Ranges that were trained into the model: QUANTIZE→DEQUANTIZE pairs in the converted model.
 *
 * Given:  y = DEQUANTIZE(QUANTIZE(x))
 * Result: x in place of y, and the pair's parameters known of it
 */
import { SubgraphEdit } from '../fuse/edit';
import type { Quantization, TfliteModel, TfliteSubgraph, TfliteTensor } from '../tflite/model';
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
  for (const graph of model.subgraphs) takeFrom(graph, trained);
  return trained;
}

function takeFrom(graph: TfliteSubgraph, trained: Map<TfliteTensor, Quantization>): void {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'DEQUANTIZE') continue;
    const quantize = edit.producer(op.inputs[0]);
    const source = quantize?.inputs[0];
    if (quantize?.code !== 'QUANTIZE' || !isFloat(source) || source.isConstant) continue;
    const params = int8Params(op.inputs[0] as TfliteTensor);
    if (!params) continue;
    const known = trained.get(source);
    if (known && !same(known, params)) continue;
    const [result] = op.outputs;
    edit.setInput(op, 0, source);
    if (!edit.bypass(op)) {
      edit.setInput(op, 0, quantize.outputs[0]);
      continue;
    }
    // Where the result is an output of the model, its tensor takes the source's place.
    trained.set(edit.isOutput(result) ? result : source, params);
    if (edit.isUnused(quantize.outputs[0])) edit.remove(quantize);
  }
  edit.commit();
}

function int8Params({ type, quantization: q }: TfliteTensor): Quantization | undefined {
  if (q?.scale.length !== 1 || (type !== 'INT8' && type !== 'UINT8')) return undefined;
  return type === 'INT8' ? q : { ...q, zeroPoint: [q.zeroPoint[0] - OFFSET] };
}

function same(a: Quantization, b: Quantization): boolean {
  return a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0];
}

/** How many trained ranges a model holds. */
export function countTrainedRanges(model: TfliteModel): number {
  return model.subgraphs.reduce((n, graph) => {
    const producers = graph.producers();
    const pairs = graph.ops.filter(
      (op) => op.code === 'DEQUANTIZE' && producers.get(op.inputs[0] as TfliteTensor)?.code === 'QUANTIZE',
    );
    return n + pairs.length;
  }, 0);
}
