import { decode, encode, type MessageInit } from '../format/proto';
import { FloeError } from '../diagnostics/diagnostic';
import { joinPieces } from '../keys/atomic';
import { Tensor } from '../tensor/tensor';
import { attr } from './attr';
import { Graph } from './graph';
import { graphFromDef } from './graphdef';
import { writeGraphDef } from './write-graphdef';

function read(def: MessageInit<'GraphDef'>): Graph {
  return graphFromDef(decode('GraphDef', encode('GraphDef', def), 'test.pb'), 'test.pb');
}

function roundTrip(graph: Graph): Graph {
  return graphFromDef(decode('GraphDef', joinPieces(writeGraphDef(graph)), 'test.pb'), 'test.pb');
}

test('every kind of attribute survives writing and reading', () => {
  const graph = new Graph();
  const attrs = {
    s: attr.string('é\0x'),
    i: attr.int(-(2n ** 62n)),
    f: attr.float(0.5),
    b: attr.bool(true),
    type: attr.type('bfloat16'),
    shape: attr.shape([1, null]),
    rank: attr.shape(null),
    ints: attr.ints([1, 2]),
    types: attr.types(['int8', 'bool']),
    empty: attr.ints([]),
    func: attr.func('body'),
    tensor: attr.tensor(Tensor.fromNumbers('int64', [2], [3n, -4n])),
    zero: attr.int(0),
  };
  graph.add('n', 'Custom', [], attrs);
  const read = roundTrip(graph).node('n')!;
  for (const [key, value] of Object.entries(attrs)) {
    if (value.kind === 'tensor') expect(read.tensor(key).toNumbers()).toEqual([3, -4]);
    else if (value.kind === 'string') expect(read.string(key)).toBe('é\0x');
    else expect(read.attrs.get(key)).toEqual(value);
  }
});

test.each(['float32', 'float64', 'int32', 'int64', 'uint8', 'bool', 'float16', 'complex64'] as const)(
  'a large %s constant is written as it lies and read as it was',
  (dtype) => {
    const graph = new Graph();
    const n = 5000;
    const width = dtype === 'complex64' ? 2 : 1;
    const numbers = Array.from({ length: n * width }, (_, i) => (dtype === 'bool' ? i % 2 : i % 100));
    const tensor =
      dtype === 'complex64'
        ? Tensor.fromArray(dtype, [n], Float32Array.from(numbers))
        : Tensor.fromNumbers(dtype, [n], numbers);
    graph.addConst('c', tensor);
    const back = roundTrip(graph).node('c')!.constant!;
    expect(back.dtype).toBe(dtype);
    expect(back.shape).toEqual([n]);
    expect(Buffer.compare(back.bytes, tensor.bytes)).toBe(0);
  },
);

test('a constant of equal elements stays small in the file', () => {
  const graph = new Graph();
  graph.addConst('zeros', Tensor.filled('float32', [1000, 1000], new Uint8Array(4)));
  const pieces = writeGraphDef(graph);
  expect(pieces.reduce((sum, p) => sum + p.byteLength, 0)).toBeLessThan(200);
  expect(roundTrip(graph).node('zeros')!.constant!.size).toBe(1_000_000);
});

test('inputs: ports, control edges and the order of both', () => {
  const graph = read({
    node: [
      { name: 's', op: 'Split', input: ['axis', 'x', '^axis'] },
      { name: 'axis', op: 'Placeholder' },
      { name: 'x', op: 'Placeholder' },
      { name: 'y', op: 'AddV2', input: ['s', 's:1'] },
    ],
  });
  expect(graph.node('y')!.inputs.map((v) => v.name)).toEqual(['s:0', 's:1']);
  expect(graph.node('s')!.controls.map((n) => n.name)).toEqual(['axis']);
  const again = decode('GraphDef', joinPieces(writeGraphDef(graph)), 'again.pb');
  expect(again.node.map((n) => [...n.input])).toEqual([['axis', 'x', '^axis'], [], [], ['s', 's:1']]);
});

