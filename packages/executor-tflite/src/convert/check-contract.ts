/** Checks of a contract on a frozen graph that need no target: does each output depend on an input, is each needed? */
import { parseInput, type Contract, type Diagnostics, type Graph, type Node } from '@floe/export-core';

export function checkContract(graph: Graph, contract: Contract, diagnostics: Diagnostics): void {
  for (const signature of contract.signatures) {
    if (signature.outputs.length === 0) {
      diagnostics.error('G010', `signature "${signature.key}" has no outputs`, {
        hint: 'declare outputs: [{ name: y, tensor: "node:0" }]',
      });
    }
    const nodeOf = (tensor: string): Node | undefined => graph.node(parseInput(tensor).name);
    const inputs = signature.inputs.map((s) => nodeOf(s.tensor));
    const needed = new Set<Node>();
    for (const output of signature.outputs) {
      const node = nodeOf(output.tensor);
      if (!node) {
        diagnostics.error(
          'G001',
          `output "${output.name}": tensor "${output.tensor}" is not in the frozen graph`,
        );
        continue;
      }
      const ancestors = graph.ancestors([node]);
      for (const n of ancestors) needed.add(n);
      if (inputs.length > 0 && !inputs.some((n) => n && ancestors.has(n))) {
        diagnostics.warning(
          'G004',
          `output "${output.name}" does not depend on any input: it is always the same`,
          { node: node.name },
        );
      }
    }
    signature.inputs.forEach((spec, i) => {
      const node = inputs[i];
      if (node && !needed.has(node)) {
        diagnostics.warning('G005', `no output needs input "${spec.name}"`, { node: node.name });
      }
    });
  }
}
