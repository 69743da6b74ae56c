/** The passes over a lowered subgraph, run until nothing changes: the list, and why each stands where it stands. */
import type { TfliteModel, TfliteSubgraph } from '../tflite/model';
import { fuseActivations } from './activations';
import { fuseBiasBeforeMoves } from './bias-before-moves';
import { shareBroadcastShapes } from './broadcast-shapes';
import { fuseDenseReshapes } from './dense-reshapes';
import { fuseExponentials } from './exponentials';
import { fuseHardSwish } from './hard-swish';
import { removeIdleReductions } from './idle-reductions';
import { fuseKeepDims } from './keep-dims';
import { fuseL2Normalization } from './l2-normalization';
import { fuseLeadingOnes } from './leading-ones';
import { fuseMatrixVector } from './matrix-vector';
import { removeNeutral } from './neutral';
import { passInputsThrough } from './passed-through';
import { fusePrelu } from './prelu';
import { fuseReshapes } from './reshapes';
import { fuseReshapesAround } from './reshapes-around';
import { fuseSamePadding } from './same-padding';
import { shareSameOps } from './same-ops';
import { fuseScaleAndBias } from './scale-and-bias';
import { fuseScaleBefore } from './scale-before';
import { sinkTransposes } from './sink-transposes';
import { fuseSizeRuns } from './size-runs';
import { fuseSoftmax } from './softmax';
import { fuseTransposedProducts } from './transposed-products';
import { fuseTransposes } from './transposes';
import { shrinkUniformConstants } from './uniform-constants';
import { removeUnusedOps } from './unused';
import { separateViews } from './views-of-views';

/** Each returns how many changes it made. */
export const FUSE_PASSES: { name: string; run(graph: TfliteSubgraph): number }[] = [
  // What is computed twice would look as if two needed it.
  { name: 'shareSameOps', run: shareSameOps },
  { name: 'shareBroadcastShapes', run: shareBroadcastShapes },
  // What stands between operators that belong together.
  { name: 'fuseTransposes', run: fuseTransposes },
  { name: 'fuseTransposedProducts', run: fuseTransposedProducts },
  { name: 'sinkTransposes', run: sinkTransposes },
  // Before fuseReshapes: it leaves some.
  { name: 'fuseMatrixVector', run: fuseMatrixVector },
  { name: 'fuseReshapes', run: fuseReshapes },
  { name: 'fuseReshapesAround', run: fuseReshapesAround },
  { name: 'fuseLeadingOnes', run: fuseLeadingOnes },
  { name: 'fuseKeepDims', run: fuseKeepDims },
  { name: 'fuseDenseReshapes', run: fuseDenseReshapes },
  { name: 'removeNeutral', run: removeNeutral },
  // Behind what makes sizes known.
  { name: 'fuseSizeRuns', run: fuseSizeRuns },
  // Patterns, while their parts are as the model has them.
  { name: 'fuseHardSwish', run: fuseHardSwish },
  { name: 'fusePrelu', run: fusePrelu },
  { name: 'fuseL2Normalization', run: fuseL2Normalization },
  { name: 'fuseSoftmax', run: fuseSoftmax },
  { name: 'fuseExponentials', run: fuseExponentials },
  { name: 'fuseSamePadding', run: fuseSamePadding },
  // Before activations: a scale cannot go into a convolution that already ends in one.
  { name: 'fuseBiasBeforeMoves', run: fuseBiasBeforeMoves },
  { name: 'fuseScaleAndBias', run: fuseScaleAndBias },
  // After it: a scale between two layers goes into the first, where it can.
  { name: 'fuseScaleBefore', run: fuseScaleBefore },
  { name: 'fuseActivations', run: fuseActivations },
  { name: 'shrinkUniformConstants', run: shrinkUniformConstants },
  { name: 'removeUnusedOps', run: removeUnusedOps },
];

/** Far above what any model needs; a guard against passes that undo each other. */
const MAX_ROUNDS = 50;

function fuseGraph(graph: TfliteSubgraph): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (FUSE_PASSES.reduce((n, pass) => n + pass.run(graph), 0) === 0) break;
  }
}

export function fuseModel(model: TfliteModel): void {
  for (const graph of model.subgraphs) {
    fuseGraph(graph);
    // Patterns know some by them; what then stands side by side may belong together.
    if (removeIdleReductions(graph)) fuseGraph(graph);
  }
  // At the end: what is left between an input and an output, and of chains of shapes.
  passInputsThrough(model);
  model.subgraphs.forEach(separateViews);
}
