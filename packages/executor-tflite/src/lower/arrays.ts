/** Shapes and layouts of tensors. */
import type { Node, Shape } from '@floe/export-core';
import { tensorType, type TfliteTensor } from '../tflite/model';
import { kernel, refuseRank, refuseType } from './kernel-types';
import type { LoweringContext, LoweringRow, LoweringTable, Refusal } from './row';

/** A RESHAPE to a shape that is known but for one size at most; undefined when more is unknown. */
function shapeOperand(c: LoweringContext, shape: Shape | undefined): TfliteTensor | undefined {
  if (!shape || shape.filter((d) => d === null).length > 1) return undefined;
  // With an empty tensor, -1 could mean anything.
  if (shape.includes(null) && shape.includes(0)) return undefined;
  return c.ints(
    'shape',
    shape.map((d) => d ?? -1),
  );
}

/** An op that only renames sizes: RESHAPE where the result's shape is known, else its own operator. */
function reshaping(code: string, general: (c: LoweringContext) => void): LoweringRow {
  return {
    to: ['RESHAPE', code],
    note: `${code} where more than one size is unknown`,
    build: (c) => {
      const shape = shapeOperand(c, c.node.output().shape);
      if (shape) c.emit('RESHAPE', [c.input(0), shape], [c.output()]);
      else general(c);
    },
  };
}

/** An identity that must copy: between an input and an output of the model. */
function copies(c: LoweringContext): void {
  c.node.inputs.forEach((value, i) => {
    const from = c.input(i);
    const shape =
      shapeOperand(c, value.shape) ?? c.temporary(`shape_${i}`, 'int32', [value.shape?.length ?? null]);
    if (!shape.isConstant) c.emit('SHAPE', [from], [shape], { type: 'ShapeOptions', out_type: 'INT32' });
    c.emit('RESHAPE', [from, shape], [c.output(i)]);
  });
}

const COPY: LoweringRow = { to: ['RESHAPE', 'SHAPE'], note: 'between an input and an output', build: copies };

/** Rows whose operands past the first are int32 in the kernel. */
function withInts(code: string, more: Partial<LoweringRow> = {}): LoweringRow {
  return {
    to: [code],
    refuse: (node) =>
      refuseType(code, node.inputs[0].dtype) ?? refuseRank(code, node.inputs[0].shape) ?? more.refuse?.(node),
    build: (c) =>
      c.emit(code, [c.input(0), ...c.node.inputs.slice(1).map((_, i) => c.asInt32(i + 1))], [c.output()]),
    ...('note' in more ? { note: more.note } : {}),
  };
}

function blocks(code: string, options: string): LoweringRow {
  return kernel(code, (node) => ({ type: options, block_size: node.int('block_size') }), {
    note: 'NHWC',
    refuse: (node) =>
      node.string('data_format') === 'NHWC'
        ? undefined
        : { reason: `data_format ${node.string('data_format')}` },
  });
}

/** Diagonals other than the main one have no kernel. */
function mainDiagonal(node: Node, k: number, zeros: number[] = [], ones: number[] = []): Refusal | undefined {
  const constant = (i: number) => node.inputs[i].node.constant;
  const all = (i: number, want: number) =>
    constant(i)
      ?.toNumbers()
      .every((n) => n === want);
  if (!all(k, 0)) return { reason: 'only the main diagonal (a constant k of 0) has a kernel' };
  if (!ones.every((i) => all(i, -1)))
    return { reason: 'only square results (num_rows and num_cols -1) have a kernel' };
  return zeros.every((i) => all(i, 0)) ? undefined : { reason: 'only padding with 0 has a kernel' };
}

const matrixDiag = (refuse?: (node: Node) => Refusal | undefined): LoweringRow => ({
  to: ['MATRIX_DIAG'],
  note: 'the main diagonal',
  refuse: (node) => refuseType('MATRIX_DIAG', node.inputs[0].dtype) ?? refuse?.(node),
  build: (c) => c.emit('MATRIX_DIAG', [c.input(0)], [c.output()]),
});

const matrixSetDiag = (refuse?: (node: Node) => Refusal | undefined): LoweringRow => ({
  to: ['MATRIX_SET_DIAG'],
  note: 'the main diagonal',
  refuse: (node) => refuseType('MATRIX_SET_DIAG', node.inputs[0].dtype) ?? refuse?.(node),
  build: (c) => c.emit('MATRIX_SET_DIAG', [c.input(0), c.input(1)], [c.output()]),
});

