/** Variables, lookup tables, tensor lists and arrays, queues and readers: shapes only, their values live elsewhere. */
import type { InferContext, OpRow, OpTable } from './op-row';
import { always, dimsOfRank, likeInput, out, upTo } from './kernels/shape-rules';
import { argLength } from './op-def';
import type { Node } from '../graph/graph';
import type { DType } from '../tensor/dtype';
import { mergeShapes, type Shape } from '../tensor/shape';

/** Ops that hand a handle on. */
const PASSES_HANDLE = new Set([
  'Identity',
  'Enter',
  'RefEnter',
  'Switch',
  'RefSwitch',
  'Exit',
  'NextIteration',
  'Merge',
]);

/** The node that made the handle of input `i`, seen through what hands it on; undefined where that is not clear. */
export function handleSource(c: InferContext, i: number): Node | undefined {
  let node: Node | undefined = c.node.inputs[i]?.node;
  for (let hops = 0; node && hops < 1000 && PASSES_HANDLE.has(node.op); hops++) node = node.inputs[0]?.node;
  return node;
}

/** The shape of the variable behind the handle of input `i`. */
export function variableShape(c: InferContext, i: number): Shape {
  const source = handleSource(c, i);
  // The shape that a function notes of an argument is the handle's own.
  const noted = source?.op === '_Arg' ? undefined : source?.attr('shape');
  const shape = noted ?? source?.attrs.get('_handle_shapes');
  if (shape?.kind === 'shape') return shape.value;
  const first = shape?.kind === 'list' ? shape.value[0] : undefined;
  return first?.kind === 'shape' ? first.value : null;
}

const scalarHandle: OpRow = { infer: always([]) };
const nothing: OpRow = { infer: always() };
const shapeAttr: OpRow = { infer: (c) => out(c.node.shape('shape')) };

/** An assignment by reference gives the reference back. */
const assign: OpRow = { infer: (c) => out(mergeShapes(c.shape(1), c.shape(0))) };

/** Shapes of a node's outputs from list attributes, flattened; unknown where there are none. */
function unknownOutputs(node: Node): { shape: Shape }[] {
  const count = node.def?.outputs.reduce((sum, arg) => sum + argLength(node, arg), 0) ?? 0;
  return upTo(count).map(() => ({ shape: null }));
}

/** Elements of queues and datasets: the attribute gives a shape for each component. */
const components = (attr: string): OpRow => ({
  infer: ({ node }) => {
    const shapes = node.attr(attr);
    const outputs = unknownOutputs(node);
    if (shapes?.kind === 'list') {
      shapes.value.forEach((s, i) => {
        if (outputs[i] && s.kind === 'shape') outputs[i].shape = s.value;
      });
    }
    return outputs;
  },
});

/** What leaves a queue: its components' shapes, behind a batch where many leave at once. */
function dequeued(batch: (c: InferContext) => (number | null)[]): OpRow {
  return {
    infer: (c) => {
      const shapes = handleSource(c, 0)?.attr('shapes');
      const outputs = unknownOutputs(c.node);
      if (shapes?.kind !== 'list' || shapes.value.length !== outputs.length) return outputs;
      return shapes.value.map((attr) => {
        const shape: Shape = attr.kind === 'shape' ? attr.value : null;
        return { shape: shape && [...batch(c), ...shape] };
      });
    },
  };
}

const lookup = (valueInput: number): OpRow => ({ infer: (c) => out(c.shape(valueInput)) });

/** Tables of vectors keep their value shape at the table's node. */
const find: OpRow = {
  infer: (c) => {
    const keys = c.shape(1);
    const source = handleSource(c, 0);
    const value = source?.attr('value_shape');
    const rest = value?.kind === 'shape' ? value.value : [];
    // A dense table's keys may be vectors themselves; simple tables look every element up.
    if (source === undefined || source.op.startsWith('MutableDense')) return out(null);
    return out(keys && rest && [...keys, ...rest]);
  },
};

/** Dense, sparse and ragged features of ParseExample: their counts are attributes. */
function inferParseExample(
  c: InferContext,
  dense: string,
  batch: (number | null)[] | null,
): { shape: Shape; dtype?: DType }[] {
  const { node } = c;
  const lengths = Object.fromEntries(node.def!.outputs.map((arg) => [arg.name, argLength(node, arg)]));
  const shapes = node.shapes(dense);
  const rank = batch === null ? null : batch.length + 1;
  const outputs: { shape: Shape }[] = [];
  for (const { name } of node.def!.outputs) {
    for (let i = 0; i < lengths[name]; i++) {
      if (name === 'sparse_indices') outputs.push({ shape: [null, rank] });
      else if (name === 'sparse_shapes') outputs.push({ shape: [rank] });
      else if (name === 'dense_values') {
        const each: Shape = shapes[i] ?? null;
        outputs.push({ shape: batch && each && [...batch, ...each] });
      } else outputs.push({ shape: [null] });
    }
  }
  return outputs;
}

/** Each string becomes a row of numbers, as many as its bytes hold. */
const decodeRaw: OpRow = {
  infer: (c) => {
    const shape = c.shape(0);
    return out(shape && [...shape, null]);
  },
};

