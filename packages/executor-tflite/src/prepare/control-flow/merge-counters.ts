/**
 * Given:  While whose variables i and j both start at c and grow by s; i < a and j < b in its condition
 * Result: one of them; i < min(a, b)
 *
 * Keras 3 and TF1 count a loop's steps beside the time of the layer.
 */
import { attr, Tensor, type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { bodyOf, isLoop } from './functions';

export function mergeCounters(graph: Graph): void {
  for (const node of graph.nodes.values()) {
    if (!isLoop(node)) continue;
    const [cond, body] = [bodyOf(graph, node, 'cond'), bodyOf(graph, node, 'body')];
    if (!cond || !body) continue;
    const first = new Map<string, number>();
    node.inputs.forEach((operand, i) => {
      const counting = describeCounter(operand, body, i);
      if (counting === undefined) return;
      const earlier = first.get(counting);
      if (earlier === undefined) first.set(counting, i);
      else merge(graph, node, [cond, body], earlier, i);
    });
    joinLimits(cond);
  }
}

/** Type, start and step of a variable that counts; undefined for others. */
function describeCounter(operand: Value, body: FunctionGraph, i: number): string | undefined {
  const start = operand.node.constant;
  const { node: sum } = body.results[i];
  if (!start || start.size !== 1 || !/^int(32|64)$/.test(start.dtype) || !/^Add(V2)?$/.test(sum.op))
    return undefined;
  const side = sum.inputs.findIndex((v) => v.node === body.args[i]);
  const step = side < 0 ? undefined : sum.inputs[1 - side].node.constant;
  return step?.size === 1
    ? [start.dtype, start.shape.length, start.at(0), step.shape.length, step.at(0)].join()
    : undefined;
}

/** Lets everybody read variable `kept` in place of `gone`, which is then one that nothing reads. */
function merge(graph: Graph, node: Node, bodies: readonly FunctionGraph[], kept: number, gone: number): void {
  for (const body of bodies) {
    const replaced = new Map([[body.args[gone].output(), body.args[kept].output()]]);
    const result = body.results[gone];
    body.replace(replaced);
    // It counts on by itself until it is dropped.
    if (body.results.length > 1) body.results[gone] = result;
  }
  graph.replace(new Map([[node.output(gone), node.output(kept)]]));
}

/** i < a and i < b is i < min(a, b). */
function joinLimits(cond: FunctionGraph): void {
  for (const node of cond.nodes.values()) {
    if (node.op !== 'LogicalAnd') continue;
    const [x, y] = node.inputs.map((v) => (v.node.op === 'Less' ? v.node : undefined));
    const [a, b] = [x?.inputs[1].node.constant, y?.inputs[1].node.constant];
    if (!x || !y || !a || !b || x.inputs[0] !== y.inputs[0] || a.dtype !== b.dtype) continue;
    if (!/^int(32|64)$/.test(a.dtype) || a.shape.length !== 0 || b.shape.length !== 0) continue;
    const [p, q] = [BigInt(a.data[0]), BigInt(b.data[0])];
    const limit = cond.addConst(`${node.name}/limit`, Tensor.scalar(a.dtype, p < q ? p : q)).output();
    cond.become(node, 'Less', [x.inputs[0], limit], { T: attr.type(a.dtype) });
  }
}
