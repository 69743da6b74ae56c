/**
 * What stands between a frozen graph and its .tflite, all of it: what lowering refuses, and what the target runtime
 * has not. Nothing is known here that the converter does not know: it is the converter that is asked.
 */
import {
  Diagnostics,
  GraphError,
  isStatic,
  type Contract,
  type Graph,
  type Node,
  type Signature,
  type StageContext,
  type TensorSpec,
} from '@floe/export-core';
import { lowerWhole, type Lowered } from '../convert/convert-graph';
import { loadFrozen, type FrozenModel } from '../convert/load-frozen';
import { fuseModel } from '../fuse/fuse';
import type { RefusedNode } from '../lower/lower';
import { checkTarget } from '../tflite/target';
import { libraryOf } from './custom-ops';
import { cutPoints } from './cut-points';
import { detectorCure } from './detector';
import {
  describe,
  groupByCause,
  forPhone,
  specLine,
  underSignature,
  type Group,
  type Surroundings,
} from './refusals';
import { simulate, type Load } from './simulate';
import { SizeCures } from './sizes';

/** Ops with trained numbers: behind the last of them only post-processing is left. */
const WEIGHTED =
  /^(Conv\w*|DepthwiseConv2dNative|MatMul|BatchMatMul\w*|FusedBatchNorm\w*|BiasAdd|LSTM\w*|BlockLSTM\w*)$/;
const MAX_OUTPUTS = 6;
/** A second cut is offered only where it is simple. */
const MAX_ALTERNATIVE_INPUTS = 4;

/** @param frozen is used up */
export function checkConversion(frozen: FrozenModel, context: StageContext, diagnostics: Diagnostics): void {
  const { graph, contract, customOps } = frozen;
  const { runtime } = context.descriptor.target;
  // Lowering uses a graph up: cures are tried on it as it was.
  const load: Load = () => loadFrozen(context, new Diagnostics());
  const own = new Diagnostics();
  // Rewrites give nodes that no model.yaml could name.
  const original = new Set(graph.nodes.keys());
  const lowered = lower(graph, contract, customOps, own);
  diagnostics.addAll(own.list.filter(({ node }) => node === undefined || original.has(node)));
  if (!lowered) return;
  const detector = lowered.refused.length ? detectorCure(lowered.refused, load, context) : undefined;
  if (detector) diagnostics.add(detector.diagnostic);
  const { model } = lowered;
  const refused = lowered.refused.filter(({ node }) => !detector || detector.left.has(node.name));
  // Where shapes contradict each other, what has none follows from that.
  const isContradictory = own.list.some((d) => d.code === 'G012' && d.severity === 'error');
  const around = surroundings(graph, contract.signatures, original);
  // What is left of a loop that could not be made functional has been told with its reason.
  const told = own.list.some((d) => d.code === 'T007');
  const groups = groupByCause(refused).filter(({ code }) => code !== 'T004' || !isContradictory);
  const reading = groups.find((g) => g.code === 'T006');
  const cut = reading && bestCut(load, refused);
  const sizes = new SizeCures(load, contract);
  for (const group of groups) {
    if (group.code === 'T007' && told) continue;
    // What goes with the cut needs no message of its own.
    const goes = cut && group !== reading && group.refused.every(({ node }) => !cut.left.has(node.name));
    if (goes) reading?.refused.push(...group.refused);
    else if (group !== reading) diagnostics.add(describe(...withCure(group, sizes, contract), around));
  }
  if (reading) diagnostics.add(describe(reading, cut?.line, around));
  noteCustomOps(graph, customOps, diagnostics);
  // Which operators a runtime must have is known when they are fused: fusion takes some away, and makes others.
  if (runtime !== undefined && lowered.refused.length === 0 && !own.hasErrors) fuseModel(model);
  diagnostics.addAll(checkTarget(model, runtime));
}

function lower(
  graph: Graph,
  contract: Contract,
  customOps: readonly string[],
  diagnostics: Diagnostics,
): Lowered | undefined {
  try {
    return lowerWhole(graph, contract, diagnostics, customOps);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    diagnostics.error('G007', error.message, { node: error.node.name });
    return undefined;
  }
}

/** A group and the cure that was found for it by trying. What known sizes cure is told as that. */
function withCure(
  group: Group,
  sizes: SizeCures,
  contract: Contract,
): [group: Group, cure: string | undefined] {
  if (group.code !== 'T004' && !(group.code === 'T001' && hasUnknownSizes(group))) return [group, undefined];
  const cures = sizes.for(group.refused);
  if (cures.length === 0) return [group, undefined];
  const lines = cures.map(({ signature, spec, shape }) => {
    const line = `{ name: ${spec.name}, shape: ${JSON.stringify(shape).replace(/,/g, ', ')} }`;
    return underSignature(contract, signature, [line]);
  });
  const input = cures.map(({ spec }) => `"${spec.name}"`).join(' and ');
  return [{ ...group, code: 'T004' }, `declare the sizes of input ${input}, as ${lines.join(' and ')}`];
}

