/**
 * Given:  Conv2D { explicit_paddings: [], dilations: [1,1,1,1], strides: … }
 * Result: Conv2D { strides: … }
 *
 * An attribute that came to its op later and has its default says nothing, but an older TensorFlow refuses a graph
 * that names it. Newer ones know the default.
 */
import { attrSince } from '../checks/op-versions';
import type { Attr } from '../graph/attr';
import type { Graph } from '../graph/graph';

export function dropDefaults(graph: Graph): void {
  for (const part of [graph, ...graph.functions.values()]) {
    for (const node of part.nodes.values()) {
      for (const [name, value] of node.attrs) {
        if (attrSince(node.op, name) === undefined) continue;
        const standard = node.def?.attr(name)?.defaultValue;
        if (standard && same(value, standard)) node.attrs.delete(name);
      }
    }
  }
}

function same(a: Attr, b: Attr): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'list' && b.kind === 'list')
    return a.value.length === b.value.length && a.value.every((each, i) => same(each, b.value[i]));
  if (a.kind === 'string' && b.kind === 'string') return Buffer.from(a.value).equals(b.value);
  if (a.kind === 'shape' && b.kind === 'shape') return JSON.stringify(a.value) === JSON.stringify(b.value);
  return a.kind !== 'tensor' && a.kind !== 'func' && a.value === b.value;
}
