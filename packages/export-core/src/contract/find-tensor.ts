/** Finds the tensor a user names, or says what was probably meant. */
import { hintForMissing } from '../checks/missing-tensor';
import type { Diagnostics, Place } from '../diagnostics/diagnostic';
import { parseInput } from '../graph/graphdef';
import type { Graph, Node, Value } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import type { TensorSpec } from './contract';

export interface Wanted {
  /** `scope/node:0`, `scope/node`. */
  tensor: string;
  /** `input` or `output`, for the message. */
  role: string;
  where?: Place;
  /** What the source's own signature has, whose names may have been meant. */
  own?: readonly TensorSpec[];
}

/** The value of a tensor name; undefined after a G001 diagnostic that names the nearest tensors. */
export function findTensor(graph: Graph, wanted: Wanted, diagnostics: Diagnostics): Value | undefined {
  const { tensor, role, where, own } = wanted;
  const { name, index, control } = parseInput(tensor);
  const node = graph.node(name);
  const fail = (message: string, hint?: string) => {
    diagnostics.error('G001', message, { hint, where, node: name });
    return undefined;
  };
  if (control) return fail(`${role} "${tensor}" is a control edge, not a tensor`, `tensor: "${name}:0"`);
  if (!node) return fail(`${role} "${tensor}" is not in the graph`, hintForMissing(graph, tensor, role, own));
  const count = outputCount(node);
  if (count === 0) {
    return fail(`${role} "${tensor}" is a ${node.op}, which has no outputs`, inputHint(node));
  }
  if (count !== undefined && index >= count) {
    return fail(
      `${role} "${tensor}": ${node.op} "${name}" has ${count} output${count > 1 ? 's' : ''}, so no :${index}`,
      `tensor: "${name}:${count - 1}"`,
    );
  }
  return node.output(index);
}

/** How many outputs a node has; undefined for custom ops. */
export function outputCount(node: Node): number | undefined {
  return outputTypes(node)?.length;
}

/** A node without outputs (NoOp, Assert, SaveV2): the tensors it reads may be what was meant. */
function inputHint(node: Node): string | undefined {
  const tensors = node.inputs.slice(0, 3).map((v) => `"${v.name}"`);
  return tensors.length ? `it reads ${tensors.join(', ')}` : undefined;
}
