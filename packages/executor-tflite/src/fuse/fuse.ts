/** The passes over a lowered subgraph, run until nothing changes: the list, and why each stands where it stands. */
import type { TfliteModel, TfliteSubgraph } from '../tflite/model';
import { fuseActivations } from './activations';
import { fuseReshapes } from './reshapes';
import { fuseScaleAndBias } from './scale-and-bias';
import { fuseTransposes } from './transposes';
import { removeUnusedOps } from './unused';

/** Each returns how many changes it made. */
export const FUSE_PASSES: { name: string; run(graph: TfliteSubgraph): number }[] = [
  // First: what stands between two operators that belong together.
  { name: 'fuseTransposes', run: fuseTransposes },
  { name: 'fuseReshapes', run: fuseReshapes },
  // Before activations: a scale cannot go into a convolution that already ends in one.
  { name: 'fuseScaleAndBias', run: fuseScaleAndBias },
  { name: 'fuseActivations', run: fuseActivations },
  { name: 'removeUnusedOps', run: removeUnusedOps },
];

/** Far above what any model needs; a guard against passes that undo each other. */
const MAX_ROUNDS = 20;

export function fuseModel(model: TfliteModel): void {
  for (const graph of model.subgraphs) {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (FUSE_PASSES.reduce((n, pass) => n + pass.run(graph), 0) === 0) break;
    }
  }
}
