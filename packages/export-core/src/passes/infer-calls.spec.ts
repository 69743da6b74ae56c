/** Shapes through the bodies of branches, loops and calls. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr } from '../graph/attr';
import { FunctionGraph, Graph, type Value } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import type { Shape } from '../tensor/shape';
import { inferShapes } from './infer-shapes';

const FLOAT = { T: attr.type('float32') };
const floats = (count: number) => attr.types(new Array<'float32'>(count).fill('float32'));

function input(graph: Graph, name: string, shape: Shape): Value {
  return graph
    .add(name, 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape(shape) })
    .output();
}

function body(
  graph: Graph,
  name: string,
  count: number,
  make: (f: FunctionGraph, args: Value[]) => Value[],
): FunctionGraph {
  const f = new FunctionGraph(name);
  for (let i = 0; i < count; i++) f.args.push(f.add(`a${i}`, '_Arg', [], { ...FLOAT, index: attr.int(i) }));
  f.results = make(
    f,
    f.args.map((a) => a.output()),
  );
  f.resultNames = f.results.map((_, i) => `r${i}`);
  graph.functions.set(name, f);
  return f;
}

function shapes(node: { output(i: number): Value }, count: number): (Shape | undefined)[] {
  return Array.from({ length: count }, (_, i) => node.output(i).shape);
}

function concat(f: FunctionGraph, parts: Value[]): Value {
  const axis = f.addConst('axis', Tensor.scalar('int32', 0)).output();
  return f
    .add('concat', 'ConcatV2', [...parts, axis], {
      ...FLOAT,
      N: attr.int(parts.length),
      Tidx: attr.type('int32'),
    })
    .output();
}

function loopOver(graph: Graph, operands: Value[], announced: Shape[] = []) {
  return graph.add('loop', 'StatelessWhile', operands, {
    T: floats(operands.length),
    cond: attr.func('cond'),
    body: attr.func('body'),
    output_shapes: { kind: 'list', value: announced.map((s) => attr.shape(s)) },
  });
}

test('a loop variable that changes its size has an unknown one; others keep theirs', () => {
  const graph = new Graph();
  const operands = [input(graph, 'x', [2, 3]), input(graph, 'k', [2, 3])];
  body(graph, 'cond', 2, (_, [x]) => [x]);
  const f = body(graph, 'body', 2, (g, [x, k]) => [concat(g, [x, k]), k]);
  const loop = loopOver(graph, operands);
  inferShapes(graph, new Diagnostics());
  expect(shapes(loop, 2)).toEqual([
    [null, 3],
    [2, 3],
  ]);
  expect(f.args[0].output().shape).toEqual([null, 3]);
  expect(f.args[0].output().dtype).toBe('float32');
});

test('a loop knows what its node announces beyond that', () => {
  const graph = new Graph();
  const x = input(graph, 'x', null);
  body(graph, 'cond', 1, (_, [a]) => [a]);
  body(graph, 'body', 1, (g, [a]) => [g.add('y', 'Neg', [a], FLOAT).output()]);
  const loop = loopOver(graph, [x], [[null, 5]]);
  inferShapes(graph, new Diagnostics());
  expect(loop.output().shape).toEqual([null, 5]);
});

test('a branch gives what both of its bodies share', () => {
  const graph = new Graph();
  const p = graph.add('p', 'Placeholder', [], { dtype: attr.type('bool'), shape: attr.shape([]) }).output();
  body(graph, 'one', 1, (g, [a]) => [concat(g, [a, a]), a]);
  body(graph, 'other', 1, (_, [a]) => [a, a]);
  const choice = graph.add('choice', 'StatelessIf', [p, input(graph, 'x', [2, 3])], {
    Tcond: attr.type('bool'),
    Tin: floats(1),
    Tout: floats(2),
    then_branch: attr.func('one'),
    else_branch: attr.func('other'),
  });
  inferShapes(graph, new Diagnostics());
  expect(shapes(choice, 2)).toEqual([
    [null, 3],
    [2, 3],
  ]);
});

test('a function called with two shapes gives each caller its own', () => {
  const graph = new Graph();
  body(graph, 'f', 1, (g, [a]) => [g.add('y', 'Neg', [a], FLOAT).output()]);
  const call = (name: string, shape: Shape) =>
    graph.add(name, 'PartitionedCall', [input(graph, `${name}/x`, shape)], {
      f: attr.func('f'),
      Tin: floats(1),
      Tout: floats(1),
    });
  const [first, second] = [call('first', [2]), call('second', [3, 4])];
  inferShapes(graph, new Diagnostics());
  expect([first.output().shape, second.output().shape]).toEqual([[2], [3, 4]]);
});

test('a function that calls itself is no endless walk', () => {
  const graph = new Graph();
  const call = { f: attr.func('f'), Tin: floats(1), Tout: floats(1) };
  body(graph, 'f', 1, (g, [a]) => [g.add('y', 'PartitionedCall', [a], call).output()]);
  const y = graph.add('y', 'PartitionedCall', [input(graph, 'x', [2])], call);
  expect(() => inferShapes(graph, new Diagnostics())).not.toThrow();
  expect(y.output().dtype).toBe('float32');
});

test('a variable that a function reads is not of the shape of its handle', () => {
  const graph = new Graph();
  body(graph, 'read', 1, (f, [handle]) => {
    handle.node.attrs = new Map([
      ['T', attr.type('resource')],
      ['shape', attr.shape([])],
    ]);
    return [f.add('value', 'ReadVariableOp', [handle], { dtype: attr.type('float32') }).output()];
  });
  const variable = graph.add('v', 'VarHandleOp', [], { dtype: attr.type('float32'), shape: attr.shape([2]) });
  const call = graph.add('call', 'StatefulPartitionedCall', [variable.output()], {
    Tin: attr.types(['resource']),
    Tout: attr.types(['float32']),
    f: attr.func('read'),
  });
  inferShapes(graph, new Diagnostics());
  expect(shapes(call, 1)).toEqual([null]);
});

test.each([
  ['functions that call each other twice', doubling],
  ['loops in loops', nestedLoops],
])('%s take no more walks with every level', (_, make) => {
  const { graph, end } = make(60);
  inferShapes(graph, new Diagnostics());
  expect(shapes(end, 1)).toEqual([[2, 3]]);
});

/** Each function calls the one before it twice, one call after the other. */
function doubling(levels: number) {
  const graph = new Graph();
  const call = (where: Graph, value: Value, name: string, f: string): Value =>
    where
      .add(name, 'PartitionedCall', [value], { Tin: floats(1), Tout: floats(1), f: attr.func(f) })
      .output();
  body(graph, 'f0', 1, (f, [a]) => [f.add('neg', 'Neg', [a], FLOAT).output()]);
  for (let i = 1; i < levels; i++)
    body(graph, `f${i}`, 1, (f, [a]) => [call(f, call(f, a, 'once', `f${i - 1}`), 'twice', `f${i - 1}`)]);
  return { graph, end: call(graph, input(graph, 'x', [2, 3]), 'y', `f${levels - 1}`).node };
}

/** Each loop's body is the loop before it. */
function nestedLoops(levels: number) {
  const graph = new Graph();
  const loop = (where: Graph, value: Value, name: string, f: string) =>
    where.add(name, 'While', [value], { T: floats(1), cond: attr.func('cond'), body: attr.func(f) });
  body(graph, 'cond', 1, (f) => [f.addConst('no', Tensor.scalar('bool', 0)).output()]);
  body(graph, 'f0', 1, (f, [a]) => [f.add('neg', 'Neg', [a], FLOAT).output()]);
  for (let i = 1; i < levels; i++)
    body(graph, `f${i}`, 1, (f, [a]) => [loop(f, a, 'loop', `f${i - 1}`).output()]);
  return { graph, end: loop(graph, input(graph, 'x', [2, 3]), 'y', `f${levels - 1}`) };
}
