/** Ops that trade space for batch or depth: reshapes and transpositions of blocks. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { Cells, sliceTensor, transposeTensor } from './kernels/cells';
import {
  dimsOfRank,
  lengthOf,
  mulDims,
  out,
  rankAtLeast,
  refuse,
  unknownDims,
  upTo,
} from './kernels/shape-rules';
import { elementCount, stridesOf, type Dim, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** Shape after SpaceToBatch or BatchToSpace; `pads` are paddings or crops, two for each block dimension. */
function inferBatch(
  c: InferContext,
  input: Shape,
  blocks: readonly Dim[],
  pads: readonly Dim[],
  grow: boolean,
): OutputInfo[] {
  const n = blocks.length;
  if (blocks.some((b) => b !== null && b < 1)) c.fail(`block sizes [${blocks.join(',')}] must be positive`);
  if (input === null) return out(null);
  const product = blocks.reduce<Dim>(mulDims, 1);
  const divide = (size: Dim, by: Dim): Dim => {
    if (size === null || by === null) return by === 1 ? size : null;
    if (size % by) c.fail(`${size} does not divide by ${by}`);
    return size / by;
  };
  const shape: Dim[] = [grow ? mulDims(input[0], product) : divide(input[0], product)];
  for (let i = 0; i < n; i++) {
    const [before, after] = [pads[2 * i], pads[2 * i + 1]];
    const pad = before === null || after === null ? null : before + after;
    const size = input[i + 1];
    if (grow) shape.push(divide(size === null || pad === null ? null : size + pad, blocks[i]));
    else {
      const long = mulDims(size, blocks[i]);
      const left = long === null || pad === null ? null : long - pad;
      if (left !== null && left < 0) c.fail(`crops [${before},${after}] exceed ${long}`);
      shape.push(left);
    }
  }
  return out([...shape, ...input.slice(n + 1)]);
}

function spaceToBatch(x: Tensor, blocks: readonly number[], pads: readonly number[]): Tensor {
  const n = blocks.length;
  if (x.shape.length < n + 1 || blocks.some((b) => b < 1) || pads.some((p) => p < 0))
    refuse('the blocks do not fit');
  const padded = x.shape.map((d, i) => (i > 0 && i <= n ? d + pads[2 * i - 2] + pads[2 * i - 1] : d));
  const cells = Cells.make(x.dtype, elementCount(padded));
  const strides = stridesOf(padded);
  const offset = blocks.reduce((sum, _, i) => sum + pads[2 * i] * strides[i + 1], 0);
  cells.copyBox(x.shape, { offset, strides }, Cells.of(x), { offset: 0, strides: stridesOf(x.shape) });
  const rest = padded.slice(n + 1);
  const outer = blocks.map((b, i) =>
    padded[i + 1] % b ? refuse(`${padded[i + 1]} does not divide by ${b}`) : padded[i + 1] / b,
  );
  const split = [padded[0], ...blocks.flatMap((b, i) => [outer[i], b]), ...rest];
  // [batch, o1, b1, o2, b2, …, rest] → [b1, b2, …, batch, o1, o2, …, rest]
  const perm = [
    ...upTo(n).map((i) => 2 * i + 2),
    0,
    ...upTo(n).map((i) => 2 * i + 1),
    ...rest.map((_, i) => 2 * n + 1 + i),
  ];
  const turned = transposeTensor(cells.tensor(split), perm);
  return turned.reshape([padded[0] * elementCount(blocks), ...outer, ...rest]);
}

function batchToSpace(x: Tensor, blocks: readonly number[], crops: readonly number[]): Tensor {
  const n = blocks.length;
  const product = elementCount(blocks);
  if (x.shape.length < n + 1 || blocks.some((b) => b < 1) || x.shape[0] % product)
    refuse('the blocks do not fit');
  const batch = x.shape[0] / product;
  const rest = x.shape.slice(n + 1);
  // [b1, b2, …, batch, o1, o2, …, rest] → [batch, o1, b1, o2, b2, …, rest]
  const perm = [n, ...upTo(n).flatMap((i) => [n + 1 + i, i]), ...rest.map((_, i) => 2 * n + 1 + i)];
  const turned = transposeTensor(x.reshape([...blocks, batch, ...x.shape.slice(1)]), perm);
  const full = [batch, ...blocks.map((b, i) => b * x.shape[i + 1]), ...rest];
  const begin = full.map((_, i) => (i > 0 && i <= n ? crops[2 * i - 2] : 0));
  const shape = full.map((d, i) => (i > 0 && i <= n ? d - crops[2 * i - 2] - crops[2 * i - 1] : d));
  if (crops.some((p) => p < 0) || shape.some((d) => d < 0)) refuse(`crops [${crops.join(',')}] do not fit`);
  return sliceTensor(turned.reshape(full), begin, shape);
}

