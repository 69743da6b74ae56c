/** Inference across several nodes: what no single node's fixture can show. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { attr, type Attr } from '../graph/attr';
import { Graph, type Value } from '../graph/graph';
import { inferShapes } from '../passes/infer-shapes';
import type { DType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';

/** A graph under construction; `shapes` infers it and tells the outputs of the last node. */
class Builder {
  readonly graph = new Graph();

  input(shape: Shape, dtype: DType = 'float32'): Value {
    return this.graph
      .add('x', 'Placeholder', [], { dtype: attr.type(dtype), shape: attr.shape(shape) })
      .output();
  }
  ints(shape: number[], ...values: number[]): Value {
    return this.graph.addConst('c', Tensor.fromNumbers('int32', shape, values)).output();
  }
  vector(...values: number[]): Value {
    return this.ints([values.length], ...values);
  }
  op(op: string, inputs: Value[], attrs: Record<string, Attr> = {}): Value {
    return this.graph.add(op, op, inputs, attrs).output();
  }
  /** `value[index]` as TensorFlow writes it. */
  item(value: Value, index: number): Value {
    const bounds = [this.vector(index), this.vector(index + 1), this.vector(1)];
    return this.op('StridedSlice', [value, ...bounds], {
      T: attr.type('int32'),
      Index: attr.type('int32'),
      shrink_axis_mask: attr.int(1),
    });
  }
  shapeOf(x: Value): Value {
    return this.op('Shape', [x], { T: attr.type('float32') });
  }
  pack(...values: Value[]): Value {
    return this.op('Pack', values, { N: attr.int(values.length), T: attr.type('int32') });
  }
  reshape(x: Value, shape: Value): Value {
    return this.op('Reshape', [x, shape], { T: attr.type('float32') });
  }
  infer(): this {
    const diagnostics = new Diagnostics();
    inferShapes(this.graph, diagnostics);
    expect(diagnostics.list).toEqual([]);
    return this;
  }
}

const float = { T: attr.type('float32') };

describe('sizes that are not known', () => {
  test('a batch taken from the shape stays unknown, what is known stays known', () => {
    const b = new Builder();
    const x = b.input([null, 7, 7]);
    const y = b.reshape(x, b.pack(b.item(b.shapeOf(x), 0), b.ints([], 49)));
    b.infer();
    expect(y.shape).toEqual([null, 49]);
  });

  test('flattening: -1 beside the unknown batch of the same tensor is the rest', () => {
    const b = new Builder();
    const x = b.input([null, 3, 3, 8]);
    const same = b.op('Identity', [x], float);
    const y = b.reshape(x, b.pack(b.item(b.shapeOf(same), 0), b.ints([], -1)));
    b.infer();
    expect(y.shape).toEqual([null, 72]);
  });

  test('-1 beside the batch of another tensor is not known', () => {
    const b = new Builder();
    const x = b.input([null, 3, 8]);
    const y = b.reshape(x, b.pack(b.item(b.shapeOf(b.input([null])), 0), b.ints([], -1)));
    b.infer();
    expect(y.shape).toEqual([null, null]);
  });

  test('sizes are followed through gathers and concatenations', () => {
    const b = new Builder();
    const x = b.input([null, null, 6, 4]);
    const picked = b.op('GatherV2', [b.shapeOf(x), b.vector(0, 1), b.ints([], 0)], {
      Tparams: attr.type('int32'),
      Tindices: attr.type('int32'),
      Taxis: attr.type('int32'),
    });
    const shape = b.op('ConcatV2', [picked, b.vector(-1), b.ints([], 0)], {
      N: attr.int(2),
      T: attr.type('int32'),
    });
    const y = b.reshape(x, shape);
    b.infer();
    expect(y.shape).toEqual([null, null, 24]);
  });

  test('shape arithmetic reaches Fill, Tile and Conv2DBackpropInput', () => {
    const b = new Builder();
    const x = b.input([null, 5]);
    const batch = b.item(b.shapeOf(x), 0);
    const fill = b.op(
      'Fill',
      [b.pack(batch, b.ints([], 3)), b.graph.addConst('v', Tensor.scalar('float32', 0)).output()],
      float,
    );
    const tile = b.op('Tile', [x, b.pack(batch, b.ints([], 2))], float);
    const gradient = b.input([null, 4, 4, 2]);
    const filter = b.input([2, 2, 3, 2]);
    const sizes = b.pack(b.item(b.shapeOf(gradient), 0), b.ints([], 8), b.ints([], 8), b.ints([], 3));
    const back = b.op('Conv2DBackpropInput', [sizes, filter, gradient], {
      ...float,
      strides: attr.ints([1, 2, 2, 1]),
      padding: attr.string('SAME'),
    });
    b.infer();
    expect([fill.shape, tile.shape, back.shape]).toEqual([
      [null, 3],
      [null, 10],
      [null, 8, 8, 3],
    ]);
  });
});

