/**
 * Given:  (f, t) = Switch(x, const true); y = Merge(g(f), h(t))
 * Result: y = h(x)
 *
 * The branch that a constant predicate never takes is dead, and everything that needs it, up to a Merge with another
 * live input. Frees inference graphs of `tf.cond(is_training, …)`.
 */
import { attr } from '../graph/attr';
import { followReplacements, type Graph, type Node, type Value } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { constantOf } from './fold-conditionals';

export function foldSwitches(graph: Graph): void {
  const dead = new Set<Value>();
  const deadNodes = new Set<Node>();
  const replaced = new Map<Value, Value>();
  const order = graph.sorted();
  const isDead = (v: Value) => dead.has(v) || deadNodes.has(v.node);
  for (const node of order) {
    const merge = node.op === 'Merge' || node.op === 'RefMerge';
    const dataDead = merge ? node.inputs.every(isDead) : node.inputs.some(isDead);
    if (dataDead || node.controls.some((c) => deadNodes.has(c))) {
      deadNodes.add(node);
      continue;
    }
    if (node.op === 'Switch' || node.op === 'RefSwitch') {
      const predicate = constantOf(node.inputs[1], (v) => followReplacements(replaced, v));
      if (!predicate) continue;
      const live = predicate.at(0) ? 1 : 0;
      replaced.set(node.output(live), node.inputs[0]);
      dead.add(node.output(1 - live));
    } else if (merge) {
      const live = node.inputs.filter((v) => !isDead(v));
      if (live.length !== 1 || node.inputs.length === 1) continue;
      const taken = Tensor.scalar('int32', node.inputs.indexOf(live[0]));
      replaced.set(node.output(1), graph.addConst(`${node.name}/value_index`, taken).output());
      // In place: the name may be an output of the contract.
      graph.become(node, 'Identity', [live[0]], { T: attr.type(node.type('T')) });
    }
  }
  if (replaced.size === 0) return;
  graph.replace(replaced);
  const switches = [...replaced.keys()].map((v) => v.node).filter((n) => n.op !== 'Identity');
  const gone = new Set([...deadNodes, ...switches]);
  // A control edge on a dead Switch's live side orders nothing any more.
  for (const node of graph.nodes.values())
    node.controls = node.controls.filter((c) => !gone.has(c) && !isPivot(c));
  graph.remove(gone);
}

/** The identities `switch_t` and `switch_f` that constants of a branch hang on: their Switch is gone. */
function isPivot(node: Node): boolean {
  return node.op === 'Identity' && /\/switch_[tf]$/.test(node.name);
}
