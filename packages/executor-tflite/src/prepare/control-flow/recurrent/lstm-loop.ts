/** The loop of a Keras LSTM layer, recognised: lists are tensors, constants are in the body. */
import type { FunctionGraph, Graph, Node, Tensor, Value } from '@floe/export-core';
import { bodyOf } from '../functions';
import { countsUp } from '../tensor-lists/appending';
import { sameComputation } from '../tensor-lists/same-computation';
import { ADD, made, MUL, operands } from './match';

/** Operands of the loop by their place, and the weights of its cell. */
export interface LstmLoop {
  /** The sequence, time first. */
  sequence: number;
  /** The tensor of the results, time first; of one element where only the last is kept. */
  results: number | undefined;
  hidden: number;
  cell: number;
  /** [inputs, 4 · units], the gates input, forget, cell, output one after the other. */
  kernel: Tensor;
  /** [units, 4 · units] */
  recurrentKernel: Tensor;
  /** [4 · units] */
  bias: Tensor | undefined;
}

/** The parts of a loop; undefined when it is not that of an LSTM with its usual activations. */
export function readLstmLoop(graph: Graph, node: Node): LstmLoop | undefined {
  const [cond, body] = [bodyOf(graph, node, 'cond'), bodyOf(graph, node, 'body')];
  if (!cond || !body) return undefined;
  const hidden = hiddenPlace(body);
  const gates = hidden === undefined ? undefined : readCell(body, hidden);
  if (hidden === undefined || !gates) return undefined;
  const sum = readSum(gates.sum, body, hidden);
  const sequence = sum && readStep(sum.input, body);
  if (!sum || !sequence || !countsUp(body, sequence.time)) return undefined;
  const limit = limitOf(node, cond, sequence.time);
  if (!limit || !isLength(limit.value, node.inputs[sequence.place])) return undefined;
  if (limit.place !== undefined && body.results[limit.place].node !== body.args[limit.place])
    return undefined;
  const results = resultsPlace(body, body.results[hidden], sequence.time);
  if (results !== undefined && !hasRoom(node.inputs[results], limit.value)) return undefined;
  const known = new Set([hidden, gates.cell, sequence.place, sequence.time, results, limit.place]);
  if (body.args.some((_, i) => !known.has(i))) return undefined;
  return { ...sum, sequence: sequence.place, results, hidden, cell: gates.cell };
}

/** The variable that a matrix is multiplied with and that is an output gate times a tanh. */
function hiddenPlace(body: FunctionGraph): number | undefined {
  const place = body.results.findIndex((value) => {
    const product = operands(made(value, MUL), (v) => made(v, /^Tanh$/));
    return product !== undefined && made(product.other, /^Sigmoid$/) !== undefined;
  });
  return place < 0 ? undefined : place;
}

/** Gate `index` of the four that a Split gives. */
function gate(value: Value | undefined, activation: RegExp, index: number): Node | undefined {
  const split = made(value, activation)?.inputs[0];
  const axis = split?.node.op === 'Split' ? split.node.inputs[0].node.constant?.at(0) : undefined;
  const isGate = split?.index === index && (axis === 1 || axis === -1) && split.node.int('num_split') === 4;
  return isGate ? split.node : undefined;
}

/** h = o · tanh(c), c = f · c' + i · g */
function readCell(body: FunctionGraph, hidden: number): { cell: number; sum: Value } | undefined {
  const output = operands(made(body.results[hidden], MUL), (v) => made(v, /^Tanh$/));
  const state = output?.found.inputs[0];
  const split = gate(output?.other, /^Sigmoid$/, 3);
  if (!state || !split) return undefined;
  const cell = body.results.indexOf(state);
  if (cell < 0) return undefined;
  const kept = (value: Value) => {
    const product = operands(made(value, MUL), (v) => (v.node === body.args[cell] ? v : undefined));
    return gate(product?.other, /^Sigmoid$/, 1);
  };
  const added = (value: Value) => {
    const product = operands(made(value, MUL), (v) => gate(v, /^Tanh$/, 2));
    return product && gate(product.other, /^Sigmoid$/, 0) === product.found ? product.found : undefined;
  };
  const parts = operands(made(state, ADD), kept);
  if (!parts || parts.found !== split || added(parts.other) !== split) return undefined;
  return { cell, sum: split.inputs[1] };
}

