/**
 * What is left of training in a graph that is to be exported: G016 for an output that cannot be had without it, G017
 * for a graph that was built to be trained and gives other numbers than one built for inference.
 */
import type { Contract } from '../contract/contract';
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import { neededBy, nodeOf } from './needed';
import type { SpecPlace } from './places';

const OPTIMIZER = /^(Resource)?(Sparse)?Apply(?!.*Activation)[A-Z]\w*$/;
const GRADIENT =
  /^(BroadcastGradientArgs|SymbolicGradient|\w+Grad(V\d+|WithArgmax|Ext)?|\w+Backprop(Input|Filter)(V2)?)$/;
/** Backprop ops that inference has too: transposed convolutions. */
const TRANSPOSED = /^(Conv2DBackpropInput|Conv3DBackpropInput(V2)?|DepthwiseConv2dNativeBackpropInput)$/;
const LOSS = /(^|\/)(\w*loss(es)?|cross_entropy|regularization\w*)(\/|_\d|$)/i;

/** How many nodes a message names. */
const MAX_NAMED = 3;

export function checkTraining(
  graph: Graph,
  contract: Contract,
  place: SpecPlace,
  diagnostics: Diagnostics,
): void {
  const builtFor = new Set<Node>();
  for (const { key, inputs, outputs } of contract.signatures) {
    const stops = new Set(inputs.map((s) => nodeOf(graph, s.tensor)).filter((n) => n !== undefined));
    for (const output of outputs) {
      const node = nodeOf(graph, output.tensor);
      if (!node) continue;
      const needed = neededBy([node], stops);
      for (const each of needed) builtFor.add(each);
      const op = [...needed].find(isTraining);
      if (!op) continue;
      diagnostics.error(
        'G016',
        `output "${output.name}" can only be computed by training: it needs ${op.op} "${op.name}"`,
        {
          hint: forwardHint(op) ?? 'declare the prediction instead; `floe inspect` lists likely outputs',
          where: place(key, 'outputs', output.name, 'tensor'),
          node: op.name,
        },
      );
    }
  }
  checkMode(builtFor, diagnostics);
}

function isTraining(node: Node): boolean {
  if (OPTIMIZER.test(node.op)) return true;
  if (!GRADIENT.test(node.op) || TRANSPOSED.test(node.op)) return false;
  // Gradients that people use in a forward pass stand under their own names.
  return /(^|\/)gradients?(_\d+)?\//.test(node.name);
}

/** What the training op was computed from: the nearest thing that is no part of training or loss. */
function forwardHint(op: Node): string | undefined {
  for (const node of neededBy([op], new Set())) {
    const forward =
      node.inputs.length > 0 &&
      !isTraining(node) &&
      !LOSS.test(node.name) &&
      !/gradients|Adam|train/i.test(node.name);
    if (forward && /^(Softmax|Sigmoid|LogSoftmax|BiasAdd|ArgMax)$/.test(node.op))
      return `tensor: "${node.name}:0" (${node.op}) is computed before the loss`;
  }
  return undefined;
}

/** Batch statistics and dropout: right for training, wrong for a phone. */
function checkMode(nodes: ReadonlySet<Node>, diagnostics: Diagnostics): void {
  const norms: Node[] = [];
  const dropouts: Node[] = [];
  for (const node of nodes) {
    if (isTrainingNorm(node)) norms.push(node);
    else if (node.op === 'RandomUniform' && /(^|\/)drop_?(out|path)[^/]*\//i.test(node.name))
      dropouts.push(node);
  }
  if (norms.length) {
    diagnostics.warning(
      'G017',
      `the graph was built for training: ${named(norms)} normalise${norms.length > 1 ? '' : 's'} with the statistics of the batch instead of the trained ones, so predictions depend on what else is in the batch`,
      {
        hint: 'build the graph again with is_training=False (Keras: training=False) and freeze that one with the same checkpoint',
        node: norms[0].name,
      },
    );
  }
  if (dropouts.length) {
    diagnostics.warning(
      'G017',
      `the graph was built for training: ${named(dropouts)} drop${dropouts.length > 1 ? '' : 's'} activations at random`,
      {
        hint: 'build the graph again with is_training=False (keep_prob=1.0; Keras: training=False) and freeze that one with the same checkpoint',
        node: dropouts[0].name,
      },
    );
  }
}

/** A batch norm that takes the batch's statistics. Layer and instance norms are made of the same op, rightly so. */
function isTrainingNorm(node: Node): boolean {
  if (!/^FusedBatchNorm(V2|V3)?$/.test(node.op) || !isTrue(node, 'is_training')) return false;
  const [x, scale] = node.inputs;
  return (
    scale?.constant !== undefined &&
    x?.node.op !== 'Reshape' &&
    !/(layer|instance|group)_?norm/i.test(node.name)
  );
}

function isTrue(node: Node, name: string): boolean {
  const value = node.attr(name);
  return value?.kind === 'bool' && value.value;
}

function named(nodes: readonly Node[]): string {
  const names = nodes.slice(0, MAX_NAMED).map((n) => `"${n.name}"`);
  const more = nodes.length - names.length;
  return `${names.join(', ')}${more ? ` and ${more} more` : ''} (${nodes[0].op})`;
}
