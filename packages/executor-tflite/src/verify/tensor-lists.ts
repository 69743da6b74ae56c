/** TensorList ops on lists in memory: how functional loops collect what they compute. */
import { dtypeSize, elementCount, Tensor, type DType, type Node } from '@floe/export-core';
import { CannotRun } from './cannot-run';

export interface TensorList {
  readonly dtype: DType;
  /** Sizes of every element, as far as they were given; negative where unknown, undefined for any rank. */
  readonly elementShape: readonly number[] | undefined;
  /** Undefined where nothing was stored yet. */
  readonly items: readonly (Tensor | undefined)[];
}

export function isTensorList(value: unknown): value is TensorList {
  return typeof value === 'object' && value !== null && 'items' in value;
}

type ListOp = (node: Node, inputs: (Tensor | TensorList)[]) => (Tensor | TensorList)[];

export const listOps: Readonly<Record<string, ListOp | undefined>> = {
  EmptyTensorList: (node, [shape]) => [empty(node, shape, 0)],
  TensorListReserve: (node, [shape, count]) => [empty(node, shape, tensor(count).at(0))],
  TensorListFromTensor: (_, [all, shape]) => {
    const value = tensor(all);
    const items = Array.from({ length: value.shape[0] }, (_, i) => row(value, i));
    return [{ dtype: value.dtype, elementShape: shapeOf(shape), items }];
  },
  TensorListStack: (_, [list, shape]) => [stack(listOf(list), shapeOf(shape))],
  TensorListGather: (_, [list, indices, shape]) => {
    const { items, ...rest } = listOf(list);
    const picked = tensor(indices)
      .toNumbers()
      .map((i) => items[i]);
    return [stack({ ...rest, items: picked }, shapeOf(shape))];
  },
  TensorListGetItem: (node, [list, index, shape]) => {
    const from = listOf(list);
    const i = tensor(index).at(0);
    if (i < 0 || i >= from.items.length)
      throw new CannotRun(`"${node.name}" reads element ${i} of a list of ${from.items.length}`);
    return [from.items[i] ?? zeros(from, shapeOf(shape))];
  },
  TensorListSetItem: (node, [list, index, item]) => {
    const { items, ...rest } = listOf(list);
    const i = tensor(index).at(0);
    if (i < 0) throw new CannotRun(`"${node.name}" writes element ${i} of a list`);
    const next = [...items];
    next[i] = tensor(item);
    return [{ ...rest, items: Array.from(next) }];
  },
  TensorListPushBack: (_, [list, item]) => {
    const { items, ...rest } = listOf(list);
    return [{ ...rest, items: [...items, tensor(item)] }];
  },
  TensorListPopBack: (node, [list, shape]) => {
    const from = listOf(list);
    if (!from.items.length) throw new CannotRun(`"${node.name}" takes an element of an empty list`);
    return [{ ...from, items: from.items.slice(0, -1) }, from.items.at(-1) ?? zeros(from, shapeOf(shape))];
  },
  TensorListLength: (_, [list]) => [Tensor.scalar('int32', listOf(list).items.length)],
  TensorListResize: (_, [list, size]) => {
    const { items, ...rest } = listOf(list);
    return [{ ...rest, items: Array.from({ length: tensor(size).at(0) }, (_, i) => items[i]) }];
  },
  TensorListElementShape: (node, [list]) => {
    const shape = listOf(list).elementShape;
    const dtype = node.type('shape_type');
    return [shape ? Tensor.fromNumbers(dtype, [shape.length], [...shape]) : Tensor.scalar(dtype, -1)];
  },
};

function empty(node: Node, shape: Tensor | TensorList, count: number): TensorList {
  const items = new Array<Tensor | undefined>(count).fill(undefined);
  return { dtype: node.type('element_dtype'), elementShape: shapeOf(shape), items };
}

function tensor(value: Tensor | TensorList): Tensor {
  if (value instanceof Tensor) return value;
  throw new CannotRun('a list stands where a tensor is read');
}

function listOf(value: Tensor | TensorList): TensorList {
  if (isTensorList(value)) return value;
  throw new CannotRun('a tensor stands where a list is read');
}

/** A shape given as a tensor; a scalar -1 means any rank. */
function shapeOf(value: Tensor | TensorList): number[] | undefined {
  const shape = tensor(value);
  return shape.shape.length === 0 ? undefined : shape.toNumbers();
}

function row(all: Tensor, i: number): Tensor {
  if (all.dtype === 'string') throw new CannotRun('a list of strings is not evaluated');
  const shape = all.shape.slice(1);
  const size = elementCount(shape) * dtypeSize(all.dtype);
  return Tensor.fromBytes(all.dtype, shape, all.bytes.subarray(i * size, (i + 1) * size));
}

function stack(list: TensorList, shape: readonly number[] | undefined): Tensor {
  const items = list.items.map((item) => item ?? zeros(list, shape));
  const each = items[0]?.shape ?? known(list.elementShape, shape);
  if (list.dtype === 'string') throw new CannotRun('a list of strings is not evaluated');
  const bytes = Buffer.concat(items.map((t) => t.bytes));
  return Tensor.fromBytes(list.dtype, [items.length, ...each], bytes);
}

/** What an element is before it was written, where its shape is known. */
function zeros(list: TensorList, shape: readonly number[] | undefined): Tensor {
  const sizes = list.items.find((t) => t)?.shape ?? known(list.elementShape, shape);
  return Tensor.filled(list.dtype, sizes, new Uint8Array(dtypeSize(list.dtype)));
}

function known(...shapes: (readonly number[] | undefined)[]): readonly number[] {
  const shape = shapes.find((s) => s?.every((d) => d >= 0));
  if (!shape) throw new CannotRun('the shape of the elements of a list is not known');
  return shape;
}
