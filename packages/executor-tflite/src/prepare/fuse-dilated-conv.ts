/**
 * Given:  y = BatchToSpaceND(Conv(SpaceToBatchND(x, b, p), VALID), b, c)      over two or three axes, also depthwise
 * Result: y = Conv(Pad?(x), dilations = b, SAME or VALID)
 *
 * How dilated ("atrous") convolutions are written where TensorFlow's kernel has none. Layers over one axis stand
 * between ExpandDims and Squeeze, and a bias may be added before the way back. Which padding it is follows from sizes:
 * with paddings less crops of zero it is VALID; where they add what SAME adds, SAME.
 */
import { attr, isStatic, Tensor, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { axisOf, numbers } from './dims';

const CONV = /^(Conv2D|DepthwiseConv2dNative|Conv3D)$/;

export function fuseDilatedConv(graph: Graph): void {
  const consumers = graph.consumers();
  for (const back of [...graph.nodes.values()]) {
    if (back.op !== 'BatchToSpaceND') continue;
    const match = matchFrom(back);
    if (match && between(match).every((n) => consumers.get(n)?.length === 1)) fuse(graph, match);
  }
}

interface Match {
  forth: Node;
  /** ExpandDims before and Squeeze behind a convolution over one axis. */
  expand?: Node;
  conv: Node;
  squeeze?: Node;
  biased?: Node;
  back: Node;
}

const between = ({ forth, expand, conv, squeeze, biased }: Match) =>
  [forth, expand, conv, squeeze, biased].filter((n) => n !== undefined);

function matchFrom(back: Node): Match | undefined {
  let node: Node | undefined = back.inputs[0].node;
  const take = (found: boolean): Node | undefined => {
    const taken = found ? node : undefined;
    if (taken) node = taken.inputs[0]?.node;
    return taken;
  };
  const biased = take(/^(BiasAdd|Add|AddV2)$/.test(node.op) && node.inputs[1].node.constant !== undefined);
  const squeeze = take(node.op === 'Squeeze');
  const conv = take(CONV.test(node.op));
  if (!conv || conv.string('padding') !== 'VALID' || conv.ints('strides').some((s) => s !== 1))
    return undefined;
  const expand = take(squeeze !== undefined && node.op === 'ExpandDims');
  const forth = take(node.op === 'SpaceToBatchND');
  return forth && !squeeze === !expand ? { forth, expand, conv, squeeze, biased, back } : undefined;
}

function fuse(graph: Graph, { forth, expand, conv, squeeze, biased, back }: Match): void {
  const [block, pads, again, crops] = [...forth.inputs.slice(1), ...back.inputs.slice(1)].map(numbers);
  const filter = conv.inputs[1].shape;
  if (!block || !pads || !crops || String(block) !== String(again) || !filter || !isStatic(filter)) return;
  // What is padded before and after each axis, less what is cropped again.
  const amounts = pads.map((p, i) => p - crops[i]);
  if (amounts.some((p) => p < 0)) return;
  if (expand) {
    const axis = numbers(expand.inputs[1])?.[0];
    const at = axis === undefined ? 0 : axisOf(axis, filter.length);
    if (at < 1 || at > 2) return;
    block.splice(at - 1, 0, 1);
    amounts.splice(2 * (at - 1), 0, 0, 0);
  }
  if (block.length !== filter.length - 2) return;
  const total = block.map((b, i) => (filter[i] - 1) * b);
  const same = total.every(
    (n, i) => amounts[2 * i] + amounts[2 * i + 1] === n && amounts[2 * i] === Math.floor(n / 2),
  );
  if (expand) expand.inputs[0] = forth.inputs[0];
  const given = expand ? expand.output() : forth.inputs[0];
  if (expand) given.shape = withOne(forth.inputs[0].shape, block.length, expand);
  conv.inputs[0] = same || amounts.every((p) => p === 0) ? given : padded(graph, forth, given, amounts);
  conv.set('padding', attr.string(same ? 'SAME' : 'VALID'));
  conv.set('dilations', attr.ints([1, ...block, 1]));
  const { shape } = back.output();
  conv.output().shape = expand ? withOne(shape, block.length, expand) : shape;
  for (const node of [squeeze, biased]) if (node) node.output().shape = shape;
  graph.become(back, 'Identity', [(biased ?? squeeze ?? conv).output()], { T: back.attr('T')! });
}

/** The shape that ExpandDims gives. */
function withOne(shape: Shape | undefined, spatial: number, expand: Node): Shape {
  const axis = axisOf(numbers(expand.inputs[1])![0], spatial + 2);
  return shape ? shape.toSpliced(axis, 0, 1) : null;
}

function padded(graph: Graph, forth: Node, given: Value, amounts: number[]): Value {
  const rows = [0, 0, ...amounts, 0, 0];
  const sizes = graph.addConst(
    `${forth.name}/paddings`,
    Tensor.fromNumbers('int32', [rows.length / 2, 2], rows),
  );
  const attrs = { T: forth.attr('T')!, Tpaddings: attr.type('int32') };
  return graph.add(`${forth.name}/pad`, 'Pad', [given, sizes.output()], attrs).output();
}
