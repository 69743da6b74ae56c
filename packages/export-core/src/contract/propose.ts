/**
 * Which tensors of a graph are likely its inputs and outputs: so that nobody has to ask which node name to use.
 *
 * Outputs are the sinks of the inference part: nodes whose outputs nobody reads but training, saving, summaries,
 * metrics and initialisers. Those named or typed like results (softmax, logits, detection boxes) come first.
 */
import type { Graph, Node } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import type { Shape } from '../tensor/shape';
import type { TensorSpec } from './contract';

export interface Proposal {
  spec: TensorSpec;
  /** Higher is likelier. */
  score: number;
  /** Good enough to be taken without asking. */
  likely: boolean;
}

/** Ops that are no part of inference: what they read does not count as used. */
const TRAINING =
  /^(Assign|AssignAdd|AssignSub|Assign\w*VariableOp|ScatterUpdate|Save\w*|Restore\w*|Merge(V2Checkpoints|Summary)|ShardedFilename|\w*Summary\w*|Assert|Apply\w+|(Resource|Sparse)\w*Apply\w+|IsVariableInitialized|VarIsInitializedOp|VariableShape|NoOp|ControlTrigger|Print\w*|InitializeTable\w*|LookupTable(Import|Export)\w*|\w+Grad|\w+GradV\d|BroadcastGradientArgs|Iterator\w*|Queue\w*|WriteFile|Const|VariableV2|Variable|VarHandleOp|Placeholder\w*|ReadVariableOp)$/;
const TRAINING_SCOPE =
  /(^|\/)(gradients|save(_\d+)?|train|Adam|optimizer|report_uninitialized|init|metrics|global_step|losses?|regularization|ExponentialMovingAverage|AssignMovingAvg(_\d+)?|Initializer|dataset|shuffle_batch|batch|batch_join|prefetch_queue)(\/|$)/i;
const RESULT_NAME =
  /(softmax|sigmoid|predict|prob|logits|detection|classes|scores|boxes|output|embedding|final)/i;
const RESULT_OP =
  /^(Softmax|Sigmoid|LogSoftmax|ArgMax|BiasAdd|MatMul|Reshape|Squeeze|TopKV2|Tanh|Identity|ConcatV2|Add\w*)$/;

/** The graph's likely outputs, best first. Shapes are those that inference found. */
export function proposeOutputs(graph: Graph): Proposal[] {
  const consumers = graph.consumers();
  const inference = (node: Node) => !TRAINING.test(node.op) && !TRAINING_SCOPE.test(node.name);
  const usesInput = dependsOnInputs(graph);
  const proposals: Proposal[] = [];
  for (const node of graph.nodes.values()) {
    if (!inference(node) || !usesInput.has(node)) continue;
    if ((consumers.get(node) ?? []).some((c) => inference(c))) continue;
    const types = outputTypes(node) ?? [];
    types.forEach((dtype, i) => {
      if (!dtype || dtype === 'resource' || dtype === 'variant') return;
      const score =
        (RESULT_NAME.test(node.name) ? 2 : 0) +
        (RESULT_OP.test(node.op) ? 1 : 0) +
        (dtype === 'float32' ? 1 : 0) -
        (i > 0 ? 1 : 0);
      const value = node.output(i);
      proposals.push({
        spec: { name: shortName(node.name, i), tensor: value.name, dtype, shape: value.shape ?? null },
        score,
        likely: false,
      });
    });
  }
  proposals.sort((a, b) => b.score - a.score);
  const best = proposals[0]?.score ?? 0;
  for (const p of proposals) p.likely = p.score >= Math.max(1, best - 1);
  return uniqueNames(proposals);
}

/** The placeholders among `nodes` as inputs, in graph order. */
export function placeholders(graph: Graph, nodes: ReadonlySet<Node>): TensorSpec[] {
  const specs: TensorSpec[] = [];
  for (const node of graph.nodes.values()) {
    if (!nodes.has(node) || (node.op !== 'Placeholder' && node.op !== 'PlaceholderV2')) continue;
    const shape = node.attr('shape');
    const declared: Shape = shape?.kind === 'shape' ? shape.value : null;
    specs.push({
      name: shortName(node.name, 0),
      tensor: `${node.name}:0`,
      dtype: node.type('dtype'),
      shape: declared,
    });
  }
  return uniqueNames(specs.map((spec) => ({ spec, score: 0, likely: true }))).map((p) => p.spec);
}

/** Nodes that some placeholder, iterator or queue feeds. */
function dependsOnInputs(graph: Graph): Set<Node> {
  const fed = new Set<Node>();
  for (const node of graph.sorted()) {
    const isInput = /^(Placeholder\w*|IteratorGetNext|QueueDequeue\w*|ParseExample\w*)$/.test(node.op);
    if (isInput || node.inputs.some((v) => fed.has(v.node))) fed.add(node);
  }
  return fed;
}

/** The last telling part of a scope: `resnet_v1_50/predictions/Softmax` → `predictions`. */
function shortName(name: string, index: number): string {
  const parts = name.split('/');
  const generic =
    /^(Softmax|Sigmoid|BiasAdd|Reshape|Squeeze|Identity|MatMul|add|concat|Reshape_1|ArgMax|SpatialSqueeze)$/;
  const part =
    parts.length > 1 && generic.test(parts[parts.length - 1])
      ? parts[parts.length - 2]
      : parts[parts.length - 1];
  const clean = part.replace(/[^A-Za-z0-9_]/g, '_');
  return index ? `${clean}_${index}` : clean;
}

function uniqueNames(proposals: Proposal[]): Proposal[] {
  const taken = new Set<string>();
  for (const { spec } of proposals) {
    let name = spec.name;
    for (let i = 1; taken.has(name); i++) name = `${spec.name}_${i}`;
    taken.add((spec.name = name));
  }
  return proposals;
}
