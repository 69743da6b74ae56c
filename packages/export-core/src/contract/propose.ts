/**
 * Which tensors of a graph are likely its inputs and outputs: so that nobody has to ask which node name to use.
 *
 * Outputs are the sinks of the inference part: nodes whose outputs nobody reads but training, saving, summaries,
 * metrics and initialisers. Those named or typed like results (softmax, logits, detection boxes) come first, then
 * those that most of the model's computation leads to: what is left over of a loop or a branch has little behind it.
 */
import type { Graph, Node } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import { inferenceValue } from '../checks/placeholders';
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
  /(^|\/)(gradients|save(_\d+)?|train|Adam|optimizer|report_uninitialized|init|metrics|global_step|\w*loss(es)?(_\d+)?|regularization|ExponentialMovingAverage|AssignMovingAvg(_\d+)?|Initializer|dataset|shuffle_batch|batch|batch_join|prefetch_queue)(\/|$)/i;
const RESULT_NAME =
  /(softmax|sigmoid|predict|prob|logits|detection|classes|scores|boxes|output|embedding|final)/i;
const RESULT_OP =
  /^(Softmax|Sigmoid|LogSoftmax|ArgMax|BiasAdd|MatMul|Reshape|Squeeze|TopKV2|Tanh|Identity|ConcatV2|Add\w*)$/;
/** What is left unread of these is a by-product: states of loops, sides of branches, statistics. */
const BY_PRODUCT =
  /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^LoopCond$|^FusedBatchNorm\w*$|^(Shape|Fill)$/;
const GRADIENT = /(^|\/)gradients(_\d+)?\//;
const CONTROL = /^(Stateless)?(While|If|Case)$/;
const PIVOT = /(^|\/)(switch_[tf]|pred_id)$/;
/** Ops that carry the weight of a model. */
const COMPUTES =
  /Conv|MatMul|Gather|LSTM|GRU|RNN|Einsum|^(While|StatelessWhile|If|StatelessIf|Case|\w*PartitionedCall)$/;

/** How many sinks are measured by what leads to them. */
const MAX_MEASURED = 64;

/** The share of the most-led-to sink's computation that counts as all of it. */
const MOST = 0.9;

/** The graph's likely outputs, best first. Shapes are those that inference found. */
export function proposeOutputs(graph: Graph): Proposal[] {
  const consumers = graph.consumers();
  const training = trainingNodes(graph, consumers);
  const inference = (node: Node) => !training.has(node);
  const usesInput = dependsOnInputs(graph);
  const proposals: (Proposal & { node: Node })[] = [];
  for (const node of graph.nodes.values()) {
    if (!inference(node) || !usesInput.has(node)) continue;
    const readers = (consumers.get(node) ?? []).filter(inference);
    const read = new Set(readers.flatMap((c) => c.inputs.filter((v) => v.node === node).map((v) => v.index)));
    // Of a node with several outputs those nobody reads are results only when nobody reads any.
    if (read.size || isLeftOver(node, consumers, inference)) continue;
    const types = outputTypes(node) ?? [];
    types.forEach((dtype, i) => {
      if (!dtype || dtype === 'resource' || dtype === 'variant') return;
      const score =
        (RESULT_NAME.test(node.name) ? 2 : 0) +
        (RESULT_OP.test(node.op) ? 1 : 0) +
        (dtype === 'float32' ? 1 : 0) -
        (i > 0 && BY_PRODUCT.test(node.op) ? 1 : 0) -
        (BY_PRODUCT.test(node.op) || PIVOT.test(node.name) ? 3 : 0);
      const value = node.output(i);
      proposals.push({
        node,
        spec: { name: shortName(node.name, i), tensor: value.name, dtype, shape: value.shape ?? null },
        score,
        likely: false,
      });
    });
  }
  proposals.sort((a, b) => b.score - a.score);
  const measured = proposals.slice(0, MAX_MEASURED);
  const work = new Map(measured.map(({ node }) => [node, computation(graph, node)]));
  const most = Math.max(0, ...work.values());
  const best = proposals[0]?.score ?? 0;
  for (const p of measured) {
    const share = most === 0 ? 1 : work.get(p.node)! / most;
    p.likely = p.score >= best - 1 && share > 0 && (p.score === best || share >= MOST);
  }
  proposals.push(...logits(measured.filter((p) => p.likely)));
  const leadsToMost = ({ node }: { node: Node }) => most === 0 || (work.get(node) ?? 0) / most >= MOST;
  // Stable: equally likely ones stay in the order of their scores.
  proposals.sort(
    (a, b) => Number(b.likely) - Number(a.likely) || Number(leadsToMost(b)) - Number(leadsToMost(a)),
  );
  return uniqueNames(proposals.map(({ spec, score, likely }) => ({ spec, score, likely })));
}