export const table: LoweringTable = {
  Reshape: withInts('RESHAPE'),
  Squeeze: reshaping('SQUEEZE', (c) =>
    c.emit('SQUEEZE', c.inputs(), [c.output()], {
      type: 'SqueezeOptions',
      squeeze_dims: c.node.ints('squeeze_dims'),
    }),
  ),
  ExpandDims: reshaping('EXPAND_DIMS', (c) =>
    c.emit('EXPAND_DIMS', [c.input(0), c.asInt32(1)], [c.output()], { type: 'ExpandDimsOptions' }),
  ),
  Identity: COPY,
  Snapshot: COPY,
  StopGradient: COPY,
  PreventGradient: COPY,
  IdentityN: COPY,

  Transpose: withInts('TRANSPOSE'),
  ConcatV2: {
    to: ['CONCATENATION'],
    note: 'constant axis',
    refuse: (node) =>
      refuseType('CONCATENATION', node.inputs[0].dtype) ??
      (node.inputs.at(-1)!.node.constant ? undefined : { reason: 'the axis is not constant' }),
    build: (c) => {
      const axis = c.node.inputs.at(-1)!.node.constant!.at(0);
      c.emit('CONCATENATION', c.inputs().slice(0, -1), [c.output()], { type: 'ConcatenationOptions', axis });
    },
  },
  Pack: kernel('PACK', (node) => ({
    type: 'PackOptions',
    values_count: node.inputs.length,
    axis: node.int('axis'),
  })),
  Unpack: {
    to: ['UNPACK'],
    refuse: (node) => refuseType('UNPACK', node.inputs[0].dtype),
    build: (c) => {
      const num = c.node.int('num');
      const outputs = Array.from({ length: num }, (_, i) => c.output(i));
      c.emit('UNPACK', c.inputs(), outputs, { type: 'UnpackOptions', num, axis: c.node.int('axis') });
    },
  },

  Pad: kernel('PAD', { type: 'PadOptions' }),
  PadV2: kernel('PADV2', { type: 'PadV2Options' }),
  MirrorPad: kernel('MIRROR_PAD', (node) => ({ type: 'MirrorPadOptions', mode: node.string('mode') })),
  Tile: kernel('TILE'),
  BroadcastTo: kernel('BROADCAST_TO', undefined, {
    refuse: (node) => refuseRank('BROADCAST_TO', node.output().shape),
  }),
  BroadcastArgs: kernel('BROADCAST_ARGS'),
  Fill: {
    to: ['FILL'],
    refuse: (node) => refuseType('FILL', node.inputs[1].dtype),
    build: (c) => c.emit('FILL', c.inputs(), [c.output()]),
  },
  Range: kernel('RANGE'),
  Shape: {
    to: ['SHAPE'],
    build: (c) =>
      c.emit('SHAPE', c.inputs(), [c.output()], {
        type: 'ShapeOptions',
        out_type: tensorType(c.node.type('out_type')),
      }),
  },
  Rank: { to: ['RANK'], build: (c) => c.emit('RANK', c.inputs(), [c.output()]) },
  ZerosLike: kernel('ZEROS_LIKE', { type: 'ZerosLikeOptions' }),

  ReverseV2: withInts('REVERSE_V2'),
  ReverseSequence: kernel('REVERSE_SEQUENCE', (node) => ({
    type: 'ReverseSequenceOptions',
    seq_dim: node.int('seq_dim'),
    batch_dim: node.int('batch_dim'),
  })),
  SpaceToDepth: blocks('SPACE_TO_DEPTH', 'SpaceToDepthOptions'),
  DepthToSpace: blocks('DEPTH_TO_SPACE', 'DepthToSpaceOptions'),
  SpaceToBatchND: withInts('SPACE_TO_BATCH_ND'),
  BatchToSpaceND: withInts('BATCH_TO_SPACE_ND'),
  OneHot: {
    to: ['ONE_HOT', 'CAST'],
    refuse: (node) => refuseType('ONE_HOT', node.inputs[2].dtype),
    build: (c) => {
      const { dtype, shape } = c.node.inputs[0];
      let indices = c.input(0);
      // Indices of few bits: the kernel reads int32 and int64 only.
      if (dtype !== 'int32' && dtype !== 'int64') {
        indices = c.temporary('indices', 'int32', shape ?? null);
        c.emit('CAST', [c.input(0)], [indices]);
      }
      const operands = [indices, c.asInt32(1), c.input(2), c.input(3)];
      c.emit('ONE_HOT', operands, [c.output()], { type: 'OneHotOptions', axis: c.node.int('axis') });
    },
  },

  MatrixDiag: matrixDiag(),
  MatrixDiagV2: matrixDiag((node) => mainDiagonal(node, 1, [4], [2, 3])),
  MatrixDiagV3: matrixDiag((node) => mainDiagonal(node, 1, [4], [2, 3])),
  MatrixSetDiag: matrixSetDiag(),
  MatrixSetDiagV2: matrixSetDiag((node) => mainDiagonal(node, 2)),
  MatrixSetDiagV3: matrixSetDiag((node) => mainDiagonal(node, 2)),
};
