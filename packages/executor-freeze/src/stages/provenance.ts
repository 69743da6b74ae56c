/** What `frozen/manifest.json` says of a graph: who wrote it, what is in it, what it needs to run. */
import {
  attrSince,
  compareReleases,
  oldestRelease,
  opDef,
  opSince,
  releaseOf,
  releaseReading,
  type Graph,
  type Node,
} from '@floe/export-core';

/**
 * @param source what the source's files say of themselves
 * @param graph the frozen graph
 */
export function provenanceOf(
  source: Readonly<Record<string, unknown>>,
  graph: Graph,
): Record<string, unknown> {
  const nodes = [graph, ...graph.functions.values()].flatMap((part) => [...part.nodes.values()]);
  const ops = countOps(nodes);
  return {
    ...source,
    // By the GraphDef version: files that are no MetaGraphDef do not say it themselves.
    writtenByAbout: releaseOf(graph.versions.producer),
    ops,
    customOps: Object.keys(ops).filter((op) => opDef(op) === undefined && !/^_(Arg|Retval)$/.test(op)),
    needs: needsOf(graph, nodes),
  };
}

function countOps(nodes: readonly Node[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The oldest TensorFlow that loads the graph, as far as releases are known, and what of it came after the oldest. */
function needsOf(
  graph: Graph,
  nodes: readonly Node[],
): { tensorflow: string; since: Record<string, string> } {
  const since = new Map<string, string>();
  for (const node of nodes) {
    const op = opSince(node.op);
    if (op !== undefined) since.set(node.op, op);
    for (const name of node.attrs.keys()) {
      const attr = attrSince(node.op, name);
      if (attr !== undefined) since.set(`${node.op}.${name}`, attr);
    }
  }
  const reader = releaseReading(graph.versions.minConsumer) ?? oldestRelease();
  const tensorflow = [...since.values()].reduce((a, b) => (compareReleases(a, b) < 0 ? b : a), reader);
  return { tensorflow, since: Object.fromEntries([...since].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
