/** Activation functions. */
import { Tensor } from '@floe/export-core';
import { kernel, refuseType } from './kernel-types';
import type { LoweringTable } from './row';

export const table: LoweringTable = {
  Relu: {
    to: ['RELU', 'MAXIMUM'],
    note: 'integers: MAXIMUM with 0',
    refuse: (node) => refuseType('MAXIMUM', node.inputs[0].dtype),
    build: (c) => {
      const { dtype } = c.node.inputs[0];
      if (dtype === 'float32' || !dtype) c.emit('RELU', c.inputs(), [c.output()]);
      else c.emit('MAXIMUM', [c.input(0), c.constant('zero', Tensor.scalar(dtype, 0))], [c.output()]);
    },
  },
  Relu6: kernel('RELU6'),
  Elu: kernel('ELU'),
  LeakyRelu: kernel('LEAKY_RELU', (node) => ({ type: 'LeakyReluOptions', alpha: node.float('alpha') })),
  Sigmoid: kernel('LOGISTIC'),
  Tanh: kernel('TANH'),
  // Not TensorFlow's: made by prepare/fuse-gelu.ts and prepare/canonicalize.ts.
  Gelu: kernel('GELU', (node) => ({ type: 'GeluOptions', approximate: node.bool('approximate') })),
  ReluN1To1: kernel('RELU_N1_TO_1'),
  Relu0To1: kernel('RELU_0_TO_1'),
  Softmax: kernel('SOFTMAX', { type: 'SoftmaxOptions', beta: 1 }),
  LogSoftmax: kernel('LOG_SOFTMAX', { type: 'LogSoftmaxOptions' }),
};
