/**
 * Given:  y = Op(x) on "/device:GPU:0", _class=["loc:@weights"]
 * Result: y = Op(x)
 *
 * Where the graph was trained says nothing of where it will run; a device that is not there, or a colocation with a
 * node that is gone, keeps TensorFlow from loading it.
 */
import type { Graph } from '../graph/graph';

export function clearPlacement(graph: Graph): void {
  for (const each of [graph, ...graph.functions.values()]) {
    for (const node of each.nodes.values()) {
      node.device = '';
      node.attrs.delete('_class');
    }
  }
}
