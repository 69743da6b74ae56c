import { attr, Tensor, type Attr, type Value } from '@floe/export-core';
import { GraphBuilder } from '../testing/graphs';

/** float32 sums and exponentials. */
const CLOSE = 2e-6;
const KEEP = { keep_dims: attr.bool(true), Tidx: attr.type('int32') };

type Pattern = (b: GraphBuilder, x: Value) => Value;

const number = (b: GraphBuilder, name: string, n: number) => b.constant(name, Tensor.scalar('float32', n));
const op =
  (name: string) =>
  (b: GraphBuilder, as: string, inputs: Value[], attrs: Record<string, Attr> = {}): Value =>
    b.op(as, name, inputs, attrs);
const [mul, add, relu, neg, exp] = ['Mul', 'AddV2', 'Relu', 'Neg', 'Exp'].map(op);

const gate: Pattern = (b, x) => b.op('six', 'Relu6', [add(b, 'shift', [x, number(b, 'three', 3)])]);
const sumOfSquares: Pattern = (b, x) =>
  b.op('sum', 'Sum', [b.op('square', 'Square', [x]), b.ints('axis', [-1])], KEEP);
const shifted: Pattern = (b, x) =>
  b.op('shifted', 'Sub', [x, b.op('max', 'Max', [x, b.ints('axis', [-1])], KEEP)]);
const negative: Pattern = (b, x) => relu(b, 'below', [neg(b, 'minus', [x])]);

const patterns: [string, string, Pattern][] = [
  [
    'x · relu6(x + 3) · 1/6',
    'HARD_SWISH',
    (b, x) => mul(b, 'y', [mul(b, 'p', [x, gate(b, x)]), number(b, 'sixth', 1 / 6)]),
  ],
  [
    '(relu6(x + 3) / 6) · x',
    'HARD_SWISH',
    (b, x) => mul(b, 'y', [b.op('q', 'RealDiv', [gate(b, x), number(b, 'divisor', 6)]), x]),
  ],
  [
    'relu(x) + a · relu(−x)',
    'PRELU',
    (b, x) => add(b, 'y', [relu(b, 'above', [x]), mul(b, 'p', [b.weights('slope', [1, 5]), negative(b, x)])]),
  ],
  [
    'relu(x) − a · relu(−x)',
    'PRELU',
    (b, x) =>
      b.op('y', 'Sub', [relu(b, 'above', [x]), mul(b, 'p', [negative(b, x), b.weights('slope', [5])])]),
  ],
  [
    'x · rsqrt(max(sum(x²), ε))',
    'L2_NORMALIZATION',
    (b, x) => {
      const guarded = b.op('guard', 'Maximum', [sumOfSquares(b, x), number(b, 'epsilon', 1e-12)]);
      return mul(b, 'y', [x, b.op('root', 'Rsqrt', [guarded])]);
    },
  ],
  [
    'x / sqrt(sum(x²))',
    'L2_NORMALIZATION',
    (b, x) => b.op('y', 'RealDiv', [x, b.op('root', 'Sqrt', [sumOfSquares(b, x)])]),
  ],
  [
    'exp(x − max) / sum',
    'SOFTMAX',
    (b, x) => {
      const power = exp(b, 'power', [shifted(b, x)]);
      return b.op('y', 'RealDiv', [power, b.op('sum', 'Sum', [power, b.ints('last', [-1])], KEEP)]);
    },
  ],
  [
    'x − max − log(sum(exp))',
    'LOG_SOFTMAX',
    (b, x) => {
      const d = shifted(b, x);
      const sum = b.op('sum', 'Sum', [exp(b, 'power', [d]), b.ints('last', [-1])], KEEP);
      return b.op('y', 'Sub', [d, b.op('log', 'Log', [sum])]);
    },
  ],
  [
    '1 / (1 + exp(−x))',
    'LOGISTIC',
    (b, x) => {
      const one = number(b, 'one', 1);
      return b.op('y', 'RealDiv', [one, add(b, 'a', [one, exp(b, 'power', [neg(b, 'minus', [x])])])]);
    },
  ],
  [
    'x > 0 ? x : exp(x) − 1',
    'ELU',
    (b, x) => {
      const above = b.op('c', 'Greater', [x, number(b, 'zero', 0)]);
      const below = b.op('below', 'Sub', [exp(b, 'power', [x]), number(b, 'one', 1)]);
      return b.op('y', 'SelectV2', [above, x, below]);
    },
  ],
  [
    'max(x, 0.2 · x)',
    'LEAKY_RELU',
    (b, x) => b.op('y', 'Maximum', [mul(b, 'p', [x, number(b, 'alpha', 0.2)]), x]),
  ],
  [
    'min(relu(x), 1)',
    'RELU_0_TO_1',
    (b, x) => b.op('y', 'Minimum', [relu(b, 'r', [x]), number(b, 'one', 1)]),
  ],
];

