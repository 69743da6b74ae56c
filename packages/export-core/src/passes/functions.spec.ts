/** Functions: what a hostile or odd library must not do, and what inlining keeps. */
import type { Contract } from '../contract/contract';
import { Diagnostics, FloeError } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { FunctionGraph, Graph, type Node } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { compositeFunctions } from './composite-functions';
import { dropTraining } from './drop-training';
import { foldConditionals } from './fold-conditionals';
import type { FreezeContext } from './freeze-context';
import { inlineFunctions } from './inline-functions';
import { prune } from './prune';

const F = attr.type('float32');

function contextOf(...outputs: string[]): FreezeContext {
  const spec = (tensor: string, i: number) => ({
    name: `out${i}`,
    tensor,
    dtype: 'float32' as const,
    shape: null,
  });
  const contract: Contract = {
    version: 1,
    signatures: [{ key: 'serving_default', inputs: [], outputs: outputs.map(spec) }],
    initializers: [],
  };
  return { contract, rename: {}, diagnostics: new Diagnostics(), initializers: [] };
}

function body(graph: Graph, name: string, args: number): FunctionGraph {
  const f = new FunctionGraph(name);
  for (let i = 0; i < args; i++) f.args.push(f.add(`arg${i}`, '_Arg', [], { T: F, index: attr.int(i) }));
  graph.functions.set(name, f);
  return f;
}

function finish(f: FunctionGraph, ...results: Node[]): void {
  f.results = results.map((node) => node.output());
  f.resultNames = results.map((_, i) => `result${i}`);
}

function call(graph: Graph, name: string, f: string, input: Node): Node {
  const types = { Tin: attr.types(['float32']), Tout: attr.types(['float32']) };
  return graph.add(name, 'StatefulPartitionedCall', [input.output()], { f: attr.func(f), ...types });
}

function codeOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FloeError) return error.diagnostics[0].code;
    throw error;
  }
  return 'none';
}

const input = (graph: Graph): Node => graph.add('x', 'Placeholder', [], { dtype: F, shape: attr.shape([2]) });

it.each([1, 2, 50])('a function that calls itself through %d others is an error', (length) => {
  const graph = new Graph();
  for (let i = 0; i < length; i++) {
    const f = body(graph, `f${i}`, 1);
    finish(f, call(f, 'call', `f${(i + 1) % length}`, f.args[0]));
  }
  call(graph, 'y', 'f0', input(graph));
  const context = contextOf('y:0');
  expect(codeOf(() => (prune(graph, context), inlineFunctions(graph, context)))).toBe('S007');
});

it('a loop whose body is itself is an error', () => {
  const graph = new Graph();
  const f = body(graph, 'f', 1);
  const loop = f.add('while', 'While', [f.args[0].output()], {
    T: attr.types(['float32']),
    cond: attr.func('f'),
    body: attr.func('f'),
  });
  finish(f, loop);
  call(graph, 'y', 'f', input(graph));
  expect(codeOf(() => inlineFunctions(graph, contextOf('y:0')))).toBe('S007');
});

it('functions that double at each level end with an error, not with all memory', () => {
  const graph = new Graph();
  for (let i = 0; i < 64; i++) {
    const f = body(graph, `f${i}`, 1);
    if (i === 63) finish(f, f.add('leaf', 'Neg', [f.args[0].output()], { T: F }));
    else finish(f, call(f, 'second', `f${i + 1}`, call(f, 'first', `f${i + 1}`, f.args[0])));
  }
  call(graph, 'y', 'f0', input(graph));
  expect(codeOf(() => inlineFunctions(graph, contextOf('y:0')))).toBe('S010');
}, 60_000);

it('a function that stands for TFLite_Detection_PostProcess has to look like it', () => {
  const graph = new Graph();
  const f = body(graph, 'post', 2);
  finish(f, f.args[0]);
  expect(codeOf(() => compositeFunctions(graph))).toBe('none');
  f.attrs.set('_implements', attr.func('TFLite_Detection_PostProcess'));
  expect(codeOf(() => compositeFunctions(graph))).toBe('G007');
});

it('10,000 functions deep is no problem', () => {
  const graph = new Graph();
  const depth = 10_000;
  for (let i = 0; i < depth; i++) {
    const f = body(graph, `f${i}`, 1);
    finish(f, i === depth - 1 ? f.args[0] : call(f, 'call', `f${i + 1}`, f.args[0]));
  }
  const y = call(graph, 'y', 'f0', input(graph));
  const context = contextOf('y:0');
  dropTraining(graph);
  prune(graph, context);
  inlineFunctions(graph, context);
  expect(y.op).toBe('Identity');
  expect(y.inputs[0].node.name).toBe('x');
});

