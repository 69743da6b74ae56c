/**
 * Where to cut a graph that reads, parses or looks up before it computes: the tensors behind all of that, as inputs to
 * declare. An app does the part before them itself.
 *
 * The region to leave out is what the refused nodes need and whatever hands text or handles on from there. Its
 * frontier are the values that the rest reads. Where one tensor stands behind the whole frontier before any weights
 * (the concatenated columns of an Estimator), that one alone is the simpler cut.
 */
import {
  dtypeKind,
  inferShapes,
  outputTypes,
  Diagnostics,
  parseInput,
  type Contract,
  type Graph,
  type Node,
  type Signature,
  type TensorSpec,
  type Value,
} from '@floe/export-core';
import { isReading } from './refusal-code';
import { namesOf } from './cut-names';

export interface CutPoint {
  signature: string;
  /** What takes the place of the inputs; undefined where they stay. */
  inputs?: TensorSpec[];
  /** The outputs that can be had; undefined where all can. */
  outputs?: TensorSpec[];
}

/** More inputs than these are no simpler than the model that is there. */
const MAX_INPUTS = 24;

/** Ops of TF1 loops: a loop is left out as a whole. */
const LOOP = /^(Ref)?(Enter|NextIteration)$|^LoopCond$/;

/**
 * Cuts of a frozen graph as it was read, the likeliest first.
 *
 * @param refused names of the nodes that cannot be lowered
 */
export function cutPoints(graph: Graph, contract: Contract, refused: ReadonlySet<string>): CutPoint[] {
  inferShapes(graph, new Diagnostics());
  return contract.signatures.flatMap((signature) => [
    ...cutsOf(graph, signature, refused, false),
    ...cutsOf(graph, signature, refused, true),
  ]);
}

/**
 * @param wide leave out everything that is refused before the first matrix or filter, embeddings included: feature
 *   columns look up with ops that TFLite has not either
 */
function cutsOf(graph: Graph, signature: Signature, refused: ReadonlySet<string>, wide: boolean): CutPoint[] {
  const valueOf = ({ tensor }: TensorSpec): Value => {
    const { name, index } = parseInput(tensor);
    return graph.node(name)!.output(index);
  };
  const all = graph.ancestors(signature.outputs.map((s) => valueOf(s).node));
  const inTheWay = [...all].filter(
    (n) => ((wide || isReading(n.op)) && refused.has(n.name)) || bodiesRefuse(graph, n, refused),
  );
  if (inTheWay.length === 0) return [];
  const consumers = graph.consumers();
  // Labels as text behind the model cannot be cut off before it: those outputs are left out.
  const afterwards = reachedFrom(
    [...all].filter((n) => readsWeights(n, wide)),
    consumers,
  );
  const starts = inTheWay.filter((n) => !afterwards.has(n));
  const late = new Set(inTheWay.filter((n) => afterwards.has(n)));
  let region = regionOf(graph, starts, all, consumers);
  const kept = signature.outputs.filter((spec) => {
    const { node } = valueOf(spec);
    return !region.has(node) && ![...graph.ancestors([node])].some((n) => late.has(n));
  });
  if (kept.length === 0) return [];
  const outputs = kept.length < signature.outputs.length ? { outputs: kept } : {};
  if (starts.length === 0) return [{ signature: signature.key, ...outputs }];

  const ends = kept.map(valueOf);
  const needed = graph.ancestors(ends.map((v) => v.node));
  region = new Set([...region].filter((n) => needed.has(n)));
  const frontier = frontierOf(region, needed);
  // Inputs that the rest still reads stay inputs.
  const stay = signature.inputs.filter(
    (spec) => needed.has(valueOf(spec).node) && !region.has(valueOf(spec).node),
  );
  const neck = neckOf(graph, frontier, needed, ends, wide);
  const cuts = [frontier, ...(neck ? [[neck]] : [])];
  // Sparse tensors come in three parts that nobody wants to feed.
  if (neck && (frontier.length > 4 || frontier.some(isSparsePart))) cuts.reverse();
  return cuts
    .filter((cut) => cut.length > 0 && cut.length <= MAX_INPUTS)
    .map((cut) => ({
      signature: signature.key,
      inputs: [...(cut[0] === neck ? [] : stay), ...specsOf(cut, new Set(stay.map((s) => s.name)))],
      ...outputs,
    }));
}

function reachedFrom(starts: readonly Node[], consumers: ReadonlyMap<Node, Node[]>): Set<Node> {
  const reached = new Set(starts);
  for (const node of reached) for (const user of consumers.get(node) ?? []) reached.add(user);
  return reached;
}

