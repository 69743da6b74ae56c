/**
 * Values that the runtime does not hand out, inside loops and branches or of sizes that only a run can tell: a copy of
 * the model computes the extremes of each tensor itself.
 *
 * Given:  WHILE(body: y = f(x))
 * Result: WHILE(body: y = f(x); low = MINIMUM(low, min(x), min(y)); high = MAXIMUM(…)), with low and high among the
 *         outputs. A branch gives its own extremes, and nothing for those of the other one.
 */
import { joinPieces, Tensor } from '@floe/export-core';
import {
  TfliteOp,
  TfliteTensor,
  type TfliteModel,
  type TfliteSignature,
  type TfliteSubgraph,
} from '../../tflite/model';
import { writeModel } from '../../tflite/write';

/** What an extreme starts from: the largest finite float32. */
const LARGEST = 3.4028234663852886e38;

/** Extremes of some tensors as two vectors. */
interface Extremes {
  low: TfliteTensor;
  high: TfliteTensor;
  tensors: TfliteTensor[];
}

export interface InsidePass {
  bytes: Uint8Array;
  /** Outputs with extremes, and the tensors they are of, element by element. */
  outputs: { low: string; high: string; tensors: TfliteTensor[] }[];
}

/**
 * Turns the model into one that also gives extremes of what is inside the bodies that a signature calls, and of some
 * tensors of its own graph; other signatures go. The model is used up.
 *
 * @returns undefined where there is nothing to observe
 */
export function observingInside(
  model: TfliteModel,
  signature: TfliteSignature,
  tensors: readonly TfliteTensor[],
): InsidePass | undefined {
  const { subgraph } = signature;
  const found = new Observer().bodiesOf(subgraph);
  if (tensors.length) {
    const end = (which: 'low' | 'high') =>
      joined(
        subgraph,
        tensors.map((t) => extreme(subgraph, t, which)),
        tensors.length,
      );
    found.push({ low: end('low'), high: end('high'), tensors: [...tensors] });
  }
  if (!found.length) return undefined;
  const outputs = found.map((part, i) => {
    const entry = { low: `low ${i}`, high: `high ${i}`, tensors: part.tensors };
    signature.outputs.push({ name: entry.low, tensor: part.low }, { name: entry.high, tensor: part.high });
    subgraph.outputs.push(part.low, part.high);
    return entry;
  });
  model.signatures = [signature];
  return { bytes: joinPieces(writeModel(model)), outputs };
}

class Observer {
  /** Bodies that have been extended already: several operators may call one. */
  private readonly extended = new Map<TfliteSubgraph, Extremes | undefined>();

  /** Extends what a graph calls; gives the extremes of all that is in there. */
  bodiesOf(graph: TfliteSubgraph): Extremes[] {
    return [...graph.ops].flatMap((op) => {
      const part = (name: string) => op.subgraphs?.[`${name}_subgraph_index`];
      const [condition, body, yes, no] = ['cond', 'body', 'then', 'else'].map(part);
      if (op.code === 'WHILE' && condition && body) return this.loop(op, condition, body);
      if (op.code === 'IF' && yes && no) return this.branches(op, yes, no);
      return [];
    });
  }

  private loop(op: TfliteOp, condition: TfliteSubgraph, body: TfliteSubgraph): Extremes[] {
    const isNew = !this.extended.has(body);
    const inside = this.extremesOf(body);
    if (!inside) return [];
    const { tensors } = inside;
    const results: TfliteTensor[] = [];
    for (const end of ['low', 'high'] as const) {
      if (isNew) {
        const carried = vector(`${end} carried`, tensors.length);
        const next = vector(`${end} next`, tensors.length);
        const code = end === 'low' ? 'MINIMUM' : 'MAXIMUM';
        body.inputs.push(carried);
        body.ops.push(new TfliteOp(code, [carried, inside[end]], [next], { type: 'MaximumMinimumOptions' }));
        body.outputs.push(next);
        condition.inputs.push(vector(`${end} carried`, tensors.length));
      }
      op.inputs.push(neutral(end, tensors.length));
      const result = vector(`${op.outputs[0]?.name ?? 'loop'}/${end}`, tensors.length);
      op.outputs.push(result);
      results.push(result);
    }
    return [{ low: results[0], high: results[1], tensors }];
  }

