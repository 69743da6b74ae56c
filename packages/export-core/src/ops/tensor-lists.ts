/** Lists and arrays of tensors: what is known of their elements, followed from the op that makes a list. */
import type { InferContext, OpRow, OpTable } from './op-row';
import { always, lengthOf, out, shapeInput } from './kernels/shape-rules';
import { handleSource } from './state';
import type { Node, Value } from '../graph/graph';
import { mergeShapes, type Dim, type Shape } from '../tensor/shape';

/** Elements and length of a list as far as they are known. */
interface ListInfo {
  element: Shape;
  length: Dim;
}

const UNKNOWN: ListInfo = { element: null, length: null };

/** A shape that a value holds, a scalar standing for an unknown rank. */
function shapeIn(value: Value | undefined): Shape {
  const elements = value?.node.constant?.toNumbers() ?? value?.partial;
  if (!elements || value?.node.constant?.shape.length === 0 || value?.shape?.length === 0) return null;
  return elements.map((e) => (e === null || e < 0 ? null : e));
}

function numberIn(value: Value | undefined): Dim {
  const elements = value?.node.constant?.toNumbers() ?? value?.partial;
  return elements?.length === 1 ? elements[0] : null;
}

/** What is known of the list that `value` is, back to where it was made. Stops at loops and function bodies. */
function listInfo(value: Value | undefined): ListInfo {
  let element: Shape = null;
  let node: Node | undefined = value?.node;
  let growth: Dim = 0;
  for (let hops = 0; node && hops < 10000; hops++) {
    const { inputs } = node;
    const known: Shape =
      node.op.startsWith('EmptyTensorList') || node.op === 'TensorListReserve' ? shapeIn(inputs[0]) : null;
    switch (node.op) {
      case 'TensorListReserve':
        return { element: mergeShapes(known, element), length: add(numberIn(inputs[1]), growth) };
      case 'EmptyTensorList':
        return { element: mergeShapes(known, element), length: add(0, growth) };
      case 'TensorListFromTensor': {
        const shape = inputs[0]?.shape;
        return shape ? { element: shape.slice(1), length: add(shape[0], growth) } : { element, length: null };
      }
      case 'TensorListPushBack':
        growth = add(growth, 1);
        element = mergeShapes(element, inputs[1]?.shape ?? null);
        break;
      case 'TensorListPopBack':
        growth = add(growth, -1);
        break;
      case 'TensorListSetItem':
        element = mergeShapes(element, inputs[2]?.shape ?? null);
        break;
      case 'TensorListResize':
        growth = null;
        break;
      case 'Identity':
      case 'StopGradient':
        break;
      default:
        return { element, length: null };
    }
    node = inputs[0]?.node;
  }
  return UNKNOWN;
}

const add = (a: Dim, b: Dim): Dim => (a === null || b === null ? null : a + b);

/** The shape of one element: from input `i` of the op, and from the list in input 0. */
function elementShape(c: InferContext, i: number | null): Shape {
  const asked = i === null ? null : shapeInput(c, i);
  return mergeShapes(asked, listInfo(c.node.inputs[0]).element);
}

const behind = (first: Dim, element: Shape): Shape => element && [first, ...element];

const list: OpRow = { infer: always([]) };

const stack: OpRow = {
  infer: (c) => {
    const n = c.node.int('num_elements');
    return out(behind(n >= 0 ? n : listInfo(c.node.inputs[0]).length, elementShape(c, 1)));
  },
};

/** The shape of a TensorArray's elements: this node's attribute, or that of the node which made the array. */
function arrayElement(c: InferContext): Shape {
  const [own, source] = [c.node.attr('element_shape'), handleSource(c, 0)?.attr('element_shape')];
  return mergeShapes(
    own?.kind === 'shape' ? own.value : null,
    source?.kind === 'shape' ? source.value : null,
  );
}

const array: OpRow = { infer: always([2], []) };
const flow: OpRow = { infer: always([]) };
const readArray: OpRow = { infer: (c) => out(arrayElement(c)) };
const gatherArray: OpRow = { infer: (c) => out(behind(lengthOf(c, 1), arrayElement(c))) };
const concatArray: OpRow = {
  infer: (c) => {
    const rest = c.node.shape('element_shape_except0');
    return [{ shape: behind(null, rest) }, { shape: [null] }];
  },
};

const rows: OpTable = {
  EmptyTensorList: list,
  TensorListReserve: list,
  TensorListFromTensor: list,
  TensorListPushBack: list,
  TensorListPushBackBatch: { infer: (c) => out(c.shape(0)) },
  TensorListSetItem: list,
  TensorListResize: list,
  TensorListScatter: list,
  TensorListScatterV2: list,
  TensorListScatterIntoExistingList: list,
  TensorListSplit: list,
  TensorListConcatLists: { infer: (c) => out(c.shape(0)) },
  TensorListLength: { infer: (c) => out([], [listInfo(c.node.inputs[0]).length]) },
  TensorListElementShape: {
    infer: (c) => {
      const element = elementShape(c, null);
      return element ? out([element.length], element) : out(null);
    },
  },
  TensorListGetItem: { infer: (c) => out(elementShape(c, 2)) },
  TensorListPopBack: { infer: (c) => [{ shape: [] }, { shape: elementShape(c, 1) }] },
  TensorListStack: stack,
  TensorListGather: { infer: (c) => out(behind(lengthOf(c, 1), elementShape(c, 2))) },
  TensorListConcat: {
    infer: (c) => {
      const element = mergeShapes(c.node.shape('element_shape'), listInfo(c.node.inputs[0]).element);
      return [{ shape: behind(null, element && element.slice(1)) }, { shape: [null] }];
    },
  },
  TensorListConcatV2: {
    infer: (c) => {
      const element = elementShape(c, 1);
      return [{ shape: behind(null, element && element.slice(1)) }, { shape: [null] }];
    },
  },
  EmptyTensorMap: list,
  TensorMapInsert: list,
  TensorMapSize: list,
};

/** The three generations of TensorArray differ in their handles only. */
for (const version of ['V3', 'V2', '']) {
  rows[`TensorArray${version}`] = version === 'V3' ? array : { infer: always(version === 'V2' ? [] : [2]) };
  rows[`TensorArrayGrad${version}`] =
    version === 'V3' ? array : { infer: always(version === 'V2' ? [] : [2]) };
  rows[`TensorArrayWrite${version}`] = flow;
  rows[`TensorArrayScatter${version}`] = flow;
  rows[`TensorArraySplit${version}`] = flow;
  rows[`TensorArraySize${version}`] = flow;
  rows[`TensorArrayRead${version}`] = readArray;
  rows[`TensorArrayGather${version}`] = gatherArray;
  rows[`TensorArrayConcat${version}`] = concatArray;
  rows[`TensorArrayClose${version}`] = { infer: always() };
}

export const table: OpTable = rows;
