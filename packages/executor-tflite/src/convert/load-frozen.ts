/** What the stages after freeze start from: the frozen graph and its contract. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  attr,
  Diagnostics,
  FloeError,
  inferShapes,
  parseInput,
  readGraphFile,
  resolveContract,
  type Contract,
  type Graph,
  type Signature,
  type StageContext,
} from '@floe/export-core';

export interface FrozenModel {
  graph: Graph;
  contract: Contract;
}

export function readContract(dist: string): Contract {
  const file = join(dist, 'frozen/contract.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Contract;
  } catch (error) {
    throw new FloeError({
      code: 'K003',
      severity: 'error',
      message: `${file} cannot be read: ${(error as Error).message}`,
      hint: 'run freeze again',
    });
  }
}

/**
 * Reads the frozen graph and applies the inputs and outputs that `tflite:` declares in place of the contract's. The
 * placeholders get the shapes of their inputs.
 */
export function loadFrozen({ dist, descriptor, place }: StageContext, diagnostics: Diagnostics): FrozenModel {
  const contract = readContract(dist);
  const { graph } = readGraphFile(join(dist, 'frozen/graph.pb'));
  const { inputs, outputs } = descriptor.tflite;
  if (inputs || outputs) {
    inferShapes(graph, new Diagnostics());
    const inner = (path: (string | number)[]) => place(['tflite', ...path]);
    const replaced = resolveContract({ inputs, outputs }, graph, contract.signatures, inner, diagnostics);
    contract.signatures.splice(0, 1, ...replaced.signatures);
    diagnostics.throwIfErrors();
  }
  for (const signature of contract.signatures) feed(graph, signature);
  return { graph, contract };
}

/** Lets the signature's inputs be placeholders of the declared shapes. */
function feed(graph: Graph, signature: Signature): void {
  for (const spec of signature.inputs) {
    const node = graph.node(parseInput(spec.tensor).name);
    if (!node) continue;
    const attrs = { dtype: attr.type(spec.dtype), shape: attr.shape(spec.shape) };
    if (node.op === 'Placeholder') node.attrs = new Map(Object.entries(attrs));
    else graph.become(node, 'Placeholder', [], attrs);
  }
}
