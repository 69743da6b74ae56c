/**
 * Given:  If(n, …) with a number n
 * Result: If(n ≠ 0, …)
 *
 * Likewise what a While's condition gives. TFLite takes bool alone.
 */
import { attr, Tensor, type Graph, type Value } from '@floe/export-core';
import { bodyOf, isIf, isLoop } from './functions';

export function booleanConditions(graph: Graph): void {
  for (const node of [...graph.nodes.values()]) {
    if (isIf(node)) {
      node.inputs[0] = truth(graph, node.inputs[0]);
      node.set('Tcond', attr.type(node.inputs[0].dtype ?? 'bool'));
    } else if (isLoop(node)) {
      const cond = bodyOf(graph, node, 'cond');
      if (cond) cond.results = cond.results.map((value) => truth(cond, value));
    }
  }
}

function truth(graph: Graph, value: Value): Value {
  const { dtype, shape } = value;
  // Of other shapes it is not the number that counts but whether there are any.
  if (!dtype || dtype === 'bool' || dtype === 'string' || shape?.length !== 0) return value;
  const zero = graph.addConst(`${value.node.name}/zero`, Tensor.scalar(dtype, 0)).output();
  const result = graph
    .add(`${value.node.name}/truth`, 'NotEqual', [value, zero], { T: attr.type(dtype) })
    .output();
  return Object.assign(result, { dtype: 'bool' as const, shape: [] });
}
