/** What rewriting keeps: names, outputs of the contract, values that others read; and which patterns become one op. */
import {
  attr,
  Diagnostics,
  Graph,
  inferShapes,
  Tensor,
  type Attr,
  type Shape,
  type Value,
} from '@floe/export-core';
import { canonicalize } from './canonicalize';
import { explicitBroadcast } from './explicit-broadcast';
import { fuseGelu } from './fuse-gelu';
import { applyRewrites, type Operand, Rewriter } from './rewrite';
import { rewriteToBuiltins } from './rewrite-to-builtins';
import { upgradeVersions } from './upgrade-versions';
import { widenTypes } from './widen-types';

const NONE = { signatures: [] };

function graphWith(shape: Shape, dtype: 'float32' | 'float16' | 'int8' | 'int32' = 'float32') {
  const graph = new Graph();
  const x = graph.add('x', 'Placeholder', [], { dtype: attr.type(dtype), shape: attr.shape(shape) }).output();
  inferShapes(graph, new Diagnostics());
  const b = new Rewriter(graph, x.node);
  const op = (name: string, operands: readonly Operand[], attrs?: Record<string, Attr>) =>
    b.op(name, operands, attrs);
  /** A last node of a name of its own. */
  const named = (name: string, value: Value): Value => {
    const node = graph.add(name, value.node.op, value.node.inputs, Object.fromEntries(value.node.attrs));
    graph.remove(new Set([value.node]));
    inferShapes(graph, new Diagnostics());
    return node.output();
  };
  return { graph, x, op, named };
}

/** The ops that a node stands on, itself last. */
function opsOf(graph: Graph, name: string): string[] {
  const node = graph.node(name)!;
  const needed = graph.ancestors([node]);
  return graph
    .sorted()
    .filter((n) => needed.has(n) && n.op !== 'Const' && n.op !== 'Placeholder')
    .map((n) => n.op);
}

describe('applyRewrites', () => {
  it('gives the result the name of what it replaces', () => {
    const { graph, x, op, named } = graphWith([2]);
    named('y', op('Softsign', [x]));
    rewriteToBuiltins(graph, NONE);
    expect(opsOf(graph, 'y')).toEqual(['Abs', 'AddV2', 'RealDiv']);
    expect(graph.node('y')!.output()).toMatchObject({ dtype: 'float32', shape: [2] });
  });

  it('makes an identity where an operand is the result', () => {
    const { graph, x, op, named } = graphWith([2, 1]);
    named('y', op('Tile', [x, [1, 1]]));
    canonicalize(graph, NONE);
    expect(graph.node('y')).toMatchObject({ op: 'Identity', inputs: [x] });
  });

  it('leaves nothing behind of a row that gives up', () => {
    const { graph, x, op } = graphWith([2]);
    op('Neg', [x]);
    const before = [...graph.nodes.keys()];
    applyRewrites(graph, { Neg: (_graph, _node, b) => (b.op('Abs', [x]), undefined) });
    expect([...graph.nodes.keys()]).toEqual(before);
  });

  it('rewrites what rows make', () => {
    const { graph, x, op, named } = graphWith([2]);
    named('y', op('Selu', [x]));
    rewriteToBuiltins(graph, NONE);
    expect(opsOf(graph, 'y')).not.toContain('Expm1');
  });

  it('keeps outputs that the contract names', () => {
    const build = () => {
      const { graph, x } = graphWith([1, 4, 4, 1]);
      const attrs = {
        ksize: attr.ints([1, 2, 2, 1]),
        strides: attr.ints([1, 2, 2, 1]),
        padding: attr.string('VALID'),
      };
      new Rewriter(graph, x.node).add('MaxPoolWithArgmax', [x], attrs);
      return { graph, name: [...graph.nodes.keys()].at(-1)! };
    };
    const unread = build();
    rewriteToBuiltins(unread.graph, NONE);
    expect(opsOf(unread.graph, unread.name)).toEqual(['MaxPool']);
    const read = build();
    const spec = { name: 'places', tensor: `${read.name}:1`, dtype: 'int64' as const, shape: null };
    rewriteToBuiltins(read.graph, { signatures: [{ key: 'k', inputs: [], outputs: [spec] }] });
    expect(opsOf(read.graph, read.name)).toContain('ArgMax');
    expect(read.graph.node(read.name)!.inputs[1].dtype).toBe('int64');
  });
});