test.each(patterns)('%s is one %s', async (_, expected, pattern) => {
  const b = new GraphBuilder();
  const { ops, error } = await b.compare([pattern(b, b.input('x', [3, 5]))], { x: [3, 5] });
  expect(ops).toEqual([expected]);
  expect(error).toBeLessThan(CLOSE);
});

const others: [string, Pattern][] = [
  [
    'a gate with another number',
    (b, x) => {
      const six = b.op('six', 'Relu6', [add(b, 'shift', [x, number(b, 'two', 2)])]);
      return mul(b, 'y', [mul(b, 'p', [x, six]), number(b, 'sixth', 1 / 6)]);
    },
  ],
  [
    'a norm with a large epsilon',
    (b, x) => {
      const guarded = add(b, 'guard', [sumOfSquares(b, x), number(b, 'epsilon', 0.1)]);
      return mul(b, 'y', [x, b.op('root', 'Rsqrt', [guarded])]);
    },
  ],
  [
    'a norm over the first axis',
    (b, x) => {
      const sum = b.op('sum', 'Sum', [b.op('square', 'Square', [x]), b.ints('axis', [0])], KEEP);
      return mul(b, 'y', [x, b.op('root', 'Rsqrt', [sum])]);
    },
  ],
  ['a slope above one', (b, x) => b.op('y', 'Maximum', [mul(b, 'p', [x, number(b, 'a', 1.5)]), x])],
];

test.each(others)('%s stays as it is', async (_, pattern) => {
  const b = new GraphBuilder();
  const { ops, error } = await b.compare([pattern(b, b.input('x', [3, 5]))], { x: [3, 5] });
  expect(ops.length).toBeGreaterThan(1);
  expect(error).toBeLessThan(CLOSE);
});

test('what is computed twice is computed once', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [4]);
  const y = add(b, 'y', [exp(b, 'one', [x]), neg(b, 'minus', [exp(b, 'two', [x])])]);
  const { ops, error } = await b.compare([y], { x: [4] });
  expect(ops).toEqual(['EXP', 'SUB']);
  expect(error).toBe(0);
});

test('two outputs that are the same stay two', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [4]);
  const { ops, error } = await b.compare([exp(b, 'one', [x]), exp(b, 'two', [x])], { x: [4] });
  expect(ops).toEqual(['EXP', 'EXP']);
  expect(error).toBeLessThan(CLOSE);
});

test('a sum over a last axis of size 1 is nothing, but in a pattern', async () => {
  const b = new GraphBuilder();
  const alone = exp(b, 'y', [sumOfSquares(b, b.input('x', [3, 1]))]);
  const { ops, error } = await b.compare([alone], { x: [3, 1] });
  expect(ops).toEqual(['SQUARE', 'EXP']);
  expect(error).toBeLessThan(CLOSE);
  const other = new GraphBuilder();
  const x = other.input('x', [3, 1]);
  const unit = other.op('y', 'RealDiv', [x, other.op('root', 'Sqrt', [sumOfSquares(other, x)])]);
  expect((await other.compare([unit], { x: [3, 1] })).ops).toEqual(['L2_NORMALIZATION']);
});

test('an output that is an input takes no operator', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [4]);
  const { ops, error } = await b.compare([b.op('same', 'Identity', [x]), neg(b, 'y', [x])], { x: [4] });
  expect(ops).toEqual(['NEG']);
  expect(error).toBe(0);
});

test('a constant of one number is one number', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [4, 8]);
  const threshold = b.constant('c', Tensor.fromNumbers('float32', [4, 8], new Array<number>(32).fill(0.25)));
  const { ops, error, model } = await b.compare([b.op('y', 'Maximum', [x, threshold])], { x: [4, 8] });
  expect(ops).toEqual(['MAXIMUM']);
  expect(model.subgraphs[0].ops[0].inputs[1]?.shape).toEqual([]);
  expect(error).toBe(0);
});

const reshape = (b: GraphBuilder, as: string, x: Value, sizes: number[]) =>
  b.op(as, 'Reshape', [x, b.ints(`${as}/sizes`, sizes)], { Tshape: attr.type('int32') });

test.each([
  ['a number an element of the last axis', [4], ['MUL']],
  ['one number', [], ['MUL']],
  ['a number a row, which the other shape has not', [6, 1], ['RESHAPE', 'MUL', 'RESHAPE']],
])('reshapes around a product with %s', async (_, shape, expected) => {
  const b = new GraphBuilder();
  const flat = reshape(b, 'flat', b.input('x', [2, 3, 4]), [6, 4]);
  const y = reshape(b, 'y', mul(b, 'p', [flat, b.weights('factor', shape)]), [2, 3, 4]);
  const { ops, error } = await b.compare([y], { x: [2, 3, 4] });
  expect(ops).toEqual(expected);
  expect(error).toBe(0);
});

