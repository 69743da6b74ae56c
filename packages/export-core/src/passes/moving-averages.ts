/**
 * Which variable is the exponential moving average of which: read off the ops that update it.
 *
 *   AssignSub(average, Mul(Sub(average, variable), 1 - decay))
 *
 * Batch normalisation updates its statistics alike, but with the batch's value in the variable's place.
 */
import type { Graph, Node, Value } from '../graph/graph';

const VARIABLE = /^(VariableV2|Variable|VarHandleOp)$/;
const READS = /^(Identity|ReadVariableOp|RefIdentity|Cast)$/;

/** Variable → average, by node names. */
export function movingAverages(graph: Graph): Map<string, string> {
  const averages = new Map<string, string>();
  for (const node of graph.nodes.values()) {
    if (node.op !== 'AssignSub' && node.op !== 'AssignSubVariableOp') continue;
    const average = variableOf(node.inputs[0]);
    const step = node.inputs[1]?.node;
    const difference = step?.op === 'Mul' ? step.inputs.find((v) => v.node.op === 'Sub')?.node : undefined;
    if (!average || !difference) continue;
    const variables = difference.inputs.map(variableOf);
    const variable = variables.find((v) => v && v !== average);
    if (variable && variables.includes(average)) averages.set(variable.name, average.name);
  }
  return averages;
}

function variableOf(value: Value | undefined): Node | undefined {
  let node = value?.node;
  for (let hops = 0; node && hops < 100 && READS.test(node.op); hops++) node = node.inputs[0]?.node;
  return node && VARIABLE.test(node.op) ? node : undefined;
}
