/** The graph that engines run in place of one that ends in TFLite's own operator, which no TensorFlow has. */
import { Diagnostics, inferShapes, joinPieces, writeGraphDef } from '@floe/export-core';
import type { FrozenGraph } from '../verify/graph-engine';
import { builtinPostProcess, canWriteOut } from './builtin-post-process';
import { POST_PROCESS } from './names';

/**
 * The same model without custom operators; the graph is changed. Also where a detector was cut out of a frozen graph,
 * whose file then holds more than is verified.
 */
export function engineGraph(frozen: FrozenGraph, wasCut: boolean): FrozenGraph {
  const { graph } = frozen;
  const nodes = [...graph.nodes.values()].filter((node) => node.op === POST_PROCESS);
  if (nodes.length > 0) {
    inferShapes(graph, new Diagnostics());
    // Where shapes or anchors are not known, only Floe's own engine can run it.
    if (!nodes.every(canWriteOut)) return frozen;
    // TensorFlow.js does not count what V5 keeps.
    builtinPostProcess(graph, 'NonMaxSuppressionV4');
  } else if (!wasCut) {
    return frozen;
  }
  return { ...frozen, bytes: () => joinPieces(writeGraphDef(graph)) };
}
