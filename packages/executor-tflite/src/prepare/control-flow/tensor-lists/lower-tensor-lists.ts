/**
 * Given:  lists of tensors: TensorListReserve, SetItem, GetItem, Stack, …, also through loops and branches
 * Result: one tensor a list, whose first axis counts the elements
 *
 * What cannot be one tensor stays, with the reason at the op that makes the list.
 */
import {
  inferShapes,
  mergeShapes,
  sameShape,
  Tensor,
  type Diagnostics,
  type Dim,
  type Graph,
  type Node,
  type Value,
} from '@floe/export-core';
import { sizeOf, type Size } from '../../dims';
import type { PrepareContext } from '../../prepare';
import { replace, Rewriter } from '../../rewrite';
import { setFault } from '../faults';
import { allGraphs } from '../functions';
import { retype } from './borders';
import { appendingNodes } from './appending';
import { ListClasses, listValues, shapeIn, type ListClass } from './list-classes';
import { LIST_ROWS } from './list-rows';
import { RunTimeSizes } from './run-time-sizes';

/** Ops that make lists out of something else. */
const MAKERS = /^(EmptyTensorList|TensorList(Reserve|FromTensor|Split|Scatter|ScatterV2))$/;

/** What one class tells may tell another more: as many rounds as lists stand behind each other, at most. */
const MAX_ROUNDS = 10;

export function lowerTensorLists(graph: Graph, { diagnostics }: PrepareContext): void {
  const classes = refinedClasses(graph, diagnostics);
  if (classes.all().length === 0) return;
  const sizes = new RunTimeSizes(graph, classes);
  const appending = appendingNodes(graph);
  const lists = new Map(classes.lists());
  for (const known of new Set(lists.values())) {
    if (!known.fault && !known.element) known.fault = 'the shape of its elements is not known';
    if (known.fault) refuse(known);
  }
  for (const [value, known] of lists) if (!known.fault) describe(value, known);
  for (const each of allGraphs(graph)) {
    for (const node of each.sorted()) {
      const [list] = listValues(node);
      const known = list && lists.get(list);
      if (known && !known.fault) lowerOp(each, node, known, { sizes, appending });
    }
  }
  retype(graph, (value) => {
    const known = lists.get(value);
    return known && !known.fault ? known.dtype : undefined;
  });
  inferShapes(graph, diagnostics);
}

/** Classes whose elements are as well known as ops on them can tell, with inference run again on what they tell. */
function refinedClasses(graph: Graph, diagnostics: Diagnostics): ListClasses {
  for (let round = 0; ; round++) {
    const classes = new ListClasses(graph);
    let changed = false;
    for (const known of classes.all()) {
      if (known.element) for (const op of known.ops) changed = tellShape(op, known.element) || changed;
    }
    if (!changed || round >= MAX_ROUNDS) return classes;
    inferShapes(graph, diagnostics);
  }
}

/** The place of the operand that says what shape an element taken out has. */
const SHAPE_OPERAND: Record<string, number> = {
  TensorListGetItem: 2,
  TensorListGather: 2,
  TensorListStack: 1,
  TensorListPopBack: 1,
};

/** Lets an op that takes elements out know their shape; true when it did not. */
function tellShape({ graph, node }: { graph: Graph; node: Node }, element: readonly Dim[]): boolean {
  const place = SHAPE_OPERAND[node.op] as number | undefined;
  if (place === undefined) return false;
  const before = shapeIn(node.inputs[place]);
  const after = mergeShapes(element as Dim[], before);
  if (sameShape(before, after)) return false;
  const numbers = after!.map((d) => d ?? -1);
  const tensor = Tensor.fromNumbers('int32', [numbers.length], numbers);
  node.inputs[place] = graph.addConst(`${node.name}/element_shape`, tensor).output();
  return true;
}

/** A list's value is its tensor from now on. */
function describe(value: Value, known: ListClass): void {
  const counted = known.keepsLength ? lengthOf(known) : null;
  const length = counted === null ? null : counted + known.lead;
  Object.assign(value, { dtype: known.dtype, shape: [length, ...known.element!], partial: undefined });
}

/** The length that all ops which make lists of a class agree on. */
function lengthOf(known: ListClass): Dim {
  const lengths = known.ops.flatMap(({ node }): Dim[] => {
    if (node.op === 'TensorListReserve') return [node.inputs[1].node.constant?.at(0) ?? null];
    if (node.op === 'EmptyTensorList') return [0];
    if (node.op === 'TensorListFromTensor') return [node.inputs[0].shape?.[0] ?? null];
    return node.op === 'TensorListSplit' || /^TensorListScatter(V2)?$/.test(node.op) ? [null] : [];
  });
  return lengths.length > 0 && lengths.every((n) => n === lengths[0]) ? lengths[0] : null;
}

interface Analysis {
  sizes: RunTimeSizes;
  appending: ReadonlySet<Node>;
}

function lowerOp(graph: Graph, node: Node, known: ListClass, { sizes, appending }: Analysis): void {
  const b = new Rewriter(graph, node);
  const elementSizes = (): Size[] | undefined => {
    const found = known.element!.map((d, axis): Size | undefined => {
      if (d !== null) return d;
      const source = sizes.find(known, axis, graph, node);
      return typeof source === 'object' ? sizeOf(b, source.value, source.axis) : source;
    });
    return found.includes(undefined) ? undefined : (found as Size[]);
  };
  const results = LIST_ROWS[node.op]({
    graph,
    node,
    b,
    known,
    sizes: elementSizes,
    appends: () => appending.has(node),
  });
  if ('fault' in results) {
    graph.remove(new Set(b.added));
    known.fault = results.fault;
    refuse(known);
    return;
  }
  replace(graph, node, results, b.added);
}

function refuse(known: ListClass): void {
  const maker = (known.ops.find(({ node }) => MAKERS.test(node.op)) ?? known.ops[0]).node;
  const reason = `the list cannot be one tensor: ${known.fault}`;
  const hint =
    'declare the shape: tf.TensorArray(…, element_shape=[…]), or a fixed batch size in the inputs of model.yaml';
  for (const { node } of known.ops) {
    const follows = maker.name;
    setFault(
      node,
      node === maker ? { reason, hint } : { reason: `it works on the list of "${follows}"`, follows },
    );
  }
}
