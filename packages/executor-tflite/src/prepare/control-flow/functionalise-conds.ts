/**
 * Given:  y = Merge(f(Switch(x, p):0), g(Switch(x, p):1)): a TF1 branch
 * Result: y = If(p, [x], g, f); Merges of the same predicate are outputs of one If, _SwitchN makes a Case
 *
 * Loops must be functional already. From the inside out: a Merge is resolved when no other stands before it.
 */
import {
  attr,
  outputTypes,
  Tensor,
  type DType,
  type FunctionGraph,
  type Graph,
  type Value,
} from '@floe/export-core';
import { Conditions, isAnySwitch, isSwitchN, predicateOf, throughIdentities, type Join } from './conditions';
import { setFault } from './faults';
import { isMerge } from './frames';
import { addArg, addFunction, addResult, giveInstead } from './functions';
import { copySlice, type Border } from './slices';

export function functionaliseConds(graph: Graph): void {
  while ([...graph.nodes.values()].some(isMerge)) {
    const conditions = new Conditions(graph);
    const groups = chooseGroups(conditions.joins);
    if (groups.length === 0) {
      for (const merge of conditions.unclear) {
        const reason = 'what it joins are no branches of one condition';
        setFault(merge, { reason, hint: 'build the branches with tf.cond' });
      }
      return;
    }
    for (const group of groups) makeBranches(graph, group, conditions);
  }
}

/**
 * Ready Merges of the same predicate that run under the same conditions. A group that waits for another member, with
 * inner branches of its own, is left for later as long as others can be made.
 */
function chooseGroups(joins: readonly Join[]): Join[][] {
  const groups = new Map<Value, Join[][]>();
  for (const join of joins) {
    const same = groups.get(join.predicate) ?? [];
    groups.set(join.predicate, same);
    const group = same.find(
      ([first]) => sameEntries(first.outer, join.outer) && first.inputs.length === join.inputs.length,
    );
    if (group) group.push(join);
    else same.push([join]);
  }
  const all = [...groups.values()].flat();
  const whole = all.filter((group) => group.every((join) => join.ready));
  if (whole.length) return whole;
  const parts = all.map((group) => group.filter((join) => join.ready)).filter((group) => group.length);
  const depth = Math.max(...parts.map(([join]) => join.outer.size));
  return parts.filter(([join]) => join.outer.size === depth);
}

function sameEntries(a: ReadonlyMap<Value, number>, b: ReadonlyMap<Value, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function makeBranches(graph: Graph, group: readonly Join[], conditions: Conditions): void {
  const [{ merge: first, predicate, inputs }] = group;
  const places = placesRead(graph, group);
  const branches = inputs.map((_, branch) => makeBranch(graph, group, branch, conditions, places));
  const captures = [...new Set(branches.flatMap((b) => [...b.args.keys()]))];
  for (const { body, args } of branches) {
    const ordered = captures.map((value) => args.get(value) ?? addArg(body, value.node.name, typeOf(value)));
    body.args = ordered.map((value) => value.node);
    body.args.forEach((arg, i) => arg.set('index', attr.int(i)));
  }
  const types: DType[] = [...group.map(({ merge }) => merge.type('T')), ...places.map((): DType => 'int32')];
  const attrs = { Tin: attr.types(captures.map(typeOf)), Tout: attr.types(types) };
  const stateful = branches.some(({ body }) =>
    [...body.nodes.values()].some((n) => n.def?.stateful && n.op !== '_Arg'),
  );
  const names = branches.map(({ body }) => body.name);
  const many = [...graph.nodes.values()].some((n) => isSwitchN(n) && predicateOf(n) === predicate);
  const choice = many
    ? graph.add(`${first.name}/case`, stateful ? 'Case' : 'StatelessCase', [predicate, ...captures], {
        ...attrs,
        branches: { kind: 'list', value: names.map((name) => attr.func(name)) },
      })
    : graph.add(`${first.name}/if`, stateful ? 'If' : 'StatelessIf', [predicate, ...captures], {
        ...attrs,
        Tcond: attr.type('bool'),
        then_branch: attr.func(names[1]),
        else_branch: attr.func(names[0]),
      });
  types.forEach((dtype, i) => (choice.output(i).dtype = dtype));
  graph.replace(new Map(places.map((join, i) => [join.merge.output(1), choice.output(group.length + i)])));
  group.forEach(({ merge }, i) => giveInstead(graph, merge, [choice.output(i)], [types[i]]));
}

/** Merges of which is read which input they took. */
function placesRead(graph: Graph, group: readonly Join[]): Join[] {
  const read = new Set<Value>();
  for (const node of graph.nodes.values())
    for (const v of node.inputs) if (isMerge(v.node) && v.index === 1) read.add(v);
  return group.filter(({ merge }) => read.has(merge.output(1)));
}

interface Branch {
  body: FunctionGraph;
  /** Arguments by what they stand for outside. */
  args: Map<Value, Value>;
}

function makeBranch(
  graph: Graph,
  group: readonly Join[],
  branch: number,
  conditions: Conditions,
  places: readonly Join[],
): Branch {
  const { merge: first, predicate } = group[0];
  const body = addFunction(graph, `${first.name}_branch_${branch}`);
  const args = new Map<Value, Value>();
  let itself: Value | undefined;
  const border: Border = {
    through: (value) =>
      isAnySwitch(value.node) && predicateOf(value.node) === predicate
        ? border.through(value.node.inputs[0])
        : value,
    outside: (value) => {
      const { node } = value;
      if (throughIdentities(value) === predicate && typeOf(value) === 'bool')
        return (itself ??= body.addConst(`${node.name}/taken`, Tensor.scalar('bool', branch)).output());
      if (node.op === 'Const' || conditions.of(node).get(predicate) === branch) return undefined;
      const arg = args.get(value) ?? addArg(body, node.name, typeOf(value));
      args.set(value, arg);
      return arg;
    },
  };
  const results = group.map(({ merge, inputs }) => ({ name: merge.name, value: inputs[branch] }));
  copySlice(graph, body, results, border);
  for (const { merge, inputs } of places) {
    const place = Tensor.scalar('int32', merge.inputs.indexOf(inputs[branch]));
    addResult(body, `${merge.name}_index`, body.addConst(`${merge.name}/value_index`, place).output());
  }
  return { body, args };
}

function typeOf(value: Value): DType {
  return outputTypes(value.node)?.[value.index] ?? value.dtype ?? 'float32';
}
