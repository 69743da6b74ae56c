/**
 * Puts the bodies of functions in the place of the nodes that call them.
 *
 * - A body's node is called like the caller's scope and itself: `dense/StatefulPartitionedCall` and `MatMul` make
 *   `dense/MatMul`.
 * - What the call waited for, the body's stateful nodes wait for; who waited for the call waits for the body's
 *   control results and for everything in it that writes.
 * - Where a body writes, its results go through Identity nodes that wait for that, as the call did.
 */
import { MAX_INLINED_NODES } from '../bytes/limits';
import { FloeError } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { followReplacements, FunctionGraph, Node, type Graph, type Value } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import type { DType } from '../tensor/dtype';
import type { SideEffects } from './side-effects';

export interface Expansion {
  body: FunctionGraph;
  /** What the body's arguments are. */
  inputs: Value[];
  /** Attributes that the body leaves open. */
  attrs: ReadonlyMap<string, Attr>;
}

/** Functions that call each other twice over and over grow beyond all bounds; this counts what has been made. */
export class Budget {
  private made = 0;

  take(nodes: number, call: Node): void {
    this.made += nodes;
    if (this.made <= MAX_INLINED_NODES) return;
    throw new FloeError({
      code: 'S010',
      severity: 'error',
      message: `the functions of the graph make more than ${MAX_INLINED_NODES} nodes when they are put in the place of their calls`,
      node: call.name,
    });
  }
}

/**
 * Expands calls of `target`, each once; what they bring in is not looked at again.
 *
 * @param expansionOf what a node calls; undefined leaves the node as it is
 * @param named nodes whose tensors have names to be kept: they stay as Identity or IdentityN
 * @returns how many calls there were
 */
export function expandCalls(
  target: Graph,
  expansionOf: (node: Node) => Expansion | undefined,
  effects: SideEffects,
  budget: Budget,
  named: ReadonlySet<Node> = new Set(),
): number {
  const values = new Map<Value, Value>();
  const controls = new Map<Node, Node[]>();
  const order: Node[] = [];
  const names = new Names(target);
  let calls = 0;
  for (const node of [...target.nodes.values()]) {
    const expansion = expansionOf(node);
    if (!expansion) {
      order.push(node);
      continue;
    }
    calls++;
    budget.take(expansion.body.nodes.size, node);
    const bookkeeping = { target, names, values, controls, keep: named.has(node) };
    for (const each of expand(node, expansion, effects, bookkeeping)) order.push(each);
  }
  if (calls === 0) return 0;
  const now = (list: readonly Node[]): Node[] => [
    ...new Set(list.flatMap((n) => resolveControl(n, controls))),
  ];
  for (const node of order) {
    if (node.controls.some((c) => controls.has(c))) node.controls = now(node.controls);
    // Every call that is gone is in `controls`, every result of one in `values`.
    for (const value of node.inputs)
      if (controls.has(value.node) && !values.has(value)) throw noSuchResult(value, node.name);
  }
  target.nodes.clear();
  for (const node of order) target.nodes.set(node.name, node);
  target.replace(values);
  if (target instanceof FunctionGraph) {
    const beyond = target.results.find((value) => controls.has(value.node) && !values.has(value));
    if (beyond) throw noSuchResult(beyond, target.name);
    target.results = target.results.map((value) => followReplacements(values, value));
    target.controlResults = now(target.controlResults);
  }
  return calls;
}

function noSuchResult({ node, index }: Value, reader: string): FloeError {
  return new FloeError({
    code: 'G007',
    severity: 'error',
    message: `"${reader}" reads output ${index} of "${node.name}", and the function that it calls has not as many results`,
    hint: 'the file was edited or damaged: write it again with TensorFlow',
    node: node.name,
  });
}

/** Free names. Remembers where it stopped to look: copies of one body have the same names over and over. */
class Names {
  private readonly next = new Map<string, number>();

  constructor(private readonly graph: Graph) {}

  free(name: string): string {
    if (!this.graph.nodes.has(name)) return name;
    let i = this.next.get(name) ?? 1;
    while (this.graph.nodes.has(`${name}_${i}`)) i++;
    this.next.set(name, i + 1);
    return `${name}_${i}`;
  }
}

/** What to wait for instead of a node: a call that waits for a call leads on. */
function resolveControl(node: Node, controls: ReadonlyMap<Node, Node[]>): Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>([node]);
  for (const each of seen) {
    const instead = controls.get(each);
    if (instead) instead.forEach((n) => seen.add(n));
    else found.add(each);
  }
  return [...found];
}

interface Bookkeeping {
  target: Graph;
  names: Names;
  values: Map<Value, Value>;
  controls: Map<Node, Node[]>;
  keep: boolean;
}