describe('lists of tensors', () => {
  const list = { element_dtype: attr.type('float32'), shape_type: attr.type('int32') };

  test('elements and length are known from where the list is made', () => {
    const b = new Builder();
    const empty = b.op('TensorListReserve', [b.vector(-1, 4), b.ints([], 5)], list);
    const set = b.op('TensorListSetItem', [empty, b.ints([], 0), b.input([2, 4])], {
      element_dtype: list.element_dtype,
    });
    const anything = b.ints([], -1);
    const stack = b.op('TensorListStack', [set, anything], {
      element_dtype: list.element_dtype,
      num_elements: attr.int(-1),
    });
    const item = b.op('TensorListGetItem', [set, b.ints([], 1), anything], {
      element_dtype: list.element_dtype,
    });
    const length = b.op('TensorListLength', [set]);
    b.infer();
    expect([stack.shape, item.shape, length.partial]).toEqual([[5, 2, 4], [2, 4], [5]]);
  });

  test('pushing and popping change the length', () => {
    const b = new Builder();
    const tensor = b.op('TensorListFromTensor', [b.input([3, 2]), b.vector(2)], list);
    const pushed = b.op('TensorListPushBack', [tensor, b.input([2])], { element_dtype: list.element_dtype });
    const popped = b.op('TensorListPopBack', [pushed, b.ints([], -1)], { element_dtype: list.element_dtype });
    const stack = (of: Value) =>
      b.op('TensorListStack', [of, b.ints([], -1)], {
        element_dtype: list.element_dtype,
        num_elements: attr.int(-1),
      });
    const [four, three] = [stack(pushed), stack(popped)];
    b.infer();
    expect([four.shape, three.shape, popped.node.output(1).shape]).toEqual([[4, 2], [3, 2], [2]]);
  });

  test('a resized list has no known length', () => {
    const b = new Builder();
    const made = b.op('TensorListReserve', [b.vector(4), b.ints([], 5)], list);
    const resized = b.op('TensorListResize', [made, b.ints([], 2)]);
    const stack = b.op('TensorListStack', [resized, b.vector(4)], {
      element_dtype: list.element_dtype,
      num_elements: attr.int(-1),
    });
    b.infer();
    expect(stack.shape).toEqual([null, 4]);
  });

  test('a TensorArray tells its element shape through Enter', () => {
    const b = new Builder();
    const array = b.op('TensorArrayV3', [b.ints([], 3)], {
      dtype: attr.type('float32'),
      element_shape: attr.shape([2, null]),
    });
    const inside = b.op('Enter', [array], { T: attr.type('resource'), frame_name: attr.string('f') });
    const read = b.op('TensorArrayReadV3', [inside, b.ints([], 0), array.node.output(1)], {
      dtype: attr.type('float32'),
    });
    const all = b.op('TensorArrayGatherV3', [inside, b.vector(0, 1, 2), array.node.output(1)], {
      dtype: attr.type('float32'),
    });
    b.infer();
    expect([array.shape, array.node.output(1).shape, read.shape, all.shape]).toEqual([
      [2],
      [],
      [2, null],
      [3, 2, null],
    ]);
  });
});