it('a call of what is not there, or with too few arguments, is an error', () => {
  const missing = new Graph();
  missing.functions.set('other', new FunctionGraph('other'));
  call(missing, 'y', 'f', input(missing));
  expect(codeOf(() => inlineFunctions(missing, contextOf('y:0')))).toBe('G007');
  const graph = new Graph();
  const f = body(graph, 'f', 2);
  finish(f, f.args[1]);
  call(graph, 'y', 'f', input(graph));
  expect(codeOf(() => inlineFunctions(graph, contextOf('y:0')))).toBe('G007');
});

it.each([
  ['a node', (f: FunctionGraph, inner: Node) => finish(f, f.add('n', 'Neg', [inner.output(1)], { T: F }))],
  ['a function', (f: FunctionGraph, inner: Node) => (f.results = [inner.output(1)])],
])('an output that the function called does not have is an error: read by %s', (_, read) => {
  const graph = new Graph();
  const f = body(graph, 'f', 1);
  finish(f, f.args[0]);
  const outer = body(graph, 'outer', 1);
  read(outer, call(outer, 'inner', 'f', outer.args[0]));
  call(graph, 'y', 'outer', input(graph));
  expect(codeOf(() => inlineFunctions(graph, contextOf('y:0')))).toBe('G007');
});

it('a call by name fills in the attributes that the function leaves open', () => {
  const graph = new Graph();
  const f = body(graph, 'double', 1);
  const open: Attr = { kind: 'placeholder', value: 'T' };
  finish(f, f.add('sum', 'AddV2', [f.args[0].output(), f.args[0].output()], { T: open }));
  const y = graph.add('y', 'double', [input(graph).output()], { T: F });
  graph.add('z', 'Neg', [y.output()], { T: F });
  inlineFunctions(graph, contextOf('z:0'));
  expect(graph.node('y/sum')!.type('T')).toBe('float32');
  expect(graph.node('z')!.inputs[0].node.name).toBe('y/sum');
});

it('what a body writes happens before its results are read, and in the order of the calls', () => {
  const graph = new Graph();
  const x = input(graph);
  const handle = graph.add('v', 'VarHandleOp', [], { dtype: F, shape: attr.shape([2]) });
  const f = body(graph, 'count', 2);
  const write = f.add('write', 'AssignAddVariableOp', [f.args[0].output(), f.args[1].output()], { dtype: F });
  const read = f.add('read', 'ReadVariableOp', [f.args[0].output()], { dtype: F });
  read.controls = [write];
  finish(f, read);
  f.controlResults = [write];
  const types = { Tin: attr.types(['resource', 'float32']), Tout: attr.types(['float32']) };
  const inputs = [handle.output(), x.output()];
  const first = graph.add('a/StatefulPartitionedCall', 'StatefulPartitionedCall', inputs, {
    f: attr.func('count'),
    ...types,
  });
  const second = graph.add('b/StatefulPartitionedCall', 'StatefulPartitionedCall', inputs, {
    f: attr.func('count'),
    ...types,
  });
  second.controls = [first];
  const y = graph.add('y', 'AddV2', [first.output(), second.output()], { T: F });
  const context = contextOf('y:0');
  inlineFunctions(graph, context);
  dropTraining(graph);
  prune(graph, context);
  expect(graph.node('b/write')!.controls.map((n) => n.name)).toContain('a/write');
  expect(graph.ancestors([y])).toContain(graph.node('b/write'));
  expect(graph.ancestors([y.inputs[0].node])).toContain(graph.node('a/write'));
});

it('a constant predicate chooses its branch, in and outside of functions', () => {
  const graph = new Graph();
  const x = input(graph);
  for (const op of ['Neg', 'Abs']) {
    const f = body(graph, op, 1);
    finish(f, f.add('leaf', op, [f.args[0].output()], { T: F }));
  }
  const flag = graph.addConst('training', Tensor.scalar('bool', 0));
  const other = graph.add('other', 'Placeholder', [], { dtype: attr.type('bool'), shape: attr.shape([]) });
  const both = graph.add('both', 'LogicalAnd', [other.output(), flag.output()]);
  const branches = { then_branch: attr.func('Neg'), else_branch: attr.func('Abs') };
  const types = { Tcond: attr.type('bool'), Tin: attr.types(['float32']), Tout: attr.types(['float32']) };
  const cond = graph.add('cond', 'If', [both.output(), x.output()], { ...branches, ...types });
  const y = graph.add('y', 'Identity', [cond.output()], { T: F });
  const context = contextOf('y:0');
  foldConditionals(graph, context);
  prune(graph, context);
  expect(y.inputs[0].node.op).toBe('Abs');
  expect(graph.functions.size).toBe(0);
});
