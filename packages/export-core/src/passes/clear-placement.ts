/**
 * Given:  y = Op(x) on "/device:GPU:0", _class=["loc:@weights"], _output_shapes=[[?,10]]
 * Result: y = Op(x)
 *
 * Where the graph was trained says nothing of where it will run; a device that is not there, or a colocation with a
 * node that is gone, keeps TensorFlow from loading it. So do noted shapes that are those of a handle no more, or of
 * inputs that the contract declares otherwise: shapes follow from the graph.
 */
import type { Graph } from '../graph/graph';

const NOTES = ['_class', '_output_shapes', '_read_only_resource_inputs'];

export function clearPlacement(graph: Graph): void {
  for (const each of [graph, ...graph.functions.values()]) {
    for (const node of each.nodes.values()) {
      node.device = '';
      for (const name of NOTES) node.attrs.delete(name);
    }
  }
}