/** Whether the function that a node calls holds a refused node. */
function bodiesRefuse(graph: Graph, node: Node, refused: ReadonlySet<string>): boolean {
  for (const value of node.attrs.values()) {
    const refs = value.kind === 'func' ? [value] : value.kind === 'list' ? value.value : [];
    for (const ref of refs) {
      const body = ref.kind === 'func' ? graph.functions.get(ref.value.name) : undefined;
      if (body && [...body.nodes.values()].some((n) => refused.has(n.name) && isReading(n.op))) return true;
    }
  }
  return false;
}

/** Everything that is left out. Constants belong to whoever reads them. */
function regionOf(
  graph: Graph,
  starts: readonly Node[],
  needed: ReadonlySet<Node>,
  consumers: ReadonlyMap<Node, Node[]>,
): Set<Node> {
  const region = graph.ancestors(starts);
  // A Set being walked also gives what is added on the way.
  for (const node of region) {
    const isLoop = LOOP.test(node.op);
    for (const user of consumers.get(node) ?? []) {
      if (region.has(user) || !needed.has(user)) continue;
      const handsOn = user.inputs.some((v) => v.node === node && !isNumeric(v));
      if (handsOn || isLoop) for (const each of graph.ancestors([user])) region.add(each);
    }
  }
  for (const node of region) if (node.op === 'Const') region.delete(node);
  return region;
}

/** Values of the region that the rest reads, in the order of the graph. */
function frontierOf(region: ReadonlySet<Node>, needed: ReadonlySet<Node>): Value[] {
  const found = new Set<Value>();
  for (const node of needed) {
    if (region.has(node)) continue;
    for (const value of node.inputs) if (region.has(value.node)) found.add(value);
  }
  return [...found];
}

/** The first tensor through which everything behind the frontier goes, when no weights come before it. */
function neckOf(
  graph: Graph,
  frontier: readonly Value[],
  needed: ReadonlySet<Node>,
  outputs: readonly Value[],
  wide: boolean,
): Value | undefined {
  const sources = new Set(frontier.map((v) => v.node));
  const order = graph.sorted().filter((n) => needed.has(n));
  const place = new Map(order.map((n, i) => [n, i]));
  const last = new Map<Node, number>();
  for (const node of order) for (const { node: source } of node.inputs) last.set(source, place.get(node)!);
  for (const { node } of outputs) last.set(node, Infinity);
  const reached = new Set<Node>(sources);
  // How far the values computed so far are read; at a neck, no further than by the neck itself.
  let reach = Math.max(...[...sources].map((n) => last.get(n) ?? -1));
  for (const node of order) {
    if (sources.has(node) || !node.inputs.some((v) => reached.has(v.node))) continue;
    reached.add(node);
    if (readsWeights(node, wide)) return undefined;
    const at = place.get(node)!;
    const value = node.output();
    if (reach <= at && outputTypes(node)?.length === 1 && isFeedable(value)) return value;
    reach = Math.max(reach, last.get(node) ?? -1);
  }
  return undefined;
}

const MATRICES = /^(Conv\w*|DepthwiseConv2dNative|MatMul|BatchMatMul\w*|Einsum)$/;
const WEIGHTS =
  /^(Conv\w*|DepthwiseConv2dNative|MatMul|BatchMatMul\w*|Einsum|Gather\w*|SparseTensorDenseMatMul)$/;

/** Multiplies with trained numbers: the model proper has begun. */
function readsWeights(node: Node, wide: boolean): boolean {
  return (
    (wide ? MATRICES : WEIGHTS).test(node.op) &&
    node.inputs.some(
      (v) => v.constant !== undefined && v.constant.size > 1 && isNumeric(v) && dtypeOf(v) === 'float32',
    )
  );
}

function dtypeOf({ dtype, node, index }: Value) {
  return dtype ?? outputTypes(node)?.[index];
}

function isNumeric(value: Value): boolean {
  const dtype = dtypeOf(value);
  return dtype !== undefined && !['string', 'opaque', 'quantized'].includes(dtypeKind(dtype));
}

/** A tensor of numbers, of known rank: what an app can hand over. */
function isFeedable(value: Value): boolean {
  const dtype = dtypeOf(value);
  return dtype !== undefined && /^(float|int)/.test(dtypeKind(dtype)) && (value.shape?.length ?? 0) > 0;
}

/** Indices, values or shape of a sparse tensor that ParseExample gave. */
function isSparsePart(value: Value): boolean {
  return dtypeOf(value) === 'int64' && (value.shape === null || (value.shape?.length ?? 0) <= 2);
}

function specsOf(cut: readonly Value[], taken: Set<string>): TensorSpec[] {
  const names = namesOf(cut);
  return cut.map((value, i) => {
    let name = names[i];
    for (let n = 1; taken.has(name); n++) name = `${names[i]}_${n}`;
    taken.add(name);
    return { name, tensor: value.name, dtype: dtypeOf(value) ?? 'float32', shape: value.shape ?? null };
  });
}