describe('einsum', () => {
  const product = (equation: string, shape: Shape, weights: number[], isTurned = false) => {
    const { graph, x, op, named } = graphWith(shape);
    const count = weights.reduce((n, d) => n * d, 1);
    const w = Tensor.fromNumbers(
      'float32',
      weights,
      Array.from({ length: count }, (_, i) => i),
    );
    named('y', op('Einsum', isTurned ? [w, x] : [x, w], { equation: attr.string(equation), N: attr.int(2) }));
    rewriteToBuiltins(graph, NONE);
    return opsOf(graph, 'y').filter((o) => o !== 'Identity');
  };

  it.each([
    ['bd,def->bef', [3, 4], [4, 5, 6]],
    ['bd,edf->bef', [3, 4], [5, 4, 6]],
    ['bd,fde->bef', [3, 4], [6, 4, 5]],
  ])('turns weights, which costs nothing: %s', (equation, shape, weights) => {
    const ops = product(equation, shape, weights);
    expect(ops.filter((o) => o.includes('MatMul'))).toHaveLength(1);
    expect(ops.at(-1)).toBe('Reshape');
  });

  it('has weights on the right, whichever side the equation has them on', () => {
    expect(product('dn,bd->bn', [3, 4], [4, 5], true)).toEqual(product('bd,dn->bn', [3, 4], [4, 5]));
  });
});

describe('fuseGelu', () => {
  type Make = (x: Value, op: (name: string, operands: readonly Operand[]) => Value) => Value;
  const erf = (x: Value, op: Parameters<Make>[1]) =>
    op('AddV2', [op('Erf', [op('Mul', [x, Math.SQRT1_2])]), 1]);
  const tanh = (x: Value, op: Parameters<Make>[1]) => {
    const cubic = op('Mul', [op('Pow', [x, 3]), 0.044715]);
    return op('AddV2', [op('Tanh', [op('Mul', [op('AddV2', [x, cubic]), 0.7978846])]), 1]);
  };
  const spellings: [string, Make, boolean][] = [
    ['(½ x) (1 + erf)', (x, op) => op('Mul', [op('Mul', [x, 0.5]), erf(x, op)]), false],
    ['x (½ (1 + erf))', (x, op) => op('Mul', [x, op('Mul', [erf(x, op), 0.5])]), false],
    ['½ (x (1 + erf))', (x, op) => op('Mul', [op('Mul', [x, erf(x, op)]), 0.5]), false],
    [
      '(½ x) erfc(−x √½)',
      (x, op) => op('Mul', [op('Mul', [x, 0.5]), op('Erfc', [op('Mul', [op('Neg', [x]), Math.SQRT1_2])])]),
      false,
    ],
    ['(½ x) (1 + tanh)', (x, op) => op('Mul', [op('Mul', [x, 0.5]), tanh(x, op)]), true],
  ];

  it.each(spellings)('%s', (_name, make, approximate) => {
    const { graph, x, op, named } = graphWith([2, 3]);
    named('y', make(x, op));
    fuseGelu(graph, NONE);
    expect(opsOf(graph, 'y')).toEqual(['Gelu']);
    expect(graph.node('y')!.bool('approximate')).toBe(approximate);
    expect(graph.node('y')!.output().shape).toEqual([2, 3]);
  });

  it('leaves other products alone', () => {
    const { graph, x, op, named } = graphWith([2]);
    named('y', op('Mul', [op('Mul', [x, 0.6]), erf(x, op)]));
    fuseGelu(graph, NONE);
    expect(opsOf(graph, 'y')).not.toContain('Gelu');
  });
});

describe('canonicalize', () => {
  it.each([
    ['Relu6', (x: Value, op: (n: string, o: Operand[]) => Value) => op('Minimum', [op('Relu', [x]), 6])],
    [
      'Relu6',
      (x: Value, op: (n: string, o: Operand[]) => Value) => op('Maximum', [op('Minimum', [x, 6]), 0]),
    ],
    [
      'ReluN1To1',
      (x: Value, op: (n: string, o: Operand[]) => Value) => op('Maximum', [op('Minimum', [x, 1]), -1]),
    ],
    [
      'SquaredDifference',
      (x: Value, op: (n: string, o: Operand[]) => Value) => op('Square', [op('Sub', [x, 3])]),
    ],
    ['LogSoftmax', (x: Value, op: (n: string, o: Operand[]) => Value) => op('Log', [op('Softmax', [x])])],
    ['Sqrt', (x: Value, op: (n: string, o: Operand[]) => Value) => op('Pow', [x, 0.5])],
  ])('makes a %s', (want, make) => {
    const { graph, x, op, named } = graphWith([2, 2]);
    named('y', make(x, op));
    canonicalize(graph, NONE);
    expect(opsOf(graph, 'y')).toEqual([want]);
  });

  it('keeps a sum with zeros that broadcasts', () => {
    const { graph, x, op, named } = graphWith([1, 2]);
    named('y', op('AddV2', [x, Tensor.fromNumbers('float32', [3, 2], new Array<number>(6).fill(0))]));
    canonicalize(graph, NONE);
    expect(opsOf(graph, 'y')).toEqual(['AddV2']);
  });

  it('drops a sum over axes of size 1 that stay', () => {
    const { graph, x, op, named } = graphWith([2, 1, 3]);
    const keep = { keep_dims: attr.bool(true) };
    named('y', op('Exp', [op('Sum', [op('Neg', [x]), [1]], keep)]));
    named('z', op('Exp', [op('Sum', [x, [0]], keep)]));
    canonicalize(graph, NONE);
    expect(opsOf(graph, 'y')).toEqual(['Neg', 'Identity', 'Exp']);
    expect(opsOf(graph, 'z')).toEqual(['Sum', 'Exp']);
  });

  it('makes constants of what has no elements', () => {
    const { graph, x, op, named } = graphWith([0, 2]);
    named('y', op('Exp', [x]));
    canonicalize(graph, NONE);
    expect(graph.node('y')!.constant?.shape).toEqual([0, 2]);
  });
});

