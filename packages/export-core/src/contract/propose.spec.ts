import { Diagnostics } from '../diagnostics/diagnostic';
import { attr } from '../graph/attr';
import { Graph, type Value } from '../graph/graph';
import { inferShapes } from '../passes/infer-shapes';
import { Tensor } from '../tensor/tensor';
import { proposeOutputs } from './propose';

const FLOAT = { T: attr.type('float32') };

/** x · w, and what `more` adds to it. */
function model(more: (graph: Graph, product: Value, x: Value) => void): Graph {
  const graph = new Graph();
  const placeholder = { dtype: attr.type('float32'), shape: attr.shape([2, 3]) };
  const x = graph.add('x', 'Placeholder', [], placeholder).output();
  const w = graph.addConst('w', Tensor.fromNumbers('float32', [3, 3], new Array<number>(9).fill(0.5)));
  more(graph, graph.add('dense', 'MatMul', [x, w.output()], FLOAT).output(), x);
  inferShapes(graph, new Diagnostics());
  return graph;
}

function proposed(graph: Graph): string[] {
  return proposeOutputs(graph)
    .filter(({ likely }) => likely)
    .map(({ spec }) => spec.tensor);
}

it('leaves out losses and what is made of gradients', () => {
  const graph = model((g, product, x) => {
    const y = g.add('y', 'Tanh', [product], FLOAT).output();
    const error = g.add('sub', 'Sub', [y, x], FLOAT).output();
    const square = g.add('Square', 'Square', [error], FLOAT).output();
    const axes = g.addConst('axes', Tensor.fromNumbers('int32', [2], [0, 1])).output();
    const mean = g.add('Mean', 'Mean', [square, axes], { ...FLOAT, Tidx: attr.type('int32') }).output();
    const gradient = g.add('gradients/mul', 'Mul', [error, mean], FLOAT).output();
    g.add('clip_by_norm', 'Identity', [gradient], FLOAT);
  });
  expect(proposed(graph)).toEqual(['y:0']);
});

it('takes a number as the output of a model that is not trained', () => {
  const graph = model((g, product) => {
    const axes = g.addConst('axes', Tensor.fromNumbers('int32', [2], [0, 1])).output();
    g.add('Mean', 'Mean', [product, axes], { ...FLOAT, Tidx: attr.type('int32') });
  });
  expect(proposed(graph)).toEqual(['Mean:0']);
});

it('leaves out what nobody reads of a loop', () => {
  const graph = model((g, product) => {
    const types = attr.types(['float32', 'float32']);
    const attrs = { T: types, cond: attr.func('cond'), body: attr.func('body') };
    const loop = g.add('while', 'While', [product, product], attrs);
    g.add('while/Identity', 'Identity', [loop.output(0)], FLOAT);
    const kept = g.add('while/Identity_1', 'Identity', [loop.output(1)], FLOAT).output();
    g.add('y', 'Neg', [kept], FLOAT);
  });
  expect(proposed(graph)).toEqual(['y:0']);
});
