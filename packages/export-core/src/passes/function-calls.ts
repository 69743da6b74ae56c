/** Which functions the nodes of a graph name, and how: calls, and the bodies of functional control flow. */
import { functionsIn, type Attr, type FunctionRef } from '../graph/attr';
import type { FunctionGraph, Graph, Node } from '../graph/graph';

/** Ops that are nothing but a call of the function in their attribute `f`. */
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall', 'BatchFunction']);

export interface Call {
  body: FunctionGraph;
  /** What the attributes that the body leaves open (`$T`) are in this call. */
  attrs: ReadonlyMap<string, Attr>;
}

export type Functions = ReadonlyMap<string, FunctionGraph>;

/** The function that a node calls, by a call op or by using its name as the op; undefined for other nodes. */
export function calledFunction(functions: Functions, node: Node): Call | undefined {
  if (CALLS.has(node.op)) {
    const f = node.attrs.get('f');
    const body = f?.kind === 'func' ? functions.get(f.value.name) : undefined;
    return body && f?.kind === 'func' ? { body, attrs: f.value.attrs } : undefined;
  }
  const body = directCall(functions, node);
  return body && { body, attrs: node.attrs };
}

/** The function whose name is the node's op; ops that TensorFlow knows are those. */
function directCall(functions: Functions, node: Node): FunctionGraph | undefined {
  const body = functions.get(node.op);
  return body && !node.def ? body : undefined;
}

/** Whether a node is a call op, whether or not the function is there. */
export function isCall(node: Node): boolean {
  return CALLS.has(node.op);
}

/** The functions that a node's attributes name. */
export function functionRefs(node: Node): FunctionRef[] {
  return functionsIn(node.attrs.values());
}

/** Every function that a node needs by itself. */
export function usedFunctions(functions: Functions, node: Node): FunctionGraph[] {
  const used: FunctionGraph[] = [];
  const direct = directCall(functions, node);
  if (direct) used.push(direct);
  for (const { name } of functionRefs(node)) {
    const body = functions.get(name);
    if (body) used.push(body);
  }
  return used;
}

/** How functional control flow hands its inputs to its bodies. */
export interface Branching {
  /** While: condition and body. If: then and else. Case: by index. Each takes the inputs from `firstInput` on. */
  bodies: FunctionGraph[];
  /** The bodies whose results are the node's outputs. */
  giving: FunctionGraph[];
  firstInput: number;
  /** The attributes with the types of the inputs from `firstInput` on and of the outputs. */
  inputTypes: string;
  outputTypes: string;
}

/** The bodies of a While, If or Case; undefined for other nodes, and where a body is not in the library. */
export function branchesOf(functions: Functions, node: Node): Branching | undefined {
  const kind = /^(?:Stateless)?(While|If|Case)$/.exec(node.op)?.[1];
  if (!kind) return undefined;
  const names = { While: ['cond', 'body'], If: ['then_branch', 'else_branch'], Case: ['branches'] }[kind]!;
  const refs = functionsIn(names.flatMap((name) => node.attrs.get(name) ?? []));
  const bodies = refs.flatMap(({ name }) => functions.get(name) ?? []);
  if (bodies.length !== refs.length || bodies.length === 0) return undefined;
  return kind === 'While'
    ? { bodies, giving: bodies.slice(1), firstInput: 0, inputTypes: 'T', outputTypes: 'T' }
    : { bodies, giving: bodies, firstInput: 1, inputTypes: 'Tin', outputTypes: 'Tout' };
}

/**
 * Every function that the graph needs, each after those it needs itself.
 *
 * @param nodes those of the main graph that count; default: all
 */
export function reachableFunctions(
  graph: Graph,
  nodes: Iterable<Node> = graph.nodes.values(),
): { order: FunctionGraph[]; cycle?: FunctionGraph[] } {
  const order: FunctionGraph[] = [];
  const done = new Set<FunctionGraph>();
  const open = new Set<FunctionGraph>();
  const next = (users: Iterable<Node>): FunctionGraph[] => {
    const used = new Set<FunctionGraph>();
    for (const node of users) for (const body of usedFunctions(graph.functions, node)) used.add(body);
    return [...used];
  };
  // Iterative: depth is no limit.
  const stack: { body?: FunctionGraph; calls: FunctionGraph[]; at: number }[] = [
    { calls: next(nodes), at: 0 },
  ];
  while (stack.length) {
    const top = stack[stack.length - 1];
    if (top.at < top.calls.length) {
      const body = top.calls[top.at++];
      if (open.has(body)) return { order, cycle: [...open].slice([...open].indexOf(body)) };
      if (done.has(body)) continue;
      open.add(body);
      stack.push({ body, calls: next(body.nodes.values()), at: 0 });
    } else {
      stack.pop();
      if (!top.body) continue;
      open.delete(top.body);
      done.add(top.body);
      order.push(top.body);
    }
  }
  return { order };
}
