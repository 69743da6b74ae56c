/**
 * Runs frozen graphs by whichever engine can. The order is that of trust: native TensorFlow where it is installed,
 * TensorFlow.js, Floe's own evaluation. The first two share no code with the converter; the last is exact for every
 * dtype, and knows most ops.
 */
import { parseInput, type Graph, type Node, type Signature, type Tensor } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import { floeEngine } from './floe-engine';
import type { FedTensor, FrozenGraph, GraphEngine } from './graph-engine';
import { tfjsEngine } from './tfjs-engine';
import { tfjsNodeEngine } from './tfjs-node-engine';

export const ENGINES: readonly GraphEngine[] = [tfjsNodeEngine, tfjsEngine, floeEngine];

/** Who computed a reference. */
export interface EngineName {
  name: string;
  version: string;
}

/** The outputs of each sample, by output name. */
export interface GraphRun {
  engine: EngineName;
  isExact: boolean;
  outputs: Map<string, Tensor>[];
}

/** An engine that could not, and why. */
export interface Refusal {
  engine: EngineName;
  reason: string;
}

/** What makes an engine's run needless: one sample's outputs are looked at before the rest is computed. */
export interface Doubt {
  sample: number;
  isSettled(outputs: ReadonlyMap<string, Tensor>): boolean;
}

export interface GraphRunner {
  /** The next engine's outputs; undefined when all were asked, or when its outputs settle the doubt. */
  next(doubt?: Doubt): Promise<GraphRun | undefined>;
  /** Engines that were asked and could not. */
  refusals: Refusal[];
}

/**
 * Runs samples through a signature's part of the graph, engine by engine.
 *
 * @throws CannotRun where no engine's results could be compared: they are random
 */
export function runGraph(
  model: FrozenGraph,
  signature: Signature,
  samples: readonly ReadonlyMap<string, Tensor>[],
  engines: readonly GraphEngine[] = ENGINES,
): GraphRunner {
  const feeds = signature.inputs.map((s): FedTensor => ({ tensor: s.tensor, dtype: s.dtype }));
  // An input may be an output too, and one tensor several outputs.
  const fetches = [...new Map(signature.outputs.map((s) => [s.tensor, s.dtype]))].map(
    ([tensor, dtype]): FedTensor => ({ tensor, dtype }),
  );
  const random = randomOp(model.graph, feeds, fetches);
  if (random) throw new CannotRun(`${random.op} ("${random.name}") gives other numbers in each run`);
  const waiting = engines.flatMap((engine) => {
    const version = engine.version();
    return version === undefined ? [] : [{ engine, version }];
  });
  const refusals: Refusal[] = [];
  return {
    refusals,
    next: async (doubt) => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const engine = { name: one.engine.name, version: one.version };
        try {
          const open = await one.engine.open(model, feeds, fetches);
          try {
            const run = async (sample: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> => {
              const fed = new Map(signature.inputs.map((s) => [s.tensor, sample.get(s.name) as Tensor]));
              const results = await open.run(fed);
              return new Map(signature.outputs.map((s) => [s.name, results.get(s.tensor) as Tensor]));
            };
            const known = doubt && (await run(samples[doubt.sample]));
            if (known && doubt.isSettled(known)) return undefined;
            const outputs: Map<string, Tensor>[] = [];
            for (const [i, sample] of samples.entries())
              outputs.push(known && i === doubt.sample ? known : await run(sample));
            return { engine, isExact: one.engine.isExact, outputs };
          } finally {
            open.dispose();
          }
        } catch (error) {
          if (!(error instanceof CannotRun)) throw error;
          refusals.push({ engine, reason: error.reason });
        }
      }
      return undefined;
    },
  };
}

const RANDOM =
  /^(Random|ParameterizedTruncatedNormal|TruncatedNormal|Multinomial|StatefulStandardNormal|StatefulUniform|StatefulTruncatedNormal|StatefulRandomBinomial)/;

/** An op, in the graph or a function, whose numbers differ from run to run. */
function randomOp(
  graph: Graph,
  feeds: readonly FedTensor[],
  fetches: readonly FedTensor[],
): Node | undefined {
  const fed = new Set(feeds.map((f) => parseInput(f.tensor).name));
  const seen = new Set<Node>();
  const stack = fetches.flatMap((f) => graph.node(parseInput(f.tensor).name) ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node) || fed.has(node.name)) continue;
    seen.add(node);
    stack.push(...node.inputs.map((v) => v.node));
  }
  const bodies = [...graph.functions.values()].flatMap((f) => [...f.nodes.values()]);
  return [...seen, ...bodies].find((node) => RANDOM.test(node.op));
}
