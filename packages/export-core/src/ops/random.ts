/** Random numbers: shapes only, nothing of it is ever folded. */
import { unchanged } from './elementwise-shapes';
import { dimsOfRank, mergeDims, out, scalarInput, shapeInput } from './kernels/shape-rules';
import type { OpRow, OpTable } from './op-row';

/** The shape is given by input `i`. */
const shaped = (i = 0): OpRow => ({ infer: (c) => out(shapeInput(c, i)) });

/** As many numbers of shape `i` as input `j` has parameters: the parameters' dimensions follow. */
const shapedFor = (i: number, j: number): OpRow => ({
  infer: (c) => {
    const [shape, parameters] = [shapeInput(c, i), c.shape(j)];
    return out(shape && parameters && [...shape, ...parameters]);
  },
});

/** [batch, samples] out of [batch, classes]. */
const multinomial: OpRow = {
  infer: (c) => {
    const samples = scalarInput(c, 1);
    return out([dimsOfRank(c, 0, 2)[0], samples]);
  },
};

/** Sampled classes: ids, expected counts of the true ones, expected counts of the sampled ones. */
const candidates: OpRow = {
  infer: (c) => {
    const sampled = c.node.int('num_sampled');
    const [batch, classes] = dimsOfRank(c, 0, 2);
    const wanted = mergeDims(c, classes, c.node.int('num_true'));
    return [{ shape: [sampled] }, { shape: [batch, wanted] }, { shape: [sampled] }];
  },
};

export const table: OpTable = {
  RandomUniform: shaped(),
  RandomUniformInt: shaped(),
  RandomStandardNormal: shaped(),
  TruncatedNormal: shaped(),
  ParameterizedTruncatedNormal: shaped(),
  RandomGamma: shapedFor(0, 1),
  RandomPoisson: shapedFor(0, 1),
  RandomPoissonV2: shapedFor(0, 1),
  RandomShuffle: { infer: unchanged },
  Multinomial: multinomial,

  StatelessRandomUniform: shaped(),
  StatelessRandomUniformV2: shaped(),
  StatelessRandomUniformInt: shaped(),
  StatelessRandomUniformIntV2: shaped(),
  StatelessRandomUniformFullInt: shaped(),
  StatelessRandomUniformFullIntV2: shaped(),
  StatelessRandomNormal: shaped(),
  StatelessRandomNormalV2: shaped(),
  StatelessTruncatedNormal: shaped(),
  StatelessTruncatedNormalV2: shaped(),
  StatelessParameterizedTruncatedNormal: shaped(),
  StatelessRandomBinomial: shaped(),
  StatelessRandomPoisson: shaped(),
  StatelessRandomGammaV2: shaped(),
  StatelessRandomGammaV3: shaped(),
  StatelessMultinomial: multinomial,
  StatelessShuffle: { infer: unchanged },
  StatelessRandomGetKeyCounter: { infer: () => [{ shape: [1] }, { shape: [2] }] },
  StatelessRandomGetKeyCounterAlg: { infer: () => [{ shape: [1] }, { shape: [2] }, { shape: [] }] },
  StatelessRandomGetAlg: { infer: () => out([]) },

  StatefulStandardNormal: shaped(1),
  StatefulStandardNormalV2: shaped(2),
  StatefulTruncatedNormal: shaped(2),
  StatefulUniform: shaped(2),
  StatefulUniformFullInt: shaped(2),
  StatefulUniformInt: shaped(2),
  StatefulRandomBinomial: shaped(2),
  RngReadAndSkip: { infer: () => out([3]) },
  RngSkip: { infer: () => [] },

  UniformCandidateSampler: candidates,
  LogUniformCandidateSampler: candidates,
  LearnedUnigramCandidateSampler: candidates,
  ThreadUnsafeUnigramCandidateSampler: candidates,
  FixedUnigramCandidateSampler: candidates,
  AllCandidateSampler: candidates,
};
