/**
 * What was meant by a tensor that is not in the graph: besides misspelt names (diagnostics/suggest.ts) that is most
 * often the other of the two names an input has, the signature's and the graph's.
 */
import type { TensorSpec } from '../contract/contract';
import { nearest } from '../diagnostics/suggest';
import type { Graph } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';

/** How many names a hint gives. */
const MAX_NAMES = 3;

/**
 * A hint for a name that no node has.
 *
 * @param own the entries of the source's own signature, where it has one
 */
export function hintForMissing(
  graph: Graph,
  tensor: string,
  own: readonly TensorSpec[] = [],
): string | undefined {
  const { name } = parseInput(tensor);
  const bySignature = own.find((s) => s.name === tensor || s.name === name);
  if (bySignature) {
    return `"${bySignature.name}" is the signature's name of "${bySignature.tensor}": write tensor: "${bySignature.tensor}", or name: ${bySignature.name} without tensor`;
  }
  const [nearSpec] = nearest(
    name,
    own.map((s) => s.name),
    1,
  );
  const nodes = nearest(name, withOutputs(graph), MAX_NAMES);
  const hints = [
    ...(nearSpec ? [`name: ${nearSpec} (of the signature)`] : []),
    ...nodes.map((n) => `tensor: "${n}:0"`),
  ].slice(0, MAX_NAMES);
  if (hints.length) return `did you mean ${hints.join(' or ')}?`;
  if (own.length) return `the signature has ${own.map((s) => `"${s.name}"`).join(', ')}`;
  return '`floe inspect` lists likely inputs and outputs';
}

/** Names of nodes that have a tensor at all. */
function* withOutputs(graph: Graph): Iterable<string> {
  for (const node of graph.nodes.values()) if (outputTypes(node)?.length !== 0) yield node.name;
}
