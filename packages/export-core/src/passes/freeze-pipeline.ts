/** What turns a graph as it was saved into a frozen one: the list, and why each stands where it stands. */
import { checkpointKeys } from './checkpoint-keys';
import { cutInputs } from './cut-inputs';
import { dropTraining } from './drop-training';
import { foldConstants } from './fold-constants';
import { foldInferenceMode } from './fold-inference-mode';
import { foldSwitches } from './fold-switches';
import type { FreezeContext } from './freeze-context';
import { freezeVariables } from './freeze-variables';
import type { Pass } from './pass';
import { prune } from './prune';

export const FREEZE_PASSES: Pass<FreezeContext>[] = [
  // The saver says which checkpoint entry is which variable; pruning removes the saver, so it is asked first.
  {
    name: 'readSaver',
    run: (graph, c) => void (c.checkpointKeys = c.variables && checkpointKeys(graph, c.variables)),
  },
  // Before pruning, so that the parsing and queues below an input fall away with it.
  { name: 'cutInputs', run: cutInputs },
  // Before pruning, so that assertions and summaries keep nothing alive.
  { name: 'dropTraining', run: dropTraining },
  { name: 'prune', run: prune },
  // After the first pruning: only placeholders that the outputs need are asked for.
  { name: 'foldInferenceMode', run: foldInferenceMode },
  { name: 'foldSwitches', run: foldSwitches },
  // Dead branches are gone now: their variables need no values, their assignments make no state.
  { name: 'pruneBranches', run: prune },
  { name: 'freezeVariables', run: freezeVariables },
  // Without shapes: the graph still serves inputs of any size that the contract of another target may declare.
  { name: 'foldConstants', run: (graph) => void foldConstants(graph, { useShapes: false }) },
  { name: 'pruneFolded', run: prune },
];