test('all faults of a graph are told at once, each with its node', () => {
  const faulty = {
    node: [
      { name: 'a', op: 'Placeholder' },
      { name: 'a', op: 'Placeholder' },
      { name: 'b', op: 'Neg', input: ['nowhere'] },
      {
        name: 'c',
        op: 'Const',
        attr: {
          value: {
            tensor: { dtype: 1, tensor_shape: { dim: [{ size: 2n }] }, tensor_content: new Uint8Array(3) },
          },
        },
      },
    ],
  };
  let found: FloeError | undefined;
  try {
    read(faulty);
  } catch (error) {
    found = error as FloeError;
  }
  expect(found).toBeInstanceOf(FloeError);
  expect(found!.diagnostics.map((d) => `${d.code} ${d.node}`).sort()).toEqual(['G007 a', 'G007 b', 'G007 c']);
});

test('a tiny file cannot ask for gigabytes', () => {
  const bomb = (count: number) => ({
    node: [
      {
        name: 'c',
        op: 'Const',
        attr: {
          value: {
            tensor: {
              dtype: 1,
              tensor_shape: { dim: [{ size: 2n ** 40n }] },
              float_val: new Array<number>(count).fill(1),
            },
          },
        },
      },
    ],
  });
  expect(() => read(bomb(1))).toThrow(FloeError);
  expect(() => read(bomb(2))).toThrow(FloeError);
});

test('the same graph gives the same bytes', () => {
  const make = () => {
    const graph = new Graph();
    graph.add('n', 'Custom', [], { b: attr.bool(true), a: attr.int(1) });
    graph.versions = { producer: 1, minConsumer: 0, badConsumers: [] };
    return joinPieces(writeGraphDef(graph));
  };
  expect(Buffer.compare(make(), make())).toBe(0);
});

describe('functions', () => {
  const call = (name: string, f: string, input: string[] = []) => ({
    name,
    op: 'StatefulPartitionedCall',
    input,
    attr: { f: { func: { name: f } } },
  });
  const define = (name: string, ...node_def: MessageInit<'NodeDef'>[]) => ({ signature: { name }, node_def });
  const library = {
    function: [
      define('saves', call('c', 'inner')),
      define('inner'),
      define('unused'),
      define('outer', call('c', 'inner')),
    ],
  };
  const saver = { save_tensor_name: 'save:0' };
  const readBeside = (node: MessageInit<'NodeDef'>[]): Graph => {
    const meta = encode('MetaGraphDef', { graph_def: { node, library }, saver_def: saver });
    const { graph_def, saver_def } = decode('MetaGraphDef', meta, 'x.meta');
    return graphFromDef(graph_def!, 'x.meta', { saver: saver_def });
  };

  test('are read as far as nodes need them, in the order of the file', () => {
    const { functions } = read({ node: [call('serve', 'outer'), call('save', 'saves')], library });
    expect([...functions.keys()]).toEqual(['saves', 'inner', 'outer']);
    expect([...read({ node: [{ name: 'direct', op: 'outer' }], library }).functions.keys()]).toEqual([
      'inner',
      'outer',
    ]);
  });

  test('of a call that saves are left out with it', () => {
    const graph = readBeside([call('serve', 'outer'), call('save', 'saves')]);
    expect([...graph.nodes.keys()]).toEqual(['serve']);
    expect([...graph.functions.keys()]).toEqual(['inner', 'outer']);
  });

  test('stay where something reads what saves, and where that is no call', () => {
    const read = readBeside([call('save', 'saves'), { name: 'after', op: 'NoOp', input: ['^save'] }]);
    expect([...read.nodes.keys()]).toEqual(['save', 'after']);
    expect([...read.functions.keys()]).toEqual(['saves', 'inner']);
    expect([...readBeside([{ name: 'save', op: 'Identity', input: ['save'] }]).nodes.keys()]).toEqual([
      'save',
    ]);
  });
});
