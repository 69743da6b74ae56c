/**
 * Given:  (handle, flow) = TensorArrayV3(n); flow' = TensorArrayWriteV3(handle, i, x, flow); …
 * Result: list = TensorListReserve(n); list' = TensorListSetItem(list, i, x); …
 *
 * A TensorArray lives behind its handle, and its flow, a number, only orders what happens to it. The flow takes the
 * place of the array: then it is a value like any other, and TensorLists are all there is to lower.
 */
import { attr, Tensor, type Attr, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { allGraphs, giveInstead } from '../functions';
import { joints, retype } from './borders';

/** The place of the flow among the inputs of each op, and whether its first output is the flow again. */
const OPS: Record<string, { flow: number; gives: boolean }> = {
  Write: { flow: 3, gives: true },
  Scatter: { flow: 3, gives: true },
  Split: { flow: 3, gives: true },
  Read: { flow: 2, gives: false },
  Gather: { flow: 2, gives: false },
  Size: { flow: 1, gives: false },
  Concat: { flow: 1, gives: false },
  Close: { flow: -1, gives: false },
};

/** What an op does to its array; undefined for other ops. */
function action(node: Node): string | undefined {
  const found = /^TensorArray([A-Z][a-z]+)(V2|V3)?$/.exec(node.op);
  return found && Object.hasOwn(OPS, found[1]) ? found[1] : undefined;
}

const isArray = (node: Node) => node.op === 'TensorArrayV3' || node.op === 'TensorArrayV2';

export function arraysToLists(graph: Graph): void {
  const graphs = allGraphs(graph);
  if (!graphs.some((each) => [...each.nodes.values()].some(isArray))) return;
  const arrays = new Map<Value, Node>();
  const flows = new Set<Value>();
  // Through loops a flow may come round to where it has been looked for already: until nothing is new.
  for (let before = -1; before !== arrays.size + flows.size;) {
    before = arrays.size + flows.size;
    for (const each of graphs) for (const node of each.nodes.values()) follow(each, node, arrays, flows);
  }
  for (const each of graphs) {
    for (const node of [...each.nodes.values()]) {
      const array = arrays.get(node.inputs[0]);
      const what = action(node);
      if (isArray(node)) makeList(each, node);
      else if (what && array) rewrite(each, node, what, array);
    }
  }
  retype(graph, (value) => (flows.has(value) ? 'variant' : undefined));
}

/** Marks the handles and flows that a node gives, or hands into functions and back. */
function follow(graph: Graph, node: Node, arrays: Map<Value, Node>, flows: Set<Value>): void {
  if (isArray(node)) {
    arrays.set(node.output(0), node);
    flows.add(node.output(1));
  }
  const what = action(node);
  if (what && OPS[what].gives) flows.add(node.output());
  for (const joint of joints(graph, node)) {
    const array = joint.map((v) => arrays.get(v)).find((a) => a !== undefined);
    if (array) for (const value of joint) arrays.set(value, array);
    if (joint.some((v) => flows.has(v))) for (const value of joint) flows.add(value);
  }
}

/** A shape as list ops take it: -1 for an unknown size, a scalar for an unknown rank. */
function shapeConst(graph: Graph, name: string, shape: Shape): Value {
  const tensor = shape
    ? Tensor.fromNumbers(
        'int32',
        [shape.length],
        shape.map((d) => d ?? -1),
      )
    : Tensor.scalar('int32', -1);
  return graph.addConst(`${name}/element_shape`, tensor).output();
}

function elementShape(array: Node): Shape {
  const shape = array.attr('element_shape');
  return shape?.kind === 'shape' ? shape.value : null;
}

function makeList(graph: Graph, array: Node): void {
  const shape = shapeConst(graph, array.name, elementShape(array));
  const attrs = { element_dtype: attr.type(array.type('dtype')), shape_type: attr.type('int32') };
  const list = graph.add(`${array.name}/list`, 'TensorListReserve', [shape, array.inputs[0]], attrs);
  list.output().dtype = 'variant';
  graph.replace(new Map([[array.output(1), list.output()]]));
}

function rewrite(graph: Graph, node: Node, what: string, array: Node): void {
  const flow = node.inputs[OPS[what].flow];
  const type: Record<string, Attr> = { element_dtype: attr.type(array.type('dtype')) };
  const shape = () => shapeConst(graph, node.name, elementShape(array));
  const grows = array.attr('dynamic_size');
  switch (what) {
    case 'Write': {
      const attrs = { ...type, resize_if_index_out_of_bounds: grows ?? attr.bool(false) };
      return graph.become(node, 'TensorListSetItem', [flow, node.inputs[1], node.inputs[2]], attrs);
    }
    case 'Read': {
      const attrs = { ...type, Tshape: attr.type('int32') };
      return graph.become(node, 'TensorListGetItem', [flow, node.inputs[1], shape()], attrs);
    }
    case 'Gather':
      return graph.become(node, 'TensorListGather', [flow, node.inputs[1], shape()], type);
    case 'Scatter': {
      const [, indices, value] = node.inputs;
      return graph.become(node, 'TensorListScatterIntoExistingList', [flow, value, indices], type);
    }
    case 'Size':
      return graph.become(node, 'TensorListLength', [flow], {});
    case 'Concat': {
      const none = graph.addConst(`${node.name}/leading_dims`, Tensor.fromNumbers('int64', [0], [])).output();
      const attrs = { ...type, shape_type: attr.type('int32') };
      return graph.become(node, 'TensorListConcatV2', [flow, shape(), none], attrs);
    }
    case 'Split': {
      const [, value, lengths] = node.inputs;
      const attrs = { ...type, shape_type: attr.type('int32') };
      return graph.become(node, 'TensorListSplit', [value, shape(), lengths], attrs);
    }
    default:
      // Closing an array frees memory that is not there any more.
      return giveInstead(graph, node, [], []);
  }
}
