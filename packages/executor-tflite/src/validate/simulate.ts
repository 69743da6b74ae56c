/** Tries a change of the contract on a fresh copy of the frozen graph: hints are checked before they are given. */
import { Diagnostics, FloeError, GraphError, type Contract } from '@floe/export-core';
import { cutContract } from '../convert/cut-contract';
import { lowerWhole } from '../convert/convert-graph';
import type { FrozenModel } from '../convert/load-frozen';
import type { RefusedNode } from '../lower/lower';

/** Reads the frozen model anew: lowering uses a graph up. */
export type Load = () => FrozenModel;

/** What stands in the way of the model when its contract is changed so; undefined where that cannot be told. */
export function simulate(load: Load, change: (contract: Contract) => void): RefusedNode[] | undefined {
  const { graph, contract, customOps } = load();
  change(contract);
  const diagnostics = new Diagnostics();
  try {
    cutContract(graph, contract);
    const { refused } = lowerWhole(graph, contract, diagnostics, customOps);
    return diagnostics.hasErrors ? undefined : refused;
  } catch (error) {
    // A change that the graph contradicts is no cure.
    if (error instanceof FloeError || error instanceof GraphError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}
