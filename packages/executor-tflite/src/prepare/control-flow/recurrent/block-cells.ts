/**
 * Given:  LSTMBlockCell, GRUBlockCell: one step of a recurrent layer as one op; BlockLSTM: all its steps
 * Result: the same of matrix products and elementwise ops; the steps in a While
 */
import { attr, type DType, type Graph, type Node, type Value } from '@floe/export-core';
import { range, sizeOf } from '../../dims';
import type { PrepareContext } from '../../prepare';
import { applyRewrites, Rewriter, type RewriteTable } from '../../rewrite';
import { addArg, addFunction, addResult } from '../functions';

export function expandBlockCells(graph: Graph, { signatures }: PrepareContext): void {
  applyRewrites(graph, TABLE, signatures);
}

interface LstmWeights {
  kernel: Value;
  /** Peephole weights of input, forget and output gate. */
  peepholes: Value[] | undefined;
  bias: Value;
}

interface LstmOptions {
  forgetBias: number;
  /** Cell states are kept between −clip and clip; none where it is not positive. */
  clip: number;
  /** Places of the gates input, cell, forget, output in the product. */
  order: readonly number[];
}

/** BlockLSTM and LSTMBlockCell have the cell's gate second, BlockLSTMV2 third. */
const ICFO = [0, 1, 2, 3];
const IFCO = [0, 2, 1, 3];

function optionsOf(node: Node): LstmOptions {
  return {
    forgetBias: node.attr('forget_bias') ? node.float('forget_bias') : 0,
    clip: node.float('cell_clip'),
    order: node.op === 'BlockLSTMV2' ? IFCO : ICFO,
  };
}

/** One step: the outputs i, cs, f, o, ci, co, h of LSTMBlockCell. */
function lstmStep(
  b: Rewriter,
  x: Value,
  state: Value,
  hidden: Value,
  { kernel, peepholes, bias }: LstmWeights,
  { forgetBias, clip, order }: LstmOptions,
): Value[] {
  const joined = b.op('ConcatV2', [x, hidden, b.ints(1)], {
    N: attr.int(2),
    T: attr.type(x.dtype ?? 'float32'),
  });
  const product = b.op('BiasAdd', [b.op('MatMul', [joined, kernel]), bias]);
  const split = b.add('Split', [1, product], { num_split: attr.int(4) });
  const [input, cell, forget, output] = order.map((place) => split.output(place));
  const peep = (sum: Value, from: Value, gate: number) =>
    peepholes ? b.op('AddV2', [sum, b.op('Mul', [from, peepholes[gate]])]) : sum;
  const shifted = forgetBias === 0 ? forget : b.op('AddV2', [forget, b.scalar(forget, forgetBias)]);
  const i = b.op('Sigmoid', [peep(input, state, 0)]);
  const f = b.op('Sigmoid', [peep(shifted, state, 1)]);
  const ci = b.op('Tanh', [cell]);
  const free = b.op('AddV2', [b.op('Mul', [ci, i]), b.op('Mul', [state, f])]);
  const bound = (op: string, value: Value, limit: number) => b.op(op, [value, b.scalar(value, limit)]);
  const cs = clip > 0 ? bound('Maximum', bound('Minimum', free, clip), -clip) : free;
  const o = b.op('Sigmoid', [peep(output, cs, 2)]);
  const co = b.op('Tanh', [cs]);
  return [i, cs, f, o, ci, co, b.op('Mul', [co, o])];
}

function peepholesOf(node: Node, weights: readonly Value[]): Value[] | undefined {
  return node.bool('use_peephole') ? [...weights] : undefined;
}

function lstmCell(_: Graph, node: Node, b: Rewriter): Value[] {
  const [x, state, hidden, kernel, wci, wcf, wco, bias] = node.inputs;
  const weights = { kernel, peepholes: peepholesOf(node, [wci, wcf, wco]), bias };
  return lstmStep(b, x, state, hidden, weights, optionsOf(node));
}