test.each([
  ['MulNoNan', [2, -1, 3, 0.5], ['MUL']],
  ['DivNoNan', [2, -1, 3, 0.5], ['DIV']],
  ['MulNoNan', [2, 0, 3, 0.5], ['MUL', 'SELECT_V2']],
])('%s by constants %j', async (name, numbers, expected) => {
  const b = new GraphBuilder();
  const x = b.input('x', [3, 4]);
  const y = b.op('y', name, [x, b.constant('c', Tensor.fromNumbers('float32', [4], numbers))]);
  const { ops, error } = await b.compare([y], { x: [3, 4] });
  expect(ops).toEqual(expected);
  expect(error).toBeLessThan(CLOSE);
});

test('a product with a transposed operand takes it as it is', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2, 3, 4]);
  const turned = b.op('t', 'Transpose', [x, b.ints('perm', [0, 2, 1])], { Tperm: attr.type('int32') });
  const { ops, error } = await b.compare([b.op('y', 'BatchMatMulV2', [x, turned])], { x: [2, 3, 4] });
  expect(ops).toEqual(['BATCH_MATMUL']);
  expect(error).toBeLessThan(CLOSE);
});

test('a slice from start to end of an unknown size is nothing', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [null, 4]);
  const all = b.op('all', 'Slice', [x, b.ints('begin', [0, 0]), b.ints('size', [-1, 4])], {
    Index: attr.type('int32'),
  });
  const { ops, error } = await b.compare([neg(b, 'y', [all])], { x: [3, 4] });
  expect(ops).toEqual(['NEG']);
  expect(error).toBe(0);
});

test.each([
  ['axes of size 1 in front', [2, 1, 3, 4], [1, 3, 4], ['MUL']],
  ['one behind, too', [2, 3, 4, 1], [3, 4, 1], ['RESHAPE', 'MUL']],
])('a sum that broadcasts an operand with %s', async (_, other, sizes, expected) => {
  const b = new GraphBuilder();
  const wide = reshape(b, 'wide', b.input('x', [3, 4]), sizes);
  const { ops, error } = await b.compare([mul(b, 'y', [wide, b.input('z', other)])], { x: [3, 4], z: other });
  expect(ops).toEqual(expected);
  expect(error).toBe(0);
});

describe('shapes of several unknown sizes', () => {
  const INT = { T: attr.type('int32') };
  const SHRINK = { ...INT, shrink_axis_mask: attr.int(1), Index: attr.type('int32') };
  const size = (b: GraphBuilder, x: Value, axis: number) =>
    b.op(
      `size_${axis}`,
      'StridedSlice',
      [
        b.graph.node('shape')?.output() ?? b.op('shape', 'Shape', [x]),
        b.ints(`from_${axis}`, [axis]),
        b.ints(`to_${axis}`, [axis + 1]),
        b.ints(`by_${axis}`, [1]),
      ],
      SHRINK,
    );
  const pack = (b: GraphBuilder, as: string, sizes: Value[]) =>
    b.op(as, 'Pack', sizes, { N: attr.int(sizes.length), T: attr.type('int32') });
  const to = (b: GraphBuilder, as: string, x: Value, shape: Value) =>
    b.op(as, 'Reshape', [x, shape], { Tshape: attr.type('int32') });

  test('take those that stand side by side at once', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [null, null, 8]);
    const [p, q] = [size(b, x, 0), size(b, x, 1)];
    const heads = to(b, 'heads', x, pack(b, 'four', [p, q, b.ints('two', 2), b.ints('depth', 4)]));
    const rows = to(
      b,
      'rows',
      neg(b, 'n', [x]),
      pack(b, 'again', [p, q, b.ints('one', 1), b.ints('all', 8)]),
    );
    const { ops, error } = await b.compare([heads, rows], { x: [2, 3, 8] });
    expect(ops.filter((op) => op === 'STRIDED_SLICE')).toHaveLength(1);
    expect(ops.filter((op) => op === 'CONCATENATION')).toHaveLength(2);
    expect(error).toBe(0);
  });

  test('not where a size is read by itself', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [null, null, 8]);
    const [p, q] = [size(b, x, 0), size(b, x, 1)];
    const y = to(b, 'y', x, pack(b, 'sizes', [p, q, b.ints('two', 2), b.ints('depth', 4)]));
    const rows = b.op('rows', 'Mul', [p, q], INT);
    const { ops, error } = await b.compare([y, rows], { x: [2, 3, 8] });
    expect(ops).toContain('PACK');
    expect(ops.filter((op) => op === 'STRIDED_SLICE')).toHaveLength(2);
    expect(error).toBe(0);
  });
});
