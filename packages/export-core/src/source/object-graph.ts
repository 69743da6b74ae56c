/**
 * Object-based checkpoints (tf.train.Checkpoint, Keras' save_weights, every TF2 SavedModel): beside the values stands
 * the graph of the objects that held them, under the key `_CHECKPOINTABLE_OBJECT_GRAPH`. An object's children have
 * names; a variable's attribute VARIABLE_VALUE says under which key its value is.
 *
 * Two such graphs are matched as TensorFlow restores: both are walked in parallel from their roots, along children
 * of the same name. Where one root is a child of the other's (`tf.train.Checkpoint(model=…)`), that is found.
 */
import { fileError } from '../format/file';
import { decode, type TrackableObjectGraph } from '../format/proto';
import type { Checkpoint } from '../format/checkpoint';

export const OBJECT_GRAPH_KEY = '_CHECKPOINTABLE_OBJECT_GRAPH';

/** How far below a root the other's root is looked for, and how many places are tried. */
const MAX_ROOT_DEPTH = 3;
const MAX_ROOTS = 200;

interface ObjectNode {
  children: ReadonlyMap<string, number>;
  /** Attribute name → key. */
  keys: ReadonlyMap<string, string>;
}

export interface ObjectGraph {
  nodes: readonly ObjectNode[];
  /** A variable's name in the graph that made it → its keys; several variables may share a name. */
  byName: ReadonlyMap<string, readonly string[]>;
}

/** The object graph of a checkpoint; undefined when it has none. @throws FloeError S004 */
export function readObjectGraph(checkpoint: Checkpoint): ObjectGraph | undefined {
  if (!checkpoint.entries.has(OBJECT_GRAPH_KEY)) return undefined;
  const file = `${checkpoint.prefix}.index`;
  const tensor = checkpoint.read(OBJECT_GRAPH_KEY);
  const bytes = tensor.dtype === 'string' ? tensor.strings[0] : undefined;
  if (!bytes) throw fileError('S004', file, `${OBJECT_GRAPH_KEY} of ${checkpoint.prefix} is not a string`);
  return objectGraph(
    decode('TrackableObjectGraph', bytes, `${OBJECT_GRAPH_KEY} of ${checkpoint.prefix}`),
    file,
  );
}

function objectGraph(proto: TrackableObjectGraph, file: string): ObjectGraph {
  const byName = new Map<string, string[]>();
  const nodes = proto.nodes.map(({ children, attributes }): ObjectNode => {
    const names = new Map<string, number>();
    for (const { local_name, node_id } of children) {
      if (node_id < 0 || node_id >= proto.nodes.length)
        throw fileError(
          'S004',
          file,
          `${file} is damaged: object "${local_name}" is number ${node_id} of ${proto.nodes.length}`,
        );
      names.set(local_name, node_id);
    }
    const keys = new Map<string, string>();
    for (const { name, full_name, checkpoint_key } of attributes) {
      keys.set(name, checkpoint_key);
      if (full_name === '') continue;
      const same = byName.get(full_name);
      if (same) same.push(checkpoint_key);
      else byName.set(full_name, [checkpoint_key]);
    }
    return { children: names, keys };
  });
  return { nodes, byName };
}

/**
 * Which key of `other` has the value of each key of `own`.
 *
 * @param fits whether two keys hold tensors of one type and shape; more of those make the better pair of roots
 */
export function matchObjectGraphs(
  own: ObjectGraph,
  other: ObjectGraph,
  fits: (ownKey: string, otherKey: string) => boolean,
): Map<string, string> {
  let best = new Map<string, string>();
  let bestScore = -1;
  for (const [a, b] of rootPairs(own, other)) {
    const matched = walk(own, a, other, b);
    const score = [...matched].filter(([x, y]) => fits(x, y)).length;
    if (score > bestScore) {
      best = matched;
      bestScore = score;
    }
  }
  return best;
}

/** Both roots first, then each root with what lies near the other. */
function rootPairs(own: ObjectGraph, other: ObjectGraph): [number, number][] {
  if (own.nodes.length === 0 || other.nodes.length === 0) return [];
  const share = (a: number, b: number) =>
    [...own.nodes[a].children.keys()].some((name) => other.nodes[b].children.has(name));
  const pairs: [number, number][] = [
    [0, 0],
    ...near(other).map((b): [number, number] => [0, b]),
    ...near(own).map((a): [number, number] => [a, 0]),
  ];
  return pairs.filter(([a, b]) => share(a, b)).slice(0, MAX_ROOTS);
}

/** Nodes near the root, without it, nearest first. */
function near({ nodes }: ObjectGraph): number[] {
  const seen = new Set([0]);
  let level = [0];
  for (let depth = 0; depth < MAX_ROOT_DEPTH; depth++) {
    const next: number[] = [];
    for (const id of level) {
      for (const child of nodes[id].children.values()) {
        if (!seen.has(child)) next.push(child);
        seen.add(child);
      }
    }
    level = next;
  }
  seen.delete(0);
  return [...seen];
}

/** Breadth first, so that of several ways to an object the shortest counts; every object once, so cycles end. */
function walk(own: ObjectGraph, ownRoot: number, other: ObjectGraph, otherRoot: number): Map<string, string> {
  const matched = new Map<string, string>();
  const partner = new Map([[ownRoot, otherRoot]]);
  for (const [a, b] of partner) {
    for (const [attribute, key] of own.nodes[a].keys) {
      const otherKey = other.nodes[b].keys.get(attribute);
      if (otherKey !== undefined) matched.set(key, otherKey);
    }
    for (const [name, child] of own.nodes[a].children) {
      const otherChild = other.nodes[b].children.get(name);
      // A Map being walked also gives what is added on the way.
      if (otherChild !== undefined && !partner.has(child)) partner.set(child, otherChild);
    }
  }
  return matched;
}
