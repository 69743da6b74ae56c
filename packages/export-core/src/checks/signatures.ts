/** G020: whether what a source's signatures promise is in its graph. They are written by hand as often as not. */
import type { Signature, TensorSpec } from '../contract/contract';
import type { Diagnostics, Place } from '../diagnostics/diagnostic';
import { nearest } from '../diagnostics/suggest';
import type { Graph } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';
import { compatible, shapeToString } from '../tensor/shape';

/** Checks every tensor of signatures that come from the source itself, not from model.yaml. */
export function checkSignatures(
  graph: Graph,
  signatures: readonly Signature[],
  where: Place,
  diagnostics: Diagnostics,
): void {
  for (const { key, inputs, outputs } of signatures) {
    for (const [list, specs] of [
      ['input', inputs],
      ['output', outputs],
    ] as const) {
      for (const spec of specs)
        checkSpec(graph, `signature "${key}", ${list} "${spec.name}"`, spec, where, diagnostics);
    }
  }
}

function checkSpec(
  graph: Graph,
  told: string,
  spec: TensorSpec,
  where: Place,
  diagnostics: Diagnostics,
): void {
  const { name, index } = parseInput(spec.tensor);
  const node = graph.node(name);
  const declare = (tensor: string) => `declare it in model.yaml: { name: ${spec.name}, tensor: "${tensor}" }`;
  if (!node) {
    const [near] = nearest(name, graph.nodes.keys(), 1);
    diagnostics.error('G020', `${told} points at "${spec.tensor}", which is not in the graph`, {
      hint: declare(near === undefined ? 'node:0' : `${near}:0`),
      where,
      node: name,
    });
    return;
  }
  const types = outputTypes(node);
  if (types && index >= types.length) {
    diagnostics.error(
      'G020',
      `${told} points at "${spec.tensor}", but ${node.op} "${name}" has ${types.length} outputs`,
      {
        hint: declare(`${name}:${Math.max(0, types.length - 1)}`),
        where,
        node: name,
      },
    );
    return;
  }
  const actual = types?.[index];
  if (actual && actual !== spec.dtype) {
    diagnostics.error('G020', `${told} says ${spec.dtype}, and "${spec.tensor}" in the graph is ${actual}`, {
      hint: declare(spec.tensor),
      where,
      node: name,
    });
  }
  const { shape } = node.output(index);
  if (!compatible(spec.shape, shape)) {
    diagnostics.warning(
      'G020',
      `${told} says ${shapeToString(spec.shape)}, and "${spec.tensor}" in the graph is ${shapeToString(shape)}`,
      { hint: declare(spec.tensor), where, node: name },
    );
  }
}
