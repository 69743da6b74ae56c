/** A frozen graph of 50,000 nodes: no check may be quadratic, none recursive. How long it takes is not asserted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attr, Graph, Tensor, writeGraphDef, type Value } from '@floe/export-core';
import { Project } from './testing/chain';

const NODES = 50_000;
const float = attr.type('float32');

/** Layers one after another, each with an adding, an activation and a branch that joins again. */
function deepGraph(change: (graph: Graph) => void): Uint8Array {
  const graph = new Graph();
  graph.versions.producer = 1882;
  let value: Value = graph.add('x', 'Placeholder', [], { dtype: float, shape: attr.shape([1, 8]) }).output();
  const numbers = Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const w = graph.addConst('w', Tensor.fromNumbers('float32', [8, 8], numbers)).output();
  for (let i = 0; graph.nodes.size < NODES - 6; i++) {
    const scope = `block_${i}/`;
    const product = graph.add(`${scope}matmul`, 'MatMul', [value, w], { T: float }).output();
    const bias = graph
      .addConst(`${scope}bias`, Tensor.fromNumbers('float32', [8], numbers.slice(0, 8)))
      .output();
    const sum = graph.add(`${scope}add`, 'BiasAdd', [product, bias], { T: float }).output();
    const left = graph.add(`${scope}relu`, 'Relu', [sum], { T: float }).output();
    const right = graph.add(`${scope}tanh`, 'Tanh', [sum], { T: float }).output();
    value = graph.add(`${scope}join`, 'AddV2', [left, right], { T: float }).output();
  }
  graph.add('y', 'Softmax', [value], { T: float });
  change(graph);
  return Buffer.concat(writeGraphDef(graph).map((piece) => piece as Uint8Array));
}

const YAML = `source: { frozenGraph: graph.pb }
inputs: [{ name: x, tensor: "x:0" }]
outputs: [{ name: y, tensor: "y:0" }]`;

let project: Project;
beforeEach(() => (project = new Project()));
afterEach(() => project.remove());

test('a good one has nothing to say', async () => {
  writeFileSync(
    join(project.model, 'graph.pb'),
    deepGraph(() => undefined),
  );
  const { ok, diagnostics } = await project.run(YAML);
  expect({ ok, diagnostics }).toEqual({ ok: true, diagnostics: [] });
});

test('one with many ops that TFLite has not says so once', async () => {
  const bytes = deepGraph((graph) => {
    for (const node of graph.nodes.values()) if (node.op === 'Tanh') node.op = 'Digamma';
  });
  writeFileSync(join(project.model, 'graph.pb'), bytes);
  const { diagnostics } = await project.run(YAML);
  expect(diagnostics).toMatchObject([{ code: 'T001', node: 'block_0/tanh' }]);
  expect(diagnostics[0].message).toMatch(/and \d{4} more cannot be converted/);
});
