/**
 * Given:  ops of older or other spellings: Concat, BatchToSpace, NonMaxSuppressionV3, _FusedConv2D
 * Result: the spelling that later passes and the lowering table know
 */
import { attr, Tensor, type Attr, type Graph, type Node, type Value } from '@floe/export-core';
import { attrsOf, numbers } from './dims';
import { applyRewrites, type Rewrite, type Rewriter, type RewriteTable } from './rewrite';

/** The same operands under another name. */
const renamed =
  (op: string, more: Record<string, Attr> = {}): Rewrite =>
  (_, node, b) => {
    const made = b.add(op, node.inputs, { ...attrsOf(node), ...more });
    return made.def!.outputs.map((_output, i) => made.output(i));
  };

const made =
  (build: (b: Rewriter, inputs: Value[], node: Node) => Value | undefined): Rewrite =>
  (_, node, b) => {
    const value = build(b, node.inputs, node);
    return value && [value];
  };

/** Block sizes of both spatial axes. */
const square = (node: Node) =>
  Tensor.fromNumbers('int32', [2], [node.int('block_size'), node.int('block_size')]);

const suppression = (
  iou: (b: Rewriter, node: Node) => Value,
  score: (b: Rewriter, node: Node) => Value,
): Rewrite =>
  made((b, [boxes, scores, max], node) =>
    b.op('NonMaxSuppressionV4', [boxes, scores, max, iou(b, node), score(b, node)]),
  );

/** Below every score there is. */
const noThreshold = (b: Rewriter) => b.const(Tensor.scalar('float32', -Infinity));

/** The ops that a fused one applies after its own, in order. */
function applyFused(b: Rewriter, node: Node, result: Value, operands: Value[]): Value | undefined {
  const list = node.attr('fused_ops');
  const names =
    list?.kind === 'list' ? list.value.map((a) => Buffer.from(a.value as Uint8Array).toString()) : [];
  const left = [...operands];
  let value: Value = result;
  for (const name of names) {
    if (name === 'BiasAdd') {
      const format = node.attr('data_format');
      value = b.op('BiasAdd', [value, left.shift()!], format ? { data_format: format } : {});
    } else if (/^(Relu|Relu6|Elu|Tanh|Sigmoid)$/.test(name)) value = b.op(name, [value]);
    else if (name === 'LeakyRelu')
      value = b.op('LeakyRelu', [value], { alpha: node.attr('leakyrelu_alpha')! });
    else if (name === 'FusedBatchNorm') {
      const attrs = { epsilon: node.attr('epsilon')!, is_training: attr.bool(false) };
      value = b.op('FusedBatchNormV3', [value, ...left.splice(0, 4)], attrs);
    } else return undefined;
  }
  return value;
}

const PLAIN = [
  'strides',
  'padding',
  'explicit_paddings',
  'data_format',
  'dilations',
  'transpose_a',
  'transpose_b',
];

const fused = (op: string): Rewrite =>
  made((b, inputs, node) => {
    const attrs: Record<string, Attr> = {};
    for (const name of PLAIN) if (node.attrs.has(name)) attrs[name] = node.attrs.get(name)!;
    return applyFused(b, node, b.op(op, inputs.slice(0, 2), attrs), inputs.slice(2));
  });

function reverseByMask(b: Rewriter, [x, mask]: Value[]): Value | undefined {
  const flags = numbers(mask);
  if (!flags) return undefined;
  return b.op('ReverseV2', [x, flags.flatMap((f, i) => (f ? [i] : []))]);
}

const TABLE: RewriteTable = {
  Concat: made((b, [axis, ...values]) => b.op('ConcatV2', [...values, axis])),
  BiasAddV1: renamed('BiasAdd'),
  SpaceToBatch: made((b, [x, paddings], node) => b.op('SpaceToBatchND', [x, square(node), paddings])),
  BatchToSpace: made((b, [x, crops], node) => b.op('BatchToSpaceND', [x, square(node), crops])),
  Reverse: made(reverseByMask),
  MaxPoolV2: made((b, [x, ksize, strides], node) => {
    const [window, steps] = [numbers(ksize), numbers(strides)];
    if (!window || !steps) return undefined;
    const { padding, data_format: format, T } = attrsOf(node);
    const attrs: Record<string, Attr> = { ksize: attr.ints(window), strides: attr.ints(steps), padding };
    if (format) attrs.data_format = format;
    if (T) attrs.T = T;
    return b.op('MaxPool', [x], attrs);
  }),
  BatchMatrixDiag: renamed('MatrixDiag'),
  BatchMatrixDiagPart: renamed('MatrixDiagPart'),
  BatchMatrixSetDiag: renamed('MatrixSetDiag'),
  BatchMatrixBandPart: renamed('MatrixBandPart'),
  NonMaxSuppression: suppression(
    (b, node) => b.const(Tensor.scalar('float32', node.float('iou_threshold'))),
    noThreshold,
  ),
  NonMaxSuppressionV2: suppression((_, node) => node.inputs[3], noThreshold),
  NonMaxSuppressionV3: suppression(
    (_, node) => node.inputs[3],
    (_, node) => node.inputs[4],
  ),
  FusedPadConv2D: made((b, [x, paddings, filter], node) => {
    const padded = b.op('MirrorPad', [x, paddings], { mode: node.attr('mode')! });
    return b.op('Conv2D', [padded, filter], {
      strides: node.attr('strides')!,
      padding: node.attr('padding')!,
    });
  }),
  FusedResizeAndPadConv2D: made((b, [x, size, paddings, filter], node) => {
    const corners = attr.bool(node.bool('resize_align_corners'));
    const resized = b.op('ResizeBilinear', [x, size], { align_corners: corners });
    const padded = b.op('MirrorPad', [resized, paddings], { mode: node.attr('mode')! });
    return b.op('Conv2D', [padded, filter], {
      strides: node.attr('strides')!,
      padding: node.attr('padding')!,
    });
  }),
  _FusedConv2D: fused('Conv2D'),
  _FusedDepthwiseConv2dNative: fused('DepthwiseConv2dNative'),
  _FusedMatMul: fused('MatMul'),
  BatchNormWithGlobalNormalization: made((b, [x, mean, variance, beta, gamma], node) => {
    const scale = node.bool('scale_after_normalization')
      ? gamma
      : b.op('Fill', [b.op('Shape', [variance]), b.scalar(variance, 1)]);
    return b.op('FusedBatchNormV3', [x, scale, beta, mean, variance], {
      epsilon: attr.float(node.float('variance_epsilon')),
      is_training: attr.bool(false),
    });
  }),
};

export function upgradeVersions(graph: Graph): void {
  applyRewrites(graph, TABLE);
}

/** Every op that has a newer spelling, sorted. */
export function upgradedOps(): string[] {
  return Object.keys(TABLE).sort();
}
