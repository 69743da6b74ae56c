/**
 * Whether the frozen graph can run where it is to run: G018 for what the named TensorFlow has not yet, G019 for what
 * TensorFlow runs on a GPU only. The .tflite is not concerned by either.
 */
import type { Diagnostics, Place } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import {
  attrSince,
  compareReleases,
  lacks,
  oldestRelease,
  opSince,
  releaseOf,
  releaseReading,
} from './op-versions';

/** How many nodes a message names. */
const MAX_NAMED = 3;

/** Ops whose CPU kernels take channels last only. */
const CHANNELS_LAST =
  /^(Conv2D|Conv2DBackpropInput|DepthwiseConv2dNative|MaxPool(V2)?|AvgPool|DepthToSpace|SpaceToDepth|Conv3D|MaxPool3D|AvgPool3D)$/;
const GPU_ONLY = /^(Cudnn\w+|\w*Nccl\w*|_Fused\w*Cudnn\w*)$/;

/**
 * @param tensorflow the oldest TensorFlow that must load the graph, as `target: { tensorflow }` names it
 * @param where the place of that key
 */
export function checkEnvironment(
  graph: Graph,
  tensorflow: string | undefined,
  where: Place | undefined,
  diagnostics: Diagnostics,
): void {
  const nodes = [graph, ...graph.functions.values()].flatMap((part) => [...part.nodes.values()]);
  if (tensorflow !== undefined) checkRelease(graph, nodes, tensorflow, where, diagnostics);
  checkPlacement(nodes, tensorflow !== undefined, diagnostics);
}

function checkRelease(
  graph: Graph,
  nodes: readonly Node[],
  release: string,
  where: Place | undefined,
  diagnostics: Diagnostics,
): void {
  if (compareReleases(release, oldestRelease()) < 0) {
    diagnostics.note(
      'G018',
      `what TensorFlow ${release} has is not known: the table begins with ${oldestRelease()}`,
      {
        where,
      },
    );
  }
  const { producer, minConsumer } = graph.versions;
  const reader = releaseReading(minConsumer);
  if (reader === undefined || lacks(release, reader)) {
    diagnostics.error(
      'G018',
      `the graph asks for GraphDef version ${minConsumer} at least${reader ? `, which TensorFlow ${reader} is the first to read` : ''}; the target is TensorFlow ${release}`,
      { hint: reader && `target: { tensorflow: "${reader}" }`, where },
    );
  }
  const written = releaseOf(producer);
  const by = written ? ` (the graph was written by about TensorFlow ${written})` : '';
  for (const [since, news] of [...newerThan(nodes, release)].sort(([a], [b]) => compareReleases(a, b))) {
    for (const [what, users] of news) {
      diagnostics.error(
        'G018',
        `${what} came with TensorFlow ${since}, and ${release} will not load a graph with it: ${named(users)}${by}`,
        {
          hint: `target: { tensorflow: "${since}" }, or build and save the model with TensorFlow ${release}`,
          where,
          node: users[0].name,
        },
      );
    }
  }
}

/** What of the graph a release lacks, by the release that brought it: what it is, and which nodes have it. */
function newerThan(nodes: readonly Node[], release: string): Map<string, Map<string, Node[]>> {
  const found = new Map<string, Map<string, Node[]>>();
  const add = (since: string | undefined, what: string, node: Node): void => {
    if (since === undefined || !lacks(release, since)) return;
    const news = found.get(since) ?? new Map<string, Node[]>();
    found.set(since, news);
    const users = news.get(what);
    if (users) users.push(node);
    else news.set(what, [node]);
  };
  for (const node of nodes) {
    add(opSince(node.op), `op ${node.op}`, node);
    for (const name of node.attrs.keys()) {
      add(attrSince(node.op, name), `attribute "${name}" of ${node.op}`, node);
    }
  }
  return found;
}

function checkPlacement(nodes: readonly Node[], isTarget: boolean, diagnostics: Diagnostics): void {
  const add = isTarget ? diagnostics.warning.bind(diagnostics) : diagnostics.note.bind(diagnostics);
  const placed = nodes.filter((n) => /\b(GPU|TPU)\b/i.test(n.device));
  if (placed.length) {
    add('G019', `${named(placed)} must run on "${placed[0].device}": TensorFlow refuses where that is not`, {
      hint: 'load it with allow_soft_placement=True, or save the model with clear_devices=True',
      node: placed[0].name,
    });
  }
  const channelsFirst = nodes.filter((n) => CHANNELS_LAST.test(n.op) && isChannelsFirst(n));
  if (channelsFirst.length) {
    add(
      'G019',
      `${named(channelsFirst)} in NCHW, which TensorFlow runs on a GPU, or on a CPU with oneDNN (x86, since 2.9). The .tflite is not concerned: there it is NHWC`,
      {
        hint: 'for TensorFlow on any CPU build the model with data_format="NHWC" (channels_last)',
        node: channelsFirst[0].name,
      },
    );
  }
  const kernels = nodes.filter((n) => GPU_ONLY.test(n.op));
  if (kernels.length) {
    add('G019', `TensorFlow runs ${named(kernels)} on a GPU only`, {
      hint: 'build the layer for inference without cuDNN (CudnnLSTM: CudnnCompatibleLSTMCell with the same checkpoint)',
      node: kernels[0].name,
    });
  }
}

function isChannelsFirst(node: Node): boolean {
  const format = node.attr('data_format');
  return format?.kind === 'string' && /^NC/.test(Buffer.from(format.value).toString());
}

function named(nodes: readonly Node[]): string {
  const names = nodes.slice(0, MAX_NAMED).map((n) => `"${n.name}"`);
  const more = nodes.length - names.length;
  return `${nodes[0].op} ${names.join(', ')}${more ? ` and ${more} more` : ''}`;
}
