/**
 * Every op on lists as ops on one tensor whose first axis counts the elements.
 *
 * Elements that nobody has set are zero, as in TensorFlow.
 */
import { attr, Tensor, type DType, type Graph, type Node, type Value } from '@floe/export-core';
import { product, range, reshape, sizeOf, type Size } from '../../dims';
import type { Rewriter } from '../../rewrite';
import { sameComputation } from './same-computation';
import type { ListClass } from './list-classes';

/** What a row works with. */
export interface ListContext {
  graph: Graph;
  node: Node;
  b: Rewriter;
  known: ListClass;
  /** The sizes of an element, computed where they are not known; undefined where nothing tells them. */
  sizes(): Size[] | undefined;
  /** True when the node sets the element behind the last one, in each iteration of its loop. */
  appends(): boolean;
}

export interface ListFault {
  fault: string;
}

/** The values in place of the node's outputs. */
export type ListRow = (context: ListContext) => Value[] | ListFault;

const UNKNOWN_SIZES: ListFault = { fault: 'the shape of its elements is not known before they are written' };

/** What DYNAMIC_UPDATE_SLICE moves. */
const UPDATED: ReadonlySet<DType> = new Set<DType>([
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float16',
]);

/** A vector of sizes for ops that take shapes. */
function shapeVector(b: Rewriter, sizes: readonly Size[]): Value {
  if (sizes.every((s) => typeof s === 'number')) return b.ints(sizes);
  return b.op(
    'Pack',
    sizes.map((s) => (typeof s === 'number' ? b.ints(s) : s)),
  );
}

/** `count` elements of zeros. */
function zeros({ b, known }: ListContext, count: Size, sizes: readonly Size[]): Value {
  const { dtype } = known;
  const zero = dtype === 'string' ? Tensor.fromStrings([], [new Uint8Array()]) : Tensor.scalar(dtype, 0);
  return b.op('Fill', [shapeVector(b, [count, ...sizes]), zero]);
}

/** A scalar operand as a size. */
function sizeIn(value: Value): Size {
  const constant = value.node.constant;
  return constant ? constant.at(0) : value;
}

function reserve(c: ListContext, count: Size): Value[] | ListFault {
  const sizes = c.sizes();
  return sizes ? [zeros(c, sum(c.b, count, c.known.lead), sizes)] : UNKNOWN_SIZES;
}

/** The elements of a list, without those that stand before them. */
function content({ b, known }: ListContext, list: Value): Value {
  return known.lead ? elements(b, list, known.lead, -1) : list;
}

/** A list of elements. */
function listOf(c: ListContext, tensor: Value): Value[] | ListFault {
  const sizes = tensor.shape?.slice(1).map((_, i) => sizeOf(c.b, tensor, i + 1));
  if (!c.known.lead) return [tensor];
  return sizes ? [concat(c.b, [zeros(c, c.known.lead, sizes), tensor])] : UNKNOWN_SIZES;
}

function lengthOf({ b, known }: ListContext, list: Value): Size {
  return sum(b, sizeOf(b, list, 0), -known.lead);
}

/** The item as a list of one element. */
function single(b: Rewriter, item: Value): Value {
  return b.op('ExpandDims', [item, 0]);
}

function concat(b: Rewriter, parts: readonly Value[]): Value {
  if (parts.length === 1) return parts[0];
  return b.op('ConcatV2', [...parts, b.ints(0)], {
    N: attr.int(parts.length),
    T: attr.type(parts[0].dtype ?? 'float32'),
  });
}

/** `count` elements from `begin` on; −1 for all that follow. */
function elements(b: Rewriter, list: Value, begin: Size, count: Size): Value {
  const rank = list.shape?.length ?? 1;
  const rest = range(rank - 1);
  const start = shapeVector(b, [begin, ...rest.map(() => 0)]);
  return b.op('Slice', [list, start, shapeVector(b, [count, ...rest.map(() => -1)])]);
}

const minimum = (b: Rewriter, x: Size, y: Size): Size =>
  typeof x === 'number' && typeof y === 'number'
    ? Math.min(x, y)
    : b.op('Minimum', [asValue(b, x), asValue(b, y)]);
const difference = (b: Rewriter, x: Size, y: Size): Size =>
  typeof x === 'number' && typeof y === 'number' ? x - y : b.op('Sub', [asValue(b, x), asValue(b, y)]);
