/**
 * Given:  y = If(const true, x, then_branch=f, else_branch=g); or Case with a constant index
 * Result: f's nodes in the place of y
 *
 * As fold-switches does for TF1: frees the graph of what only training does. In the bodies of functions too.
 */
import { contractOutputs } from '../contract/contract';
import type { Graph, Node, Value } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import type { Tensor } from '../tensor/tensor';
import { evaluateNode } from './fold-constants';
import { Budget, expandCalls, type Expansion } from './expand-calls';
import type { FreezeContext } from './freeze-context';
import { branchesOf, reachableFunctions } from './function-calls';
import { SideEffects } from './side-effects';

/** How far the constant behind a predicate is looked for; and/or double the work at every level. */
const MAX_HOPS = 1000;
const MAX_DEPTH = 8;

export function foldConditionals(graph: Graph, { contract }: FreezeContext): void {
  if (graph.functions.size === 0) return;
  const budget = new Budget();
  const effects = new SideEffects(graph.functions);
  const expansionOf = (node: Node): Expansion | undefined => {
    const branching = branchesOf(graph.functions, node);
    if (!branching || branching.firstInput === 0) return undefined;
    const predicate = constantOf(node.inputs[0]);
    if (!predicate) return undefined;
    const body = branching.bodies[chosen(node, predicate, branching.bodies.length)];
    return body && { body, inputs: node.inputs.slice(1), attrs: new Map() };
  };
  const bodies = reachableFunctions(graph).order;
  // A branch may hold conditionals on what was its argument: again, until there is nothing left to decide.
  const named = new Set(
    contractOutputs(contract).flatMap((s) => graph.node(parseInput(s.tensor).name) ?? []),
  );
  for (const each of [...bodies, graph]) while (expandCalls(each, expansionOf, effects, budget, named) > 0);
}

/** Which body runs. */
function chosen(node: Node, predicate: Tensor, count: number): number {
  if (node.op.endsWith('Case')) {
    const index = predicate.at(0);
    return index >= 0 && index < count ? index : count - 1;
  }
  return isTrue(predicate) ? 0 : 1;
}

/** As If takes it: a scalar by its value, everything else by whether it has elements. */
function isTrue(predicate: Tensor): boolean {
  if (predicate.shape.length > 0) return predicate.size > 0;
  if (predicate.dtype === 'string') return predicate.strings[0].length > 0;
  return predicate.at(0) !== 0;
}

/**
 * The constant behind a predicate; of and/or one constant side may decide.
 *
 * @param follow what a value has been replaced by, where that is not yet in the graph
 */
export function constantOf(
  value: Value | undefined,
  follow: (value: Value) => Value = (v) => v,
  depth = 0,
): Tensor | undefined {
  let at = value && follow(value);
  for (let hops = 0; at && hops < MAX_HOPS && /^(Identity|StopGradient|Snapshot)$/.test(at.node.op); hops++)
    at = at.node.inputs[0] && follow(at.node.inputs[0]);
  if (!at || depth > MAX_DEPTH) return undefined;
  const { node, index } = at;
  if (node.constant) return node.constant;
  if (node.op !== 'LogicalAnd' && node.op !== 'LogicalOr') return evaluateNode(node)?.[index];
  const sides = node.inputs.map((input) => constantOf(input, follow, depth + 1));
  const decisive = sides.find((t) => t?.size === 1 && Boolean(t.at(0)) === (node.op === 'LogicalOr'));
  if (decisive) return decisive;
  return sides[0] && sides[1]?.shape.length === 0 ? sides[0] : undefined;
}
