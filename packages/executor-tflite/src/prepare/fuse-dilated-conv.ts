/**
 * Given:  y = BatchToSpaceND(Conv(SpaceToBatchND(x, b, p), VALID), b, c)      over two or three axes, also depthwise
 * Result: y = Conv(Pad?(x), dilations = b, SAME or VALID)
 *
 * How dilated ("atrous") convolutions are written where TensorFlow's kernel has none. Layers over one axis stand
 * between ExpandDims and Squeeze, and a bias may be added before the way back. Which padding it is follows from paddings
 * less crops: zero is VALID; where they add what SAME adds, SAME. What is padded up to a multiple of the block is
 * computed from sizes that may be unknown; crops then take the same number away.
 */
import { attr, isStatic, Tensor, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { attrsOf, axisOf, numbers } from './dims';
import { elementsOf } from './known-elements';

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

/** What is changed, and so must have no other readers; blocks may be shared by several layers. */
const between = ({ conv, squeeze, biased }: Match) => [conv, squeeze, biased].filter((n) => n !== undefined);

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
  if (!conv || conv.string('padding') !== 'VALID') return undefined;
  if ([...conv.ints('strides'), ...conv.ints('dilations')].some((n) => n !== 1)) return undefined;
  const expand = take(squeeze !== undefined && node.op === 'ExpandDims');
  const forth = take(node.op === 'SpaceToBatchND');
  return forth && !squeeze === !expand ? { forth, expand, conv, squeeze, biased, back } : undefined;
}

function fuse(graph: Graph, { forth, expand, conv, squeeze, biased, back }: Match): void {
  const [block, again] = [forth.inputs[1], back.inputs[1]].map(numbers);
  const amounts = amountsOf(forth.inputs[2], back.inputs[2]);
  const filter = conv.inputs[1].shape;
  if (!block || !amounts || String(block) !== String(again) || !filter || !isStatic(filter)) return;
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
  let given = forth.inputs[0];
  if (expand) {
    const name = graph.uniqueName(`${conv.name}/expand`);
    given = graph.add(name, 'ExpandDims', [given, expand.inputs[1]], attrsOf(expand)).output();
    given.shape = withOne(forth.inputs[0].shape, block.length, expand);
  }
  conv.inputs[0] = same || amounts.every((p) => p === 0) ? given : padded(graph, conv, given, amounts);
  conv.set('padding', attr.string(same ? 'SAME' : 'VALID'));
  conv.set('dilations', attr.ints([1, ...block, 1]));
  const { shape } = back.output();
  conv.output().shape = expand ? withOne(shape, block.length, expand) : shape;
  for (const node of [squeeze, biased]) if (node) node.output().shape = shape;
  graph.become(back, 'Identity', [(biased ?? squeeze ?? conv).output()], { T: back.attr('T')! });
}

/** What is padded before and after each axis, less what is cropped again; undefined where that depends on sizes. */
function amountsOf(paddings: Value, crops: Value): number[] | undefined {
  const [pads, cuts] = [elementsOf(paddings), elementsOf(crops)];
  // Only behind: blocks begin where the input does.
  const isKnown = pads?.every(
    ({ plus }, i) => plus === cuts?.[i]?.plus && (i % 2 === 1 || plus === undefined),
  );
  const amounts = isKnown ? pads!.map(({ number }, i) => number - cuts![i].number) : undefined;
  return amounts?.every((p) => p >= 0) ? amounts : undefined;
}

/** The shape that ExpandDims gives. */
function withOne(shape: Shape | undefined, spatial: number, expand: Node): Shape {
  const axis = axisOf(numbers(expand.inputs[1])![0], spatial + 2);
  return shape ? shape.toSpliced(axis, 0, 1) : null;
}

function padded(graph: Graph, conv: Node, given: Value, amounts: number[]): Value {
  const rows = [0, 0, ...amounts, 0, 0];
  const sizes = graph.addConst(
    graph.uniqueName(`${conv.name}/paddings`),
    Tensor.fromNumbers('int32', [rows.length / 2, 2], rows),
  );
  const attrs = { T: conv.attr('T')!, Tpaddings: attr.type('int32') };
  return graph.add(graph.uniqueName(`${conv.name}/pad`), 'Pad', [given, sizes.output()], attrs).output();
}
