/**
 * Which entry of the checkpoint belongs to which variable: read off the graph's saver.
 *
 *   Assign(variable, Identity?(RestoreV2(prefix, tensor_names, shape_and_slices):i))
 *
 * `shape_and_slices[i]` is empty, or the full shape and this partition's place in it: `10 8 0,5:-`.
 */
import type { Graph, Node } from '../graph/graph';
import { calledFunction } from './function-calls';
import type { VariableValues } from './freeze-context';
import type { Tensor } from '../tensor/tensor';

export interface Range {
  start: number;
  length: number;
}

export interface CheckpointKey {
  name: string;
  /** The part of the entry that this variable is; undefined for all of it. */
  slice?: Range[];
}

/** By variable name. Where several savers name a variable, one whose entry the checkpoint has counts. */
export function checkpointKeys(graph: Graph, values: VariableValues): Map<string, CheckpointKey> {
  const keys = new Map<string, CheckpointKey>();
  readRestores(graph.nodes.values(), new Map(), keys, values);
  // A TF2 SavedModel restores in a function, whose arguments are the variables.
  for (const node of graph.nodes.values()) {
    const body = calledFunction(graph.functions, node)?.body;
    if (!body) continue;
    const args = new Map(body.args.map((arg, i) => [arg, node.inputs[i]?.node]));
    readRestores(body.nodes.values(), args, keys, values);
  }
  return keys;
}

function readRestores(
  nodes: Iterable<Node>,
  args: ReadonlyMap<Node, Node | undefined>,
  keys: Map<string, CheckpointKey>,
  values: VariableValues,
): void {
  for (const node of nodes) {
    if (node.op !== 'Assign' && node.op !== 'AssignVariableOp') continue;
    const target = behindIdentity(node.inputs[0]?.node);
    const variable = target && (args.get(target) ?? target);
    const source = node.inputs[1];
    const restored = source && (source.node.op === 'Identity' ? source.node.inputs[0] : source);
    if (!variable || !restored || !/^Restore(V2|Slice)?$/.test(restored.node.op)) continue;
    const key = restoredKey(restored.node, restored.index);
    if (!key) continue;
    if (!keys.has(variable.name) || values.info(key.name)) keys.set(variable.name, key);
  }
}

function restoredKey(node: Node, index: number): CheckpointKey | undefined {
  const names = node.inputs[1]?.node.constant;
  const slices = node.inputs[2]?.node.constant;
  const name = textAt(names, index);
  if (name === undefined) return undefined;
  const spec = textAt(slices, index);
  const slice = spec ? parseSlice(spec) : undefined;
  return slice ? { name, slice } : { name };
}

function textAt(tensor: Tensor | undefined, index: number): string | undefined {
  if (tensor?.dtype !== 'string') return undefined;
  const bytes = tensor.strings[index];
  return bytes && Buffer.from(bytes).toString('utf8');
}

/** `10 8 0,5:-` → rows 0…4, all 8 columns; undefined when it is no such text. */
export function parseSlice(spec: string): Range[] | undefined {
  const words = spec.trim().split(/\s+/);
  const parts = words[words.length - 1].split(':');
  const shape = words.slice(0, -1).map(Number);
  if (parts.length !== shape.length || shape.some((d) => !Number.isInteger(d) || d < 0)) return undefined;
  const ranges: Range[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === '-') ranges.push({ start: 0, length: shape[i] });
    else {
      const [start, length] = parts[i].split(',').map(Number);
      if (!(start >= 0 && length >= 0 && start + length <= shape[i])) return undefined;
      ranges.push({ start, length });
    }
  }
  return ranges;
}

function behindIdentity(node: Node | undefined): Node | undefined {
  let at = node;
  while (at && (at.op === 'Identity' || at.op === 'RefIdentity')) at = at.inputs[0]?.node;
  return at;
}
