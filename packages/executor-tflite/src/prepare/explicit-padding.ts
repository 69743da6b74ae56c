/**
 * Given:  y = Conv2D(x, padding = EXPLICIT)
 * Result: y = Conv2D(Pad(x), padding = VALID); pools pad with their neutral element
 */
import { attr, Tensor, type Graph, type Node, type Value } from '@floe/export-core';

const PADDED_INPUT: Record<string, number> = { Conv2D: 0, DepthwiseConv2dNative: 0, MaxPool: 0 };

export function explicitPadding(graph: Graph): void {
  for (const node of [...graph.nodes.values()]) {
    const input = PADDED_INPUT[node.op];
    if (input === undefined || node.string('padding') !== 'EXPLICIT') continue;
    const pads = node.ints('explicit_paddings');
    node.inputs[input] = padded(graph, node, node.inputs[input], pads);
    node.set('padding', attr.string('VALID'));
    node.attrs.delete('explicit_paddings');
  }
}

function padded(graph: Graph, node: Node, value: Value, pads: number[]): Value {
  const name = `${node.name}/pad`;
  const sizes = graph
    .addConst(`${name}/paddings`, Tensor.fromNumbers('int32', [pads.length / 2, 2], pads))
    .output();
  const T = attr.type(value.dtype ?? 'float32');
  const types = { T, Tpaddings: attr.type('int32') };
  if (node.op !== 'MaxPool') return graph.add(name, 'Pad', [value, sizes], types).output();
  const lowest = graph
    .addConst(`${name}/lowest`, Tensor.scalar(value.dtype ?? 'float32', -Infinity))
    .output();
  return graph.add(name, 'PadV2', [value, sizes, lowest], types).output();
}
