/**
 * Writes to lists that grow by them: in a loop that counts from 0, with a list that is empty before, the element
 * that is set is always the one behind the last.
 */
import { type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { allGraphs, bodyOf, isLoop } from '../functions';

/** The TensorListSetItem nodes that append. */
export function appendingNodes(graph: Graph): Set<Node> {
  const found = new Set<Node>();
  for (const each of allGraphs(graph)) {
    for (const node of each.nodes.values()) {
      const body = isLoop(node) ? bodyOf(each, node, 'body') : undefined;
      if (body) for (const write of writesOf(body)) if (appends(node, body, write)) found.add(write);
    }
  }
  return found;
}

function writesOf(body: FunctionGraph): Node[] {
  return [...body.nodes.values()].filter((n) => n.op === 'TensorListSetItem');
}

function appends(loop: Node, body: FunctionGraph, write: Node): boolean {
  const [list, index] = write.inputs;
  const place = body.args.indexOf(list.node);
  const counter = body.args.indexOf(index.node);
  if (place < 0 || counter < 0 || body.results[place].node !== write) return false;
  const start = loop.inputs[counter].node.constant?.at(0);
  return start !== undefined && start === lengthBefore(loop.inputs[place]) && countsUp(body, counter);
}

function lengthBefore(list: Value): number | undefined {
  if (list.node.op === 'EmptyTensorList') return 0;
  return list.node.op === 'TensorListReserve' ? list.node.inputs[1].node.constant?.at(0) : undefined;
}

/** The variable is one more in the next iteration. */
export function countsUp(body: FunctionGraph, place: number): boolean {
  const { node } = body.results[place];
  if (node.op !== 'Add' && node.op !== 'AddV2') return false;
  const other = node.inputs.findIndex((v) => v.node === body.args[place]);
  return other >= 0 && node.inputs[1 - other].node.constant?.at(0) === 1;
}
