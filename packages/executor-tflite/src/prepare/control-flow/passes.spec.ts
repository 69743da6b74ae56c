/** The passes over control flow, each by what stands before and after it. */
import {
  attr,
  Diagnostics,
  opDef,
  Tensor,
  type FunctionGraph,
  type Graph,
  type Value,
} from '@floe/export-core';
import { GraphBuilder } from '../../testing/graphs';
import type { PrepareContext } from '../prepare';
import { caseToIfs } from './case-to-ifs';
import { copyPassedVariables } from './copy-passed-variables';
import { dropControlEdges } from './drop-control-edges';
import { faultOf } from './faults';
import { functionaliseConds } from './functionalise-conds';
import { functionaliseLoops } from './functionalise-loops';
import { controlFlowOps } from './handled-ops';
import { addArg, addFunction, addResult, shareLibrary } from './functions';
import { inlineBranches } from './inline-branches';
import { expandBlockCells } from './recurrent/block-cells';
import { reduceOperands } from './reduce-operands';
import { specialiseFunctions } from './specialise-functions';
import { arraysToLists } from './tensor-lists/arrays-to-lists';
import { lowerTensorLists } from './tensor-lists/lower-tensor-lists';

const FLOAT = { T: attr.type('float32') };
const INT = { T: attr.type('int32') };

function context(): PrepareContext {
  return { signatures: [], diagnostics: new Diagnostics() };
}

/** The ops of a graph without constants, arguments and inputs, sorted. */
function ops(graph: Graph | undefined): string[] {
  const hidden = new Set(['Const', '_Arg', 'Placeholder']);
  return [...graph!.nodes.values()]
    .map((n) => n.op)
    .filter((op) => !hidden.has(op))
    .sort();
}

function body(
  b: GraphBuilder,
  name: string,
  dtypes: ('float32' | 'int32')[],
  make: (f: FunctionGraph, args: Value[]) => Value[],
) {
  const f = addFunction(b.graph, name);
  const args = dtypes.map((dtype, i) => addArg(f, `a${i}`, dtype));
  make(f, args).forEach((value, i) => addResult(f, `r${i}`, value));
  return f;
}

function types(...list: ('float32' | 'int32')[]) {
  return attr.types(list);
}

/** while (i < n) { i += 1; x *= k } as TF1 writes it. */
function tf1Loop(b: GraphBuilder, exits = true): Value {
  const frame = { frame_name: attr.string('loop'), ...FLOAT };
  const enter = (name: string, value: Value, more = {}) =>
    b.graph.add(name, 'Enter', [value], { ...frame, ...more }).output();
  const i0 = enter('enter_i', b.ints('zero', 0), INT);
  const x0 = enter('enter_x', b.input('x', [2]));
  const k = enter('enter_k', b.input('k', [2]), { is_constant: attr.bool(true) });
  const merge = (name: string, value: Value, T: object) =>
    b.graph.add(name, 'Merge', [value, value], { ...T, N: attr.int(2) });
  const [i, x] = [merge('merge_i', i0, INT), merge('merge_x', x0, FLOAT)];
  const less = b.graph.add('less', 'Less', [i.output(), b.ints('n', 3)], INT);
  const cond = b.graph.add('cond', 'LoopCond', [less.output()]).output();
  const pass = (name: string, value: Value, T: object) =>
    b.graph.add(name, 'Switch', [value, cond], { ...(T as typeof INT) });
  const [si, sx] = [pass('switch_i', i.output(), INT), pass('switch_x', x.output(), FLOAT)];
  const next = b.graph.add('next', 'AddV2', [si.output(1), b.ints('one', 1)], INT);
  const product = b.graph.add('product', 'Mul', [sx.output(1), k], FLOAT);
  i.inputs[1] = b.graph.add('next_i', 'NextIteration', [next.output()], INT).output();
  x.inputs[1] = b.graph.add('next_x', 'NextIteration', [product.output()], FLOAT).output();
  const left = exits ? sx.output(0) : b.graph.add('odd', 'Neg', [sx.output(0)], FLOAT).output();
  return b.graph.add('exit_x', 'Exit', [left], FLOAT).output();
}

test('functionaliseLoops: a TF1 loop becomes a While', () => {
  const b = new GraphBuilder();
  tf1Loop(b);
  functionaliseLoops(b.graph);
  expect(ops(b.graph)).toEqual(['Identity', 'StatelessWhile']);
  expect(ops(b.graph.functions.get('loop_cond'))).toEqual(['Less']);
  expect(ops(b.graph.functions.get('loop_body'))).toEqual(['AddV2', 'Mul']);
  // The exit keeps its name; the invariant is an operand.
  expect(b.graph.node('exit_x')!.inputs[0].node.inputs).toHaveLength(3);
});

