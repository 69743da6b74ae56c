/**
 * The freeze stage: source and contract in, `frozen/graph.pb`, `frozen/contract.json` and provenance out. A graph that
 * is too large for one message becomes `frozen/saved_model/`.
 */
import {
  checkCycles,
  checkGraph,
  checkSignatures,
  Diagnostics,
  FloeError,
  formatSize,
  FREEZE_PASSES,
  GraphError,
  inferShapes,
  located,
  loadSource,
  MAX_MESSAGE_BYTES,
  neededByContract,
  mergeShapes,
  parseInput,
  resolveContract,
  runPasses,
  sizeOf,
  sourcePath,
  withPaths,
  writeGraphDef,
  writeSavedModel,
  type Contract,
  type Diagnostic,
  type FreezeContext,
  type Graph,
  type LoadedSource,
  type Piece,
  type Signature,
  type StageContext,
  type StageFunction,
  type StageResult,
} from '@floe/export-core';
import { allFaults } from './faults';
import { provenanceOf } from './provenance';

/** @param limit bytes that a message of TensorFlow's may have */
export function freezing(limit = MAX_MESSAGE_BYTES): StageFunction {
  return async (context) => {
    const inPlace = (list: readonly Diagnostic[]) =>
      located(list, context.descriptor, withPaths(context.place));
    try {
      const result = await freezeSource(context, limit);
      return { ...result, diagnostics: inPlace(result.diagnostics) };
    } catch (error) {
      if (error instanceof FloeError) throw new FloeError(inPlace(error.diagnostics));
      throw error;
    }
  };
}

export const freeze = freezing();

async function freezeSource(context: StageContext, limit: number): Promise<StageResult> {
  const { descriptor } = context;
  const diagnostics = new Diagnostics();
  const source = load(context);
  try {
    const contract = resolve(context, source.graph, source.signatures, diagnostics);
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
    const write = () => artefactsOf(source.graph, freezing, limit);
    const throwIfFaulty = async (isFrozen: boolean): Promise<void> => {
      if (!diagnostics.hasErrors) return;
      throw new FloeError(await allFaults(source.graph, freezing, context, isFrozen, write));
    };
    await throwIfFaulty(false);
    runPasses(FREEZE_PASSES, source.graph, freezing);
    await throwIfFaulty(true);
    const artefacts = write();
    return {
      diagnostics: diagnostics.list,
      artefacts,
      provenance: {
        inputs: names(contract, 'inputs'),
        outputs: names(contract, 'outputs'),
        ...provenanceOf(source.provenance, source.graph),
      },
      release: () => source.close(),
      summary: `${source.graph.nodes.size} nodes, ${formatSize(graphSize(artefacts))}`,
    };
  } catch (error) {
    source.close();
    throw error instanceof GraphError ? malformed(error) : error;
  }
}

/** Opens the source. What is wrong with what the files hold is told where model.yaml names them. */
function load({ descriptor, root, place }: StageContext): LoadedSource {
  try {
    return loadSource(descriptor.source, root, descriptor);
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    const { source } = descriptor;
    const chosen = (['signature', 'signatures'] as const).find((key) => source[key] !== undefined);
    throw new FloeError(
      error.diagnostics.map((d) => {
        // A place in a text (a .pbtxt, a state file) is nearer to the fault.
        if (d.where?.line !== undefined && !/\.ya?ml$/.test(d.where.file)) return d;
        const path = d.code === 'G011' && chosen ? ['source', chosen] : sourcePath(descriptor);
        return { ...d, where: withPaths(place)(path) };
      }),
    );
  }
}

/** The contract on the graph, and whether the graph is one that can be worked on at all. */
function resolve(
  { descriptor, place }: StageContext,
  graph: Graph,
  found: readonly Signature[],
  diagnostics: Diagnostics,
): Contract {
  const structure = new Diagnostics();
  checkCycles(graph, structure);
  if (!structure.hasErrors) inferQuietly(graph);
  const contract = resolveContract(descriptor, graph, found, withPaths(place), diagnostics);
  checkSignatures(graph, takenFrom(found, contract), withPaths(place)(['source']), diagnostics);
  checkGraph(graph, structure, neededByContract(graph, contract));
  // What is not fatal is told once, by validate.
  diagnostics.addAll(structure.list.filter((d) => d.severity === 'error'));
  return contract;
}

/**
 * Shapes of inner tensors are needed to check what is declared. What inference has to say of training parts does not
 * matter: it is asked again, for what is left, by validate. A node that it cannot even read is checkGraph's to tell.
 */
function inferQuietly(graph: Graph): void {
  try {
    inferShapes(graph, new Diagnostics());
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
  }
}

/** What of the contract is the source's own word, not model.yaml's. */
function takenFrom(found: readonly Signature[], contract: Contract): Signature[] {
  const own = new Set(found.flatMap((s) => [...s.inputs, ...s.outputs]));
  return contract.signatures.map(({ key, inputs, outputs }) => ({
    key,
    inputs: inputs.filter((spec) => own.has(spec)),
    outputs: outputs.filter((spec) => own.has(spec)),
  }));
}

type Artefacts = Record<string, readonly Piece[] | string>;

/** The frozen graph and its contract as files. */
function artefactsOf(graph: Graph, { contract, initializers }: FreezeContext, limit: number): Artefacts {
  describeOutputs(contract, graph);
  contract.initializers.push(...initializers.map((n) => n.name));
  const files = graphFiles(graph, contract, limit);
  return { ...files, 'frozen/contract.json': JSON.stringify(contract, null, 2) + '\n' };
}

/** Bytes of the graph, in whatever files it is. */
function graphSize(artefacts: Artefacts): number {
  return sizeOf(Object.values(artefacts).flatMap((content) => (typeof content === 'string' ? [] : content)));
}

/** Outputs have the shapes that follow from the declared inputs. */
function describeOutputs(contract: Contract, graph: Graph): void {
  inferShapes(graph, new Diagnostics());
  for (const spec of contract.signatures.flatMap((s) => s.outputs)) {
    const { name, index } = parseInput(spec.tensor);
    spec.shape = mergeShapes(spec.shape, graph.node(name)?.output(index).shape);
  }
}

/** The graph in one file, or, with more than `limit` bytes, as a SavedModel; the contract then says so. */
function graphFiles(graph: Graph, contract: Contract, limit: number): Record<string, readonly Piece[]> {
  const whole = writeGraphDef(graph);
  if (sizeOf(whole) <= limit) return { 'frozen/graph.pb': whole };
  contract.graph = 'saved_model';
  return writeSavedModel(`frozen/${contract.graph}`, graph, contract, limit);
}

function names(contract: Contract, list: 'inputs' | 'outputs'): string[] {
  return contract.signatures.flatMap((s) => s[list].map((spec) => spec.tensor));
}

/** A fault of the graph that only showed on the way. */
function malformed({ message, node }: GraphError): FloeError {
  return new FloeError({ code: 'G007', severity: 'error', message, node: node.name });
}
