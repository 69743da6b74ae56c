/** Under which conditions the nodes of a TF1 graph run: what Switch decides and Merge ends. */
import { type Graph, type Node, type Value } from '@floe/export-core';
import { isMerge, isSwitch } from './frames';

/** The branch that is taken of each predicate for a node to run; the outermost first. */
export type Condition = ReadonlyMap<Value, number>;

/** A Merge of the branches of one predicate. */
export interface Join {
  merge: Node;
  predicate: Value;
  /** The input that each branch gives. */
  inputs: Value[];
  /** When the whole of it runs. */
  outer: Condition;
  /** No other Merge has to be resolved before. */
  ready: boolean;
}

const ALWAYS: Condition = new Map();

export const isSwitchN = (node: Node) => node.op === '_SwitchN';
export const isAnySwitch = (node: Node) => isSwitch(node) || isSwitchN(node);

/** The predicate of a Switch, seen through identities. */
export function predicateOf(node: Node): Value {
  return throughIdentities(node.inputs[1]);
}

export function throughIdentities(value: Value): Value {
  let at = value;
  while (at.node.op === 'Identity') at = at.node.inputs[0];
  return at;
}

/** Conditions of every node of an acyclic graph, and its Merges in topological order. */
export class Conditions {
  readonly joins: Join[] = [];
  /** Merges that join no branches of one predicate. */
  readonly unclear: Node[] = [];
  private readonly nodes = new Map<Node, Condition>();

  constructor(graph: Graph) {
    const behindMerge = new Set<Node>();
    for (const node of graph.sorted()) {
      const sources = [...node.inputs.map((v) => v.node), ...node.controls];
      const behind = sources.some((n) => behindMerge.has(n) || isMerge(n));
      if (behind) behindMerge.add(node);
      this.nodes.set(node, isMerge(node) ? this.join(node, !behind) : this.all(node));
    }
  }

  of(node: Node): Condition {
    return this.nodes.get(node) ?? ALWAYS;
  }

  /** When a value exists: an output of a Switch on its branch only. */
  private ofValue(value: Value): Condition {
    const condition = this.of(value.node);
    if (!isAnySwitch(value.node)) return condition;
    return new Map([...condition, [predicateOf(value.node), value.index]]);
  }

  /** A node runs when everything that it reads exists. */
  private all(node: Node): Condition {
    return union([...node.inputs.map((v) => this.ofValue(v)), ...node.controls.map((n) => this.of(n))]);
  }

  private join(merge: Node, ready: boolean): Condition {
    const given = merge.inputs.map((v) => this.ofValue(v));
    const found = branchesOf(given);
    if (!found) {
      this.unclear.push(merge);
      return union(given);
    }
    const { predicate, branches } = found;
    const outer = new Map(union(given));
    outer.delete(predicate);
    const inputs: Value[] = [];
    branches.forEach((branch, i) => (inputs[branch] = merge.inputs[i]));
    this.joins.push({ merge, predicate, inputs, outer, ready });
    return outer;
  }
}

function union(conditions: readonly Condition[]): Condition {
  const parts = new Set(conditions.filter((c) => c.size > 0));
  if (parts.size === 0) return ALWAYS;
  const [first, ...rest] = [...parts].sort((a, b) => b.size - a.size);
  const missing = rest.flatMap((c) => [...c].filter(([predicate]) => !first.has(predicate)));
  return missing.length ? new Map([...first, ...missing]) : first;
}

/**
 * The predicate that tells the inputs of a Merge apart, the innermost one, and the branch of each input. One input
 * may have lost its condition: a constant without control edges.
 */
function branchesOf(given: readonly Condition[]): { predicate: Value; branches: number[] } | undefined {
  const candidates = [...new Set(given.flatMap((c) => [...c.keys()]))].reverse();
  const count = given.length;
  for (const allowed of [0, 1]) {
    for (const predicate of candidates) {
      const branches = given.map((c) => c.get(predicate));
      const known = branches.filter((b): b is number => b !== undefined);
      if (count - known.length !== allowed || new Set(known).size !== known.length) continue;
      if (known.some((b) => b >= count)) continue;
      const rest = Array.from({ length: count }, (_, b) => b).find((b) => !known.includes(b));
      return { predicate, branches: branches.map((b) => b ?? rest!) };
    }
  }
  return undefined;
}
