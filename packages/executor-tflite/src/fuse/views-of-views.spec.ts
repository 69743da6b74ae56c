/** What TFLite's planner gets wrong, run in LiteRT: TensorFlow's own files of these graphs give wrong numbers. */
import { attr, Tensor, type DType, type Value } from '@floe/export-core';
import { GraphBuilder } from '../testing/graphs';

type View = (b: GraphBuilder, name: string, x: Value) => Value;

const types = (b: DType) => ({ T: attr.type(b) });
const expand =
  (axis: number, dtype: DType): View =>
  (b, name, x) =>
    b.op(name, 'ExpandDims', [x, b.ints(`${name}/axis`, axis)], {
      ...types(dtype),
      Tdim: attr.type('int32'),
    });
const squeeze =
  (axis: number, dtype: DType): View =>
  (b, name, x) =>
    b.op(name, 'Squeeze', [x], { ...types(dtype), squeeze_dims: attr.ints([axis]) });
const reshape =
  (sizes: number[], dtype: DType): View =>
  (b, name, x) =>
    b.op(name, 'Reshape', [x, b.ints(`${name}/sizes`, sizes)], {
      ...types(dtype),
      Tshape: attr.type('int32'),
    });

const chains = (t: DType): [string, View, View][] => [
  ['expanded twice', expand(1, t), expand(0, t)],
  [
    'expanded three times',
    expand(1, t),
    (b, name, x) => expand(0, t)(b, name, expand(2, t)(b, `${name}/inner`, x)),
  ],
  ['expanded and squeezed', expand(0, t), squeeze(0, t)],
  ['reshaped and expanded', reshape([2, -1, 2], t), expand(0, t)],
  ['reshaped and squeezed', reshape([1, -1, 2], t), squeeze(0, t)],
  ['expanded and reshaped', expand(0, t), reshape([1, -1], t)],
];
const DTYPES: DType[] = ['int16', 'int32', 'float32', 'int64'];
const cases = DTYPES.flatMap((t) =>
  chains(t).map((chain): [string, DType, ...typeof chain] => [chain[0], t, ...chain]),
);

/** y + 1 where y is a view of a view of reversed x; x, or the view between, is read after it. */
function build(
  dtype: DType,
  first: View,
  second: View,
  late: 'between' | 'origin' | 'output',
): {
  b: GraphBuilder;
  outputs: Value[];
  feeds: Record<string, Tensor>;
} {
  const b = new GraphBuilder();
  const x = b.input('x', [null, null], dtype);
  const origin = b.op('origin', 'ReverseV2', [x, b.ints('axis', [0])], {
    ...types(dtype),
    Tidx: attr.type('int32'),
  });
  const between = first(b, 'first', origin);
  const one = b.constant('one', Tensor.scalar(dtype, 1));
  const sum = b.op('sum', 'AddV2', [second(b, 'second', between), one], types(dtype));
  const read = late === 'origin' ? origin : between;
  // Needs the sum, so that it stands behind it; the sum is no output, which the planner spares.
  const flat = b.op('flat', 'Reshape', [sum, b.ints('all', [-1, 2])], {
    ...types(dtype),
    Tshape: attr.type('int32'),
  });
  const largest = b.op('largest', 'Max', [flat, b.ints('axes', [0, 1])], {
    ...types(dtype),
    Tidx: attr.type('int32'),
  });
  const scaled = b.op('scaled', 'Mul', [read, largest], types(dtype));
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
  return {
    b,
    outputs: late === 'output' ? [between, largest] : [scaled],
    feeds: { x: Tensor.fromNumbers(dtype, [4, 2], numbers) },
  };
}

describe.each(['between', 'origin', 'output'] as const)('%s read again', (late) => {
  test.each(cases)('%s, %s', async (_, dtype, __, first, second) => {
    const { b, outputs, feeds } = build(dtype, first, second, late);
    expect((await b.compareOn(outputs, feeds)).error).toBe(0);
  });
});
