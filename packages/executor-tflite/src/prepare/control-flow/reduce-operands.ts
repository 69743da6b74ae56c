/**
 * Given:  While and If with operands that are constant, never change, are never used, or stand twice
 * Result: constants are in the bodies; what never changes is read from outside after the loop; the rest is gone
 */
import { attr, type Attr, type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { bodyOf, isIf, isLoop, keepArgs, keepResults } from './functions';

/** Returns how many nodes were changed. `outputs` are values that count as read besides those that nodes read. */
export function reduceOperands(graph: Graph, outputs: ReadonlySet<string>): number {
  let changes = 0;
  for (const node of [...graph.nodes.values()]) {
    // Outputs are renumbered: a node that the contract itself names keeps its own.
    if (outputs.has(node.name)) continue;
    if (isLoop(node)) changes += reduceLoop(graph, node);
    else if (isIf(node)) changes += reduceIf(graph, node);
  }
  return changes;
}

function reduceLoop(graph: Graph, node: Node): number {
  const cond = bodyOf(graph, node, 'cond');
  const body = bodyOf(graph, node, 'body');
  if (!cond || !body || body.results.length !== node.inputs.length) return 0;
  const invariant = body.args.map((arg, i) => body.results[i].node === arg);
  const passed = new Map<Value, Value>();
  const merged = new Map<Value, number>();
  body.args.forEach((arg, i) => {
    if (!invariant[i]) return;
    const operand = node.inputs[i];
    passed.set(node.output(i), operand);
    const first = merged.get(operand) ?? i;
    merged.set(operand, first);
    for (const graphOf of [cond, body]) {
      const inner = graphOf.args[i].output();
      const instead = first === i ? insideCopy(graphOf, operand) : graphOf.args[first].output();
      if (instead) graphOf.replace(new Map([[inner, instead]]));
    }
    // Handed on as before: whether anybody needs it is decided below.
    body.results[i] = arg.output();
  });
  graph.replace(passed);
  const needed = neededVariables(cond, body, usedOutputs(graph, node));
  if (needed.size === node.inputs.length) return 0;
  keepResults(body, needed);
  for (const graphOf of [cond, body]) dropArgs(graphOf, needed);
  const kept = [...needed].sort((a, b) => a - b);
  const types = node.types('T');
  const inputs = kept.map((i) => node.inputs[i]);
  renumber(graph, node, kept, inputs, {
    T: attr.types(kept.map((i) => types[i])),
    output_shapes: { kind: 'list', value: [] },
  });
  return 1;
}

/** Variables that the condition, an output that is read, or one of these in the next iteration depends on. */
function neededVariables(cond: FunctionGraph, body: FunctionGraph, used: ReadonlySet<number>): Set<number> {
  const needed = new Set(used);
  for (const i of readArgs(cond, cond.results)) needed.add(i);
  for (const i of readArgs(body, [], body.controlResults)) needed.add(i);
  for (const i of needed) for (const j of readArgs(body, [body.results[i]])) needed.add(j);
  return needed;
}

function reduceIf(graph: Graph, node: Node): number {
  const branches = [bodyOf(graph, node, 'then_branch'), bodyOf(graph, node, 'else_branch')];
  const [first, second] = branches;
  if (!first || !second) return 0;
  const operands = node.inputs.slice(1);
  for (const branch of [first, second]) {
    const merged = new Map<Value, Value>();
    branch.args.forEach((arg, i) => {
      const earlier = merged.get(operands[i]);
      const inner = earlier ?? insideCopy(branch, operands[i]) ?? arg.output();
      if (inner !== arg.output()) branch.replace(new Map([[arg.output(), inner]]));
      merged.set(operands[i], inner);
    });
  }
  const passed = new Map<Value, Value>();
  first.results.forEach((value, i) => {
    const place = first.args.indexOf(value.node);
    const same = place >= 0 && second.results[i].node === second.args[place];
    if (same) passed.set(node.output(i), operands[place]);
  });
  graph.replace(passed);
  const used = usedOutputs(graph, node);
  const needed = new Set<number>();
  for (const branch of [first, second]) {
    const results = branch.results.filter((_, i) => used.has(i));
    for (const i of readArgs(branch, results, branch.controlResults)) needed.add(i);
  }
  if (used.size === first.results.length && needed.size === operands.length) return 0;
  for (const branch of [first, second]) {
    keepResults(branch, used);
    dropArgs(branch, needed);
  }
  const kept = [...used].sort((a, b) => a - b);
  const [Tin, Tout] = [node.types('Tin'), node.types('Tout')];
  const inputs = [node.inputs[0], ...operands.filter((_, i) => needed.has(i))];
  renumber(graph, node, kept, inputs, {
    Tin: attr.types(Tin.filter((_, i) => needed.has(i))),
    Tout: attr.types(kept.map((i) => Tout[i])),
    output_shapes: { kind: 'list', value: [] },
  });
  return 1;
}

/** Ops without inputs that name something which lives outside of the graph. */
const HANDLES = /^(VarHandleOp|HashTableV2|MutableHashTableV2)$/;

/** What stands in a body for an operand that is the same everywhere: a constant, the handle of a variable or table. */
function insideCopy(body: FunctionGraph, { node }: Value): Value | undefined {
  if (node.constant) return body.addConst(node.name, node.constant).output();
  if (!HANDLES.test(node.op)) return undefined;
  const copy = body.add(node.name, node.op, [], Object.fromEntries(node.attrs));
  // Without a name of its own it is told by the node's, which may be another inside.
  copy.set('shared_name', attr.string(node.string('shared_name') || node.name));
  const { dtype, shape } = node.output();
  return Object.assign(copy.output(), { dtype, shape });
}

function dropArgs(body: FunctionGraph, kept: ReadonlySet<number>): void {
  // Nodes that only dropped results needed go first: they may read dropped arguments.
  const alive = body.ancestors([...body.results.map((v) => v.node), ...body.controlResults, ...body.args]);
  body.remove(new Set([...body.nodes.values()].filter((n) => !alive.has(n))));
  keepArgs(body, kept);
}

/** The arguments, by place, that values of a function depend on. */
function readArgs(body: FunctionGraph, values: readonly Value[], nodes: readonly Node[] = []): number[] {
  const needed = body.ancestors([...values.map((v) => v.node), ...nodes]);
  return body.args.flatMap((arg, i) => (needed.has(arg) ? [i] : []));
}

/** The outputs of a node that something reads, by index. */
function usedOutputs(graph: Graph, node: Node): Set<number> {
  const used = new Set<number>();
  const results = 'results' in graph ? (graph as FunctionGraph).results : [];
  for (const value of results) if (value.node === node) used.add(value.index);
  for (const reader of graph.nodes.values()) {
    for (const value of reader.inputs) if (value.node === node) used.add(value.index);
  }
  return used;
}

/** Lets a new node of the same name take the place of `node`; its outputs are those in `kept`, in that order. */
function renumber(
  graph: Graph,
  node: Node,
  kept: readonly number[],
  inputs: Value[],
  changed: Record<string, Attr>,
): void {
  graph.nodes.delete(node.name);
  const attrs = { ...Object.fromEntries(node.attrs), ...changed };
  const reduced = graph.add(node.name, node.op, inputs, attrs);
  reduced.controls = node.controls;
  reduced.device = node.device;
  const moved = kept.map((from, to) => {
    const { dtype, shape, partial } = node.output(from);
    Object.assign(reduced.output(to), { dtype, shape, partial });
    return [node.output(from), reduced.output(to)] as const;
  });
  graph.replace(new Map(moved));
  for (const reader of graph.nodes.values()) {
    reader.controls = reader.controls.map((c) => (c === node ? reduced : c));
  }
}
