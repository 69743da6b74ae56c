/**
 * Given:  y = StatefulPartitionedCall(x, h, f=body)      body(a, r) = { m = ReadVariableOp(r); z = MatMul(a, m) }
 * Result: m = ReadVariableOp(h); z = MatMul(x, m); y = Identity(z)
 *
 * Every call, in the graph and in the bodies of functional control flow, by a call op or by the function's name.
 * Captured resources are arguments like others, so that a variable's handle meets its reads. The call that gives a
 * signature's outputs stays as an Identity: the outputs keep their names. While, If and Case stay, with their bodies
 * in the library.
 */
import { contractOutputs, type Contract } from '../contract/contract';
import { FloeError } from '../diagnostics/diagnostic';
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';
import { Budget, expandCalls } from './expand-calls';
import type { FreezeContext } from './freeze-context';
import { calledFunction, isCall, reachableFunctions } from './function-calls';
import { SideEffects } from './side-effects';

export function inlineFunctions(graph: Graph, { contract }: FreezeContext): void {
  if (graph.functions.size === 0) return;
  const { order, cycle } = reachableFunctions(graph);
  if (cycle) {
    throw new FloeError({
      code: 'S007',
      severity: 'error',
      message: `function "${cycle[0].name}" calls itself${
        cycle.length > 1
          ? ` through ${cycle
              .slice(1)
              .map((f) => `"${f.name}"`)
              .join(', ')}`
          : ''
      }: recursion cannot be frozen`,
      node: cycle[0].name,
    });
  }
  const effects = new SideEffects(graph.functions);
  const budget = new Budget();
  const expansionOf = (node: Node) => {
    const call = calledFunction(graph.functions, node);
    if (call) return { ...call, inputs: node.inputs };
    if (isCall(node)) throw missing(node);
    return undefined;
  };
  // Callees first: what is brought in has no calls left.
  for (const body of order) expandCalls(body, expansionOf, effects, budget);
  const named = keepOutputs(graph, contract);
  expandCalls(graph, expansionOf, effects, budget, named);
}

function missing(node: Node): FloeError {
  const f = node.attrs.get('f');
  const name = f?.kind === 'func' ? f.value.name : '?';
  return new FloeError({
    code: 'G007',
    severity: 'error',
    message: `"${node.name}" calls function "${name}", which is not in the graph`,
    node: node.name,
  });
}

/**
 * The calls whose tensors the contract names. Where it leaves some of a call's outputs out, each of the others gets
 * an Identity called like it instead, and the contract follows: so that nothing is computed for what nobody wants.
 */
function keepOutputs(graph: Graph, contract: Contract): Set<Node> {
  const wanted = new Map<Node, Set<number>>();
  for (const spec of contractOutputs(contract)) {
    const { name, index } = parseInput(spec.tensor);
    const node = graph.node(name);
    if (!node || !calledFunction(graph.functions, node)) continue;
    const indices = wanted.get(node);
    if (indices) indices.add(index);
    else wanted.set(node, new Set([index]));
  }
  const named = new Set<Node>();
  for (const [node, indices] of wanted) {
    const types =
      outputTypes(node) ?? calledFunction(graph.functions, node)!.body.results.map(() => undefined);
    if (indices.size === types.length) named.add(node);
    else for (const index of [...indices].sort((a, b) => a - b)) nameOutput(graph, contract, node, index);
  }
  return named;
}

function nameOutput(graph: Graph, contract: Contract, node: Node, index: number): void {
  const tensor = node.output(index).name;
  const specs = contract.signatures
    .flatMap((s) => s.outputs)
    .filter((s) => parseInput(s.tensor).name === node.name && parseInput(s.tensor).index === index);
  const dtype = specs[0].dtype;
  const clean = specs[0].name.replace(/[^A-Za-z0-9_./-]/g, '_').replace(/^[^A-Za-z0-9.]+/, '');
  const identity = graph.add(clean || tensor.replace(':', '_'), 'Identity', [node.output(index)], {
    T: attr.type(dtype),
  });
  for (const spec of specs) spec.tensor = identity.output().name;
}