function gruCell(_: Graph, node: Node, b: Rewriter): Value[] {
  const [x, hidden, gateKernel, cellKernel, gateBias, cellBias] = node.inputs;
  const T = attr.type(x.dtype ?? 'float32');
  const joined = (other: Value) => b.op('ConcatV2', [x, other, b.ints(1)], { N: attr.int(2), T });
  const gates = b.op('Sigmoid', [b.op('BiasAdd', [b.op('MatMul', [joined(hidden), gateKernel]), gateBias])]);
  const split = b.add('Split', [1, gates], { num_split: attr.int(2) });
  const [r, u] = [split.output(0), split.output(1)];
  const product = b.op('MatMul', [joined(b.op('Mul', [hidden, r])), cellKernel]);
  const c = b.op('Tanh', [b.op('BiasAdd', [product, cellBias])]);
  const kept = b.op('Mul', [u, hidden]);
  const h = b.op('AddV2', [b.op('Mul', [b.op('Sub', [b.scalar(u, 1), u]), c]), kept]);
  return [r, u, c, h];
}

/** Outputs of BlockLSTM in the order of lstmStep: where the new cell state and hidden state stand. */
const CELL_STATE = 1;
const HIDDEN = 6;

/**
 * All steps in a loop. Its variables are the time, cell and hidden state, and a tensor for each of the seven outputs;
 * those that nobody reads fall away later. Steps from seq_len_max on stay zero.
 */
function blockLstm(graph: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const [lengthMax, x, state, hidden, ...rest] = node.inputs;
  if (x.shape?.length !== 3) return undefined;
  const dtype: DType = x.dtype ?? 'float32';
  const units = state.shape?.[1] ?? node.inputs[8].shape?.[0];
  const [steps, batch] = [sizeOf(b, x, 0), sizeOf(b, x, 1)];
  if (typeof units !== 'number' && !state.shape) return undefined;
  const width = typeof units === 'number' ? units : sizeOf(b, state, 1);
  const value = (size: number | Value) => (typeof size === 'number' ? b.ints(size) : size);
  const shape = b.op('Pack', [steps, batch, width].map(value));
  const blank = b.op('Fill', [shape, b.scalar(x, 0)]);
  const limit = b.op('Minimum', [b.cast(lengthMax, 'int32'), value(steps)]);
  const operands = [b.ints(0), state, hidden, ...range(7).map(() => blank), limit, x, ...rest];
  const types = operands.map((v) => v.dtype ?? dtype);
  const names = operands.map((_, i) => `operand_${i}`);

  const cond = addFunction(graph, `${node.name}_cond`);
  const asked = names.map((name, i) => addArg(cond, name, types[i]));
  const less = cond.add('less', 'Less', [asked[0], asked[10]], { T: attr.type('int32') });
  addResult(cond, 'less', less.output());

  const body = addFunction(graph, `${node.name}_body`);
  const given = names.map((name, i) => addArg(body, name, types[i]));
  given.forEach((arg, i) => (arg.shape = operands[i].shape));
  const results = stepBody(body, node, given);
  results.forEach((result, i) => addResult(body, names[i], result));

  const loop = b.add('StatelessWhile', [], {
    T: attr.types(types),
    cond: attr.func(cond.name),
    body: attr.func(body.name),
    output_shapes: { kind: 'list', value: [] },
  });
  loop.inputs = operands;
  const sequence = x.shape && [x.shape[0], x.shape[1], typeof units === 'number' ? units : null];
  return range(7, 3).map((i) => Object.assign(loop.output(i), { dtype, shape: sequence }));
}

function stepBody(body: Graph, node: Node, given: readonly Value[]): Value[] {
  const [time, state, hidden] = given;
  const [limit, x, kernel, wci, wcf, wco, bias] = given.slice(10);
  const inner = new Rewriter(body, node);
  const now = inner.op('GatherV2', [x, time, 0]);
  const weights = { kernel, peepholes: peepholesOf(node, [wci, wcf, wco]), bias };
  const outputs = lstmStep(inner, now, state, hidden, weights, optionsOf(node));
  const start = inner.op('Pack', [time, inner.ints(0), inner.ints(0)]);
  const written = outputs.map((output, i) => {
    const item = inner.op('ExpandDims', [output, 0]);
    return inner.op('XlaDynamicUpdateSlice', [given[3 + i], item, start], { Tindices: attr.type('int32') });
  });
  const next = inner.op('AddV2', [time, inner.ints(1)]);
  return [next, outputs[CELL_STATE], outputs[HIDDEN], ...written, limit, x, kernel, wci, wcf, wco, bias];
}

const TABLE: RewriteTable = {
  LSTMBlockCell: lstmCell,
  GRUBlockCell: gruCell,
  BlockLSTM: blockLstm,
  BlockLSTMV2: blockLstm,
};