describe('upgradeVersions', () => {
  it('works before anything is inferred', () => {
    const graph = new Graph();
    const part = (name: string) =>
      graph.add(name, 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape([2]) }).output();
    const axis = graph.add('axis', 'Const', [], {
      dtype: attr.type('int32'),
      value: attr.tensor(Tensor.scalar('int32', 0)),
    });
    graph.add('y', 'Concat', [axis.output(), part('p'), part('q')], {
      T: attr.type('float32'),
      N: attr.int(2),
    });
    upgradeVersions(graph);
    inferShapes(graph, new Diagnostics());
    expect(graph.node('y')).toMatchObject({ op: 'ConcatV2' });
    expect(graph.node('y')!.output()).toMatchObject({ dtype: 'float32', shape: [4] });
  });
});

describe('widenTypes and explicitBroadcast', () => {
  it('compute half floats in float32', () => {
    const { graph, x, op, named } = graphWith([2], 'float16');
    named('y', op('Exp', [x]));
    widenTypes(graph);
    expect(opsOf(graph, 'y')).toEqual(['Cast', 'Exp', 'Cast']);
    expect(graph.node('y')!.output().dtype).toBe('float16');
  });

  it('leave integer division of few bits exact and mean alone', () => {
    const { graph, x, op, named } = graphWith([4], 'int8');
    named('y', op('FloorMod', [x, 3]));
    named('z', op('Mean', [x, [0]]));
    widenTypes(graph);
    expect(opsOf(graph, 'y')).toEqual(['FloorMod']);
    expect(opsOf(graph, 'z')).toEqual(['Mean']);
  });

  it('broadcast beyond what kernels do, each operand once', () => {
    const { graph, x, op, named } = graphWith([2, 1, 2, 1, 2]);
    const y = op('Less', [x, Tensor.fromNumbers('float32', [2, 1, 1, 2], [1, 2, 3, 4])]);
    named('y', op('SelectV2', [y, x, Tensor.fromNumbers('float32', [1, 2, 1, 2, 1], [1, 2, 3, 4])]));
    explicitBroadcast(graph);
    const ops = opsOf(graph, 'y');
    expect(ops.filter((o) => o === 'BroadcastTo')).toHaveLength(2);
    expect(graph.node('y')!.output().shape).toEqual([2, 2, 2, 2, 2]);
  });

  it('take the sizes of an operand that no other makes larger', () => {
    const { graph, x, op, named } = graphWith([null, 1, 2, 1, 2]);
    named('y', op('Less', [x, Tensor.fromNumbers('float32', [2], [1, 2])]));
    explicitBroadcast(graph);
    expect(opsOf(graph, 'y')).toEqual(['Shape', 'BroadcastTo', 'Less']);
  });

  it('broadcast operands of unknown rank where the kernel wants equal shapes', () => {
    const { graph, x, op, named } = graphWith(null, 'int32');
    named('y', op('BitwiseAnd', [x, Tensor.fromNumbers('int32', [2], [1, 2])]));
    explicitBroadcast(graph);
    expect(opsOf(graph, 'y')).toEqual(['Shape', 'BroadcastArgs', 'BroadcastTo', 'BroadcastTo', 'BitwiseAnd']);
  });

  it('broadcast nothing that was made in the shape of the other', () => {
    const { graph, x, op, named } = graphWith([null, 2]);
    named('y', op('Atan2', [x, op('Fill', [op('Shape', [x]), 1])]));
    explicitBroadcast(graph);
    expect(opsOf(graph, 'y')).toEqual(['Shape', 'Fill', 'Atan2']);
  });
});
