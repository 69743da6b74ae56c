/** Dilated layers as Keras writes them: against TensorFlow (fixtures/dilated_fixtures.py), and against the graph as it stands. */
import { attr, Tensor, type Value } from '@floe/export-core';
import { GraphBuilder } from '../testing/graphs';
import { convertCase, faultsOf, loadCases, operatorCounts } from './testing/cases';

const cases = loadCases('fixtures/dilated.json.gz');
/** Blocks whose crops do not take away what was padded. */
const OTHERS = ['other_crops', 'crops_before', 'more_crops'];

const TYPES = { Tblock_shape: attr.type('int32') };
/** float32 sums of some hundred products. */
const CLOSE = 1e-5;

interface Layer {
  op: string;
  input: number[];
  filter: number[];
  block: number[];
  pads: number[];
  crops?: number[];
  /** Where a layer over one axis puts the other. */
  expand?: number;
}

function layer(b: GraphBuilder, { op, input, filter, block, pads, crops, expand }: Layer): Value {
  const pairs = (name: string, values: number[]) =>
    b.constant(name, Tensor.fromNumbers('int32', [block.length, 2], values));
  const sizes = b.ints('block', block);
  let x = b.op('forth', 'SpaceToBatchND', [b.input('x', input), sizes, pairs('pads', pads)], {
    ...TYPES,
    Tpaddings: attr.type('int32'),
  });
  if (expand !== undefined)
    x = b.op('expand', 'ExpandDims', [x, b.ints('axis', expand)], { Tdim: attr.type('int32') });
  x = b.op('conv', op, [x, b.weights('filter', filter)], {
    strides: attr.ints(filter.map(() => 1)),
    padding: attr.string('VALID'),
  });
  if (expand !== undefined) x = b.op('squeeze', 'Squeeze', [x], { squeeze_dims: attr.ints([expand]) });
  const back = b.op(
    'back',
    'BatchToSpaceND',
    [x, sizes, pairs('crops', crops ?? block.flatMap(() => [0, 0]))],
    { ...TYPES, Tcrops: attr.type('int32') },
  );
  const channels =
    back.shape?.at(-1) ?? filter.at(-1)! * (op === 'DepthwiseConv2dNative' ? filter.at(-2)! : 1);
  return b.op('y', 'BiasAdd', [back, b.weights('bias', [channels])]);
}

const layers: [string, string[], Layer][] = [
  [
    'a depth at a time, without padding',
    ['DEPTHWISE_CONV_2D'],
    {
      op: 'DepthwiseConv2dNative',
      input: [1, 8, 6, 2],
      filter: [3, 2, 2, 2],
      block: [2, 2],
      pads: [0, 0, 0, 0],
    },
  ],
  [
    'over one axis, of a size that blocks do not divide',
    ['RESHAPE', 'CONV_2D', 'RESHAPE'],
    {
      op: 'Conv2D',
      input: [2, 7, 3],
      filter: [1, 3, 3, 4],
      block: [2],
      pads: [2, 3],
      crops: [0, 1],
      expand: -3,
    },
  ],
  [
    'over one axis, the other behind it',
    ['RESHAPE', 'CONV_2D', 'RESHAPE'],
    { op: 'Conv2D', input: [2, 8, 3], filter: [3, 1, 3, 4], block: [2], pads: [2, 2], expand: 2 },
  ],
  [
    'over one axis, causal',
    ['RESHAPE', 'PAD', 'CONV_2D', 'RESHAPE'],
    { op: 'Conv2D', input: [1, 8, 3], filter: [1, 3, 3, 4], block: [2], pads: [4, 0], expand: -3 },
  ],
  [
    'over three axes',
    ['CONV_3D'],
    {
      op: 'Conv3D',
      input: [1, 4, 6, 6, 2],
      filter: [2, 3, 3, 2, 3],
      block: [2, 2, 2],
      pads: [1, 1, 2, 2, 2, 2],
    },
  ],
];

test.each(layers)('a dilated layer %s', async (_, expected, spec) => {
  const b = new GraphBuilder();
  const { ops, error } = await b.compare([layer(b, spec)], { x: spec.input });
  expect(ops).toEqual(expected);
  expect(error).toBeLessThan(CLOSE);
});

test.each(cases.map((c) => [c.name, c] as const))('%s gives what TensorFlow gives', async (name, c) => {
  const model = convertCase(c);
  expect(await faultsOf(c, model)).toEqual([]);
  const counts = operatorCounts(model);
  expect(counts.SPACE_TO_BATCH_ND ?? 0).toBe(OTHERS.includes(name) ? 1 : 0);
  const sizes = ['SHAPE', 'FLOOR_MOD', 'PACK'].filter((op) => counts[op]);
  if (!OTHERS.includes(name)) expect(sizes).toEqual([]);
});

it('joins both convolutions of shared blocks', () => {
  const counts = operatorCounts(convertCase(cases.find((c) => c.name === 'shared_any')!));
  expect(counts).toMatchObject({ CONV_2D: 2, TANH: 1, LOGISTIC: 1, MUL: 1 });
  expect(counts).not.toHaveProperty('PAD');
});
