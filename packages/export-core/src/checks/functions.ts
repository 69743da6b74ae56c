/** G007: whether the functions that nodes name, as the branches of an If, are in the graph's library. */
import type { Diagnostics } from '../diagnostics/diagnostic';
import { nearest } from '../diagnostics/suggest';
import { functionsIn } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';

/** TensorFlow finds out when the node runs. Attributes of TensorFlow's own use (`_…`) run nothing. */
export function checkFunctions(graph: Graph, nodes: Iterable<Node>, diagnostics: Diagnostics): void {
  for (const node of nodes) {
    for (const [attribute, value] of node.attrs) {
      if (attribute.startsWith('_')) continue;
      for (const { name } of functionsIn([value])) {
        if (name === '' || graph.functions.has(name)) continue;
        const [near] = nearest(name, [...graph.functions.keys()], 1);
        diagnostics.error(
          'G007',
          `${node.op} "${node.name}" calls function "${name}" (attribute "${attribute}"), which is not in the graph`,
          {
            node: node.name,
            hint: `the file was edited or damaged: write it again with TensorFlow${near ? ` (there is "${near}")` : ''}`,
          },
        );
      }
    }
  }
}
