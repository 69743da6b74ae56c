import type { Contract } from '../contract/contract';
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr } from '../graph/attr';
import { Graph, type Node, type Value } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { parseSlice } from './checkpoint-keys';
import { evaluateNode } from './fold-constants';
import type { FreezeContext, VariableValues } from './freeze-context';
import { FREEZE_PASSES } from './freeze-pipeline';
import { runPasses } from './pass';
import { sliceTensor } from './slice-tensor';

const F = attr.type('float32');

function values(tensors: Record<string, Tensor>): VariableValues {
  return {
    name: 'model.ckpt',
    names: () => Object.keys(tensors),
    info: (name) => tensors[name],
    read: (name) => tensors[name],
  };
}

function strings(...texts: string[]): Tensor {
  return Tensor.fromStrings(
    [texts.length],
    texts.map((t) => Buffer.from(t)),
  );
}

function placeholder(graph: Graph, name: string, dtype: 'float32' | 'bool' = 'float32'): Node {
  return graph.add(name, 'Placeholder', [], {
    dtype: attr.type(dtype),
    shape: attr.shape(dtype === 'bool' ? [] : [2]),
  });
}

function freeze(
  graph: Graph,
  inputs: string[],
  outputs: string[],
  variables?: VariableValues,
): FreezeContext {
  const spec = (tensor: string) => ({
    name: tensor.replace(/\W/g, '_'),
    tensor,
    dtype: 'float32' as const,
    shape: [2],
  });
  const contract: Contract = {
    version: 1,
    signatures: [{ key: 'serving_default', inputs: inputs.map(spec), outputs: outputs.map(spec) }],
    initializers: [],
  };
  const context = { contract, variables, rename: {}, diagnostics: new Diagnostics(), initializers: [] };
  runPasses(FREEZE_PASSES, graph, context);
  return context;
}

function ops(graph: Graph): string[] {
  return [...graph.nodes.values()].map((n) => `${n.name}:${n.op}`);
}

/** y = x · v, v a reference variable with a saver that knows it as `stored`. */
function withSaver(stored: string, slice = ''): Graph {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  const v = graph.add('v', 'VariableV2', [], { dtype: F, shape: attr.shape([2]) });
  const read = graph.add('v/read', 'Identity', [v.output()], { T: F, _class: attr.string('loc:@v') });
  graph.add('y', 'Mul', [x.output(), read.output()], { T: F });
  const prefix = graph.addConst('save/Const', Tensor.fromStrings([], [Buffer.from('model')]));
  const names = graph.addConst('save/names', strings(stored));
  const slices = graph.addConst('save/slices', strings(slice));
  const restore = graph.add(
    'save/RestoreV2',
    'RestoreV2',
    [prefix, names, slices].map((n) => n.output()),
    { dtypes: attr.types(['float32']) },
  );
  graph.add('save/Assign', 'Assign', [v.output(), restore.output()], { T: F });
  return graph;
}

test('a reference variable becomes a constant of its name; saver and class attribute go', () => {
  const graph = withSaver('v');
  freeze(graph, ['x:0'], ['y:0'], values({ v: Tensor.fromNumbers('float32', [2], [3, 4]) }));
  expect(graph.node('v')!.constant!.toNumbers()).toEqual([3, 4]);
  expect(graph.node('v/read')?.attrs.has('_class')).not.toBe(true);
  expect([...graph.nodes.keys()].filter((n) => n.startsWith('save'))).toEqual([]);
});

test('the saver says which entry a variable is, partitions included', () => {
  const stored = Tensor.fromNumbers('float32', [6], [0, 1, 2, 3, 4, 5]);
  const graph = withSaver('scope/whole', '6 2,2');
  freeze(graph, ['x:0'], ['y:0'], values({ 'scope/whole': stored }));
  expect(graph.node('v')!.constant!.toNumbers()).toEqual([2, 3]);
});

test('a missing variable names the nearest entry; a misfit names both sides', () => {
  const missing = freeze(
    withSaver('v'),
    ['x:0'],
    ['y:0'],
    values({ 'scope/v': Tensor.fromNumbers('float32', [2], [0, 0]) }),
  );
  expect(missing.diagnostics.list).toMatchObject([
    { code: 'S008', node: 'v', hint: expect.stringContaining('scope/v') },
  ]);
  const misfit = freeze(
    withSaver('v'),
    ['x:0'],
    ['y:0'],
    values({ v: Tensor.fromNumbers('float32', [3], [0, 0, 0]) }),
  );
  expect(misfit.diagnostics.list).toMatchObject([
    { code: 'S009', node: 'v', message: expect.stringContaining('[3]') },
  ]);
});

