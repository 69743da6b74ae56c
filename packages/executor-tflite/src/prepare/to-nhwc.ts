/**
 * Given:  y = Conv2D(x, data_format = NCHW)
 * Result: y = Transpose(Conv2D(Transpose(x), data_format = NHWC))
 *
 * TFLite knows channels-last only. Pairs of transposes that meet cancel later (fuse/transposes.ts).
 */
import { attr, Tensor, type Attr, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import type { PrepareContext } from './prepare';
import { replace } from './rewrite';

/** Ops with a data_format, and which of their inputs and outputs have that layout. */
const LAYOUT_OPS: Record<string, { inputs: number[]; outputs: number[] }> = {
  Conv2D: { inputs: [0], outputs: [0] },
  DepthwiseConv2dNative: { inputs: [0], outputs: [0] },
  Conv2DBackpropInput: { inputs: [2], outputs: [0] },
  Conv3D: { inputs: [0], outputs: [0] },
  Conv3DBackpropInputV2: { inputs: [2], outputs: [0] },
  MaxPool: { inputs: [0], outputs: [0] },
  AvgPool: { inputs: [0], outputs: [0] },
  MaxPool3D: { inputs: [0], outputs: [0] },
  AvgPool3D: { inputs: [0], outputs: [0] },
  FusedBatchNorm: { inputs: [0], outputs: [0] },
  FusedBatchNormV2: { inputs: [0], outputs: [0] },
  FusedBatchNormV3: { inputs: [0], outputs: [0] },
  BiasAdd: { inputs: [0], outputs: [0] },
  SpaceToDepth: { inputs: [0], outputs: [0] },
  DepthToSpace: { inputs: [0], outputs: [0] },
};

/** Attributes with one entry an axis, in the order of data_format. */
const PER_AXIS = ['strides', 'dilations', 'ksize'];

export function toNhwc(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  const shown = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  for (const node of [...graph.nodes.values()]) {
    const layout = LAYOUT_OPS[node.op];
    const format = layout && node.attr('data_format');
    if (!format || format.kind !== 'string' || !node.string('data_format').startsWith('NC')) continue;
    const rank = rankOf(node, layout.inputs[0]);
    if (!rank || rank < 3) continue;
    convert(graph, node, layout, rank, shown);
  }
}

function rankOf(node: Node, input: number): number | undefined {
  return (
    node.inputs[input]?.shape?.length ?? node.output().shape?.length ?? node.string('data_format').length
  );
}

function convert(
  graph: Graph,
  node: Node,
  layout: { inputs: number[]; outputs: number[] },
  rank: number,
  shown: ReadonlySet<string>,
): void {
  const last = rank - 1;
  // NCHW → NHWC is 0 2 3 1; back is 0 3 1 2.
  const toLast = [0, ...range(2, rank), 1];
  const toFirst = [0, last, ...range(1, last)];
  const outputs = layout.outputs.map((i) => node.output(i));
  const readers = outputs.map((value) => ({ value, shape: value.shape }));
  for (const i of layout.inputs)
    node.inputs[i] = transpose(graph, `${node.name}/nhwc_${i}`, node.inputs[i], toLast);
  for (const name of PER_AXIS) {
    const list = node.attr(name);
    if (list?.kind === 'list' && list.value.length === rank) node.set(name, permuted(list, toLast));
  }
  const explicit = node.attr('explicit_paddings');
  if (explicit?.kind === 'list' && explicit.value.length === 2 * rank) {
    const value = toLast.flatMap((axis) => explicit.value.slice(2 * axis, 2 * axis + 2));
    node.set('explicit_paddings', { kind: 'list', value });
  }
  if (node.op === 'Conv2DBackpropInput' || node.op === 'Conv3DBackpropInputV2')
    permuteSizes(graph, node, toLast);
  node.set('data_format', attr.string(rank === 5 ? 'NDHWC' : 'NHWC'));
  // The node's own name goes on with the transpose back, so that outputs of the contract keep theirs.
  const inner = graph.add(`${node.name}/nhwc`, node.op, node.inputs, Object.fromEntries(node.attrs));
  for (const { value } of readers) {
    const result = inner.output(value.index);
    result.dtype = value.dtype;
    result.shape = value.shape ? toLast.map((p) => value.shape![p]) : null;
  }
  // Statistics of batch norm: their layout does not change.
  const others = range(1, node.def?.outputs.length ?? 1);
  if (others.some((i) => shown.has(node.output(i).name))) {
    const { dtype, shape } = node.output();
    const back = transpose(graph, `${node.name}/nchw`, inner.output(), toFirst);
    Object.assign(back, { dtype, shape });
    for (const i of others)
      Object.assign(inner.output(i), { dtype: node.output(i).dtype, shape: node.output(i).shape });
    replace(graph, node, [back, ...others.map((i) => inner.output(i))]);
    return;
  }
  graph.replace(new Map(others.map((i) => [node.output(i), inner.output(i)])));
  const perm = graph
    .addConst(`${node.name}/nchw/perm`, Tensor.fromNumbers('int32', [rank], toFirst))
    .output();
  graph.become(node, 'Transpose', [inner.output(), perm], { T: node.attr('T')!, Tperm: attr.type('int32') });
}

function transpose(graph: Graph, name: string, value: Value, perm: number[]): Value {
  const order = graph.addConst(`${name}/perm`, Tensor.fromNumbers('int32', [perm.length], perm)).output();
  const node = graph.add(name, 'Transpose', [value, order], {
    T: attr.type(value.dtype ?? 'float32'),
    Tperm: attr.type('int32'),
  });
  const out = node.output();
  out.dtype = value.dtype;
  out.shape = value.shape ? (perm.map((p) => value.shape![p]) as Shape) : null;
  return out;
}

/** The output sizes of a transposed convolution are a tensor: reordered by a Gather that folds when it is constant. */
function permuteSizes(graph: Graph, node: Node, perm: number[]): void {
  const index = graph
    .addConst(`${node.name}/sizes/order`, Tensor.fromNumbers('int32', [perm.length], perm))
    .output();
  const axis = graph.addConst(`${node.name}/sizes/axis`, Tensor.scalar('int32', 0)).output();
  const dtype = node.inputs[0].dtype ?? 'int32';
  const sizes = graph.add(`${node.name}/sizes`, 'GatherV2', [node.inputs[0], index, axis], {
    Tparams: attr.type(dtype),
    Tindices: attr.type('int32'),
    Taxis: attr.type('int32'),
  });
  node.inputs[0] = sizes.output();
}

function permuted(list: Extract<Attr, { kind: 'list' }>, perm: number[]): Attr {
  return { kind: 'list', value: perm.map((p) => list.value[p]) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
