/** Shape arithmetic with elements of which only some are known: what the fixtures, all constants, cannot show. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { Graph } from '../graph/graph';
import { inferNode } from '../passes/infer-shapes';
import type { DType } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import type { Dim } from '../tensor/shape';

type Input = Dim[] | Dim | Tensor;

/** Known elements (and shape) that an op's output has when its integer inputs have these. */
function inferred(op: string, inputs: Input[], attrs: Record<string, Attr> = {}, dtype: DType = 'int32') {
  const graph = new Graph();
  const values = inputs.map((input, i) => {
    if (input instanceof Tensor) return graph.addConst(`c${i}`, input).output();
    const value = graph.add(`x${i}`, 'Placeholder').output();
    value.dtype = dtype;
    value.shape = Array.isArray(input) ? [input.length] : [];
    value.partial = Array.isArray(input) ? input : [input];
    return value;
  });
  const node = graph.add('y', op, values, { T: attr.type(dtype), ...attrs });
  const diagnostics = new Diagnostics();
  inferNode(node, diagnostics);
  expect(diagnostics.list).toEqual([]);
  return node.output().partial;
}

const axis = Tensor.fromNumbers('int32', [1], [0]);

test.each<[string, Input[], Dim[]]>([
  ['AddV2', [[1, null, 3], 2], [3, null, 5]],
  ['Sub', [7, [null, 2]], [null, 5]],
  [
    'Mul',
    [
      [null, null, 4],
      [0, 2, 3],
    ],
    [0, null, 12],
  ],
  ['FloorDiv', [[7, -7, null], 2], [3, -4, null]],
  [
    'FloorDiv',
    [
      [7, 4],
      [0, 2],
    ],
    [null, 2],
  ],
  ['TruncateDiv', [[7, -7], 2], [3, -3]],
  [
    'FloorMod',
    [
      [7, -7],
      [4, 4],
    ],
    [3, 1],
  ],
  ['Maximum', [[null, 4], 3], [null, 4]],
  ['Minimum', [[5, 1], 3], [3, 1]],
  ['Neg', [[1, null]], [-1, null]],
  [
    'AddN',
    [
      [1, null],
      [2, 3],
    ],
    [3, null],
  ],
  ['Prod', [[2, 3, 4], axis], [24]],
  ['Prod', [[null, 3, 0], axis], [0]],
  ['Prod', [[null, 3], axis], [null]],
  ['Sum', [[2, 3], axis], [5]],
  ['Max', [[2, 3], axis], [3]],
  ['Min', [[2, null], axis], [null]],
  ['Less', [[1, null, 5], 3], [1, null, 0]],
])('%s of %p', (op, inputs, want) => {
  expect(inferred(op, inputs)).toEqual(want);
});

test('results that int32 cannot hold are not known', () => {
  expect(inferred('Mul', [[2 ** 30, 3], 4])).toEqual([null, 12]);
  expect(inferred('Mul', [[2 ** 30, 3], 4], {}, 'int64')).toEqual([2 ** 32, 12]);
  expect(inferred('Prod', [[2 ** 30, 4], axis])).toEqual([null]);
});

test('a choice is known where its condition is, or where both sides agree', () => {
  const condition = Tensor.fromNumbers('bool', [2], [1, 0]);
  expect(inferred('Select', [condition, [1, 2], [null, 4]])).toEqual([1, 4]);
  expect(
    inferred('SelectV2', [
      [null, null],
      [1, 2],
      [1, 4],
    ]),
  ).toEqual([1, null]);
  expect(inferred('SelectV2', [[1, 0], 5, [6, null]])).toEqual([5, null]);
});

test('casts between integer dtypes keep elements', () => {
  const to = (dtype: DType) => ({ SrcT: attr.type('int32'), DstT: attr.type(dtype) });
  expect(inferred('Cast', [[1, null]], to('int64'))).toEqual([1, null]);
  expect(inferred('Cast', [[1, null]], to('float32'))).toBeUndefined();
  expect(inferred('Cast', [Tensor.fromNumbers('float32', [2], [1.5, -2])], to('int32'))).toEqual([1, -2]);
});
