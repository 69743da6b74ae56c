/** A pass over a TensorFlow graph: one file each, listed with its reason for standing where it stands. */
import type { Graph } from '../graph/graph';

/**
 * Changes the graph it is given, which its pipeline owns, and nothing else: what it does depends on its arguments
 * alone. Running a pass twice in a row changes nothing the second time.
 */
export interface Pass<Context> {
  name: string;
  run(graph: Graph, context: Context): void;
}

/** Runs passes in order. */
export function runPasses<Context>(passes: readonly Pass<Context>[], graph: Graph, context: Context): void {
  for (const pass of passes) pass.run(graph, context);
}
