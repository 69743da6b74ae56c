/** Floe's own evaluation as an engine: the last reference, exact for every dtype. */
import { parseInput, Tensor, type Graph, type Value } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import { GraphEvaluator } from './evaluate-graph';
import type { GraphEngine } from './graph-engine';

export const floeEngine: GraphEngine = {
  name: 'floe',
  isExact: true,
  version: () => (require('../../package.json') as { version: string }).version,
  open: async ({ graph }, feeds, fetches) => {
    const fed = feeds.map((f) => valueOf(graph, f.tensor));
    const fetched = fetches.map((f) => valueOf(graph, f.tensor));
    const evaluator = new GraphEvaluator(graph, fetched, fed);
    const obstacles = evaluator.obstacles();
    if (obstacles.length) throw new CannotRun(`it has no evaluation of ${obstacles.join(', ')}`);
    return {
      run: async (tensors) => {
        const results = evaluator.run(
          new Map(fed.map((v, i) => [v, tensors.get(feeds[i].tensor) as Tensor])),
        );
        return new Map(
          results.map((result, i) => {
            if (!(result instanceof Tensor)) throw new CannotRun(`"${fetches[i].tensor}" is no tensor`);
            return [fetches[i].tensor, result];
          }),
        );
      },
      dispose: () => undefined,
    };
  },
};

function valueOf(graph: Graph, tensor: string): Value {
  const { name, index } = parseInput(tensor);
  const node = graph.node(name);
  if (!node) throw new CannotRun(`"${tensor}" is not in the graph`);
  return node.output(index);
}
