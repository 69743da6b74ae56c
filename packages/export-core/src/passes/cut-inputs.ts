/**
 * Given:  an input that is any tensor, e.g. the result of ParseExample
 * Result: a Placeholder in its place, of the declared type and shape; what fed it falls away when pruned
 *
 * The Placeholder takes the cut node's name. Of a node with several outputs only the cut one is replaced, by a
 * Placeholder with the input's name, where that can be a node's, and the contract follows.
 */
import { attr } from '../graph/attr';
import type { Graph, Value } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';
import type { FreezeContext } from './freeze-context';

/** As TensorFlow wants them. */
const NODE_NAME = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/;

export function cutInputs(graph: Graph, { contract }: Pick<FreezeContext, 'contract'>): void {
  const replaced = new Map<Value, Value>();
  for (const signature of contract.signatures) {
    for (const spec of signature.inputs) {
      const { name, index } = parseInput(spec.tensor);
      const node = graph.node(name);
      if (!node) continue;
      const attrs = { dtype: attr.type(spec.dtype), shape: attr.shape(spec.shape) };
      if (node.op === 'Placeholder') {
        node.attrs = new Map(Object.entries(attrs));
        continue;
      }
      const earlier = replaced.get(node.output(index));
      if (earlier) spec.tensor = earlier.name;
      else if ((outputTypes(node)?.length ?? 1) === 1) {
        graph.become(node, 'Placeholder', [], attrs);
        node.controls = [];
      } else {
        const own = NODE_NAME.test(spec.name) ? spec.name : `${name}_${index}`;
        const placeholder = graph.add(own, 'Placeholder', [], attrs);
        replaced.set(node.output(index), placeholder.output());
        spec.tensor = placeholder.output().name;
      }
    }
  }
  graph.replace(replaced);
  for (const spec of contract.signatures.flatMap((s) => s.outputs)) {
    // An output may be an input: it is the placeholder then.
    const { name, index } = parseInput(spec.tensor);
    const node = graph.node(name);
    const now = node && replaced.get(node.output(index));
    if (now) spec.tensor = now.name;
  }
}