test('functionaliseLoops: what leaves a loop otherwise is refused by name', () => {
  const b = new GraphBuilder();
  tf1Loop(b, false);
  functionaliseLoops(b.graph);
  expect(faultOf(b.graph.node('exit_x')!)?.reason).toContain('"exit_x"');
});

/** y = p ? x + x : −x as TF1 writes it. */
function tf1Cond(b: GraphBuilder, p: Value, x: Value, name: string): Value {
  const sides = b.graph.add(`${name}/switch`, 'Switch', [x, p], FLOAT);
  const yes = b.graph.add(`${name}/yes`, 'AddV2', [sides.output(1), sides.output(1)], FLOAT).output();
  const no = b.graph.add(`${name}/no`, 'Neg', [sides.output(0)], FLOAT).output();
  return b.graph.add(name, 'Merge', [no, yes], { ...FLOAT, N: attr.int(2) }).output();
}

test('functionaliseConds: Merges of one predicate become one If', () => {
  const b = new GraphBuilder();
  const p = b.input('p', [], 'bool');
  tf1Cond(b, p, b.input('x', [2]), 'first');
  tf1Cond(b, b.op('id', 'Identity', [p], { T: attr.type('bool') }), b.input('z', [2]), 'second');
  functionaliseConds(b.graph);
  expect(ops(b.graph).filter((op) => op === 'StatelessIf')).toHaveLength(1);
  expect(b.graph.node('second')!.op).toBe('Identity');
  const [no, yes] = [...b.graph.functions.values()];
  expect([ops(no), ops(yes)]).toEqual([
    ['Neg', 'Neg'],
    ['AddV2', 'AddV2'],
  ]);
});

test('functionaliseConds: branches that depend on each other stay two', () => {
  const b = new GraphBuilder();
  const p = b.input('p', [], 'bool');
  tf1Cond(b, p, tf1Cond(b, p, b.input('x', [2]), 'first'), 'second');
  functionaliseConds(b.graph);
  expect(ops(b.graph).filter((op) => op === 'StatelessIf')).toHaveLength(2);
});

test('functionaliseConds: a Merge of no branches is refused by name', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2]);
  const merge = b.graph.add('merge', 'Merge', [x, x], { ...FLOAT, N: attr.int(2) });
  functionaliseConds(b.graph);
  expect(faultOf(merge)?.reason).toContain('no branches');
});

/** y = If(p, [x, w], x + w, x − w) */
function twoBranches(b: GraphBuilder, p: Value, w: Value): Value {
  body(b, 'plus', ['float32', 'float32'], (f, [x, v]) => [f.add('sum', 'AddV2', [x, v], FLOAT).output(), x]);
  body(b, 'minus', ['float32', 'float32'], (f, [x, v]) => [
    f.add('difference', 'Sub', [x, v], FLOAT).output(),
    x,
  ]);
  return b.graph
    .add('choice', 'StatelessIf', [p, b.input('x', [2]), w], {
      Tin: types('float32', 'float32'),
      Tout: types('float32', 'float32'),
      then_branch: attr.func('plus'),
      else_branch: attr.func('minus'),
    })
    .output();
}

test('inlineBranches: a constant predicate leaves its branch', () => {
  const b = new GraphBuilder();
  twoBranches(b, b.constant('p', Tensor.scalar('bool', 0)), b.weights('w', [2]));
  expect(inlineBranches(b.graph)).toBe(1);
  expect(ops(b.graph)).toEqual(['IdentityN', 'Sub']);
});

test('reduceOperands: constants go into branches, what both hand on comes from outside', () => {
  const b = new GraphBuilder();
  const y = twoBranches(b, b.input('p', [], 'bool'), b.weights('w', [2]));
  b.graph.add('y', 'Identity', [y], FLOAT);
  b.graph.add('z', 'Identity', [y.node.output(1)], FLOAT);
  shareLibrary(b.graph);
  expect(reduceOperands(b.graph, new Set())).toBe(1);
  const choice = b.graph.node('choice')!;
  expect(choice.inputs.map((v) => v.node.name)).toEqual(['p', 'x']);
  expect(choice.types('Tout')).toEqual(['float32']);
  expect(b.graph.node('z')!.inputs[0].node.name).toBe('x');
});

