/**
 * Given:  y = Case(i, x, [f, g, h])
 * Result: y = If(i = 0, [i, x], f, If(i = 1, [i, x], g, h))      the last branch also for an index out of range
 */
import { attr, Tensor, type DType, type Graph, type Node, type Value } from '@floe/export-core';
import { addArg, addFunction, addResult, isCase } from './functions';
import { branchNames } from './inline-branches';

export function caseToIfs(graph: Graph): void {
  for (const node of [...graph.nodes.values()]) {
    if (!isCase(node)) continue;
    const stateless = node.op === 'StatelessCase';
    const types = { Tin: node.types('Tin'), Tout: node.types('Tout') };
    const branches = branchNames(node);
    if (branches.length === 1) {
      const call = stateless ? 'PartitionedCall' : 'StatefulPartitionedCall';
      const attrs = { f: attr.func(branches[0]), Tin: attr.types(types.Tin), Tout: attr.types(types.Tout) };
      graph.become(node, call, node.inputs.slice(1), attrs);
      continue;
    }
    become(graph, node, {
      index: node.inputs[0],
      operands: node.inputs.slice(1),
      branches,
      place: 0,
      types,
      stateless,
    });
  }
}

interface Choice {
  index: Value;
  operands: readonly Value[];
  /** All branches of the Case. */
  branches: readonly string[];
  /** The one that is decided on; those before it are not taken. */
  place: number;
  types: { Tin: DType[]; Tout: DType[] };
  stateless: boolean;
}

/** Lets `node` choose between the branch at `place` and the later ones. */
function become(graph: Graph, node: Node, choice: Choice): void {
  const { index, operands, branches, place, types, stateless } = choice;
  const number = graph.addConst(`${node.name}/branch_${place}`, Tensor.scalar('int32', place)).output();
  const equal = graph.add(`${node.name}/is_${place}`, 'Equal', [index, number], { T: attr.type('int32') });
  Object.assign(equal.output(), { dtype: 'bool', shape: [] });
  const last = place === branches.length - 2;
  // The index is an operand of every branch, as both branches of an If take the same.
  const Tin: DType[] = ['int32', ...types.Tin];
  for (const name of last ? branches.slice(-2) : [branches[place]]) takeIndex(graph, name);
  const otherwise = last ? branches[place + 1] : later(graph, node, choice);
  graph.become(node, stateless ? 'StatelessIf' : 'If', [equal.output(), index, ...operands], {
    Tcond: attr.type('bool'),
    Tin: attr.types(Tin),
    Tout: attr.types(types.Tout),
    then_branch: attr.func(branches[place]),
    else_branch: attr.func(otherwise),
  });
}

function takeIndex(graph: Graph, name: string): void {
  const body = graph.functions.get(name);
  if (!body) return;
  addArg(body, body.uniqueName('branch_index'), 'int32');
  body.args.unshift(body.args.pop()!);
  body.args.forEach((arg, i) => arg.set('index', attr.int(i)));
}

/** A function that decides on the next branch. */
function later(graph: Graph, node: Node, choice: Choice): string {
  const { types, place } = choice;
  const body = addFunction(graph, `${node.name}_later_${place + 1}`);
  const index = addArg(body, 'branch_index', 'int32');
  const operands = types.Tin.map((dtype, i) => addArg(body, `operand_${i}`, dtype));
  const inner = body.add(node.name, 'StatelessIf');
  become(body, inner, { ...choice, index, operands, place: place + 1 });
  types.Tout.forEach((dtype, i) => {
    inner.output(i).dtype = dtype;
    addResult(body, `output_${i}`, inner.output(i));
  });
  return body.name;
}
