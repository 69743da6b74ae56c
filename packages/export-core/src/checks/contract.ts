/** Checks of a contract on a frozen graph that need no target: what each output depends on, and what each input is for. */
import type { Contract, Signature, TensorSpec } from '../contract/contract';
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import { neededBy, nodeOf } from './needed';
import type { SpecPlace } from './places';

/** G001, G004, G005, G009, G010 for every signature. */
export function checkContract(
  graph: Graph,
  contract: Contract,
  place: SpecPlace,
  diagnostics: Diagnostics,
): void {
  for (const signature of contract.signatures) {
    checkOutputs(graph, signature, place, diagnostics);
    checkNames(signature, place, diagnostics);
  }
}

function checkOutputs(graph: Graph, signature: Signature, place: SpecPlace, diagnostics: Diagnostics): void {
  const { key, inputs, outputs } = signature;
  if (outputs.length === 0) {
    diagnostics.error('G010', `signature "${key}" has no outputs: nothing would be left of the graph`, {
      hint: 'outputs: [{ name: y, tensor: "node:0" }]; `floe inspect` lists likely ones',
      where: place(key, 'outputs', ''),
    });
  }
  const inputNodes = new Map<Node, TensorSpec>();
  for (const spec of inputs) {
    const node = nodeOf(graph, spec.tensor);
    if (node) inputNodes.set(node, spec);
  }
  const used = new Set<Node>();
  for (const output of outputs) {
    const node = nodeOf(graph, output.tensor);
    if (!node) {
      diagnostics.error(
        'G001',
        `output "${output.name}": tensor "${output.tensor}" is not in the frozen graph`,
        {
          hint: 'run freeze again',
          where: place(key, 'outputs', output.name, 'tensor'),
        },
      );
      continue;
    }
    const needed = neededBy([node], new Set());
    let depends = false;
    for (const input of inputNodes.keys()) {
      if (!needed.has(input)) continue;
      used.add(input);
      depends = true;
    }
    if (inputs.length > 0 && !depends) {
      diagnostics.warning(
        'G004',
        `output "${output.name}" does not depend on any input: it is always the same`,
        {
          hint: hintForConstant(node, inputs),
          where: place(key, 'outputs', output.name, 'tensor'),
          node: node.name,
        },
      );
    }
  }
  // Where no output depends on any input, that is all there is to say.
  for (const [node, spec] of used.size === 0 && outputs.length > 0 ? [] : inputNodes) {
    if (used.has(node)) continue;
    diagnostics.warning('G005', `no output needs input "${spec.name}": what is fed to it changes nothing`, {
      hint: outputs.length
        ? `remove it from inputs, or declare the output that needs "${spec.tensor}"`
        : undefined,
      where: place(key, 'inputs', spec.name, 'tensor'),
      node: node.name,
    });
  }
}

/** What a user may have meant by a tensor that never changes. */
function hintForConstant(node: Node, inputs: readonly TensorSpec[]): string {
  const random = [...neededBy([node], new Set())].find((n) =>
    /^(Random|Multinomial|TruncatedNormal)/.test(n.op),
  );
  const names = inputs.map((s) => `"${s.tensor}"`).join(' and ');
  if (random) return `it comes from ${random.op} "${random.name}"; declare an output that ${names} leads to`;
  if (node.op === 'Const')
    return `"${node.name}" is a constant (a weight?); declare an output that ${names} leads to`;
  return `declare an output that ${names} leads to; \`floe inspect\` lists likely ones`;
}

/** Two entries of one name would be one entry in the .tflite; two inputs of one tensor could be fed two values. */
function checkNames({ key, inputs, outputs }: Signature, place: SpecPlace, diagnostics: Diagnostics): void {
  for (const [list, specs] of [
    ['inputs', inputs],
    ['outputs', outputs],
  ] as const) {
    const names = new Map<string, TensorSpec>();
    const tensors = new Map<string, TensorSpec>();
    for (const spec of specs) {
      const where = place(key, list, spec.name);
      if (names.has(spec.name)) {
        diagnostics.error('G009', `two ${list} are called "${spec.name}"`, {
          hint: `give one of them another name: { name: ${spec.name}_2, tensor: "${spec.tensor}" }`,
          where,
        });
      }
      const twin = tensors.get(spec.tensor);
      if (twin && twin.name !== spec.name) {
        const told = `${list} "${twin.name}" and "${spec.name}" are one tensor, ${spec.tensor}`;
        if (list === 'inputs') diagnostics.error('G009', told, { hint: 'keep one of the two', where });
        else diagnostics.note('G009', `${told}: both will hold the same numbers`, { where });
      }
      names.set(spec.name, spec);
      tensors.set(spec.tensor, spec);
    }
  }
}
