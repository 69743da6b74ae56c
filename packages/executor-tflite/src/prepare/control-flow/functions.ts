/** Functions of a model: who calls them, which a graph reaches, and copies of nodes from one graph to another. */
import {
  attr,
  FunctionGraph,
  reachableFunctions,
  type DType,
  type Graph,
  type Node,
  type Value,
} from '@floe/export-core';

const LOOPS = new Set(['While', 'StatelessWhile', '_While']);
const IFS = new Set(['If', 'StatelessIf', '_If']);
const CASES = new Set(['Case', 'StatelessCase']);

export const isLoop = (node: Node) => LOOPS.has(node.op);
export const isIf = (node: Node) => IFS.has(node.op);
export const isCase = (node: Node) => CASES.has(node.op);

/** Every function that a graph calls, directly or through others, each once and behind all that call it. */
export function calledFunctions(graph: Graph): FunctionGraph[] {
  // Asked before each pass: most frozen graphs have no functions, and need not be walked for that.
  if (graph.functions.size === 0) return [];
  return reachableFunctions(graph).order.reverse();
}

/** Lets functions find each other: what a body calls stands in the library of its model. */
export function shareLibrary(graph: Graph): void {
  for (const body of graph.functions.values()) body.functions = graph.functions;
}

/** The graph and every function it calls. */
export function allGraphs(graph: Graph): Graph[] {
  return [graph, ...calledFunctions(graph)];
}

/** The function that an attribute of a node names; undefined when the library has it not. */
export function bodyOf(graph: Graph, node: Node, attribute: string): FunctionGraph | undefined {
  return graph.functions.get(node.func(attribute).name);
}

/** An empty function of the graph's library. */
export function addFunction(graph: Graph, name: string): FunctionGraph {
  const body = new FunctionGraph(uniqueFunctionName(graph, name));
  body.functions = graph.functions;
  graph.functions.set(body.name, body);
  return body;
}

export function uniqueFunctionName(graph: Graph, name: string): string {
  let unique = name;
  for (let i = 1; graph.functions.has(unique); i++) unique = `${name}_${i}`;
  return unique;
}

/** Adds an argument to a function. */
export function addArg(body: FunctionGraph, name: string, dtype: DType): Value {
  const attrs = { T: attr.type(dtype), index: attr.int(body.args.length) };
  const arg = body.add(name, '_Arg', [], attrs);
  arg.output().dtype = dtype;
  body.args.push(arg);
  return arg.output();
}

export function addResult(body: FunctionGraph, name: string, value: Value): void {
  body.results.push(value);
  body.resultNames.push(name);
}

/** Keeps the arguments whose place is in `kept`; nobody reads the others any more. */
export function keepArgs(body: FunctionGraph, kept: ReadonlySet<number>): void {
  body.remove(new Set(body.args.filter((_, i) => !kept.has(i))));
  body.args = body.args.filter((_, i) => kept.has(i));
  body.args.forEach((arg, i) => arg.set('index', attr.int(i)));
}

/** Keeps the results whose place is in `kept`. */
export function keepResults(body: FunctionGraph, kept: ReadonlySet<number>): void {
  body.results = body.results.filter((_, i) => kept.has(i));
  body.resultNames = body.resultNames.filter((_, i) => kept.has(i));
}

/**
 * Copies nodes into another graph. What they read outside of `nodes` is what `outside` gives for it; control edges
 * are kept among the copies.
 */
export function copyNodes(
  nodes: Iterable<Node>,
  target: Graph,
  outside: (value: Value) => Value,
  nameOf: (name: string) => string = (name) => name,
): Map<Node, Node> {
  const copies = new Map<Node, Node>();
  for (const node of nodes) {
    const copy = target.add(nameOf(node.name), node.op, [], Object.fromEntries(node.attrs));
    copy.device = node.device;
    const { dtype, shape } = node.output();
    Object.assign(copy.output(), { dtype, shape });
    copies.set(node, copy);
  }
  for (const [node, copy] of copies) {
    copy.inputs = node.inputs.map((v) => copies.get(v.node)?.output(v.index) ?? outside(v));
    copy.controls = node.controls.flatMap((c) => copies.get(c) ?? []);
  }
  return copies;
}

/** A copy of a function under a new name. */
export function copyFunction(graph: Graph, body: FunctionGraph): FunctionGraph {
  const copy = addFunction(graph, body.name);
  const copies = copyNodes(body.nodes.values(), copy, (v) => v);
  const moved = (value: Value) => copies.get(value.node)!.output(value.index);
  copy.args = body.args.map((arg) => copies.get(arg)!);
  copy.results = body.results.map(moved);
  copy.resultNames = [...body.resultNames];
  copy.controlResults = body.controlResults.map((node) => copies.get(node)!);
  copy.attrs = new Map(body.attrs);
  return copy;
}

/** Puts a copy of a body into the graph of its caller; gives what its results are there. */
export function inlineBody(
  graph: Graph,
  caller: Node,
  body: FunctionGraph,
  operands: readonly Value[],
): { results: Value[]; controls: Node[] } {
  const args = new Map(body.args.map((arg, i) => [arg, operands[i]]));
  const inner = [...body.nodes.values()].filter((n) => !args.has(n));
  const copies = copyNodes(
    inner,
    graph,
    (v) => args.get(v.node) ?? v,
    (name) => `${caller.name}/${name}`,
  );
  const moved = (value: Value) =>
    copies.get(value.node)?.output(value.index) ?? args.get(value.node) ?? value;
  const controls = body.controlResults.flatMap((node) => copies.get(node) ?? []);
  return { results: body.results.map(moved), controls: [...controls, ...caller.controls] };
}

/** Lets a node give other values in place of its outputs. Its name goes on: it may be an output of the contract. */
export function giveInstead(
  graph: Graph,
  node: Node,
  values: readonly Value[],
  types: readonly DType[],
): void {
  const controls = node.controls;
  if (values.length === 1) graph.become(node, 'Identity', [values[0]], { T: attr.type(types[0]) });
  else if (values.length > 1) graph.become(node, 'IdentityN', [...values], { T: attr.types(types) });
  else graph.become(node, 'NoOp', [], {});
  node.controls = controls;
  values.forEach(({ dtype, shape, partial }, i) =>
    Object.assign(node.output(i), { dtype: dtype ?? types[i], shape, partial }),
  );
}
