/**
 * Given:  y = LookupTableFindV2(t = HashTableV2, …); i = InitializeTableV2(t, keys, values), which y does not need
 * Result: i is one of the contract's initialisers
 *
 * Before functions are inlined everything that may fill a table is held: nodes that do, and the SavedModel's main op,
 * in whose functions they may be. Afterwards what fills the tables that the outputs need is chosen, and what those
 * initialisers need in turn. A mutable table that nothing else fills gets its contents from the checkpoint.
 */
import { contractInputs, contractOutputs } from '../contract/contract';
import type { Graph, Node, Value } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import type { FreezeContext } from './freeze-context';
import { restoreTable } from './restore-table';

const TABLE =
  /^(Mutable(Dense)?HashTable(OfTensors)?(V2)?|HashTable(V2)?|AnonymousHashTable|AnonymousMutable\w*HashTable\w*)$/;
const FILLS = /^(InitializeTable(FromTextFile|FromDataset)?(V2)?|LookupTable(Import|Insert)(V2)?)$/;

/** Holds what may initialise. */
export function holdInitializers(graph: Graph, context: FreezeContext): void {
  const held = new Set(context.initializers);
  for (const name of context.mainOps ?? []) {
    const node = graph.node(name);
    if (node) held.add(node);
  }
  for (const node of graph.nodes.values()) if (FILLS.test(node.op)) held.add(node);
  context.initializers = [...held];
}

/** Chooses what does initialise, each after what it reads from. */
export function findInitializers(graph: Graph, context: FreezeContext): void {
  const specs = [...contractOutputs(context.contract), ...contractInputs(context.contract)];
  const roots = specs.flatMap((s) => graph.node(parseInput(s.tensor).name) ?? []);
  const fills = new Map<Node, Node[]>();
  for (const node of graph.nodes.values()) {
    if (!FILLS.test(node.op)) continue;
    const table = tableOf(node.inputs[0]);
    if (!table) continue;
    const list = fills.get(table);
    if (list) list.push(node);
    else fills.set(table, [node]);
  }
  const chosen = new Set<Node>();
  for (let needed = graph.ancestors(roots), before = -1; before !== chosen.size;) {
    before = chosen.size;
    for (const node of needed) {
      if (!TABLE.test(node.op)) continue;
      if (!fills.has(node)) fills.set(node, restoreTable(graph, node, context));
      fills.get(node)!.forEach((n) => chosen.add(n));
    }
    needed = graph.ancestors([...roots, ...chosen]);
  }
  for (const node of chosen) {
    // Once it is chosen by itself, nothing else has to run for it but what it reads.
    node.controls = node.controls.filter((c) => chosen.has(c));
  }
  const place = new Map(graph.sorted().map((node, i) => [node, i]));
  context.initializers = [...chosen].sort((a, b) => place.get(a)! - place.get(b)!);
}

/** The table behind a handle. */
export function tableOf(handle: Value | undefined): Node | undefined {
  let node = handle?.node;
  for (let hops = 0; node && hops < 1000 && (node.op === 'Identity' || node.op === 'RefIdentity'); hops++)
    node = node.inputs[0]?.node;
  return node && TABLE.test(node.op) ? node : undefined;
}