describe('state', () => {
  test('a variable is read, gathered from and measured by its handle', () => {
    const b = new Builder();
    const handle = b.op('VarHandleOp', [], { dtype: attr.type('float32'), shape: attr.shape([10, 4]) });
    const read = b.op('ReadVariableOp', [handle], { dtype: attr.type('float32') });
    const rows = b.op('ResourceGather', [handle, b.vector(1, 2, 3)], {
      dtype: attr.type('float32'),
      Tindices: attr.type('int32'),
    });
    const shape = b.op('VariableShape', [handle]);
    b.infer();
    expect([handle.shape, read.shape, rows.shape, shape.partial]).toEqual([[], [10, 4], [3, 4], [10, 4]]);
  });

  test('a lookup has the shape of its keys', () => {
    const b = new Builder();
    const types = { key_dtype: attr.type('string'), value_dtype: attr.type('int64') };
    const found = b.op(
      'LookupTableFindV2',
      [b.op('HashTableV2', [], types), b.input([null, 3], 'string'), b.ints([], 0)],
      { Tin: attr.type('string'), Tout: attr.type('int64') },
    );
    b.infer();
    expect(found.shape).toEqual([null, 3]);
  });

  test('examples are parsed into a batch of dense tensors and sparse triples', () => {
    const b = new Builder();
    const strings = (n: number) =>
      b.graph
        .addConst('s', Tensor.fromStrings([n], new Array<Uint8Array>(n).fill(Buffer.from('k'))))
        .output();
    const fallback = b.graph.addConst('d', Tensor.fromNumbers('float32', [2], [0, 0])).output();
    const parsed = b.op(
      'ParseExampleV2',
      [b.input([null], 'string'), strings(0), strings(1), strings(1), strings(0), fallback],
      {
        num_sparse: attr.int(1),
        Tdense: attr.types(['float32']),
        sparse_types: attr.types(['int64']),
        ragged_value_types: attr.types([]),
        ragged_split_types: attr.types([]),
        dense_shapes: { kind: 'list', value: [attr.shape([2])] },
      },
    );
    b.infer();
    const shapes = [0, 1, 2, 3].map((i) => parsed.node.output(i).shape);
    expect(shapes).toEqual([[null, 2], [null], [2], [null, 2]]);
    expect(parsed.node.output(3).dtype).toBe('float32');
  });
});

describe('control flow', () => {
  test('branches have the shape of what is switched, a merge what they share', () => {
    const b = new Builder();
    const chosen = b.op('Switch', [b.input([2, 3]), b.input([], 'bool')], float);
    const other = b.reshape(chosen.node.output(1), b.vector(3, 2));
    const merged = b.op('Merge', [chosen, chosen.node.output(1)], { ...float, N: attr.int(2) });
    const mixed = b.op('Merge', [chosen, other], { ...float, N: attr.int(2) });
    b.infer();
    expect([chosen.shape, chosen.node.output(1).shape]).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect([merged.shape, merged.node.output(1).shape, mixed.shape]).toEqual([[2, 3], [], [null, null]]);
  });

  test('nothing known passes a switch: its consumers may be in a loop', () => {
    const b = new Builder();
    const size = b.shapeOf(b.input([2, 3]));
    const chosen = b.op('Switch', [size, b.input([], 'bool')], { T: attr.type('int32') });
    b.infer();
    expect([size.partial, chosen.partial]).toEqual([[2, 3], undefined]);
  });

  test('If gives the shapes it announces', () => {
    const b = new Builder();
    const result = b.op('If', [b.input([], 'bool'), b.input([4])], {
      Tcond: attr.type('bool'),
      Tin: attr.types(['float32']),
      Tout: attr.types(['float32', 'int32']),
      then_branch: attr.func('a'),
      else_branch: attr.func('b'),
      output_shapes: { kind: 'list', value: [attr.shape([4]), attr.shape(null)] },
    });
    b.infer();
    expect([result.shape, result.node.output(1).shape]).toEqual([[4], null]);
  });
});
