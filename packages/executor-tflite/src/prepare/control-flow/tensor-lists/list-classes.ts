/**
 * Which lists are the same list at different times, and what their elements are.
 *
 * Every op that takes a list and gives one keeps what its elements are; so do loops and branches that hand lists on.
 * All these values are one class, and whatever one of the ops says about an element holds for the class.
 */
import { mergeShapes, type DType, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { allGraphs, isLoop } from '../functions';
import { joints } from './borders';

/** Places of lists among the inputs of an op; whether output 0 is a list. */
interface ListOp {
  inputs: readonly number[];
  gives: boolean;
}

export const LIST_OPS: Record<string, ListOp> = {
  EmptyTensorList: { inputs: [], gives: true },
  TensorListReserve: { inputs: [], gives: true },
  TensorListFromTensor: { inputs: [], gives: true },
  TensorListScatter: { inputs: [], gives: true },
  TensorListScatterV2: { inputs: [], gives: true },
  TensorListSplit: { inputs: [], gives: true },
  TensorListScatterIntoExistingList: { inputs: [0], gives: true },
  TensorListPushBack: { inputs: [0], gives: true },
  TensorListPopBack: { inputs: [0], gives: true },
  TensorListSetItem: { inputs: [0], gives: true },
  TensorListResize: { inputs: [0], gives: true },
  TensorListConcatLists: { inputs: [0, 1], gives: true },
  TensorListGetItem: { inputs: [0], gives: false },
  TensorListStack: { inputs: [0], gives: false },
  TensorListGather: { inputs: [0], gives: false },
  TensorListConcat: { inputs: [0], gives: false },
  TensorListConcatV2: { inputs: [0], gives: false },
  TensorListLength: { inputs: [0], gives: false },
  TensorListElementShape: { inputs: [0], gives: false },
};

/** Ops after which a list may have another length. */
const RESIZING = new Set([
  'TensorListPushBack',
  'TensorListPopBack',
  'TensorListResize',
  'TensorListConcatLists',
]);

export interface ListClass {
  dtype: DType;
  element: Shape;
  /** Every op on a list of the class, and the graph it stands in. */
  ops: { graph: Graph; node: Node }[];
  /** Its lists all have the same length. */
  keepsLength: boolean;
  /** Values that are the length of a list, by that list. */
  lengths: Map<Value, Value>;
  /**
   * Elements that stand before the first one: 1 where the list is empty before a loop, because the runtime copies
   * no tensors without elements into loops.
   */
  lead: number;
  /** Why it cannot be one tensor. */
  fault?: string;
}

export class ListClasses {
  private readonly parents = new Map<Value, Value>();
  private readonly byRoot = new Map<Value, ListClass>();

  constructor(graph: Graph) {
    const graphs = allGraphs(graph);
    const lists = new Set<Value>();
    for (const each of graphs) {
      for (const node of each.nodes.values()) {
        for (const value of listValues(node)) lists.add(value);
        for (const joint of joints(each, node)) joint.slice(1).forEach((v) => this.unite(joint[0], v));
        const [first, ...rest] = listValues(node);
        if (first) rest.forEach((v) => this.unite(first, v));
      }
    }
    for (const each of graphs) {
      for (const node of each.nodes.values()) {
        const [value] = listValues(node);
        if (value) this.describe(this.find(value), each, node);
      }
    }
    for (const each of graphs) {
      for (const node of each.nodes.values()) {
        if (!isLoop(node)) continue;
        for (const known of node.inputs.map((v) => this.of(v)))
          if (known?.ops.some(startsEmpty)) known.lead = 1;
      }
    }
  }

  /** The class of a list; undefined for other values. */
  of(value: Value): ListClass | undefined {
    return this.byRoot.get(this.find(value));
  }

  all(): ListClass[] {
    return [...this.byRoot.values()];
  }

  /** Every value that is a list, with its class: also where loops and branches hand it on. */
  *lists(): Generator<[Value, ListClass]> {
    for (const value of new Set([...this.parents.keys(), ...this.byRoot.keys()])) {
      const known = this.of(value);
      if (known) yield [value, known];
    }
  }

  private find(value: Value): Value {
    let root = value;
    for (let next = this.parents.get(root); next; next = this.parents.get(root)) root = next;
    for (let at = value; at !== root;) {
      const next = this.parents.get(at)!;
      this.parents.set(at, root);
      at = next;
    }
    return root;
  }

  private unite(a: Value, b: Value): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parents.set(y, x);
  }

  private describe(root: Value, graph: Graph, node: Node): void {
    let known = this.byRoot.get(root);
    if (!known) {
      known = { dtype: 'float32', element: null, ops: [], keepsLength: true, lengths: new Map(), lead: 0 };
      this.byRoot.set(root, known);
    }
    known.ops.push({ graph, node });
    const dtype = node.attr('element_dtype');
    if (dtype?.kind === 'type') known.dtype = dtype.value;
    if (known.dtype === 'variant' || known.dtype === 'resource')
      known.fault = 'its elements are lists or handles themselves';
    for (const shape of elementShapes(node)) {
      if (shape && known.element && !agree(shape, known.element))
        known.fault = 'its elements have different shapes, and TFLite has no ragged tensors';
      known.element = mergeShapes(known.element, shape);
    }
    if (node.op === 'TensorListLength') known.lengths.set(node.output(), node.inputs[0]);
    if (node.op === 'TensorListReserve') known.lengths.set(node.inputs[1], node.output());
    if (RESIZING.has(node.op)) known.keepsLength = false;
    const grows = node.attr('resize_if_index_out_of_bounds');
    if (grows?.kind === 'bool' && grows.value) known.keepsLength = false;
  }
}

