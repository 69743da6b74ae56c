/** Recurrent layers that are one operator. */
import type { LoweringTable } from './row';

/** Input, four input kernels, four recurrent kernels, four biases. */
const INPUTS = 13;

export const table: LoweringTable = {
  // Not an op of TensorFlow: prepare/control-flow/recurrent makes it of a Keras layer's loop.
  UnidirectionalSequenceLstm: {
    to: ['UNIDIRECTIONAL_SEQUENCE_LSTM'],
    note: 'from the loop of a Keras 2 LSTM layer with a fixed batch size',
    // Graphs made for TensorFlow's old converter hold an op of this name with all of the operator's inputs.
    refuse: (node) =>
      node.inputs.length === INPUTS && node.attrs.has('time_major')
        ? undefined
        : { reason: 'it is a mark of the old TOCO converter', hint: 'export the model without OpHints' },
    build: (c) => {
      const [input, ...weights] = c.inputs();
      const kernels = weights.slice(0, 8);
      const biases = weights.slice(8);
      const sizes = c.node.inputs[0].shape as number[];
      const units = c.node.inputs[5].shape![0] as number;
      const batch = c.node.bool('time_major') ? sizes[1] : sizes[0];
      const state = (name: string) => {
        const tensor = c.temporary(name, 'float32', [batch, units]);
        tensor.isVariable = true;
        return tensor;
      };
      const none = (count: number) => new Array<undefined>(count).fill(undefined);
      const states = [state('output_state'), state('cell_state')];
      // Peephole weights, a projection and layer normalisation are not there.
      const inputs = [input, ...kernels, ...none(3), ...biases, ...none(2), ...states, ...none(4)];
      c.emit('UNIDIRECTIONAL_SEQUENCE_LSTM', inputs, [c.output()], {
        type: 'UnidirectionalSequenceLSTMOptions',
        fused_activation_function: 'TANH',
        time_major: c.node.bool('time_major'),
      });
    },
  },
};
