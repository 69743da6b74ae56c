/**
 * Given:  two operators that compute the same from the same tensors
 * Result: one, which the readers of both read
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit, textOf } from './edit';

/** Same inputs, other results: random numbers, state, whole subgraphs. */
const IMPURE =
  /^(CUSTOM|DELEGATE|RANDOM_.*|MULTINOMIAL|WHILE|IF|CALL.*|VAR_HANDLE|.*_VARIABLE|HASHTABLE.*|.*(LSTM|RNN)|SVDF)$/;
/** Larger constants are the same only where they are one buffer. */
const MAX_COMPARED_BYTES = 1 << 12;

export function shareSameOps(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  const numbers = new Map<object, number>();
  const number = (o: object) => {
    const n = numbers.get(o) ?? numbers.size;
    numbers.set(o, n);
    return n;
  };
  const seen = new Map<string, TfliteOp>();
  for (const op of graph.ops) {
    if (IMPURE.test(op.code) || op.inputs.some((t) => t?.isVariable)) continue;
    const inputs = op.inputs.map((t) => t && (constantKey(t, number) ?? number(t)));
    const results = op.outputs.map((t) => [t.type, t.shape, t.quantization]);
    const key = textOf([op.code, op.options, inputs, results]);
    const twin = seen.get(key);
    if (!twin) seen.set(key, op);
    else if (!merge(edit, twin, op)) continue;
  }
  return edit.commit();
}

function constantKey(tensor: TfliteTensor, number: (o: object) => number): unknown {
  const { buffer } = tensor;
  if (!buffer) return undefined;
  const small = (buffer.byteLength ?? buffer.bytes.length) <= MAX_COMPARED_BYTES;
  const content = small ? Buffer.from(buffer.bytes).toString('latin1') : number(buffer);
  return [tensor.type, tensor.shape, tensor.quantization, content];
}

/** Outputs of the subgraph keep their tensors: not more than one of the two can have some. */
function merge(edit: SubgraphEdit, first: TfliteOp, second: TfliteOp): boolean {
  const shown = (op: TfliteOp) => op.outputs.some((t) => edit.isOutput(t));
  if (shown(second) && shown(first)) return false;
  if (!shown(second)) {
    second.outputs.forEach((t, i) => edit.redirect(t, first.outputs[i]));
    edit.remove(second);
    return true;
  }
  first.outputs.forEach((t, i) => edit.redirect(t, second.outputs[i]));
  edit.absorb(first, second);
  return true;
}
