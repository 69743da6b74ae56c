/** Where values cross from a graph into the functions it calls and back. */
import { attr, type DType, type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { allGraphs, bodyOf, isIf, isLoop } from '../functions';

/** Values that are one and the same thing on both sides of a border, or in every iteration of a loop. */
export type Joint = Value[];

/** Everything that stands for the same value across identities, branches and loops, node by node. */
export function joints(graph: Graph, node: Node): Joint[] {
  if (node.op === 'Identity' || node.op === 'StopGradient') return [[node.output(), node.inputs[0]]];
  if (node.op === 'IdentityN') return node.inputs.map((v, i) => [node.output(i), v]);
  if (isLoop(node)) {
    const [cond, body] = [bodyOf(graph, node, 'cond'), bodyOf(graph, node, 'body')];
    if (!cond || !body) return [];
    return node.inputs.map((v, i) => [
      v,
      cond.args[i].output(),
      body.args[i].output(),
      body.results[i],
      node.output(i),
    ]);
  }
  if (!isIf(node)) return [];
  const branches = [bodyOf(graph, node, 'then_branch'), bodyOf(graph, node, 'else_branch')];
  const bodies = branches.filter((b): b is FunctionGraph => b !== undefined);
  const operands = node.inputs.slice(1).map((v, i) => [v, ...bodies.map((b) => b.args[i].output())]);
  const results = node.types('Tout').map((_, i) => [node.output(i), ...bodies.map((b) => b.results[i])]);
  return [...operands, ...results];
}

/** Type attributes at borders follow what the values now are: `typeOf` gives the dtypes that changed. */
export function retype(graph: Graph, typeOf: (value: Value) => DType | undefined): void {
  for (const each of allGraphs(graph)) {
    for (const node of each.nodes.values()) {
      const changed = (name: string, values: readonly Value[]) => {
        if (!values.some((v) => typeOf(v) !== undefined)) return;
        node.set(name, attr.types(node.types(name).map((type, i) => typeOf(values[i]) ?? type)));
      };
      // What was announced of a list's handle says nothing of its tensor.
      const forget = (values: readonly Value[]) => {
        const shapes = node.attrs.get('output_shapes');
        if (shapes?.kind !== 'list' || shapes.value.length !== values.length) return;
        const value = shapes.value.map((s, i) => (typeOf(values[i]) ? attr.shape(null) : s));
        node.set('output_shapes', { kind: 'list', value });
      };
      const outputs = (count: number) => Array.from({ length: count }, (_, i) => node.output(i));
      if (isLoop(node)) {
        changed('T', outputs(node.inputs.length));
        forget(outputs(node.inputs.length));
      } else if (isIf(node)) {
        changed('Tin', node.inputs.slice(1));
        changed('Tout', outputs(node.types('Tout').length));
        forget(outputs(node.types('Tout').length));
      } else if (node.op === 'IdentityN') changed('T', node.inputs);
      else if (node.op === 'Identity' || node.op === 'StopGradient' || node.op === '_Arg') {
        const dtype = typeOf(node.output());
        if (dtype) node.set('T', attr.type(dtype));
      }
    }
  }
}
