/** A frozen graph as the contract of the phone has it. */
import { cutInputs, parseInput, sharedName, type Contract, type Graph, type Node } from '@floe/export-core';

/** Puts Placeholders where the contract's inputs are; an input behind a lookup needs no table that is filled. */
export function cutContract(graph: Graph, contract: Contract): void {
  cutInputs(graph, { contract });
  contract.initializers = neededInitializers(graph, contract);
}

/** The initialisers that fill what the outputs read, and what those need in turn. */
export function neededInitializers(
  graph: Graph,
  { signatures, initializers }: Pick<Contract, 'signatures' | 'initializers'>,
): string[] {
  const nodeOf = (tensor: string) => graph.node(parseInput(tensor).name);
  const roots = signatures.flatMap((s) => s.outputs).flatMap((o) => nodeOf(o.tensor) ?? []);
  let kept: Node[] = [];
  let open = initializers.flatMap((name) => graph.node(name) ?? []);
  for (let before = -1; before !== kept.length;) {
    before = kept.length;
    const read = new Set([...graph.ancestors([...roots, ...kept])].map(stateOf));
    const fills = (n: Node) => [...graph.ancestors([n.inputs[0].node])].some((a) => read.has(stateOf(a)));
    kept = [...kept, ...open.filter(fills)];
    open = open.filter((n) => !fills(n));
  }
  return initializers.filter((name) => kept.some((n) => n.name === name));
}

/** What tables and variables are known by: handles of one name are one. */
const stateOf = (node: Node) => `${node.op} ${sharedName(node)}`;
