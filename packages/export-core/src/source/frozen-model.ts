/** What freeze wrote, read again: the graph and its contract. */
import { join } from 'node:path';
import { readContract, type Contract } from '../contract/contract';
import { fileError } from '../format/file';
import type { Graph } from '../graph/graph';
import { graphFromDef } from '../graph/graphdef';
import { prune } from '../passes/prune';
import { variablesToWeights } from '../passes/variables-to-weights';
import { Tensor } from '../tensor/tensor';
import { readGraphFile } from './graph-file';
import { openVariables, readSavedModel } from './saved-model';

/**
 * The frozen graph and its contract. The graph is the same whether it stands in `graph.pb` or, too large for that, in
 * a SavedModel; the contract says which, whatever else may lie beside it.
 *
 * @param dist where a model's artefacts lie
 * @throws FloeError K003 (no contract), as `readGraphFile` and `readSavedModel`, S001 when the weights are missing
 */
export function readFrozen(dist: string): { graph: Graph; contract: Contract } {
  const contract = readContract(dist);
  if (contract.graph === undefined)
    return { contract, graph: readGraphFile(join(dist, 'frozen', 'graph.pb')).graph };
  const { meta, file, folder } = readSavedModel(join(dist, 'frozen', contract.graph));
  const graph = graphFromDef(meta.graph_def!, file);
  const bundle = openVariables(folder);
  if (!bundle) throw fileError('S001', folder, `${folder} has no variables`, 'run freeze again');
  variablesToWeights(graph, (name) => {
    const entry = bundle.entries.get(name);
    // Read when it is asked for, and not kept open: nobody says when the graph is done with.
    const read = (): Uint8Array => {
      try {
        return bundle.read(name).bytes;
      } finally {
        bundle.close();
      }
    };
    return entry && Tensor.deferred(entry.dtype, entry.shape, read);
  });
  const initializers = contract.initializers.flatMap((name) => graph.node(name) ?? []);
  prune(graph, { contract, initializers });
  return { graph, contract };
}