function hasUnknownSizes({ refused }: Group): boolean {
  return refused.some(({ node }) => node.inputs.some((v) => !isStatic(v.shape)));
}

interface Cut {
  /** To type into model.yaml. */
  line: string;
  /** Nodes that are still in the way then. */
  left: ReadonlySet<string>;
}

/** Cuts behind everything that reads and parses, each tried: the one that leaves the least to mend, in words. */
function bestCut(load: Load, refused: readonly RefusedNode[]): Cut | undefined {
  const { graph, contract } = load();
  const names = new Set(refused.map(({ node }) => node.name));
  const tried = cutPoints(graph, contract, names).flatMap((cut) => {
    const left = simulate(load, (changed) => {
      const signature = changed.signatures.find((s) => s.key === cut.signature);
      // Copies: cutting renames what it cuts.
      if (signature && cut.inputs) signature.inputs = cut.inputs.map((spec) => ({ ...spec }));
      if (signature && cut.outputs) signature.outputs = cut.outputs.map((spec) => ({ ...spec }));
    });
    return left ? [{ cut, left: new Set(left.map(({ node }) => node.name)) }] : [];
  });
  const [best, ...others] = tried.sort((a, b) => a.left.size - b.left.size);
  if (!best) return undefined;
  const line = ({ cut: { signature, inputs, outputs } }: typeof best): string => {
    const lines = [
      ...(inputs ? [specLine('inputs', inputs)] : []),
      ...(outputs ? [specLine('outputs', outputs)] : []),
    ];
    return contract.signatures.length > 1 ? underSignature(contract, signature, lines) : forPhone(lines);
  };
  const count = best.left.size;
  const rest = count ? ` (${count} node${count > 1 ? 's' : ''} would still be in the way)` : '';
  const other = others.find(
    (o) =>
      o.left.size === count &&
      o.cut.signature === best.cut.signature &&
      (o.cut.inputs?.length ?? 0) <= MAX_ALTERNATIVE_INPUTS,
  );
  const or = other && line(other) !== line(best) ? `; or ${line(other)}` : '';
  return { line: `${line(best)}${rest}${or}`, left: best.left };
}

function surroundings(
  graph: Graph,
  signatures: readonly Signature[],
  original: ReadonlySet<string>,
): Surroundings {
  const consumers = graph.consumers();
  return { consumers, endBefore: (nodes) => endBefore(graph, consumers, signatures, original, nodes) };
}

/** For post-processing that TFLite cannot do: the tensors to end at. Undefined where weights come behind. */
function endBefore(
  graph: Graph,
  consumers: ReadonlyMap<Node, Node[]>,
  signatures: readonly Signature[],
  original: ReadonlySet<string>,
  nodes: readonly Node[],
): string | undefined {
  const behind = new Set(nodes);
  for (const node of behind) {
    if (graph.node(node.name) !== node || (WEIGHTED.test(node.op) && !nodes.includes(node))) return undefined;
    for (const user of consumers.get(node) ?? []) behind.add(user);
  }
  const reads = new Set(nodes.flatMap((n) => n.inputs).filter((v) => !behind.has(v.node)));
  const inputs = new Set(signatures.flatMap((s) => s.inputs.map((spec) => spec.tensor)));
  const tensors = [...reads].filter(
    (v) => v.constant === undefined && v.dtype === 'float32' && !inputs.has(v.name),
  );
  if (tensors.some((v) => !original.has(v.node.name))) return undefined;
  const before = graph.ancestors(tensors.map((v) => v.node));
  const isModel = [...before].some((n) => WEIGHTED.test(n.op));
  if (!isModel || tensors.length === 0 || tensors.length > MAX_OUTPUTS) return undefined;
  const specs = tensors.map((v): TensorSpec => ({
    name: v.node.name.replace(/.*\//, '').replace(/\W/g, '_'),
    tensor: v.name,
    dtype: 'float32',
    shape: null,
  }));
  const line = specLine('outputs', specs);
  return `end the model before it and do the rest in the app: ${signatures.length > 1 ? line : forPhone([line])}`;
}

/** G008: custom operators that are carried on, since the runtime must be made to have them. */
function noteCustomOps(graph: Graph, customOps: readonly string[], diagnostics: Diagnostics): void {
  const parts = [graph, ...graph.functions.values()];
  const used = new Set(parts.flatMap((part) => [...part.nodes.values()].map((n) => n.op)));
  for (const op of customOps) {
    if (!used.has(op)) continue;
    const library = libraryOf(op);
    diagnostics.note(
      'G008',
      `${op} stays a custom operator${library ? ` (${library.name})` : ''}: the runtime must register a kernel of that name`,
      { hint: library?.runtime ?? `C++: resolver.AddCustom("${op}", Register_${op.replace(/\W/g, '_')}())` },
    );
  }
}
