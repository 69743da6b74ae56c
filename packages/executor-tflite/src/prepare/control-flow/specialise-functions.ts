/**
 * Given:  functions that several nodes call, calls of functions, attributes that the caller fills in
 * Result: each function is named by one attribute of one node; calls are replaced by the bodies
 *
 * So every body can have the shapes of its one caller, and be changed together with it.
 */
import {
  functionRefs,
  outputTypes,
  type Attr,
  type DType,
  type FunctionGraph,
  type FunctionRef,
  type Graph,
  type Node,
} from '@floe/export-core';
import type { PrepareContext } from '../prepare';
import { calledFunctions, copyFunction, giveInstead, inlineBody } from './functions';

const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

export function specialiseFunctions(graph: Graph, { diagnostics }: PrepareContext): void {
  const recursive = findRecursion(graph);
  if (recursive) {
    const message = `function "${recursive}" calls itself: TFLite has no recursion`;
    diagnostics.error('T001', message, { hint: 'write the recursion as a loop', node: recursive });
    return;
  }
  specialise(graph, graph, new Set());
  const called = new Set(calledFunctions(graph).map((f) => f.name));
  for (const name of [...graph.functions.keys()]) if (!called.has(name)) graph.functions.delete(name);
}

/** Specialises what `caller` calls; `taken` holds the functions that have their caller. */
function specialise(graph: Graph, caller: Graph, taken: Set<string>): void {
  const work = [...caller.nodes.values()];
  // What a call brings in is walked too.
  for (const node of work) {
    const called = callee(graph, node);
    if (called) {
      const before = new Set(caller.nodes.values());
      inlineCall(graph, caller, node, called);
      work.push(...[...caller.nodes.values()].filter((n) => !before.has(n)));
      continue;
    }
    for (const ref of functionRefs(node)) {
      const body = graph.functions.get(ref.name);
      if (!body) continue;
      const own = taken.has(body.name) ? copyFunction(graph, body) : body;
      taken.add(own.name);
      const filled: FunctionRef = { name: own.name, attrs: new Map() };
      fillPlaceholders(own, ref.attrs);
      rename(node, ref, filled);
      specialise(graph, own, taken);
    }
  }
}

/** The function that a node calls, and what its attributes are filled with; undefined when it is no call. */
function callee(graph: Graph, node: Node): FunctionRef | undefined {
  // A node whose op is the name of a function: how TF1 called functions.
  if (!node.def && graph.functions.has(node.op)) return { name: node.op, attrs: node.attrs };
  const ref = CALLS.has(node.op) ? node.func('f') : undefined;
  return ref && graph.functions.has(ref.name) ? ref : undefined;
}

function inlineCall(graph: Graph, caller: Graph, node: Node, ref: FunctionRef): void {
  const body = graph.functions.get(ref.name)!;
  const types = typesOf(node, body);
  const before = new Set(caller.nodes.values());
  const { results, controls } = inlineBody(caller, node, body, node.inputs);
  const added = [...caller.nodes.values()].filter((n) => !before.has(n));
  for (const copy of added) fillNode(copy, ref.attrs);
  giveInstead(caller, node, results, types);
  node.controls = controls;
}

function typesOf(node: Node, body: FunctionGraph): DType[] {
  const types = outputTypes(node) ?? body.results.map((v) => outputTypes(v.node)?.[v.index]);
  return types.map((type) => type ?? 'float32');
}

function fillPlaceholders(body: FunctionGraph, attrs: ReadonlyMap<string, Attr>): void {
  for (const node of body.nodes.values()) fillNode(node, attrs);
}

/** Attributes that stand for the caller's get its values, also inside of lists and of functions named further. */
function fillNode(node: Node, attrs: ReadonlyMap<string, Attr>): void {
  if (attrs.size === 0) return;
  const fill = (value: Attr): Attr => {
    if (value.kind === 'placeholder') return attrs.get(value.value) ?? value;
    if (value.kind === 'list') return { kind: 'list', value: value.value.map(fill) };
    if (value.kind !== 'func' || value.value.attrs.size === 0) return value;
    const inner = new Map([...value.value.attrs].map(([name, a]) => [name, fill(a)]));
    return { kind: 'func', value: { name: value.value.name, attrs: inner } };
  };
  for (const [name, value] of node.attrs) node.attrs.set(name, fill(value));
}

function rename(node: Node, from: FunctionRef, to: FunctionRef): void {
  const swap = (value: Attr): Attr => {
    if (value.kind === 'func' && value.value === from) return { kind: 'func', value: to };
    return value.kind === 'list' ? { kind: 'list', value: value.value.map(swap) } : value;
  };
  for (const [name, value] of node.attrs) node.attrs.set(name, swap(value));
}

/** The name of a function that calls itself, perhaps through others. */
function findRecursion(graph: Graph): string | undefined {
  const done = new Set<string>();
  const open = new Set<string>();
  const visit = (caller: Graph): string | undefined => {
    for (const node of caller.nodes.values()) {
      const names = functionRefs(node).map((ref) => ref.name);
      for (const name of node.def ? names : [node.op, ...names]) {
        const body = graph.functions.get(name);
        if (!body || done.has(name)) continue;
        if (open.has(name)) return name;
        open.add(name);
        const found = visit(body);
        if (found) return found;
        open.delete(name);
        done.add(name);
      }
    }
    return undefined;
  };
  return visit(graph);
}
