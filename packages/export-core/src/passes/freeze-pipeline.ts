/** What turns a graph as it was saved into a frozen one: the list, and why each stands where it stands. */
import { checkResources } from './check-resources';
import { checkpointKeys, tableEntries } from './checkpoint-keys';
import { clearPlacement } from './clear-placement';
import { compositeFunctions } from './composite-functions';
import { cutInputs } from './cut-inputs';
import { dropDefaults } from './drop-defaults';
import { dropTraining } from './drop-training';
import { findInitializers, holdInitializers } from './find-initializers';
import { foldConditionals } from './fold-conditionals';
import { foldConstants } from './fold-constants';
import { foldInferenceMode } from './fold-inference-mode';
import { foldSwitches } from './fold-switches';
import type { FreezeContext } from './freeze-context';
import { freezeVariables } from './freeze-variables';
import { inlineFunctions } from './inline-functions';
import { inlineVocabularies } from './inline-vocabularies';
import { movingAverages } from './moving-averages';
import type { Pass } from './pass';
import { prune } from './prune';

export const FREEZE_PASSES: Pass<FreezeContext>[] = [
  // The saver says which checkpoint entry is which variable; pruning removes the saver, so it is asked first.
  {
    name: 'readSaver',
    run: (graph, c) => {
      c.checkpointKeys = c.variables && checkpointKeys(graph, c.variables);
      c.tableEntries = c.variables && tableEntries(graph);
    },
  },
  // Likewise the ops that update moving averages.
  {
    name: 'findAverages',
    run: (graph, c) => void (c.averages &&= new Map([...movingAverages(graph), ...c.averages])),
  },
  // Before pruning, so that the parsing and queues below an input fall away with it.
  { name: 'cutInputs', run: cutInputs },
  // Before pruning, so that assertions and summaries keep nothing alive.
  { name: 'dropTraining', run: dropTraining },
  // Before pruning, which would take what fills the tables: no output needs that.
  { name: 'holdInitializers', run: holdInitializers },
  // Before inlining, so that only functions of inference are inlined.
  { name: 'prune', run: prune },
  // Before inlining, which takes what says that a function stands for an op.
  { name: 'compositeFunctions', run: compositeFunctions },
  // Before everything that looks for variables, tables or placeholders: they meet their uses in function bodies.
  { name: 'inlineFunctions', run: inlineFunctions },
  // Again: the functions brought their own.
  { name: 'dropInlinedTraining', run: dropTraining },
  // After inlining: what fills the tables may have been in a function.
  { name: 'findInitializers', run: findInitializers },
  // Right after: only files of needed tables are read, and pruning takes what says where they lie.
  { name: 'inlineVocabularies', run: inlineVocabularies },
  { name: 'pruneInlined', run: prune },
  // After the first pruning: only placeholders that the outputs need are asked for.
  { name: 'foldInferenceMode', run: foldInferenceMode },
  { name: 'foldSwitches', run: foldSwitches },
  { name: 'foldConditionals', run: foldConditionals },
  // Dead branches are gone now: their variables need no values, their assignments make no state.
  { name: 'pruneBranches', run: prune },
  // Now everything that is left is needed: what cannot be frozen is told with the variables that cannot.
  { name: 'checkResources', run: checkResources },
  { name: 'freezeVariables', run: freezeVariables },
  // Without shapes: the graph still serves inputs of any size that the contract of another target may declare.
  { name: 'foldConstants', run: (graph) => void foldConstants(graph, { useShapes: false }) },
  { name: 'pruneFolded', run: prune },
  // Last, over what is left.
  { name: 'clearPlacement', run: clearPlacement },
  { name: 'dropDefaults', run: dropDefaults },
];
