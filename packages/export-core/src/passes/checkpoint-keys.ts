/**
 * Which entry of the checkpoint belongs to which variable: read off the graph's saver.
 *
 *   Assign(variable, Identity?(RestoreV2(prefix, tensor_names, shape_and_slices):i))
 *
 * `shape_and_slices[i]` is empty, or the full shape and this partition's place in it: `10 8 0,5:-`.
 */
import type { Graph, Node, Value } from '../graph/graph';
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
  for (const { node, target } of savedObjects(graph)) {
    if (node.op !== 'Assign' && node.op !== 'AssignVariableOp') continue;
    const key = restoredKey(node.inputs[1]);
    if (key && (!keys.has(target.name) || values.info(key.name))) keys.set(target.name, key);
  }
  return keys;
}

export interface TableEntry {
  keys: string;
  values: string;
}

/** Which entries hold the contents of mutable tables, by table name: those that the saver imports into them. */
export function tableEntries(graph: Graph): Map<string, TableEntry> {
  const entries = new Map<string, TableEntry>();
  for (const { node, target } of savedObjects(graph)) {
    if (!/^LookupTableImport(V2)?$/.test(node.op)) continue;
    const [keys, contents] = [restoredKey(node.inputs[1]), restoredKey(node.inputs[2])];
    if (keys && contents) entries.set(target.name, { keys: keys.name, values: contents.name });
  }
  return entries;
}

/** Every node with the variable or table that it takes first; of functions, with what their arguments are. */
function* savedObjects(graph: Graph): Generator<{ node: Node; target: Node }> {
  const none = new Map<Node, Node | undefined>();
  const parts: [Iterable<Node>, ReadonlyMap<Node, Node | undefined>][] = [[graph.nodes.values(), none]];
  // A TF2 SavedModel restores in a function, whose arguments are the variables.
  for (const node of graph.nodes.values()) {
    const body = calledFunction(graph.functions, node)?.body;
    if (body)
      parts.push([body.nodes.values(), new Map(body.args.map((arg, i) => [arg, node.inputs[i]?.node]))]);
  }
  for (const [nodes, args] of parts) {
    for (const node of nodes) {
      const first = behindIdentity(node.inputs[0]?.node);
      const target = first && (args.get(first) ?? first);
      if (target) yield { node, target };
    }
  }
}

/** The entry that a value is restored from. */
function restoredKey(value: Value | undefined): CheckpointKey | undefined {
  const restored = value && (value.node.op === 'Identity' ? value.node.inputs[0] : value);
  if (!restored || !/^Restore(V2|Slice)?$/.test(restored.node.op)) return undefined;
  const { node, index } = restored;
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
