/**
 * What was meant by a tensor that is not in the graph: besides misspelt names (diagnostics/suggest.ts) that is most
 * often the other of the two names an input has, the signature's and the graph's.
 */
import type { TensorSpec } from '../contract/contract';
import { nearest } from '../diagnostics/suggest';
import { placeholders, proposeOutputs } from '../contract/propose';
import { GraphError, type Graph } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';

/** How many names a hint gives. */
const MAX_NAMES = 3;

/**
 * A hint for a name that no node has.
 *
 * @param role `input …` or `output …`
 * @param own the entries of the source's own signature, where it has one
 */
export function hintForMissing(
  graph: Graph,
  tensor: string,
  role: string,
  own: readonly TensorSpec[] = [],
): string {
  const { bySignature, nearSpec, nodes } = meant(graph, tensor, own, MAX_NAMES);
  if (bySignature) {
    return `"${bySignature.name}" is the signature's name of "${bySignature.tensor}": write tensor: "${bySignature.tensor}", or name: ${bySignature.name} without tensor`;
  }
  const hints = [
    ...(nearSpec ? [`name: ${nearSpec.name} (of the signature)`] : []),
    ...nodes.map((n) => `tensor: "${n}:0"`),
  ].slice(0, MAX_NAMES);
  if (hints.length) return `did you mean ${hints.join(' or ')}?`;
  const inner = insideFunction(graph, parseInput(tensor).name);
  if (inner !== undefined) {
    const [, list, entry = 'x'] = /^(input|output) "([^"]+)"/.exec(role) ?? [undefined, 'output'];
    return `"${inner}" is in a function, which freezing opens: tflite: { ${list}s: [{ name: ${entry}, tensor: "${inner}:0" }] } takes it from the frozen graph`;
  }
  if (own.length) return `the signature has ${own.map((s) => `name: ${s.name}`).join(', ')}`;
  const likely = likelyTensors(graph, role, parseInput(tensor).name).map((t) => `tensor: "${t}"`);
  return likely.length
    ? `likely ${role.startsWith('input') ? 'inputs' : 'outputs'} are ${likely.join(', ')}`
    : '`floe inspect` lists what the graph has';
}

/**
 * The tensor that the hint names first, to go on with and see what else is wrong; undefined where it would be a guess
 * among several.
 */
export function likelyMeant(
  graph: Graph,
  tensor: string,
  role: string,
  own: readonly TensorSpec[] = [],
): string | undefined {
  const { bySignature, nearSpec, nodes } = meant(graph, tensor, own, 1);
  const spec = bySignature ?? nearSpec;
  if (spec) return spec.tensor;
  if (nodes.length) return `${nodes[0]}:0`;
  const likely = own.length ? own.map((s) => s.tensor) : likelyTensors(graph, role, parseInput(tensor).name);
  // Whichever result was meant, most of the model leads to it; which input, decides where the model begins.
  return role.startsWith('output') || likely.length === 1 ? likely[0] : undefined;
}

/** What a wrong name is near to: the signature's own names, and nodes of the graph. */
function meant(graph: Graph, tensor: string, own: readonly TensorSpec[], max: number) {
  const { name } = parseInput(tensor);
  const [near] = nearest(
    name,
    own.map((s) => s.name),
    1,
  );
  const bySignature = own.find((s) => s.name === tensor || s.name === name);
  return {
    bySignature,
    nearSpec: own.find((s) => s.name === near),
    nodes: bySignature ? [] : nearest(name, withOutputs(graph), max),
  };
}

/** The node of a function's body that has this name, or the nearest. */
function insideFunction(graph: Graph, name: string): string | undefined {
  const bodies = [...graph.functions.values()];
  if (bodies.some((body) => body.nodes.has(name))) return name;
  return nearest(
    name,
    bodies.flatMap((body) => [...withOutputs(body)]),
    1,
  )[0];
}

/** Placeholders, or what looks like a result; those that share a word with the name come first. */
function likelyTensors(graph: Graph, role: string, name: string): string[] {
  const specs = role.startsWith('input')
    ? placeholders(graph, new Set(graph.nodes.values()))
    : proposals(graph);
  const words = new Set(wordsOf(name));
  const shared = (tensor: string): number => wordsOf(tensor).filter((word) => words.has(word)).length;
  return specs
    .map((spec) => spec.tensor)
    .sort((a, b) => shared(b) - shared(a))
    .slice(0, MAX_NAMES);
}

function proposals(graph: Graph): TensorSpec[] {
  try {
    return proposeOutputs(graph).map((p) => p.spec);
  } catch (error) {
    // A graph that cannot be put in order has its own diagnostic.
    if (error instanceof GraphError) return [];
    throw error;
  }
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** Names of nodes that have a tensor at all. */
function* withOutputs(graph: Pick<Graph, 'nodes'>): Iterable<string> {
  for (const node of graph.nodes.values()) if (outputTypes(node)?.length !== 0) yield node.name;
}