test('a resource variable: handle and read become constant and identity, gathers lose their handle', () => {
  const graph = new Graph();
  const indices = graph.add('i', 'Placeholder', [], { dtype: attr.type('int32'), shape: attr.shape([1]) });
  const handle = graph.add('h', 'VarHandleOp', [], {
    dtype: F,
    shape: attr.shape([2]),
    shared_name: attr.string('h'),
  });
  const read = graph.add('r', 'ReadVariableOp', [handle.output()], { dtype: F });
  const rows = graph.add('g', 'ResourceGather', [handle.output(), indices.output()], {
    dtype: F,
    Tindices: attr.type('int32'),
  });
  graph.add('y', 'AddV2', [read.output(), rows.output()], { T: F });
  const context = freeze(graph, ['i:0'], ['y:0'], values({ h: Tensor.fromNumbers('float32', [2], [1, 2]) }));
  expect(context.diagnostics.list).toEqual([]);
  expect(ops(graph)).toEqual(expect.arrayContaining(['h:Const', 'g:GatherV2']));
  expect(ops(graph).some((o) => /VarHandle|ReadVariable|ResourceGather/.test(o))).toBe(false);
});

test('a variable that a kept op assigns stays one, with an initialiser', () => {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  const v = graph.add('v', 'VariableV2', [], { dtype: F, shape: attr.shape([2]) });
  graph.add('y', 'AssignAdd', [v.output(), x.output()], { T: F });
  const context = freeze(graph, ['x:0'], ['y:0'], values({ v: Tensor.fromNumbers('float32', [2], [5, 6]) }));
  expect(graph.node('v')!.op).toBe('VariableV2');
  expect(context.initializers).toHaveLength(1);
  const [initializer] = context.initializers;
  expect(initializer.inputs[0].node).toBe(graph.node('v'));
  expect(initializer.inputs[1].node.constant!.toNumbers()).toEqual([5, 6]);
});

test('an input in the middle of the graph cuts off what fed it', () => {
  const graph = new Graph();
  const example = graph.add('example', 'Placeholder', [], {
    dtype: attr.type('string'),
    shape: attr.shape([null]),
  });
  const parsed = graph.add('parsed', 'DecodeRaw', [example.output()], { out_type: F });
  graph.add('y', 'Neg', [parsed.output()], { T: F });
  freeze(graph, ['parsed:0'], ['y:0']);
  expect(ops(graph)).toEqual(['parsed:Placeholder', 'y:Neg']);
});

test('of several outputs a cut one takes the name of the input', () => {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  const split = graph.add('split', 'Unpack', [x.output()], { T: F, num: attr.int(2), axis: attr.int(0) });
  graph.add('y', 'Sub', [split.output(0), split.output(1)], { T: F });
  const { contract } = freeze(graph, ['split:1', 'x:0'], ['y:0']);
  expect(contract.signatures[0].inputs[0].tensor).toBe('split_1:0');
  expect(graph.node('y')!.inputs.map((v) => v.node.name)).toEqual(['split', 'split_1']);
});

test('assertions and summaries keep nothing alive', () => {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  const ok = graph.add('ok', 'IsFinite', [x.output()], { T: F });
  const check = graph.add('check', 'Assert', [ok.output(), x.output()], { T: attr.types(['float32']) });
  const y = graph.add('y', 'Neg', [x.output()], { T: F });
  y.controls = [check];
  freeze(graph, ['x:0'], ['y:0']);
  expect(ops(graph)).toEqual(['x:Placeholder', 'y:Neg']);
  expect(y.controls).toEqual([]);
});

/** y = cond(is_training, x · 2, x · 3) as TF1 writes it. */
function cond(flag: (graph: Graph) => Value): Graph {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  const pred = flag(graph);
  const branch = (name: string, factor: number, port: number): Value => {
    const side = graph.add(`${name}/Switch`, 'Switch', [x.output(), pred], { T: F });
    const pivot = graph.add(`cond/switch_${port ? 't' : 'f'}`, 'Identity', [side.output(port)], { T: F });
    const constant = graph.addConst(`${name}/factor`, Tensor.scalar('float32', factor));
    constant.controls = [pivot];
    return graph.add(name, 'Mul', [side.output(port), constant.output()], { T: F }).output();
  };
  const merge = graph.add('merge', 'Merge', [branch('cond/f', 3, 0), branch('cond/t', 2, 1)], {
    T: F,
    N: attr.int(2),
  });
  graph.add('y', 'Neg', [merge.output()], { T: F });
  return graph;
}