function expand(
  call: Node,
  { body, inputs, attrs }: Expansion,
  effects: SideEffects,
  { target, names, values, controls, keep }: Bookkeeping,
): Node[] {
  if (body.args.length !== inputs.length) {
    throw new FloeError({
      code: 'G007',
      severity: 'error',
      message: `"${call.name}" calls ${body.name} with ${inputs.length} arguments, which takes ${body.args.length}`,
      node: call.name,
    });
  }
  const scope = scopeOf(call.name);
  const args = new Map(body.args.map((node, i) => [node, inputs[i]]));
  const copies = new Map<Node, Node>();
  for (const node of body.nodes.values()) {
    if (args.has(node)) continue;
    const copy = target.add(names.free(scope + node.name), node.op);
    copy.device = node.device;
    // Colocation names nodes of the function, which are called otherwise now.
    for (const [key, value] of node.attrs) if (key !== '_class') copy.attrs.set(key, bind(value, attrs));
    if (LOOPS.has(node.op)) markLayer(copy, body);
    copies.set(node, copy);
  }
  const here = (value: Value): Value => args.get(value.node) ?? copies.get(value.node)!.output(value.index);
  for (const [node, copy] of copies) {
    copy.inputs = node.inputs.map(here);
    // An argument is there before anything runs.
    copy.controls = node.controls.flatMap((c) => copies.get(c) ?? []);
    if (call.controls.length && node.def?.stateful !== false) copy.controls.push(...call.controls);
  }
  const writers = [...copies].filter(([node]) => effects.writes(node)).map(([, copy]) => copy);
  const last = [...new Set([...body.controlResults.flatMap((n) => copies.get(n) ?? []), ...writers])];
  controls.set(call, last.length ? last : call.controls);
  const added = [...copies.values()];
  const results = body.results.map(here);
  if (keep) {
    added.push(keepName(call, results, writers));
    controls.delete(call);
    return added;
  }
  target.nodes.delete(call.name);
  results.forEach((result, i) => {
    let value = result;
    if (writers.length) {
      const after = target.add(names.free(`${scope}result_${i}`), 'Identity', [result], typeOf(call, i));
      after.controls = writers;
      added.push(after);
      value = after.output();
    }
    values.set(call.output(i), value);
  });
  return added;
}

const LOOPS: ReadonlySet<string> = new Set(['While', 'StatelessWhile']);

/** A loop that was the body of a recurrent layer says so when the layer's function is gone. */
function markLayer(loop: Node, body: FunctionGraph): void {
  const mark = body.attrs.get('api_implements');
  if (mark?.kind === 'string') loop.attrs.set('_api_implements', mark);
}

/** The call becomes the identity of its results: their names are known outside. */
function keepName(call: Node, results: Value[], writers: Node[]): Node {
  const types = outputTypes(call) ?? [];
  call.inputs = results;
  call.controls = writers;
  if (results.length === 1) {
    call.op = 'Identity';
    call.attrs = new Map([['T', attr.type(types[0] ?? 'variant')]]);
  } else {
    call.op = 'IdentityN';
    call.attrs = new Map([['T', attr.types(types.map((t) => t ?? 'variant'))]]);
  }
  return call;
}

function typeOf(call: Node, i: number): Record<string, Attr> {
  const dtype: DType = outputTypes(call)?.[i] ?? 'variant';
  return { T: attr.type(dtype) };
}

/** `a/b/StatefulPartitionedCall_1` → `a/b/`; a call with a name of its own is a scope: `a/head` → `a/head/`. */
function scopeOf(name: string): string {
  const slash = name.lastIndexOf('/');
  const leaf = name.slice(slash + 1);
  return /^(Stateful)?PartitionedCall(_\d+)?$/.test(leaf) ? name.slice(0, slash + 1) : `${name}/`;
}

/** An attribute with what the body left open filled in. */
function bind(value: Attr, attrs: ReadonlyMap<string, Attr>): Attr {
  switch (value.kind) {
    case 'placeholder':
      return attrs.get(value.value) ?? value;
    case 'func': {
      if (![...value.value.attrs.values()].some((a) => a.kind === 'placeholder')) return value;
      const inner = new Map([...value.value.attrs].map(([key, a]) => [key, bind(a, attrs)]));
      return { kind: 'func', value: { name: value.value.name, attrs: inner } };
    }
    case 'list':
      return value.value.some((a) => a.kind === 'placeholder' || a.kind === 'func')
        ? { kind: 'list', value: value.value.map((a) => bind(a, attrs)) }
        : value;
    default:
      return value;
  }
}