/** The lists that an op reads and gives. */
export function listValues(node: Node): Value[] {
  const op = Object.hasOwn(LIST_OPS, node.op) ? LIST_OPS[node.op] : undefined;
  if (!op) return [];
  const read = op.inputs.map((i) => node.inputs[i]);
  return op.gives ? [...read, node.output()] : read;
}

function startsEmpty({ node }: { node: Node }): boolean {
  if (node.op === 'EmptyTensorList') return true;
  return node.op === 'TensorListReserve' && node.inputs[1].node.constant?.at(0) === 0;
}

function agree(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return a.length === b.length && a.every((d, i) => d === null || b[i] === null || d === b[i]);
}

/** What a node says about the shape of one element. */
function elementShapes(node: Node): Shape[] {
  const { inputs } = node;
  const rows = (value: Value | undefined): Shape => value?.shape?.slice(1) ?? null;
  switch (node.op) {
    case 'EmptyTensorList':
    case 'TensorListReserve':
      return [shapeIn(inputs[0])];
    case 'TensorListFromTensor':
      return [shapeIn(inputs[1]), rows(inputs[0])];
    case 'TensorListScatter':
    case 'TensorListScatterV2':
      return [shapeIn(inputs[2]), rows(inputs[0])];
    case 'TensorListScatterIntoExistingList':
      return [rows(inputs[1])];
    case 'TensorListPushBack':
      return [inputs[1].shape ?? null];
    case 'TensorListSetItem':
      return [inputs[2].shape ?? null];
    case 'TensorListPopBack':
      return [shapeIn(inputs[1])];
    case 'TensorListStack':
      return [shapeIn(inputs[1])];
    case 'TensorListGetItem':
    case 'TensorListGather':
      return [shapeIn(inputs[2])];
    case 'TensorListConcatV2': {
      const shape = shapeIn(inputs[1]);
      return [shape && [null, ...shape.slice(1)]];
    }
    case 'TensorListSplit': {
      const lengths = inputs[2].node.constant?.toNumbers() ?? [];
      const shape = inputs[0].shape;
      const equal = lengths.length > 0 && lengths.every((n) => n === lengths[0]);
      return [shape ? [equal ? lengths[0] : null, ...shape.slice(1)] : null];
    }
    default:
      return [];
  }
}

/** The shape that a value holds: a scalar stands for an unknown rank. */
export function shapeIn(value: Value | undefined): Shape {
  const scalar = value?.node.constant?.shape.length === 0 || value?.shape?.length === 0;
  const elements = value?.node.constant?.toNumbers() ?? value?.partial;
  if (!elements || scalar) return null;
  return elements.map((e) => (e === null || e < 0 ? null : e));
}