function loop(
  b: GraphBuilder,
  operands: Value[],
  dtypes: ('float32' | 'int32')[],
  make: (f: FunctionGraph, args: Value[]) => Value[],
): Value {
  body(b, 'cond', dtypes, (f, [i]) => {
    const n = f.addConst('n', Tensor.scalar('int32', 3)).output();
    return [f.add('less', 'Less', [i, n], INT).output()];
  });
  body(b, 'body', dtypes, make);
  const attrs = { T: types(...dtypes), cond: attr.func('cond'), body: attr.func('body') };
  return b.graph.add('loop', 'StatelessWhile', operands, attrs).output();
}

const increment = (f: FunctionGraph, i: Value) =>
  f.add('next', 'AddV2', [i, f.addConst('one', Tensor.scalar('int32', 1)).output()], INT).output();

test('reduceOperands: variables that nothing reads leave the loop', () => {
  const b = new GraphBuilder();
  const operands = [b.ints('zero', 0), b.input('x', [2]), b.input('unused', [2]), b.weights('w', [2])];
  const first = loop(b, operands, ['int32', 'float32', 'float32', 'float32'], (f, [i, x, unused, w]) => [
    increment(f, i),
    f.add('product', 'Mul', [x, w], FLOAT).output(),
    f.add('twice', 'AddV2', [unused, unused], FLOAT).output(),
    w,
  ]);
  b.graph.add('y', 'Identity', [first.node.output(1)], FLOAT);
  reduceOperands(b.graph, new Set());
  expect(b.graph.node('loop')!.inputs.map((v) => v.node.name)).toEqual(['zero', 'x']);
  expect(ops(b.graph.functions.get('body'))).toEqual(['AddV2', 'Mul']);
  expect(b.graph.node('y')!.inputs[0].index).toBe(1);
});

test('reduceOperands: the handle of a variable is made inside', () => {
  const b = new GraphBuilder();
  const handle = b.op('variable', 'VarHandleOp', [], { dtype: attr.type('float32'), shape: attr.shape([2]) });
  const operands = [b.ints('zero', 0), b.input('x', [2]), handle];
  const first = loop(b, operands, ['int32', 'float32', 'float32'], (f, [i, x, v]) => {
    const read = f.add('read', 'ReadVariableOp', [v], { dtype: attr.type('float32') }).output();
    return [increment(f, i), f.add('sum', 'AddV2', [x, read], FLOAT).output(), v];
  });
  b.graph.add('y', 'Identity', [first.node.output(1)], FLOAT);
  reduceOperands(b.graph, new Set());
  const inner = b.graph.functions.get('body')!.node('variable')!;
  expect([inner.op, inner.string('shared_name')]).toEqual(['VarHandleOp', 'variable']);
  expect(b.graph.node('loop')!.inputs).toHaveLength(2);
});

test('copyPassedVariables: a swap is copied, an invariant is not', () => {
  const b = new GraphBuilder();
  const operands = [b.ints('zero', 0), b.input('x', [2]), b.input('z', [2]), b.input('w', [2])];
  loop(b, operands, ['int32', 'float32', 'float32', 'float32'], (f, [i, x, z, w]) => [
    increment(f, i),
    z,
    x,
    w,
  ]);
  copyPassedVariables(b.graph);
  expect(ops(b.graph.functions.get('body'))).toEqual(['AddV2', 'Identity', 'Identity']);
});

test('specialiseFunctions: two callers have two bodies, calls none', () => {
  const b = new GraphBuilder();
  twoBranches(b, b.input('p', [], 'bool'), b.weights('w', [2]));
  const again = b.graph.node('choice')!;
  b.graph.add('again', again.op, [...again.inputs], Object.fromEntries(again.attrs));
  const call = { f: attr.func('plus'), Tin: types('float32', 'float32'), Tout: types('float32', 'float32') };
  b.graph.add('call', 'PartitionedCall', [again.inputs[1], again.inputs[2]], call);
  specialiseFunctions(b.graph, context());
  expect([...b.graph.functions.keys()].sort()).toEqual(['minus', 'minus_1', 'plus', 'plus_1']);
  expect(ops(b.graph)).toEqual(['AddV2', 'IdentityN', 'StatelessIf', 'StatelessIf']);
});

test('specialiseFunctions: recursion is refused', () => {
  const b = new GraphBuilder();
  const f = body(b, 'f', ['float32'], (g, [x]) => [
    g
      .add('self', 'PartitionedCall', [x], {
        f: attr.func('f'),
        Tin: types('float32'),
        Tout: types('float32'),
      })
      .output(),
  ]);
  f.functions = b.graph.functions;
  b.graph.add('call', 'PartitionedCall', [b.input('x', [2])], {
    f: attr.func('f'),
    Tin: types('float32'),
    Tout: types('float32'),
  });
  const { diagnostics, ...rest } = context();
  specialiseFunctions(b.graph, { diagnostics, ...rest });
  expect(diagnostics.list.map((d) => d.message).join()).toContain('calls itself');
});

