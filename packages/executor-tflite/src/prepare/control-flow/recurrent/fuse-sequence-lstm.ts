/**
 * Given:  the loop of a Keras LSTM layer (a While whose attribute says so) over a sequence of known batch, from zeros
 * Result: y = UnidirectionalSequenceLstm(sequence, weights, biases)
 *
 * As TensorFlow's converter does. The runtime keeps such an operator's state from one invocation to the next until
 * its variables are reset, so only what Keras made is fused, not every loop that looks alike.
 */
import { attr, isStatic, Tensor, type Graph, type Node, type Value } from '@floe/export-core';
import { Rewriter } from '../../rewrite';
import { isLoop } from '../functions';
import { readLstmLoop, type LstmLoop } from './lstm-loop';

export function fuseSequenceLstm(graph: Graph): void {
  for (const node of [...graph.nodes.values()]) {
    if (!isLoop(node) || !isKerasLstm(node)) continue;
    const loop = readLstmLoop(graph, node);
    if (
      loop &&
      startsAtZero(node, loop) &&
      isStatic(node.inputs[loop.sequence].shape?.slice(1)) &&
      !reads(graph, node.output(loop.cell))
    )
      fuse(graph, node, loop);
  }
}

/** The loop comes from the body of a function that Keras marked as an LSTM layer. */
function isKerasLstm(node: Node): boolean {
  const mark = node.attrs.get('_api_implements');
  return mark?.kind === 'string' && Buffer.from(mark.value).toString('utf8').startsWith('lstm_');
}

function startsAtZero(node: Node, loop: LstmLoop): boolean {
  return [loop.hidden, loop.cell].every((place) => {
    const { constant } = node.inputs[place].node;
    const zero = (b: number) => b === 0;
    return constant?.dtype === 'float32' && (constant.splatElement ?? constant.bytes).every(zero);
  });
}

function reads(graph: Graph, value: Value): boolean {
  return [...graph.nodes.values()].some((n) => n.inputs.includes(value));
}

function fuse(graph: Graph, node: Node, loop: LstmLoop): void {
  const b = new Rewriter(graph, node);
  const given = node.inputs[loop.sequence];
  // A layer whose batch stands first turned its input round for the loop, and then back to front.
  const forwards = givenTo(given, 'ReverseV2', '0');
  const batchFirst = givenTo(forwards ?? given, 'Transpose', '1,0,2');
  const turned = batchFirst !== undefined;
  const input = batchFirst ? (forwards ? b.op('ReverseV2', [batchFirst, [1]]) : batchFirst) : given;
  const [steps, batch] = given.shape!;
  const units = loop.recurrentKernel.shape[0];
  const weights = [0, 1, 2, 3].map((g) => gateOf(loop.kernel, g, units));
  const recurrent = [0, 1, 2, 3].map((g) => gateOf(loop.recurrentKernel, g, units));
  const bias = loop.bias ?? Tensor.fromNumbers('float32', [4 * units], new Array<number>(4 * units).fill(0));
  const biases = [0, 1, 2, 3].map((g) => gateOf(bias.reshape([1, 4 * units]), g, units).reshape([units]));
  const lstm = graph.add(`${node.name}/lstm`, 'UnidirectionalSequenceLstm', [
    input,
    ...[...weights, ...recurrent, ...biases].map((t) => b.const(t)),
  ]);
  lstm.set('time_major', attr.bool(!turned));
  const sequence = lstm.output();
  Object.assign(sequence, {
    dtype: 'float32',
    shape: turned ? [batch, steps, units] : [steps, batch, units],
  });
  const replaced = new Map<Value, Value>();
  const { results, hidden } = loop;
  if (results !== undefined && node.output(results).shape?.[0] === steps) {
    replaced.set(node.output(results), turned ? b.op('Transpose', [sequence, [1, 0, 2]]) : sequence);
  }
  const mask = turned ? 5 : 6;
  const masks = {
    begin_mask: attr.int(mask),
    end_mask: attr.int(mask),
    shrink_axis_mask: attr.int(turned ? 2 : 1),
  };
  const begin = turned ? [0, -1, 0] : [-1, 0, 0];
  const last = b.op('StridedSlice', [sequence, begin, [0, 0, 0], [1, 1, 1]], masks);
  replaced.set(node.output(hidden), last);
  if (results !== undefined && !replaced.has(node.output(results))) {
    replaced.set(node.output(results), b.op('ExpandDims', [last, 0]));
  }
  graph.replace(replaced);
  graph.remove(new Set([node]));
}

/** What the node that makes a value works on, where it is of that op with those settings. */
function givenTo({ node }: Value, op: string, settings: string): Value | undefined {
  const is = node.op === op && String(node.inputs[1].node.constant?.toNumbers()) === settings;
  return is ? node.inputs[0] : undefined;
}

/** Columns of one gate, as rows: [units, inputs]. */
function gateOf(kernel: Tensor, gate: number, units: number): Tensor {
  const [inputs, columns] = kernel.shape;
  return Tensor.deferred('float32', [units, inputs], () => {
    const { data } = kernel;
    const out = new Float32Array(units * inputs);
    for (let u = 0; u < units; u++) {
      for (let i = 0; i < inputs; i++) out[u * inputs + i] = Number(data[i * columns + gate * units + u]);
    }
    return new Uint8Array(out.buffer);
  });
}
