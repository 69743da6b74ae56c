/** The freeze stage: source and contract in, `frozen/graph.pb`, `frozen/contract.json` and provenance out. */
import {
  Diagnostics,
  FREEZE_PASSES,
  inferShapes,
  loadSource,
  mergeShapes,
  parseInput,
  resolveContract,
  runPasses,
  writeGraphDef,
  type Contract,
  type FreezeContext,
  type Graph,
  type Piece,
  type Signature,
  type StageContext,
  type StageFunction,
} from '@floe/export-core';

export const freeze: StageFunction = async (context) => {
  const { descriptor, root } = context;
  const diagnostics = new Diagnostics();
  const source = loadSource(descriptor.source, root, descriptor);
  try {
    const contract = resolve(context, source.graph, source.signatures, diagnostics);
    diagnostics.throwIfErrors();
    const freezing: FreezeContext = {
      contract,
      variables: source.variables,
      rename: descriptor.freeze.rename ?? {},
      include: descriptor.freeze.include,
      exclude: descriptor.freeze.exclude,
      averages: descriptor.freeze.variables === 'ema' ? new Map() : undefined,
      reportSurplus: descriptor.source.checkpoint !== undefined && descriptor.source.savedModel === undefined,
      mainOps: source.mainOps,
      assets: source.assets,
      diagnostics,
      initializers: [],
    };
    runPasses(FREEZE_PASSES, source.graph, freezing);
    diagnostics.throwIfErrors();
    describeOutputs(contract, source.graph);
    contract.initializers.push(...freezing.initializers.map((n) => n.name));
    const graph = writeGraphDef(source.graph);
    return {
      diagnostics: diagnostics.list,
      artefacts: { 'frozen/graph.pb': graph, 'frozen/contract.json': JSON.stringify(contract, null, 2) + '\n' },
      provenance: { ...source.provenance, inputs: names(contract, 'inputs'), outputs: names(contract, 'outputs'), ops: opCounts(source.graph) },
      release: () => source.close(),
      summary: `${source.graph.nodes.size} nodes, ${megabytes(graph)}`,
    };
  } catch (error) {
    source.close();
    throw error;
  }
};

function resolve(context: StageContext, graph: Graph, found: readonly Signature[], diagnostics: Diagnostics): Contract {
  // Shapes of inner tensors are needed to check what is declared. What inference has to say of training parts does
  // not matter: it is asked again, for what is left, by validate.
  inferShapes(graph, new Diagnostics());
  return resolveContract(context.descriptor, graph, found, context.place, diagnostics);
}

/** Outputs have the shapes that follow from the declared inputs. */
function describeOutputs(contract: Contract, graph: Graph): void {
  inferShapes(graph, new Diagnostics());
  for (const spec of contract.signatures.flatMap((s) => s.outputs)) {
    const { name, index } = parseInput(spec.tensor);
    spec.shape = mergeShapes(spec.shape, graph.node(name)?.output(index).shape);
  }
}

function names(contract: Contract, list: 'inputs' | 'outputs'): string[] {
  return contract.signatures.flatMap((s) => s[list].map((spec) => spec.tensor));
}

function opCounts(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of graph.nodes.values()) counts[node.op] = (counts[node.op] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function megabytes(pieces: readonly Piece[]): string {
  return `${(pieces.reduce((n, p) => n + p.byteLength, 0) / 1e6).toFixed(2)} MB`;
}