test('a training flag that is no input is false, and the training branch goes', () => {
  const graph = cond((g) => placeholder(g, 'is_training', 'bool').output());
  const { diagnostics } = freeze(graph, ['x:0'], ['y:0']);
  expect(diagnostics.list).toMatchObject([{ code: 'G006', severity: 'note' }]);
  expect(ops(graph).some((o) => /Switch|Merge|cond\/t/.test(o))).toBe(false);
  expect(graph.node('cond/f/factor')!.constant!.at(0)).toBe(3);
});

test('a flag with a default takes it', () => {
  const graph = cond((g) => {
    const yes = g.addConst('yes', Tensor.scalar('bool', 1));
    return g
      .add('flag', 'PlaceholderWithDefault', [yes.output()], {
        dtype: attr.type('bool'),
        shape: attr.shape([]),
      })
      .output();
  });
  freeze(graph, ['x:0'], ['y:0']);
  expect(graph.node('cond/t/factor')!.constant!.at(0)).toBe(2);
  expect(graph.node('cond/f')).toBeUndefined();
});

test.each([
  ['phase', 0],
  ['gate', 1],
])('the default of %s gives way only where it trains', (name, branch) => {
  const graph = cond((g) => {
    const yes = g.addConst('yes', Tensor.scalar('bool', 1));
    const attrs = { dtype: attr.type('bool'), shape: attr.shape([]) };
    return g.add(name, 'PlaceholderWithDefault', [yes.output()], attrs).output();
  });
  const { diagnostics } = freeze(graph, ['x:0'], ['y:0']);
  expect(graph.node('cond/t/factor') !== undefined).toBe(branch === 1);
  expect(diagnostics.list).toMatchObject(branch ? [] : [{ code: 'G006', severity: 'warning', node: name }]);
});

test('a folded Merge keeps its name when it is an output', () => {
  const graph = cond((g) => placeholder(g, 'phase_train', 'bool').output());
  freeze(graph, ['x:0'], ['merge:0']);
  expect(graph.node('merge')!.op).toBe('Identity');
});

test('a constant that says it has a thousand million elements stays as small as its file', () => {
  const graph = new Graph();
  const many = Tensor.filled('float32', [1 << 28, 3], Buffer.from([0, 0, 128, 63]));
  const neg = graph.add('neg', 'Neg', [graph.addConst('many', many).output()], { T: F });
  graph.add('y', 'Mul', [placeholder(graph, 'x').output(), neg.output()], { T: F });
  freeze(graph, ['x:0'], ['y:0']);
  expect(graph.node('neg')!.op).toBe('Neg');
});

test('any other placeholder that the outputs need is asked for', () => {
  const graph = new Graph();
  const x = placeholder(graph, 'x');
  graph.add('y', 'Mul', [x.output(), placeholder(graph, 'keep_prob').output()], { T: F });
  expect(freeze(graph, ['x:0'], ['y:0']).diagnostics.list).toMatchObject([
    { code: 'G006', severity: 'error', node: 'keep_prob' },
  ]);
});

test.each([
  [
    '10 8 0,5:-',
    [
      [0, 5],
      [0, 8],
    ],
  ],
  ['3 1,1', [[1, 1]]],
  ['10 8 0,5', undefined],
  ['10 8,5', undefined],
  ['x 0,1', undefined],
])('slice "%s"', (text, expected) => {
  expect(parseSlice(text)?.map((r) => [r.start, r.length])).toEqual(expected);
});

test('sliceTensor cuts boxes of any rank and refuses to leave the tensor', () => {
  const cube = Tensor.fromNumbers(
    'int64',
    [2, 3, 4],
    Array.from({ length: 24 }, (_, i) => i),
  );
  const box = sliceTensor(cube, [
    { start: 1, length: 1 },
    { start: 1, length: 2 },
    { start: 2, length: 2 },
  ]);
  expect([box.shape, box.toNumbers()]).toEqual([
    [1, 2, 2],
    [18, 19, 22, 23],
  ]);
  expect(() =>
    sliceTensor(cube, [
      { start: 0, length: 3 },
      { start: 0, length: 1 },
      { start: 0, length: 1 },
    ]),
  ).toThrow(RangeError);
});

test('what reads another type than its op takes is left to the checks', () => {
  const graph = new Graph();
  const sizes = graph.addConst('sizes', strings('2')).output();
  const value = graph.addConst('value', Tensor.scalar('float32', 1)).output();
  const fill = graph.add('fill', 'Fill', [sizes, value], { T: F, index_type: attr.type('int32') });
  expect(evaluateNode(fill)).toBeUndefined();
});
