/** Steps from node to node that recognition is made of. */
import type { Graph, Node, Value } from '../graph/graph';

/** Who reads each value. */
export type Readers = ReadonlyMap<Value, readonly Node[]>;

export function readersOf(graph: Graph): Readers {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes.values()) {
    for (const value of new Set(node.inputs)) {
      const list = readers.get(value);
      if (list) list.push(node);
      else readers.set(value, [node]);
    }
  }
  return readers;
}

/** Ops that give their first input on, its elements unchanged. */
const PASSES_ON = /^(Identity|StopGradient|CheckNumerics|PlaceholderWithDefault|Snapshot)$/;
/** Ops that only lay the elements out otherwise. */
const MOVES = /^(Reshape|ExpandDims|Squeeze|Tile|Transpose)$/;

/** The value before identities. */
export function source(value: Value): Value {
  return follow(value, PASSES_ON);
}

/** The value before identities and changes of layout. */
export function origin(value: Value): Value {
  return follow(value, MOVES, PASSES_ON);
}

/** The value before any number of ops of these kinds. */
export function follow(value: Value, ...ops: RegExp[]): Value {
  let found = value;
  for (
    let hops = 0;
    hops < 64 && ops.some((o) => o.test(found.node.op)) && found.node.inputs.length;
    hops++
  ) {
    found = found.node.inputs[0];
  }
  return found;
}

/** The number a value always is; undefined where it is none or not constant. */
export function numberOf(value: Value | undefined): number | undefined {
  const tensor = value && source(value).constant;
  return tensor && tensor.size === 1 && tensor.dtype !== 'string' ? tensor.at(0) : undefined;
}

/** The numbers of a small constant. */
export function numbersOf(value: Value | undefined): number[] | undefined {
  const tensor = value && source(value).constant;
  return tensor && tensor.size <= 8 && tensor.dtype !== 'string' ? tensor.toNumbers() : undefined;
}

/** The scope of a node: its name up to the last slash, or up to a part of it. */
export function inScope(node: Node, scope: string): boolean {
  return node.name.split('/').slice(0, -1).includes(scope);
}
