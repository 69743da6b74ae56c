/**
 * Given:  y = BatchToSpaceND(Conv2D(SpaceToBatchND(x, b, p), VALID), b, c)     also depthwise, also with a bias between
 * Result: y = Conv2D(Pad?(x), dilations = b, SAME or VALID)
 *
 * How old TensorFlow wrote dilated ("atrous") convolutions. Which padding it is follows from sizes: with paddings
 * less crops of zero it is VALID; where they add what SAME adds, SAME.
 */
import { attr, isStatic, Tensor, type Graph, type Node, type Value } from '@floe/export-core';

const CONV = /^(Conv2D|DepthwiseConv2dNative)$/;

export function fuseDilatedConv(graph: Graph): void {
  const consumers = graph.consumers();
  const only = (node: Node) => consumers.get(node)?.length === 1;
  for (const back of [...graph.nodes.values()]) {
    if (back.op !== 'BatchToSpaceND') continue;
    const inner = back.inputs[0].node;
    const biased =
      /^(BiasAdd|Add|AddV2)$/.test(inner.op) && inner.inputs[1].node.constant ? inner : undefined;
    const conv = biased ? biased.inputs[0].node : inner;
    const forth = conv.inputs[0]?.node;
    if (
      !CONV.test(conv.op) ||
      forth?.op !== 'SpaceToBatchND' ||
      !only(conv) ||
      !only(forth) ||
      (biased && !only(biased))
    )
      continue;
    if (conv.string('padding') !== 'VALID' || conv.ints('strides').some((s) => s !== 1)) continue;
    fuse(graph, { back, biased, conv, forth });
  }
}

interface Match {
  back: Node;
  biased?: Node;
  conv: Node;
  forth: Node;
}

function fuse(graph: Graph, { back, biased, conv, forth }: Match): void {
  const block = numbers(forth.inputs[1]);
  const pads = numbers(forth.inputs[2]);
  const crops = numbers(back.inputs[2]);
  const again = numbers(back.inputs[1]);
  if (!block || !pads || !crops || block.length !== 2 || String(block) !== String(again)) return;
  const filter = conv.inputs[1].shape;
  if (!filter || !isStatic(filter)) return;
  const input = forth.inputs[0];
  // What is padded before and after each axis, less what is cropped again.
  const before = [pads[0] - crops[0], pads[2] - crops[2]];
  const after = [pads[1] - crops[1], pads[3] - crops[3]];
  if ([...before, ...after].some((p) => p < 0)) return;
  const total = [0, 1].map((i) => (filter[i] - 1) * block[i]);
  const same = [0, 1].every(
    (i) => before[i] + after[i] === total[i] && before[i] === Math.floor(total[i] / 2),
  );
  const none = [...before, ...after].every((p) => p === 0);
  let source = input;
  if (!same && !none) {
    const paddings = Tensor.fromNumbers(
      'int32',
      [4, 2],
      [0, 0, before[0], after[0], before[1], after[1], 0, 0],
    );
    const sizes = graph.addConst(`${forth.name}/paddings`, paddings).output();
    source = graph
      .add(`${forth.name}/pad`, 'Pad', [input, sizes], { T: forth.attr('T')!, Tpaddings: attr.type('int32') })
      .output();
  }
  conv.inputs[0] = source;
  conv.set('padding', attr.string(same ? 'SAME' : 'VALID'));
  conv.set('dilations', attr.ints([1, block[0], block[1], 1]));
  conv.output().shape = back.output().shape;
  const last = biased ?? conv;
  if (biased) biased.output().shape = back.output().shape;
  graph.become(back, 'Identity', [last.output()], { T: back.attr('T')! });
}

function numbers(value: Value): number[] | undefined {
  return value.node.constant?.toNumbers();
}