  private branches(op: TfliteOp, yes: TfliteSubgraph, no: TfliteSubgraph): Extremes[] {
    return [
      [yes, no],
      [no, yes],
    ].flatMap(([branch, other]) => {
      const isNew = !this.extended.has(branch);
      const inside = this.extremesOf(branch);
      if (!inside || !isNew) return [];
      const size = inside.tensors.length;
      const result = (end: 'low' | 'high'): TfliteTensor => {
        branch.outputs.push(inside[end]);
        other.outputs.push(neutral(end, size));
        const tensor = vector(`${op.outputs[0]?.name ?? 'branch'}/${end}`, size);
        op.outputs.push(tensor);
        return tensor;
      };
      return [{ low: result('low'), high: result('high'), tensors: inside.tensors }];
    });
  }

  /** Adds operators that compute the extremes of every float tensor of a body, and of the bodies it calls. */
  private extremesOf(graph: TfliteSubgraph): Extremes | undefined {
    if (this.extended.has(graph)) return this.extended.get(graph);
    // Before anything is added.
    const own = graph
      .tensors()
      .filter((t) => t.type === 'FLOAT32' && !t.isConstant && !t.isVariable && !t.shape?.includes(0));
    const inner = this.bodiesOf(graph);
    const tensors = [...own, ...inner.flatMap((e) => e.tensors)];
    const low = own.map((t) => extreme(graph, t, 'low'));
    const high = own.map((t) => extreme(graph, t, 'high'));
    const result = tensors.length
      ? {
          low: joined(graph, [...low, ...inner.map((e) => e.low)], tensors.length),
          high: joined(graph, [...high, ...inner.map((e) => e.high)], tensors.length),
          tensors,
        }
      : undefined;
    this.extended.set(graph, result);
    return result;
  }
}

function vector(name: string, size: number): TfliteTensor {
  return new TfliteTensor(name, 'FLOAT32', [size]);
}

/** What no value is beyond: of nothing seen yet. */
function neutral(end: 'low' | 'high', size: number): TfliteTensor {
  const tensor = vector(`${end} of nothing`, size);
  const value = end === 'low' ? LARGEST : -LARGEST;
  tensor.buffer = { bytes: Tensor.fromNumbers('float32', [size], new Array<number>(size).fill(value)).bytes };
  return tensor;
}

/** Smallest or largest element, as a vector of one. */
function extreme(graph: TfliteSubgraph, tensor: TfliteTensor, end: 'low' | 'high'): TfliteTensor {
  const flat = vector(`${tensor.name}/flat`, tensor.isStatic ? tensor.elements : -1);
  const result = vector(`${tensor.name}/${end}`, 1);
  graph.ops.push(
    new TfliteOp('RESHAPE', [tensor, intVector('all', -1)], [flat]),
    new TfliteOp(end === 'low' ? 'REDUCE_MIN' : 'REDUCE_MAX', [flat, intVector('first axis', 0)], [result], {
      type: 'ReducerOptions',
      keep_dims: true,
    }),
  );
  return result;
}

function joined(graph: TfliteSubgraph, parts: TfliteTensor[], size: number): TfliteTensor {
  if (parts.length === 1) return parts[0];
  const result = vector('extremes', size);
  graph.ops.push(new TfliteOp('CONCATENATION', parts, [result], { type: 'ConcatenationOptions', axis: 0 }));
  return result;
}

function intVector(name: string, value: number): TfliteTensor {
  const tensor = new TfliteTensor(name, 'INT32', [1]);
  tensor.buffer = { bytes: Tensor.fromNumbers('int32', [1], [value]).bytes };
  return tensor;
}
