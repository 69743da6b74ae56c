/** What TensorFlow refuses: at run time evaluation throws, over shapes that contradict each other inference fails. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { Graph, Node } from '../graph/graph';
import { inferNode } from '../passes/infer-shapes';
import type { Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { opRow } from './table';

const ints = (...values: number[]) => Tensor.fromNumbers('int32', [values.length], values);
const int = (value: number) => Tensor.scalar('int32', value);
const floats = (shape: number[]) =>
  Tensor.fromArray('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
const window = (name: string, ...sizes: number[]) => ({ [name]: attr.ints(sizes) });
const valid = { ...window('strides', 1, 1, 1, 1), padding: attr.string('VALID') };

function node(op: string, attrs: Record<string, Attr>): Node {
  const made = new Node('n', op);
  for (const [name, value] of Object.entries(attrs)) made.set(name, value);
  return made;
}

const runs: [string, string, Tensor[], Record<string, Attr>?][] = [
  ['Reshape', 'another number of elements', [floats([4]), ints(3)]],
  ['Reshape', 'two open sizes', [floats([4]), ints(-1, -1)]],
  ['Transpose', 'an axis twice', [floats([2, 2]), ints(0, 0)]],
  ['ConcatV2', 'other dimensions that differ', [floats([2, 1]), floats([3, 1]), int(1)]],
  ['Split', 'a size that does not divide', [int(0), floats([3])], { num_split: attr.int(2) }],
  ['SplitV', 'sizes that do not add up', [floats([3]), ints(1, 1), int(0)], { num_split: attr.int(2) }],
  ['Slice', 'an end beyond the tensor', [floats([3]), ints(2), ints(2)]],
  [
    'StridedSlice',
    'an index beyond the tensor',
    [floats([3]), ints(3), ints(4), ints(1)],
    { shrink_axis_mask: attr.int(1) },
  ],
  ['StridedSlice', 'a stride of zero', [floats([3]), ints(0), ints(2), ints(0)]],
  [
    'MirrorPad',
    'more padding than there is to mirror',
    [floats([2]), Tensor.fromNumbers('int32', [1, 2], [2, 0])],
    { mode: attr.string('REFLECT') },
  ],
  ['Gather', 'an index beyond the tensor', [floats([3]), ints(3)]],
  ['GatherNd', 'a negative index', [floats([3]), Tensor.fromNumbers('int32', [1, 1], [-1])]],
  ['ScatterNd', 'updates of another shape', [Tensor.fromNumbers('int32', [1, 1], [0]), floats([2]), ints(3)]],
  [
    'DynamicPartition',
    'a partition that does not exist',
    [floats([1]), ints(2)],
    { num_partitions: attr.int(2) },
  ],
  ['SegmentSum', 'ids that are not sorted', [floats([2]), ints(1, 0)]],
  ['UnsortedSegmentSum', 'an id beyond the segments', [floats([1]), ints(2), int(2)]],
  [
    'SparseToDense',
    'an index twice',
    [ints(1, 1), ints(3), floats([2]), floats([])],
    { validate_indices: attr.bool(true) },
  ],
  ['Fill', 'a negative size', [ints(-1), floats([])]],
  ['Range', 'the wrong direction', [int(0), int(3), int(-1)]],
  ['BroadcastTo', 'shapes that do not broadcast', [floats([2]), ints(3)]],
  ['TopKV2', 'more than there are', [floats([2]), int(3)]],
  ['Conv2D', 'filters of another depth', [floats([1, 3, 3, 3]), floats([1, 1, 2, 4])], valid],
  ['Conv2D', 'a window larger than the image', [floats([1, 2, 2, 1]), floats([4, 4, 1, 1])], valid],
  [
    'CropAndResize',
    'an image that does not exist',
    [floats([1, 2, 2, 1]), floats([1, 4]), ints(1), ints(1, 1)],
  ],
  ['SparseSoftmaxCrossEntropyWithLogits', 'a label without a class', [floats([1, 2]), ints(2)]],
  [
    'CheckNumerics',
    'an infinity',
    [Tensor.fromNumbers('float32', [1], [Infinity])],
    { message: attr.string('') },
  ],
];

test.each(runs)('%s does not run with %s', (op, _why, inputs, attrs = {}) => {
  expect(() => opRow(op)!.evaluate!(inputs, node(op, attrs))).toThrow(RangeError);
});

const shapes: [string, string, (Shape | Tensor)[], Record<string, Attr>?][] = [
  ['Reshape', 'another number of elements', [[4], ints(3)]],
  ['Transpose', 'a permutation of another rank', [[2, 3], ints(0)]],
  ['ConcatV2', 'other dimensions that differ', [[2, 1], [3, 1], int(1)]],
  ['Pack', 'tensors of different shapes', [[2], [3]], { N: attr.int(2), axis: attr.int(0) }],
  ['Squeeze', 'an axis that is not 1', [[2, 3]], { squeeze_dims: attr.ints([1]) }],
  ['GatherNd', 'indices deeper than the tensor', [[3], [1, 2]]],
  [
    'Conv2D',
    'filters of another depth',
    [
      [1, 3, 3, 3],
      [1, 1, 2, 4],
    ],
    valid,
  ],
  ['MaxPool', 'an image of rank 3', [[3, 3, 1]], { ...valid, ...window('ksize', 1, 2, 2, 1) }],
  [
    'FusedBatchNormV3',
    'a scale of another length',
    [[1, 2, 2, 3], [4], [3], [3], [3]],
    { is_training: attr.bool(false) },
  ],
  ['ResizeBilinear', 'a size of three numbers', [[1, 2, 2, 1], ints(1, 2, 3)]],
  ['BroadcastTo', 'shapes that do not broadcast', [[2], ints(3)]],
];

test.each(shapes)('%s is contradicted by %s', (op, _why, inputs, attrs = {}) => {
  const graph = new Graph();
  const made = graph.add('n', op, [], attrs);
  made.inputs = inputs.map((input) => {
    if (input instanceof Tensor) return graph.addConst('c', input).output();
    const value = graph.add('x', 'Placeholder', [], { dtype: attr.type('float32') }).output();
    [value.shape, value.dtype] = [input, 'float32'];
    return value;
  });
  const diagnostics = new Diagnostics();
  inferNode(made, diagnostics);
  expect(diagnostics.list.map((d) => d.code)).toEqual(['G012']);
});
