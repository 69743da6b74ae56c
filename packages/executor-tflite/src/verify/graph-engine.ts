/** What runs a frozen graph: the references that a .tflite file is compared with. */
import type { Graph, Tensor } from '@floe/export-core';

/** A frozen graph as its file has it, and as it was read. */
export interface FrozenGraph {
  /** The GraphDef's bytes. @throws CannotRun where it is too large to have any */
  bytes(): Uint8Array;
  graph: Graph;
  /** Nodes to run once before the first inference. */
  initializers: readonly string[];
}

export interface GraphEngine {
  readonly name: string;
  /** Its word is final; of others a second opinion is asked where the .tflite file differs from them. */
  readonly isExact: boolean;
  /** Undefined where the engine is not installed. Loads nothing heavy. */
  version(): string | undefined;
  /**
   * @param feeds tensors that are given, by name (`node:0`)
   * @param fetches tensors to compute
   * @throws CannotRun where this engine cannot run the graph, or not exactly
   */
  open(model: FrozenGraph, feeds: readonly FedTensor[], fetches: readonly FedTensor[]): Promise<OpenGraph>;
}

/** A tensor of the graph that goes in or comes out. */
export interface FedTensor {
  tensor: string;
  dtype: Tensor['dtype'];
}

/** A graph that an engine has loaded. */
export interface OpenGraph {
  run(feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  dispose(): void;
}