const sum = (b: Rewriter, x: Size, y: number): Size => {
  if (y === 0) return x;
  return typeof x === 'number' ? x + y : b.op('AddV2', [x, b.ints(y)]);
};
const asValue = (b: Rewriter, x: Size): Value => (typeof x === 'number' ? b.ints(x) : x);
const atLeastZero = (b: Rewriter, x: Size): Size =>
  typeof x === 'number' ? Math.max(x, 0) : b.op('Maximum', [x, b.ints(0)]);

function setItem(c: ListContext): Value[] | ListFault {
  const { b, node } = c;
  const [list, indexValue, item] = node.inputs;
  const index = sum(b, sizeIn(indexValue), c.known.lead);
  const update = single(b, item);
  if (node.bool('resize_if_index_out_of_bounds')) return growing(c, list, index, update);
  if (list.shape?.[0] === 1) return [update];
  if (UPDATED.has(c.known.dtype)) {
    const start = shapeVector(b, [index, ...range((list.shape?.length ?? 1) - 1).map(() => 0)]);
    const updated = b.op('XlaDynamicUpdateSlice', [list, update, start], { Tindices: attr.type('int32') });
    Object.assign(updated, { dtype: list.dtype, shape: list.shape });
    return [updated];
  }
  const parts = index === 0 ? [] : [elements(b, list, 0, index)];
  const isLast = typeof index === 'number' && list.shape?.[0] === index + 1;
  const after = isLast ? [] : [elements(b, list, sum(b, index, 1), -1)];
  const result = concat(b, [...parts, update, ...after]);
  result.shape = list.shape;
  return [result];
}

/** Set where the list may be too short: zeros fill the gap, mostly of no elements. */
function growing(c: ListContext, list: Value, index: Size, update: Value): Value[] | ListFault {
  const { b } = c;
  if (c.appends()) return [concat(b, [list, update])];
  const sizes = list.shape?.slice(1).map((_, i) => sizeOf(b, update, i + 1));
  if (!sizes) return UNKNOWN_SIZES;
  const length = sizeOf(b, list, 0);
  const before = elements(b, list, 0, minimum(b, index, length));
  const gap = zeros(c, atLeastZero(b, difference(b, index, length)), sizes);
  const after = elements(b, list, minimum(b, sum(b, index, 1), length), -1);
  return [concat(b, [before, gap, update, after])];
}

function resize(c: ListContext): Value[] | ListFault {
  const { b, node } = c;
  const [list, sizeValue] = node.inputs;
  const size = sum(b, sizeIn(sizeValue), c.known.lead);
  const length = sizeOf(b, list, 0);
  if (typeof size === 'number' && typeof length === 'number' && size <= length)
    return [size === length ? list : elements(b, list, 0, size)];
  const sizes = list.shape?.slice(1).map((_, i) => sizeOf(b, list, i + 1));
  if (!sizes) return UNKNOWN_SIZES;
  const kept =
    typeof size === 'number' && typeof length === 'number'
      ? list
      : elements(b, list, 0, minimum(b, size, length));
  return [concat(b, [kept, zeros(c, atLeastZero(b, difference(b, size, length)), sizes)])];
}

/** True when the indices are 0, 1, 2, … to the end of `list`. */
function allInOrder(list: Value, indices: Value, known: ListClass): boolean {
  const size = list.shape?.[0];
  const length = typeof size === 'number' ? size - known.lead : undefined;
  const numbers = indices.node.constant?.toNumbers() ?? indices.partial;
  if (numbers) return numbers.length === length && numbers.every((n, i) => n === i);
  const { node } = indices;
  if (node.op !== 'Range' || node.inputs[0].node.constant?.at(0) !== 0) return false;
  if (node.inputs[2].node.constant?.at(0) !== 1) return false;
  const limit = node.inputs[1];
  if (length !== undefined) return limit.node.constant?.at(0) === length;
  return [...known.lengths].some(
    ([n, of]) => (known.keepsLength || of === list) && sameComputation(n, limit),
  );
}

function gather(c: ListContext): Value[] {
  const [list, indices] = c.node.inputs;
  if (allInOrder(list, indices, c.known)) return [content(c, list)];
  return [c.b.op('GatherV2', [list, shifted(c, indices), 0])];
}

/** Indices of elements as they stand in the tensor. */
function shifted({ b, known }: ListContext, indices: Value): Value {
  return known.lead ? b.op('AddV2', [indices, known.lead]) : indices;
}