const padsOf = (c: InferContext, i: number, n: number): Dim[] =>
  c.elements(i) ?? c.constant(i)?.toNumbers() ?? unknownDims(2 * n);

/** The block sizes are input 1 and the paddings or crops input 2. */
function batchND(grow: boolean): OpRow {
  return {
    infer: (c) => {
      const n = lengthOf(c, 1);
      const blocks = c.elements(1) ?? (n === null ? null : unknownDims(n));
      if (blocks === null) return out(null);
      return inferBatch(c, rankAtLeast(c, 0, blocks.length + 1), blocks, padsOf(c, 2, blocks.length), grow);
    },
    evaluate: ([x, blocks, pads]) => {
      if (pads.size !== 2 * blocks.size) refuse('blocks and paddings differ in number');
      return [(grow ? spaceToBatch : batchToSpace)(x, blocks.toNumbers(), pads.toNumbers())];
    },
  };
}

/** The first form of these ops: two spatial dimensions, one block size. */
function batch2D(grow: boolean): OpRow {
  return {
    infer: (c) => {
      const b = c.node.int('block_size');
      return inferBatch(c, dimsOfRank(c, 0, 4), [b, b], padsOf(c, 1, 2), grow);
    },
    evaluate: ([x, pads], node) => {
      const b = node.int('block_size');
      if (x.shape.length !== 4 || pads.size !== 4) refuse('the input must have rank 4');
      return [(grow ? spaceToBatch : batchToSpace)(x, [b, b], pads.toNumbers())];
    },
  };
}

/** Positions of batch, height, width and channels in a format; NCHW_VECT_C has four channels in a dimension of their own. */
function layout(format: string): { h: number; w: number; c: number; rank: number } {
  if (format === 'NHWC') return { h: 1, w: 2, c: 3, rank: 4 };
  return { h: 2, w: 3, c: 1, rank: format === 'NCHW' ? 4 : 5 };
}

function depthRow(toDepth: boolean): OpRow {
  return {
    infer: (ctx) => {
      const at = layout(ctx.node.string('data_format'));
      const b = ctx.node.int('block_size');
      const shape = [...dimsOfRank(ctx, 0, at.rank)];
      const divide = (d: Dim, by: number): Dim =>
        d === null ? null : d % by ? ctx.fail(`${d} does not divide by ${by}`) : d / by;
      for (const d of [at.h, at.w]) shape[d] = toDepth ? divide(shape[d], b) : mulDims(shape[d], b);
      shape[at.c] = toDepth ? mulDims(shape[at.c], b * b) : divide(shape[at.c], b * b);
      return out(shape);
    },
    evaluate: ([x], node) => {
      const format = node.string('data_format');
      const b = node.int('block_size');
      const at = layout(format);
      if (x.shape.length !== at.rank || format === 'NCHW_VECT_C')
        refuse(`no kernel for data format ${format}`);
      const channelsLast = format === 'NHWC';
      const [n, h, w, c] = [x.shape[0], x.shape[at.h], x.shape[at.w], x.shape[at.c]];
      if (toDepth ? h % b || w % b : c % (b * b)) refuse(`[${x.shape.join(',')}] does not divide by ${b}`);
      if (toDepth) {
        const [oh, ow, oc] = [h / b, w / b, c * b * b];
        return [
          channelsLast
            ? transposeTensor(x.reshape([n, oh, b, ow, b, c]), [0, 1, 3, 2, 4, 5]).reshape([n, oh, ow, oc])
            : transposeTensor(x.reshape([n, c, oh, b, ow, b]), [0, 3, 5, 1, 2, 4]).reshape([n, oc, oh, ow]),
        ];
      }
      const [oh, ow, oc] = [h * b, w * b, c / (b * b)];
      return [
        channelsLast
          ? transposeTensor(x.reshape([n, h, w, b, b, oc]), [0, 1, 3, 2, 4, 5]).reshape([n, oh, ow, oc])
          : transposeTensor(x.reshape([n, b, b, oc, h, w]), [0, 3, 4, 1, 5, 2]).reshape([n, oc, oh, ow]),
      ];
    },
  };
}

export const table: OpTable = {
  SpaceToBatchND: batchND(true),
  BatchToSpaceND: batchND(false),
  SpaceToBatch: batch2D(true),
  BatchToSpace: batch2D(false),
  SpaceToDepth: depthRow(true),
  DepthToSpace: depthRow(false),
};
