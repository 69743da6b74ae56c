import { Tensor } from '../tensor/tensor';
import { attr } from './attr';
import { Graph, GraphError } from './graph';

function chain(): Graph {
  const graph = new Graph();
  const x = graph.add('x', 'Placeholder', [], { dtype: attr.type('float32') });
  const a = graph.add('a', 'Identity', [x.output()], { T: attr.type('float32') });
  graph.add('b', 'Neg', [a.output()], { T: attr.type('float32') });
  return graph;
}

test('a name that is taken gets a suffix', () => {
  const graph = chain();
  expect(graph.add('a', 'NoOp').name).toBe('a_1');
  expect(graph.add('a', 'NoOp').name).toBe('a_2');
});

test('replace follows chains of replacements', () => {
  const graph = chain();
  const [x, a, b] = ['x', 'a', 'b'].map((n) => graph.node(n)!);
  const c = graph.addConst('c', Tensor.scalar('float32', 1));
  graph.replace(
    new Map([
      [a.output(), x.output()],
      [x.output(), c.output()],
    ]),
  );
  expect(b.inputs[0]).toBe(c.output());
});

test('remove drops control edges to what is gone', () => {
  const graph = chain();
  const late = graph.add('late', 'NoOp');
  late.controls = [graph.node('b')!];
  graph.remove(new Set([graph.node('b')!]));
  expect(late.controls).toEqual([]);
  expect([...graph.nodes.keys()]).toEqual(['x', 'a', 'late']);
});

test('sorted puts each node after what it reads, also where the file does not', () => {
  const graph = new Graph();
  const late = graph.add('late', 'Neg', [], { T: attr.type('float32') });
  const early = graph.add('early', 'Placeholder', [], { dtype: attr.type('float32') });
  late.inputs = [early.output()];
  expect(graph.sorted().map((n) => n.name)).toEqual(['early', 'late']);
});

test('sorted takes a loop that NextIteration closes, and names a cycle that nothing closes', () => {
  const graph = new Graph();
  const T = { T: attr.type('float32') };
  const enter = graph.add('enter', 'Enter', [], T);
  const merge = graph.add('merge', 'Merge', [enter.output()], T);
  const next = graph.add('next', 'NextIteration', [merge.output()], T);
  merge.inputs.push(next.output());
  expect(graph.sorted()).toHaveLength(3);
  const one = graph.add('one', 'Neg', [], T);
  one.inputs = [graph.add('two', 'Neg', [one.output()], T).output()];
  expect(() => graph.sorted()).toThrow(GraphError);
});

test('sorted does not recurse: a chain of 100,000 nodes', () => {
  const graph = new Graph();
  let last = graph.add('n', 'Placeholder');
  const nodes = [last];
  for (let i = 0; i < 100_000; i++) nodes.push((last = graph.add(`n${i}`, 'Neg', [last.output()])));
  expect(graph.sorted()).toEqual(nodes);
});

test('attributes that a file leaves out have TensorFlow’s default', () => {
  const conv = new Graph().add('conv', 'Conv2D', [], { T: attr.type('float32') });
  expect(conv.string('data_format')).toBe('NHWC');
  expect(conv.ints('dilations')).toEqual([1, 1, 1, 1]);
  expect(() => conv.ints('strides')).toThrow('attribute "strides" of Conv2D');
});