/** Rows of a tensor put at indices of a list of zeros. */
function scatter(c: ListContext): Value[] | ListFault {
  const { b, node } = c;
  const [tensor, indices] = node.inputs;
  const numbers = indices.node.constant?.toNumbers() ?? indices.partial;
  const asked = node.op === 'TensorListScatterV2' ? sizeIn(node.inputs[3]) : -1;
  const count = asked === -1 ? numbers && Math.max(...numbers.map((n) => n ?? NaN)) + 1 : asked;
  if (count === undefined || Number.isNaN(count))
    return { fault: 'how many elements it has depends on its indices' };
  if (numbers?.every((n, i) => n === i) && numbers.length === count) return listOf(c, tensor);
  const sizes = tensor.shape?.slice(1).map((_, i) => sizeOf(b, tensor, i + 1));
  if (!sizes) return UNKNOWN_SIZES;
  return listOf(c, b.op('ScatterNd', [column(b, indices), tensor, shapeVector(b, [count, ...sizes])]));
}

function scatterInto(c: ListContext): Value[] | ListFault {
  const { b, node, known } = c;
  const [list, tensor, indices] = node.inputs;
  if (allInOrder(list, indices, known)) return listOf(c, tensor);
  return [b.op('TensorScatterUpdate', [list, column(b, shifted(c, indices)), tensor])];
}

/** Indices into the first axis, as the scattering ops take them. */
function column(b: Rewriter, indices: Value): Value {
  return b.op('ExpandDims', [indices, -1]);
}

/** Elements one after the other along their first axis, and how long each is. */
function concatenated(c: ListContext): Value[] | ListFault {
  const { b, node } = c;
  const list = content(c, node.inputs[0]);
  if (!list.shape || list.shape.length < 2) return { fault: 'its elements have no axis to join them along' };
  const sizes = list.shape.map((_, i) => sizeOf(b, list, i));
  const [count, length, ...rest] = sizes;
  const tensor = reshape(b, list, [product(b, [count, length]), ...rest]);
  const each = b.cast(asValue(b, length), 'int64');
  return [tensor, b.op('Fill', [shapeVector(b, [count]), each])];
}

function split(c: ListContext): Value[] | ListFault {
  const { b, node, known } = c;
  const [tensor, , lengths] = node.inputs;
  const numbers = lengths.node.constant?.toNumbers();
  if (!numbers?.length || numbers.some((n) => n !== numbers[0]))
    return { fault: 'its elements have different lengths, or lengths that only a run tells' };
  if (!tensor.shape || !known.element) return UNKNOWN_SIZES;
  const rest = tensor.shape.slice(1).map((_, i) => sizeOf(b, tensor, i + 1));
  return listOf(c, reshape(b, tensor, [numbers.length, numbers[0], ...rest]));
}

function popBack({ b, node }: ListContext): Value[] {
  const [list] = node.inputs;
  const last = difference(b, sizeOf(b, list, 0), 1);
  return [elements(b, list, 0, last), b.op('GatherV2', [list, asValue(b, last), 0])];
}

export const LIST_ROWS: Record<string, ListRow> = {
  EmptyTensorList: (c) => reserve(c, 0),
  TensorListReserve: (c) => reserve(c, sizeIn(c.node.inputs[1])),
  TensorListFromTensor: (c) => listOf(c, c.node.inputs[0]),
  TensorListScatter: scatter,
  TensorListScatterV2: scatter,
  TensorListScatterIntoExistingList: scatterInto,
  TensorListSplit: split,
  TensorListPushBack: ({ b, node }) => [concat(b, [node.inputs[0], single(b, node.inputs[1])])],
  TensorListPopBack: popBack,
  TensorListSetItem: setItem,
  TensorListResize: resize,
  TensorListConcatLists: (c) => [concat(c.b, [c.node.inputs[0], content(c, c.node.inputs[1])])],
  TensorListGetItem: (c) => [c.b.op('GatherV2', [c.node.inputs[0], shifted(c, c.node.inputs[1]), 0])],
  TensorListStack: (c) => [content(c, c.node.inputs[0])],
  TensorListGather: gather,
  TensorListConcat: concatenated,
  TensorListConcatV2: concatenated,
  TensorListLength: (c) => [asValue(c.b, lengthOf(c, c.node.inputs[0]))],
  TensorListElementShape: ({ b, node }) => {
    const [list] = node.inputs;
    const shape = shapeVector(
      b,
      range((list.shape?.length ?? 1) - 1).map((i) => sizeOf(b, list, i + 1)),
    );
    return [b.cast(shape, node.type('shape_type'))];
  },
};
