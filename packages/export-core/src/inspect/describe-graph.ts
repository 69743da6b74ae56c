/** What a graph says of the model in it: operators, variables, and what is likely fed and fetched. */
import type { Signature, TensorSpec } from '../contract/contract';
import { DEFAULT_SIGNATURE } from '../contract/contract';
import { placeholders, proposeOutputs } from '../contract/propose';
import { detectionBlock, type DetectionBlock } from '../detection/block';
import { holdsDetection, recogniseDetection } from '../detection/recognise';
import { Diagnostics, FloeError } from '../diagnostics/diagnostic';
import { GraphError, type Graph, type Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { compositeFunctions } from '../passes/composite-functions';
import { inferShapes } from '../passes/infer-shapes';
import { inlineFunctions } from '../passes/inline-functions';
import { prune } from '../passes/prune';
import type { DType } from '../tensor/dtype';

export interface DescribedVariable {
  name: string;
  dtype: DType;
  /** Sizes, null where one is unknown; null when even the rank is. */
  shape: readonly (number | null)[] | null;
  /** Of the packed elements, where digests were asked for; strings have none. */
  sha256?: string;
}

export interface DescribedGraph {
  /** Likely inputs: of the main signature where there is one, else placeholders that likely outputs need. */
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  variables: DescribedVariable[];
  /** How often each op occurs, functions included; sorted by name. */
  ops: Record<string, number>;
  /** Where the graph is a detector: the `detection:` block that exports it. */
  detection?: DetectionBlock;
}

const VARIABLE = /^(VariableV2|Variable|VarHandleOp)$/;
/** A flag that is fed false for inference: freezing does so by itself. */
const TRAINING_FLAG = /train|phase/i;

/** Describes a graph. Infers the shapes of its values on the way, and inlines the functions of a detector. */
export function describeGraph(graph: Graph, signatures: readonly Signature[]): DescribedGraph {
  const described = {
    ...likelyContract(graph, signatures),
    variables: variablesOf(graph),
    ops: opCounts(graph),
  };
  const detection = detectionOf(graph, signatures);
  return detection ? { ...described, detection } : described;
}

function detectionOf(graph: Graph, signatures: readonly Signature[]): DetectionBlock | undefined {
  try {
    compositeFunctions(graph);
    // TensorFlow 2 keeps the whole model in a function.
    if ([...graph.functions.values()].some(holdsDetection)) inline(graph, signatures);
    const found = recogniseDetection(graph);
    return found && detectionBlock(found);
  } catch (error) {
    // Malformed nodes are told of when the graph is used.
    if (error instanceof GraphError || error instanceof FloeError) return undefined;
    throw error;
  }
}

/** As freezing does it, so that tensors have the names they have in the frozen graph. */
function inline(graph: Graph, signatures: readonly Signature[]): void {
  const contract = { version: 1 as const, signatures: structuredClone([...signatures]), initializers: [] };
  const context = { contract, rename: {}, diagnostics: new Diagnostics(), initializers: [] };
  prune(graph, context);
  inlineFunctions(graph, context);
}

function likelyContract(
  graph: Graph,
  signatures: readonly Signature[],
): Pick<DescribedGraph, 'inputs' | 'outputs'> {
  const named = signatures.find(({ key }) => key === DEFAULT_SIGNATURE) ?? signatures[0];
  if (named) return { inputs: named.inputs, outputs: named.outputs };
  try {
    inferShapes(graph, new Diagnostics());
    const outputs = proposeOutputs(graph)
      .filter(({ likely }) => likely)
      .map(({ spec }) => spec);
    const ends = outputs
      .map(({ tensor }) => graph.node(parseInput(tensor).name))
      .filter((node): node is Node => node !== undefined);
    const inputs = placeholders(graph, graph.ancestors(ends));
    return { inputs: inputs.filter((spec) => !isTrainingFlag(spec)), outputs };
  } catch (error) {
    // A graph that cannot even be put in order still has operators and variables to tell of.
    if (error instanceof GraphError) return { inputs: [], outputs: [] };
    throw error;
  }
}

function isTrainingFlag({ dtype, tensor }: TensorSpec): boolean {
  return dtype === 'bool' && TRAINING_FLAG.test(tensor);
}

function variablesOf(graph: Graph): DescribedVariable[] {
  const variables: DescribedVariable[] = [];
  for (const node of graph.nodes.values()) {
    if (!VARIABLE.test(node.op)) continue;
    const shape = node.attr('shape');
    variables.push({
      name: node.name,
      dtype: node.type('dtype'),
      shape: shape?.kind === 'shape' ? shape.value : null,
    });
  }
  return variables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function opCounts(graph: Graph): Record<string, number> {
  const counts = new Map<string, number>();
  for (const part of [graph, ...graph.functions.values()]) {
    for (const { op } of part.nodes.values()) counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