export const table: OpTable = {
  Variable: shapeAttr,
  VariableV2: shapeAttr,
  TemporaryVariable: shapeAttr,
  DestroyTemporaryVariable: { infer: likeInput() },
  VarHandleOp: scalarHandle,
  _VarHandlesOp: { infer: ({ node }) => unknownOutputs(node).map(() => ({ shape: [] })) },
  ReadVariableOp: { infer: (c) => out(variableShape(c, 0)) },
  _ReadVariablesOp: { infer: (c) => upTo(c.count).map((i) => ({ shape: variableShape(c, i) })) },
  VariableShape: {
    infer: (c) => {
      const shape = variableShape(c, 0);
      return out([shape ? shape.length : null], shape ?? undefined);
    },
  },
  VarIsInitializedOp: scalarHandle,
  IsVariableInitialized: scalarHandle,
  DisableCopyOnRead: nothing,
  DestroyResourceOp: nothing,
  AssignVariableOp: nothing,
  AssignAddVariableOp: nothing,
  AssignSubVariableOp: nothing,
  Assign: assign,
  AssignAdd: assign,
  AssignSub: assign,
  CountUpTo: { infer: always([]) },

  HashTable: { infer: always([2]) },
  MutableHashTable: { infer: always([2]) },
  MutableHashTableOfTensors: { infer: always([2]) },
  MutableDenseHashTable: { infer: always([2]) },
  HashTableV2: scalarHandle,
  AnonymousHashTable: scalarHandle,
  MutableHashTableV2: scalarHandle,
  MutableHashTableOfTensorsV2: scalarHandle,
  MutableDenseHashTableV2: scalarHandle,
  AnonymousMutableHashTable: scalarHandle,
  LookupTableFind: lookup(1),
  LookupTableFindV2: find,
  LookupTableSize: { infer: always([]) },
  LookupTableSizeV2: { infer: always([]) },
  LookupTableExport: { infer: always([null], null) },
  LookupTableExportV2: { infer: always(null, null) },
  LookupTableImport: nothing,
  LookupTableImportV2: nothing,
  LookupTableInsert: nothing,
  LookupTableInsertV2: nothing,
  LookupTableRemoveV2: nothing,
  InitializeTable: nothing,
  InitializeTableV2: nothing,
  InitializeTableFromTextFile: nothing,
  InitializeTableFromTextFileV2: nothing,

  FIFOQueue: { infer: always([2]) },
  PaddingFIFOQueue: { infer: always([2]) },
  RandomShuffleQueue: { infer: always([2]) },
  FIFOQueueV2: scalarHandle,
  PaddingFIFOQueueV2: scalarHandle,
  RandomShuffleQueueV2: scalarHandle,
  PriorityQueueV2: scalarHandle,
  QueueEnqueue: nothing,
  QueueEnqueueV2: nothing,
  QueueEnqueueMany: nothing,
  QueueEnqueueManyV2: nothing,
  QueueClose: nothing,
  QueueCloseV2: nothing,
  QueueSize: { infer: always([]) },
  QueueSizeV2: { infer: always([]) },
  QueueDequeue: dequeued(() => []),
  QueueDequeueV2: dequeued(() => []),
  QueueDequeueMany: dequeued((c) => [c.elements(1)?.[0] ?? null]),
  QueueDequeueManyV2: dequeued((c) => [c.elements(1)?.[0] ?? null]),
  QueueDequeueUpTo: dequeued(() => [null]),
  QueueDequeueUpToV2: dequeued(() => [null]),

  Iterator: scalarHandle,
  IteratorV2: scalarHandle,
  OneShotIterator: scalarHandle,
  MakeIterator: nothing,
  IteratorGetNext: components('output_shapes'),
  IteratorGetNextSync: components('output_shapes'),
  OptionalFromValue: scalarHandle,
  OptionalNone: scalarHandle,
  OptionalHasValue: scalarHandle,
  OptionalGetValue: components('output_shapes'),

  ParseExample: {
    infer: (c) => {
      const batch = c.shape(0);
      return inferParseExample(c, 'dense_shapes', batch && dimsOfRank(c, 0, 1));
    },
  },
  ParseExampleV2: { infer: (c) => inferParseExample(c, 'dense_shapes', c.shape(0)) },
  ParseSingleExample: { infer: (c) => inferParseExample(c, 'dense_shapes', []) },
  DecodeCSV: { infer: (c) => upTo(c.count - 1).map(() => ({ shape: c.shape(0) })) },
  DecodeRaw: decodeRaw,
  DecodePaddedRaw: decodeRaw,
  ReadFile: { infer: always([]) },
  WriteFile: nothing,
  RestoreV2: { infer: ({ node }) => unknownOutputs(node) },
  SaveV2: nothing,
  ShardedFilename: { infer: always([]) },
  ShardedFilespec: { infer: always([]) },
  MergeV2Checkpoints: nothing,
  Assert: nothing,
  Print: { infer: likeInput() },
  PrintV2: nothing,
  ScalarSummary: { infer: always([]) },
  HistogramSummary: { infer: always([]) },
  ImageSummary: { infer: always([]) },
  AudioSummaryV2: { infer: always([]) },
  MergeSummary: { infer: always([]) },
  TensorSummary: { infer: always([]) },
  TensorSummaryV2: { infer: always([]) },
  Timestamp: { infer: always([]) },
  ControlTrigger: nothing,
  Abort: nothing,
  _Retval: nothing,
};
