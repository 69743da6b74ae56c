/** What to do about a declared type that is not the graph's: often the graph casts, and either side of the cast would do. */
import type { Graph, Node, Value } from '../graph/graph';
import type { DType } from '../tensor/dtype';

/** A hint for G002. */
export function hintForType(
  graph: Graph,
  value: Value,
  role: string,
  declared: DType,
  actual: DType,
): string {
  const cast = role === 'input' ? castAfter(graph, value, declared) : castBefore(value, declared);
  if (!cast) return `dtype: ${actual}`;
  return role === 'input'
    ? `dtype: ${actual} (the graph casts it to ${declared} itself, in "${cast.name}"); or cut there: tensor: "${cast.name}:0"`
    : `dtype: ${actual}, or take it before the cast: tensor: "${cast.inputs[0].name}"`;
}

/** The one Cast to the declared type that reads the input. */
function castAfter(graph: Graph, value: Value, to: DType): Node | undefined {
  for (const node of graph.nodes.values()) {
    if (node.op === 'Cast' && node.inputs[0] === value && typeOf(node, 'DstT') === to) return node;
  }
  return undefined;
}

/** The Cast that an output comes from, where it casts the declared type away. */
function castBefore(value: Value, from: DType): Node | undefined {
  let { node } = value;
  for (let hops = 0; hops < 16 && node.op === 'Identity' && node.inputs.length === 1; hops++)
    node = node.inputs[0].node;
  return node.op === 'Cast' && typeOf(node, 'SrcT') === from ? node : undefined;
}

function typeOf(node: Node, name: string): DType | undefined {
  const value = node.attr(name);
  return value?.kind === 'type' ? value.value : undefined;
}
