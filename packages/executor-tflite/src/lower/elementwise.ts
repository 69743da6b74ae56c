/** Arithmetic, element by element. Operands broadcast in the kernels, up to the ranks of kernel-types.ts. */
import { tensorType } from '../tflite/model';
import { kernel, refuseBroadcast, refuseType } from './kernel-types';
import type { LoweringTable } from './row';

const ADD = kernel('ADD', { type: 'AddOptions' });

export const table: LoweringTable = {
  Add: ADD,
  AddV2: ADD,
  Sub: kernel('SUB', { type: 'SubOptions' }),
  Mul: kernel('MUL', { type: 'MulOptions' }),
  // Division of integers rounds towards zero in both.
  Div: kernel('DIV', { type: 'DivOptions' }),
  RealDiv: kernel('DIV', { type: 'DivOptions' }),
  TruncateDiv: kernel(
    'DIV',
    { type: 'DivOptions' },
    {
      note: 'int32',
      refuse: (node) => (node.type('T') === 'int32' ? undefined : { reason: 'DIV truncates integers only' }),
    },
  ),
  Maximum: kernel('MAXIMUM'),
  Minimum: kernel('MINIMUM'),
  Pow: kernel('POW'),
  FloorDiv: kernel('FLOOR_DIV'),
  FloorMod: kernel('FLOOR_MOD'),
  SquaredDifference: kernel('SQUARED_DIFFERENCE'),
  Atan2: kernel('ATAN2'),
  AddN: kernel('ADD_N'),
  BitwiseXor: kernel('BITWISE_XOR'),
  RightShift: kernel('RIGHT_SHIFT'),
  // StableHLO's are the only kernels for these; operands of equal shapes.
  BitwiseAnd: kernel('STABLEHLO_AND'),
  LeftShift: kernel('STABLEHLO_SHIFT_LEFT', { type: 'StablehloShiftLeftOptions' }),

  BiasAdd: {
    to: ['ADD'],
    note: 'NCHW between TRANSPOSEs',
    refuse: (node) =>
      refuseType('ADD', node.inputs[0].dtype) ??
      refuseBroadcast('ADD', node.inputs) ??
      (node.string('data_format') === 'NHWC' ? undefined : { reason: 'data_format NCHW of this shape' }),
    build: (c) => c.emit('ADD', c.inputs(), [c.output()], { type: 'AddOptions' }),
  },

  Neg: kernel('NEG', { type: 'NegOptions' }),
  Abs: kernel('ABS'),
  Exp: kernel('EXP', { type: 'ExpOptions' }),
  Log: kernel('LOG'),
  Sqrt: kernel('SQRT'),
  Rsqrt: kernel('RSQRT'),
  Square: kernel('SQUARE', { type: 'SquareOptions' }),
  Sin: kernel('SIN'),
  Cos: kernel('COS'),
  Floor: kernel('FLOOR'),
  Ceil: kernel('CEIL'),
  // Both round halves to even.
  Round: kernel('ROUND'),
  Rint: kernel('ROUND'),
  Sign: kernel('SIGN'),

  Cast: {
    to: ['CAST'],
    refuse: (node) => refuseType('CAST', node.type('SrcT')) ?? refuseType('CAST', node.type('DstT')),
    build: (c) => c.emit('CAST', c.inputs(), [c.output()]),
  },
  Bitcast: kernel('BITCAST', undefined, {
    refuse: (node) =>
      [node.type('T'), node.type('type')].every(tensorType)
        ? undefined
        : { reason: 'TFLite has no quantized types of that kind' },
  }),

  Real: kernel('REAL'),
  Imag: kernel('IMAG'),
  ComplexAbs: kernel('COMPLEX_ABS'),
};
