/** Checks that need no files: on graphs made in code. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { FunctionGraph, Graph, type Value } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { checkGraph } from './check-graph';
import { checkCycles } from './cycles';
import { checkEnvironment } from './environment';
import { attrSince, lacks, opSince, releaseOf, releaseReading } from './op-versions';
import { inferenceValue } from './placeholders';
import { pathText } from './places';
import { checkPreprocessing } from './preprocessing';
import { checkTraining } from './training';
import { checkWeights } from './weights';

const float = attr.type('float32');

function codes(run: (diagnostics: Diagnostics) => void): string[] {
  const diagnostics = new Diagnostics();
  run(diagnostics);
  return diagnostics.list.map((d) => `${d.severity} ${d.code} ${d.node ?? ''}`.trim());
}

describe('cycles', () => {
  test('each is told once, however many nodes it has', () => {
    const graph = new Graph();
    const nodes = Array.from({ length: 10 }, (_, i) => graph.add(`n${i}`, 'Identity', [], { T: float }));
    nodes.forEach((n, i) => (n.inputs = [nodes[(i + 1) % 10].output()]));
    const self = graph.add('self', 'Identity', [], { T: float });
    self.inputs = [self.output()];
    expect(codes((d) => checkCycles(graph, d))).toEqual(['error G007 n0', 'error G007 self']);
  });

  test('the one that NextIteration closes is no fault', () => {
    const graph = new Graph();
    const x = graph.add('x', 'Placeholder', [], { dtype: float });
    const merge = graph.add('merge', 'Merge', [x.output()], { T: float, N: attr.int(2) });
    const next = graph.add('next', 'NextIteration', [merge.output()], { T: float });
    merge.inputs.push(next.output());
    expect(codes((d) => checkCycles(graph, d))).toEqual([]);
  });

  test('are found through control edges, and deep graphs are no problem', () => {
    const graph = new Graph();
    let value: Value = graph.add('x', 'Placeholder', [], { dtype: float }).output();
    const first = value.node;
    for (let i = 0; i < 50_000; i++) value = graph.add(`n${i}`, 'Identity', [value], { T: float }).output();
    expect(codes((d) => checkCycles(graph, d))).toEqual([]);
    first.controls = [value.node];
    expect(codes((d) => checkCycles(graph, d))).toHaveLength(1);
  });
});

describe('functions', () => {
  const conditional = (attrs: Record<string, Attr>) => {
    const graph = new Graph();
    const x = graph.add('x', 'Placeholder', [], { dtype: attr.type('bool') });
    const types = { Tcond: attr.type('bool'), Tin: attr.types([]), Tout: attr.types([]) };
    graph.add('if', 'If', [x.output()], { ...types, ...attrs });
    graph.functions.set('then', new FunctionGraph('then'));
    return codes((d) => checkGraph(graph, d));
  };

  test('that a node names have to be there', () => {
    const then = { then_branch: attr.func('then') };
    expect(conditional({ ...then, else_branch: attr.func('then') })).toEqual([]);
    expect(conditional({ ...then, else_branch: attr.func('them') })).toEqual(['error G007 if']);
    expect(conditional({ ...then, else_branch: attr.func('then'), _own: attr.func('them') })).toEqual([]);
  });
});

test('a constant that holds another type than it says does not fit', () => {
  const graph = new Graph();
  const constant = graph.addConst('c', Tensor.fromNumbers('int32', [1], [2]));
  expect(codes((d) => checkGraph(graph, d))).toEqual([]);
  constant.attrs.set('dtype', float);
  expect(codes((d) => checkGraph(graph, d))).toEqual(['error G014 c']);
});

describe('versions of TensorFlow', () => {
  test('of ops and attributes are those of its releases', () => {
    expect(opSince('FusedBatchNormV3')).toBe('1.14');
    expect(opSince('MatMul')).toBeUndefined();
    expect(opSince('constructor')).toBeUndefined();
    expect(attrSince('Conv2D', 'explicit_paddings')).toBe('1.14');
    expect(attrSince('Conv2D', 'strides')).toBeUndefined();
    expect(releaseReading(12)).toBe('1.4');
    expect(releaseReading(99999)).toBeUndefined();
    expect(releaseOf(1645)).toBe('2.15');
  });

  test('between two known releases nothing is claimed', () => {
    // 1.8 and 1.12 are known, 1.10 is not.
    expect(lacks('1.8', '1.12')).toBe(true);
    expect(lacks('1.10', '1.12')).toBe(false);
    expect(lacks('1.12', '1.12')).toBe(false);
    expect(lacks('2.15.1', '2.15')).toBe(false);
  });

  test('a graph that asks for a newer reader is refused', () => {
    const graph = new Graph();
    graph.versions = { producer: 1882, minConsumer: 1395, badConsumers: [] };
    const diagnostics = new Diagnostics();
    checkEnvironment(graph, '1.15', undefined, diagnostics);
    expect(diagnostics.list).toMatchObject([
      { code: 'G018', severity: 'error', hint: 'target: { tensorflow: "2.12" }' },
    ]);
  });

  test('devices are told', () => {
    const graph = new Graph();
    graph.add('x', 'Placeholder', [], { dtype: float }).device = '/job:localhost/device:GPU:0';
    expect(codes((d) => checkEnvironment(graph, undefined, undefined, d))).toEqual(['note G019 x']);
    expect(codes((d) => checkEnvironment(graph, '2.15', undefined, d))).toEqual(['warning G019 x']);
  });
});

describe('weights', () => {
  function used(dtype: 'float32' | 'float64' | 'float16' | 'bfloat16', values: number[]): Graph {
    const graph = new Graph();
    const w = graph.addConst('w', Tensor.fromNumbers(dtype, [4, 4], values));
    const read = graph.add('w/read', 'Identity', [w.output()], { T: attr.type(dtype) });
    const x = graph.add('x', 'Placeholder', [], { dtype: attr.type(dtype) });
    graph.add('y', 'MatMul', [x.output(), read.output()], { T: attr.type(dtype) });
    return graph;
  }
  const fill = (value: number, other = value): number[] => [...Array<number>(15).fill(value), other];

  test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)(
    'of %s are read by their bits',
    (dtype) => {
      const said = (values: number[]): string[] => codes((d) => checkWeights(used(dtype, values), d));
      expect(said(fill(0.5, 2))).toEqual([]);
      expect(said(fill(0.5, NaN))).toEqual(['error G021 w']);
      expect(said(fill(0.5, -Infinity))).toEqual(['warning G021 w']);
      expect(said(fill(0))).toEqual(['warning G022 w']);
      expect(said(fill(-0))).toEqual(['warning G022 w']);
      expect(said(fill(0.5))).toEqual(['warning G022 w']);
      expect(said(fill(0, 0.5))).toEqual([]);
    },
  );

  test('of float64 that differ only in their lower half are not all the same', () => {
    expect(codes((d) => checkWeights(used('float64', fill(1, 1 + 2 ** -50)), d))).toEqual([]);
  });

  test('that are literals, biases or small may be constant', () => {
    const graph = used('float32', fill(0));
    graph.node('w')!.name = 'rnn/zeros';
    expect(codes((d) => checkWeights(graph, d))).toEqual([]);
  });

  test('are read one at a time', () => {
    const graph = new Graph();
    let held = 0;
    for (let i = 0; i < 4; i++) {
      const make = (): Uint8Array => {
        held++;
        return new Uint8Array(1 << 20);
      };
      const w = graph.addConst(`w${i}`, Tensor.deferred('float32', [512, 512], make));
      graph.add(`y${i}`, 'MatMul', [w.output(), w.output()], { T: float });
    }
    expect(codes((d) => checkWeights(graph, d))).toEqual(['warning G022 w0']);
    expect(held).toBeLessThanOrEqual(8);
  });
});

describe('placeholders', () => {
  test.each([
    ['is_training', 'bool', [], 0],
    ['model/phase_train', 'bool', null, 0],
    ['keep_prob', 'float32', [], 1],
    ['dropout/keep_prob_1', 'float32', null, 1],
    ['dropout_keep_prob', 'float32', [], 1],
    ['dropout_rate', 'float32', [], 0],
    ['keep_prob', 'float32', [10], undefined],
    ['scale', 'float32', [], undefined],
    ['is_training', 'int32', [], undefined],
    ['train_images', 'bool', [], undefined],
  ] as const)('%s of %s %j', (name, dtype, shape, value) => {
    const node = new Graph().add(name, 'Placeholder', [], {
      dtype: attr.type(dtype),
      shape: attr.shape(shape === null ? null : [...shape]),
    });
    expect(inferenceValue(node)?.value).toBe(value);
  });
});

describe('training', () => {
  const contract = (input: string, output: string) => ({
    version: 1 as const,
    initializers: [],
    signatures: [
      {
        key: 'k',
        inputs: [{ name: 'x', tensor: input, dtype: 'float32' as const, shape: null }],
        outputs: [{ name: 'y', tensor: output, dtype: 'float32' as const, shape: null }],
      },
    ],
  });
  const place = () => ({ file: 'model.yaml' });

  test('a layer norm is made of a batch norm in training mode, rightly so', () => {
    const graph = new Graph();
    const x = graph.add('x', 'Placeholder', [], { dtype: float });
    const norm = (name: string, from: Value) => {
      const one = graph.addConst(`${name}/gamma`, Tensor.fromNumbers('float32', [2], [1, 1])).output();
      return graph.add(name, 'FusedBatchNormV3', [from, one, one, one, one], {
        T: float,
        U: float,
        is_training: attr.bool(true),
      });
    };
    const shape = graph.addConst('shape', Tensor.fromNumbers('int32', [2], [1, 2])).output();
    const flat = graph.add('flat', 'Reshape', [x.output(), shape], { T: float });
    norm('layer', flat.output());
    norm('batch', x.output());
    expect(codes((d) => checkTraining(graph, contract('x:0', 'layer:0'), place, d))).toEqual([]);
    expect(codes((d) => checkTraining(graph, contract('x:0', 'batch:0'), place, d))).toEqual([
      'warning G017 batch',
    ]);
  });

  test('a transposed convolution is no gradient', () => {
    const graph = new Graph();
    const x = graph.add('x', 'Placeholder', [], { dtype: float });
    graph.add('gradients/up', 'Conv2DBackpropInput', [x.output(), x.output(), x.output()], { T: float });
    expect(codes((d) => checkTraining(graph, contract('x:0', 'gradients/up:0'), place, d))).toEqual([]);
  });
});

test('what the graph does with an image is told in its order', () => {
  const graph = new Graph();
  const scalar = (name: string, n: number) => graph.addConst(name, Tensor.scalar('float32', n)).output();
  const x = graph.add('x', 'Placeholder', [], { dtype: attr.type('uint8') });
  const cast = graph.add('cast', 'Cast', [x.output()], { SrcT: attr.type('uint8'), DstT: float });
  const mul = graph.add('mul', 'Mul', [cast.output(), scalar('k', 2 / 255)], { T: float });
  const none = graph.add('none', 'AddV2', [mul.output(), scalar('zero', 0)], { T: float });
  const sub = graph.add('sub', 'Sub', [none.output(), scalar('one', 1)], { T: float });
  graph.add('relu', 'Relu', [sub.output()], { T: float });
  const diagnostics = new Diagnostics();
  const inputs = [{ name: 'image', tensor: 'x:0', dtype: 'uint8' as const, shape: [1, 32, 32, 3] }];
  const contract = { version: 1 as const, initializers: [], signatures: [{ key: 'k', inputs, outputs: [] }] };
  checkPreprocessing(graph, contract, () => ({ file: 'model.yaml' }), diagnostics);
  expect(diagnostics.list).toMatchObject([
    {
      code: 'G023',
      severity: 'note',
      message:
        'input "image": the graph takes pixels as bytes and casts to float32, then multiplies by 0.0078431, then subtracts 1',
    },
  ]);
});

test('paths within model.yaml read as they are written', () => {
  expect(pathText(['signatures', 'encode', 'inputs', 0, 'tensor'])).toBe(
    'signatures.encode.inputs[0].tensor',
  );
});
