/** TensorFlow's fused recurrent cells: shapes of what they keep and give. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { dimsOfRank, mulDims, upTo } from './kernels/shape-rules';
import type { Dim } from '../tensor/shape';

const all = (n: number, shape: Dim[]): OutputInfo[] => upTo(n).map(() => ({ shape: [...shape] }));

/** One step: every output is [batch, cell size], which input `state` has too. */
const cell = (state: number, outputs: number): OpRow => ({
  infer: (c) => all(outputs, [dimsOfRank(c, 0, 2)[0], dimsOfRank(c, state, 2)[1]]),
});

/** A whole sequence, [time, batch, input size]; the bias has four rows of the cell's size. */
const block: OpRow = {
  infer: (c) => {
    const [time, batch] = dimsOfRank(c, 1, 3);
    const bias = dimsOfRank(c, 8, 1)[0];
    return all(7, [time, batch, bias === null ? null : bias / 4]);
  },
};

/** cuDNN's cells: inputs are the sequence, its initial states and all weights in one vector. */
function inferCudnn(c: InferContext, scratch: number): OutputInfo[] {
  const [time, batch] = dimsOfRank(c, 0, 3);
  const state = dimsOfRank(c, 1, 3);
  const directions = c.node.string('direction') === 'bidirectional' ? 2 : 1;
  const lstm = c.node.string('rnn_mode') === 'lstm';
  return [
    { shape: [time, batch, mulDims(state[2], directions)] },
    { shape: state },
    { shape: lstm ? [...state] : [] },
    ...upTo(scratch).map(() => ({ shape: null })),
  ];
}

export const table: OpTable = {
  LSTMBlockCell: cell(1, 7),
  GRUBlockCell: cell(1, 4),
  BlockLSTM: block,
  BlockLSTMV2: block,
  CudnnRNN: { infer: (c) => inferCudnn(c, 1) },
  CudnnRNNV2: { infer: (c) => inferCudnn(c, 2) },
  CudnnRNNV3: { infer: (c) => inferCudnn(c, 2) },
};