interface Sum {
  input: Value;
  kernel: Tensor;
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
}

/** x · K + h · R + b */
function readSum(sum: Value, body: FunctionGraph, hidden: number): Sum | undefined {
  const constant = (value: Value) => value.node.constant;
  const biased = operands(made(sum, ADD), constant);
  const bias = biased?.found;
  const products = made(biased ? biased.other : sum, ADD);
  const recurrent = (value: Value) => {
    const product = made(value, /^MatMul$/);
    return product?.inputs[0].node === body.args[hidden] ? weights(product) : undefined;
  };
  const parts = operands(products, recurrent);
  const other = made(parts?.other, /^MatMul$/);
  const kernel = other && weights(other);
  if (!parts || !other || !kernel) return undefined;
  const units = parts.found.shape[0];
  if (parts.found.shape[1] !== 4 * units || kernel.shape[1] !== 4 * units) return undefined;
  if (bias && bias.size !== 4 * units) return undefined;
  return { input: other.inputs[0], kernel, recurrentKernel: parts.found, bias };
}

function weights(product: Node): Tensor | undefined {
  const constant = product.inputs[1].node.constant;
  const plain = !product.bool('transpose_a') && !product.bool('transpose_b');
  return plain && constant?.dtype === 'float32' && constant.shape.length === 2 ? constant : undefined;
}

/** x = sequence[time] */
function readStep(input: Value, body: FunctionGraph): { place: number; time: number } | undefined {
  const gather = made(input, /^GatherV2$/);
  if (gather?.inputs[2].node.constant?.at(0) !== 0) return undefined;
  const place = body.args.indexOf(gather.inputs[0].node);
  const time = body.args.indexOf(gather.inputs[1].node);
  return place >= 0 && time >= 0 && body.results[place].node === body.args[place]
    ? { place, time }
    : undefined;
}

/** Where a loop that counts from 0 stops: a constant of its condition, or one of its operands. */
function limitOf(
  node: Node,
  cond: FunctionGraph,
  time: number,
): { value: Value; place: number | undefined } | undefined {
  const less = made(cond.results[0], /^Less$/);
  if (!less || less.inputs[0].node !== cond.args[time] || node.inputs[time].node.constant?.at(0) !== 0)
    return undefined;
  const [, limit] = less.inputs;
  if (limit.node.constant) return { value: limit, place: undefined };
  const place = cond.args.indexOf(limit.node);
  return place < 0 ? undefined : { value: node.inputs[place], place };
}

/** The number of elements of a sequence, which is at least one where it is known. */
function isLength(value: Value, sequence: Value): boolean {
  const steps = sequence.shape?.[0];
  if (typeof steps === 'number') return steps > 0 && value.node.constant?.at(0) === steps;
  const slice = made(value, /^StridedSlice$/);
  return (
    made(slice?.inputs[0], /^Shape$/)?.inputs[0] === sequence &&
    slice?.inputs[1].node.constant?.at(0) === 0 &&
    slice.int('shrink_axis_mask') === 1
  );
}

/** Results start as one element for the last, or as many as there are steps. */
function hasRoom(results: Value, steps: Value): boolean {
  const size = results.shape?.[0];
  if (typeof size === 'number') return size === 1 || steps.node.constant?.at(0) === size;
  const sizes = made(made(results, /^Fill$/)?.inputs[0], /^Pack$/);
  return sizes !== undefined && sameComputation(sizes.inputs[0], steps);
}

/** The variable that every hidden state is written to at its time, or that holds the last one. */
function resultsPlace(body: FunctionGraph, hidden: Value, time: number): number | undefined {
  const place = body.results.findIndex((value, i) => {
    if (isElement(value, hidden)) return true;
    const update = made(value, /^XlaDynamicUpdateSlice$/);
    if (!update || update.inputs[0].node !== body.args[i] || !isElement(update.inputs[1], hidden))
      return false;
    const start = made(update.inputs[2], /^Pack$/);
    return (
      start?.inputs[0].node === body.args[time] &&
      start.inputs.slice(1).every((v) => v.node.constant?.at(0) === 0)
    );
  });
  return place < 0 ? undefined : place;
}

function isElement(value: Value, item: Value): boolean {
  const expanded = made(value, /^ExpandDims$/);
  return expanded?.inputs[0] === item && expanded.inputs[1].node.constant?.at(0) === 0;
}
