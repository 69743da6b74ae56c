/**
 * Given:  y = RELU(x) + a · RELU(−x)     also with a minus between
 * Result: y = PRELU(x, −a)               a of PRELU is the slope below zero
 */
import { TfliteTensor, type TfliteOp, type TfliteSubgraph } from '../tflite/model';
import { bufferOf, floats, SubgraphEdit } from './edit';
import { isPlain, orders, sameShape } from './match';

export function fusePrelu(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (!isPlain(op, 'ADD', 'SUB')) continue;
    const sides = op.code === 'ADD' ? orders(op) : orders(op).slice(0, 1);
    for (const [above, below] of sides) {
      const found = match(edit, op, above, below);
      if (!found) continue;
      edit.become(op, 'PRELU', found);
      break;
    }
  }
  return edit.commit();
}

function match(
  edit: SubgraphEdit,
  op: TfliteOp,
  above: TfliteTensor,
  below: TfliteTensor,
): [TfliteTensor, TfliteTensor] | undefined {
  const x = edit.plain(above, 'RELU')?.inputs[0];
  const product = edit.plain(below, 'MUL');
  if (!x || !product || !sameShape(x, op.outputs[0])) return undefined;
  for (const [factor, relu] of orders(product)) {
    const negative = edit.plain(edit.plain(relu, 'RELU')?.inputs[0], 'NEG');
    const slopes = floats(factor);
    if (negative?.inputs[0] !== x || !slopes || factor.shape!.length > x.shape!.length) continue;
    return [x, op.code === 'SUB' ? factor : negated(factor, slopes)];
  }
  return undefined;
}

function negated(factor: TfliteTensor, slopes: Float32Array): TfliteTensor {
  const slope = new TfliteTensor(factor.name, factor.type, factor.shape);
  slope.buffer = bufferOf(slopes.map((v) => -v));
  return slope;
}