test('caseToIfs: a Case of three is two Ifs', () => {
  const b = new GraphBuilder();
  for (const op of ['Neg', 'Abs', 'Exp'])
    body(b, op, ['float32'], (f, [x]) => [f.add('y', op, [x], FLOAT).output()]);
  const branches = { kind: 'list' as const, value: ['Neg', 'Abs', 'Exp'].map((name) => attr.func(name)) };
  const operands = [b.input('i', [], 'int32'), b.input('x', [2])];
  b.graph.add('choice', 'StatelessCase', operands, {
    branches,
    Tin: types('float32'),
    Tout: types('float32'),
  });
  caseToIfs(b.graph);
  expect(ops(b.graph)).toEqual(['Equal', 'StatelessIf']);
  expect(ops(b.graph.functions.get(b.graph.node('choice')!.func('else_branch').name))).toEqual([
    'Equal',
    'StatelessIf',
  ]);
});

test('dropControlEdges: only what writes is waited for', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2]);
  const handle = b.op('variable', 'VarHandleOp', [], { dtype: attr.type('float32'), shape: attr.shape([2]) });
  const assign = b.graph.add('assign', 'AssignVariableOp', [handle, x], { dtype: attr.type('float32') });
  const only = b.graph.add('only', 'Neg', [x], FLOAT);
  const y = b.graph.add('y', 'Identity', [x], FLOAT);
  y.controls = [assign, only];
  dropControlEdges(b.graph);
  expect(y.controls.map((n) => n.name)).toEqual(['assign']);
});

function write(graph: Graph, list: Value, index: Value, item: Value): Value {
  return graph
    .add('write', 'TensorListSetItem', [list, index, item], { element_dtype: attr.type('float32') })
    .output();
}

test('arraysToLists, lowerTensorLists: an array is a tensor', () => {
  const b = new GraphBuilder();
  const attrs = { dtype: attr.type('float32'), element_shape: attr.shape([2]) };
  const array = b.graph.add('array', 'TensorArrayV3', [b.ints('n', 3)], attrs);
  const [handle, flow] = [array.output(0), array.output(1)];
  const written = b.op('written', 'TensorArrayWriteV3', [handle, b.ints('i', 1), b.input('x', [2]), flow]);
  b.op('read', 'TensorArrayReadV3', [handle, b.ints('k', 1), written], { dtype: attr.type('float32') });
  arraysToLists(b.graph);
  expect(ops(b.graph)).toEqual([
    'TensorArrayV3',
    'TensorListGetItem',
    'TensorListReserve',
    'TensorListSetItem',
  ]);
  lowerTensorLists(b.graph, context());
  expect(ops(b.graph)).toEqual(['ExpandDims', 'Fill', 'GatherV2', 'TensorArrayV3', 'XlaDynamicUpdateSlice']);
  expect(b.graph.node('read')!.output().shape).toEqual([2]);
});

test('lowerTensorLists: a list of unknown elements is refused at the op that makes it', () => {
  const b = new GraphBuilder();
  const list = b.op('list', 'TensorListReserve', [b.ints('any', -1), b.ints('n', 3)], {
    element_dtype: attr.type('float32'),
    shape_type: attr.type('int32'),
  });
  const unknown = b.graph
    .add('x', 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape(null) })
    .output();
  const written = write(b.graph, list, b.ints('i', 0), unknown);
  lowerTensorLists(b.graph, context());
  expect(faultOf(list.node)?.reason).toContain('shape of its elements');
  expect(faultOf(written.node)?.reason).toContain('"list"');
});

test('expandBlockCells: a GRU step is products and elementwise ops', () => {
  const b = new GraphBuilder();
  const [x, h] = [b.input('x', [1, 3]), b.input('h', [1, 2])];
  const weights = [
    b.weights('w_ru', [5, 4]),
    b.weights('w_c', [5, 2]),
    b.weights('b_ru', [4]),
    b.weights('b_c', [2]),
  ];
  b.op('cell', 'GRUBlockCell', [x, h, ...weights]);
  expandBlockCells(b.graph, context());
  expect(ops(b.graph).filter((op) => /MatMul|Sigmoid|Tanh/.test(op))).toEqual([
    'MatMul',
    'MatMul',
    'Sigmoid',
    'Tanh',
  ]);
});

test('handled ops are ops of TensorFlow', () => {
  const unknown = [...controlFlowOps().keys()].filter((op) => opDef(op) === undefined);
  expect(unknown).toEqual([]);
});
