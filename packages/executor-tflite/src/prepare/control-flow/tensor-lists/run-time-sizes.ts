/**
 * Sizes of a list's elements that only a run tells, mostly the batch: found by following an element back to a tensor
 * that is there before the list is made, through the loop that writes it.
 */
import { functionRefs, type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { allGraphs, isIf, isLoop } from '../functions';
import type { ListClass, ListClasses } from './list-classes';

/** An axis of a tensor whose size is the one looked for. */
export interface Axis {
  value: Value;
  axis: number;
}

/** Ops whose result has the sizes of its first operand. */
const SAME_SIZES = new Set(
  (
    'Abs Cast Ceil Cos Elu Erf Exp Floor Identity LeakyRelu Log LogSoftmax LogicalNot Neg Relu Relu6 Rsqrt Selu ' +
    'Sigmoid Sign Sin Snapshot Softmax Softplus Sqrt Square StopGradient Tan Tanh ZerosLike BiasAdd CheckNumerics'
  ).split(' '),
);

/** Ops whose operands are broadcast against each other. */
const BROADCAST = new Set(
  (
    'Add AddN AddV2 Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr ' +
    'Maximum Minimum Mul NotEqual Pow RealDiv Select SelectV2 SquaredDifference Sub'
  ).split(' '),
);

/** A tensor that an op puts into a list, and the axis that is the given one of an element. */
function written(node: Node, axis: number): [Value | undefined, number] {
  if (node.op === 'TensorListSetItem') return [node.inputs[2], axis];
  if (node.op === 'TensorListPushBack') return [node.inputs[1], axis];
  return node.op === 'TensorListScatterIntoExistingList' ? [node.inputs[1], axis + 1] : [undefined, axis];
}

/** Far more steps than an element takes back to the loop's operands; a guard against cycles. */
const MAX_STEPS = 2000;

/** Ops that make a list of the rows of a tensor, their first operand. */
const FROM_ROWS = new Set(['TensorListFromTensor', 'TensorListScatter', 'TensorListScatterV2']);

export class RunTimeSizes {
  private readonly callers = new Map<Graph, { graph: Graph; node: Node }>();
  /** The tensors whose rows are the elements of a class; noted while the ops that make lists are still there. */
  private readonly rows = new Map<ListClass, { tensor: Value; graph: Graph }>();

  constructor(
    root: Graph,
    private readonly classes: ListClasses,
  ) {
    for (const known of classes.all()) {
      const maker = known.ops.find(({ node }) => FROM_ROWS.has(node.op));
      if (maker) this.rows.set(known, { tensor: maker.node.inputs[0], graph: maker.graph });
    }
    for (const graph of allGraphs(root)) {
      for (const node of graph.nodes.values()) {
        for (const { name } of functionRefs(node)) {
          const body = root.functions.get(name);
          if (body) this.callers.set(body, { graph, node });
        }
      }
    }
  }

  /** Where the size of an element's axis can be read before `maker` runs; a number when it is known after all. */
  find(known: ListClass, axis: number, graph: Graph, maker: Node): Axis | number | undefined {
    for (const { graph: where, node } of known.ops) {
      const [item, along] = written(node, axis);
      const found = item && this.trace(item, along, where, graph, { steps: 0 });
      if (found === undefined) continue;
      if (typeof found === 'number') return found;
      // What is made from the list cannot tell its size.
      if (!graph.ancestors([found.value.node]).has(maker)) return found;
    }
    return undefined;
  }

  private trace(
    value: Value,
    axis: number,
    at: Graph,
    target: Graph,
    count: { steps: number },
  ): Axis | number | undefined {
    if (count.steps++ > MAX_STEPS) return undefined;
    const size = value.shape?.[axis];
    if (typeof size === 'number') return size;
    if (at === target) return { value, axis };
    const { node } = value;
    const go = (next: Value, nextAxis: number) => this.trace(next, nextAxis, at, target, count);
    const [first, second] = node.inputs;
    const rank = value.shape?.length;
    if (node.op === '_Arg') return this.fromCaller(node, axis, at, target, count);
    if (SAME_SIZES.has(node.op)) return go(first, axis);
    if (BROADCAST.has(node.op)) return this.broadcast(node, axis, rank, go);
    if (node.op === 'MatMul')
      return axis === 0
        ? go(first, node.bool('transpose_a') ? 1 : 0)
        : go(second, node.bool('transpose_b') ? 0 : 1);
    if (/^BatchMatMul/.test(node.op)) return rank && axis < rank - 2 ? go(first, axis) : undefined;
    if (node.op === 'ConcatV2') {
      const along = node.inputs.at(-1)!.node.constant?.at(0);
      if (along === undefined || !rank || (along + rank) % rank === axis) return undefined;
      return firstOf(node.inputs.slice(0, -1), (part) => go(part, axis));
    }
    if (node.op === 'Split' || node.op === 'SplitV') {
      const [data, along] = node.op === 'Split' ? [second, first] : [first, node.inputs[2]];
      const split = along.node.constant?.at(0);
      return split !== undefined && rank && (split + rank) % rank !== axis ? go(data, axis) : undefined;
    }
    if (/^(Conv2D|DepthwiseConv2dNative|Conv3D)$/.test(node.op)) return axis === 0 ? go(first, 0) : undefined;
    if (node.op === 'TensorListGetItem') return this.fromList(node, axis, target, count);
    return undefined;
  }

  /** Operands are aligned at their last axis; the one that is not 1 there has the size of the result. */
  private broadcast(
    node: Node,
    axis: number,
    rank: number | undefined,
    go: (next: Value, axis: number) => Axis | number | undefined,
  ): Axis | number | undefined {
    if (rank === undefined) return undefined;
    let found: Axis | number | undefined;
    for (const operand of node.inputs) {
      const own = operand.shape ? axis - (rank - operand.shape.length) : -1;
      if (own < 0 || operand.shape?.[own] === 1) continue;
      const size = go(operand, own);
      if (typeof size === 'number' && size !== 1) return size;
      found ??= size;
    }
    return found;
  }

  private fromCaller(
    arg: Node,
    axis: number,
    at: Graph,
    target: Graph,
    count: { steps: number },
  ): Axis | number | undefined {
    const caller = this.callers.get(at);
    const place = (at as FunctionGraph).args.indexOf(arg);
    if (!caller || place < 0) return undefined;
    const operand = isIf(caller.node)
      ? caller.node.inputs[place + 1]
      : isLoop(caller.node)
        ? caller.node.inputs[place]
        : undefined;
    return operand && this.trace(operand, axis, caller.graph, target, count);
  }

  /** An element of another list: its sizes are those of the tensor that the list was made from. */
  private fromList(
    node: Node,
    axis: number,
    target: Graph,
    count: { steps: number },
  ): Axis | number | undefined {
    const known = this.classes.of(node.inputs[0]);
    const source = known && this.rows.get(known);
    return source && this.trace(source.tensor, axis + 1, source.graph, target, count);
  }
}

/** The first result that is one. */
function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