/**
 * What is no part of inference: by op and scope, all that comes of a gradient, and the losses, which are what is
 * differentiated: numbers without a shape at the end, and what leads to them from the model's results.
 */
function trainingNodes(graph: Graph, consumers: ReadonlyMap<Node, readonly Node[]>): Set<Node> {
  const training = new Set<Node>();
  const gradients = new Set<Node>();
  for (const node of graph.sorted()) {
    const isGradient = GRADIENT.test(node.name);
    // A loop that is differentiated takes lists of the gradient's along.
    const ofGradient = !CONTROL.test(node.op) && node.inputs.some((v) => gradients.has(v.node));
    if (isGradient || ofGradient) gradients.add(node);
    if (gradients.has(node) || TRAINING.test(node.op) || TRAINING_SCOPE.test(node.name)) training.add(node);
  }
  if (gradients.size === 0) return training;
  const ends = [...graph.nodes.values()].filter(
    (node) =>
      !training.has(node) &&
      node.output().shape?.length === 0 &&
      (consumers.get(node) ?? []).every((reader) => training.has(reader)),
  );
  // A Set being walked also gives what is added on the way.
  const losses = new Set(ends.filter((node) => node.output().dtype?.startsWith('float')));
  for (const node of losses) {
    training.add(node);
    for (const { node: before } of node.inputs) {
      const isResult = RESULT_OP.test(before.op) || COMPUTES.test(before.op) || RESULT_NAME.test(before.name);
      if (!isResult && (consumers.get(before) ?? []).every((reader) => training.has(reader)))
        losses.add(before);
    }
  }
  return training;
}

/** Whether a node is what nobody reads of a loop or branch of which something else is read. */
function isLeftOver(
  node: Node,
  consumers: ReadonlyMap<Node, readonly Node[]>,
  inference: (node: Node) => boolean,
): boolean {
  const source = node.op === 'Identity' ? node.inputs[0]?.node : undefined;
  if (!source || !CONTROL.test(source.op)) return false;
  return (consumers.get(source) ?? []).some((reader) => (consumers.get(reader) ?? []).some(inference));
}

/** What stands before the activation of a result: no sink, but wanted by many in its place. */
function logits(results: readonly (Proposal & { node: Node })[]): (Proposal & { node: Node })[] {
  return results.flatMap(({ node, score }) => {
    let activated = false;
    let before = node;
    for (
      let hops = 0;
      hops < 10 && /^(Softmax|Sigmoid|LogSoftmax|Reshape|Squeeze|Identity)$/.test(before.op);
      hops++
    ) {
      activated ||= /^(Softmax|Sigmoid|LogSoftmax)$/.test(before.op);
      before = before.inputs[0].node;
    }
    const { dtype, shape = null, name } = before.output();
    if (!activated || !dtype) return [];
    return [
      {
        node: before,
        spec: { name: shortName(before.name, 0), tensor: name, dtype, shape },
        score: score - 1,
        likely: false,
      },
    ];
  });
}

/** How many ops with weights lead to a node. */
function computation(graph: Graph, node: Node): number {
  let count = 0;
  for (const each of graph.ancestors([node])) if (COMPUTES.test(each.op)) count++;
  return count;
}

/** The placeholders among `nodes` as inputs, in graph order. */
export function placeholders(graph: Graph, nodes: ReadonlySet<Node>): TensorSpec[] {
  const specs: TensorSpec[] = [];
  for (const node of graph.nodes.values()) {
    if (!nodes.has(node) || (node.op !== 'Placeholder' && node.op !== 'PlaceholderV2')) continue;
    // Freezing sets it: nobody feeds it.
    if (inferenceValue(node)) continue;
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
  const order = graph.sorted();
  // Again for what a loop carries back to its beginning.
  for (let before = -1; before !== fed.size;) {
    before = fed.size;
    for (const node of order) {
      const isInput = /^(Placeholder\w*|IteratorGetNext|QueueDequeue\w*|ParseExample\w*)$/.test(node.op);
      if (isInput || node.inputs.some((v) => fed.has(v.node))) fed.add(node);
    }
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
