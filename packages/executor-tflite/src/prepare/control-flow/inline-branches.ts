/**
 * Given:  y = If(const p, x, then, else), Case(const i, x, branches), or a While whose condition is never true
 * Result: the branch that runs, in place of the node; the loop's operands
 */
import { type Attr, type FunctionGraph, type Graph, type Node } from '@floe/export-core';
import { bodyOf, giveInstead, inlineBody, isCase, isIf, isLoop } from './functions';

/** Returns how many nodes were replaced. */
export function inlineBranches(graph: Graph): number {
  let inlined = 0;
  for (const node of [...graph.nodes.values()]) {
    if (isLoop(node)) {
      const never = bodyOf(graph, node, 'cond')?.results[0]?.node.constant?.at(0) === 0;
      if (!never) continue;
      giveInstead(graph, node, node.inputs, node.types('T'));
      inlined++;
      continue;
    }
    const branch = takenBranch(graph, node);
    if (!branch) continue;
    const types = node.types('Tout');
    const { results, controls } = inlineBody(graph, node, branch, node.inputs.slice(1));
    giveInstead(graph, node, results, types);
    node.controls = controls;
    inlined++;
  }
  return inlined;
}

function takenBranch(graph: Graph, node: Node): FunctionGraph | undefined {
  const selector = isIf(node) || isCase(node) ? node.inputs[0].node.constant : undefined;
  if (!selector || selector.dtype === 'string') return undefined;
  if (isIf(node)) {
    // A tensor that is no scalar counts as true when it has elements.
    const truth = selector.shape.length === 0 ? selector.at(0) !== 0 : selector.size > 0;
    return bodyOf(graph, node, truth ? 'then_branch' : 'else_branch');
  }
  const branches = branchNames(node);
  const index = selector.at(0);
  // TensorFlow takes the last branch for an index out of range.
  const name = branches[index >= 0 && index < branches.length ? index : branches.length - 1];
  return graph.functions.get(name);
}

/** The functions of a Case. */
export function branchNames(node: Node): string[] {
  const list = node.attr('branches') as Extract<Attr, { kind: 'list' }>;
  return list.value.flatMap((a) => (a.kind === 'func' ? [a.value.name] : []));
}
