/**
 * Given:  a prepared graph (every node in the lowering table, shapes inferred)
 * Result: a TFLite subgraph with one operator or a few for each node
 *
 * Nodes that no row takes are listed, all of them.
 */
import {
  Tensor,
  type Diagnostics,
  type DType,
  FunctionGraph,
  type Graph,
  type Node,
  type Shape,
  type Signature,
  type Value,
} from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import {
  TfliteModel,
  TfliteOp,
  TfliteSubgraph,
  TfliteTensor,
  tensorType,
  type ConstBuffer,
} from '../tflite/model';
import { packStrings } from '../tflite/strings';
import { lowerCustom, refuseCustom } from './custom';
import type { LoweringContext, Refusal } from './row';
import { loweringRow } from './table';
import { faultOf } from '../prepare/control-flow/faults';

const NO_ROW: Refusal = { reason: 'TFLite has no such operator and Floe no rewrite for it' };

/** A node that cannot be lowered: what validation explains further. */
export interface RefusedNode {
  node: Node;
  refusal: Refusal;
}

/** A tensor of a type that TFLite has not: the node at hand cannot be lowered. */
class NoTensorType extends Error {}

/** What one model's lowering shares among its subgraphs. */
export class ModelBuilder {
  readonly model = new TfliteModel();
  /** Every node that cannot be lowered. */
  readonly refused: RefusedNode[] = [];
  /** One buffer a constant, also where several subgraphs use it. */
  private readonly buffers = new Map<Tensor, ConstBuffer>();
  private readonly derivedFrom = new Map<Tensor, Map<string, Tensor>>();

  constructor(
    readonly functions: ReadonlyMap<string, FunctionGraph>,
    readonly diagnostics: Diagnostics,
    /** Ops that may stay custom operators. */
    readonly customOps: ReadonlySet<string> = new Set(),
  ) {}

  buffer(tensor: Tensor): ConstBuffer {
    let buffer = this.buffers.get(tensor);
    if (!buffer) {
      // A tensor is a buffer itself: its bytes may be computed on demand.
      buffer = tensor.dtype === 'string' ? { bytes: packStrings(tensor.strings) } : tensor;
      this.buffers.set(tensor, buffer);
    }
    return buffer;
  }

  /** A constant made from another (transposed, narrowed): made once, however many nodes share the other. */
  derived(source: Tensor, how: string, make: () => Tensor): Tensor {
    let made = this.derivedFrom.get(source);
    if (!made) this.derivedFrom.set(source, (made = new Map()));
    let tensor = made.get(how);
    if (!tensor) made.set(how, (tensor = make()));
    return tensor;
  }

  addSubgraph(name: string): TfliteSubgraph {
    const graph = new TfliteSubgraph(name);
    this.model.subgraphs.push(graph);
    return graph;
  }
}

/** Lowers one graph into `target`, between the given values; `effects` are nodes that run for what they write. */
export function lowerGraph(
  builder: ModelBuilder,
  target: TfliteSubgraph,
  graph: Graph,
  inputs: readonly Value[],
  outputs: readonly Value[],
  effects: readonly Node[] = [],
): void {
  const lowering = new GraphLowering(builder, target);
  target.inputs = inputs.flatMap((v) => lowering.border(v));
  const sources = new Set(inputs.map((v) => v.node));
  // What a function writes it does whether or not a result waits for it.
  const written = graph instanceof FunctionGraph ? graph.controlResults : effects;
  const needed = graph.ancestors([...outputs.map((v) => v.node), ...written]);
  for (const node of graph.sorted()) if (needed.has(node) && !sources.has(node)) lowering.lower(node);
  target.outputs = outputs.flatMap((v) => lowering.border(v));
}

/** Lowers a graph with one signature as a model's main subgraph; several are one subgraph each. */
export function lowerSignature(
  builder: ModelBuilder,
  graph: Graph,
  signature: Signature,
  valueOf: (tensor: string) => Value,
): void {
  const target = builder.addSubgraph(builder.model.subgraphs.length ? signature.key : 'main');
  const inputs = signature.inputs.map((s) => valueOf(s.tensor));
  const outputs = signature.outputs.map((s) => valueOf(s.tensor));
  lowerGraph(builder, target, graph, inputs, outputs);
  builder.model.signatures.push({
    key: signature.key,
    subgraph: target,
    inputs: signature.inputs.map((s, i) => ({ name: s.name, tensor: target.inputs[i] })),
    outputs: signature.outputs.map((s, i) => ({ name: s.name, tensor: target.outputs[i] })),
  });
}

/**
 * Lowers the nodes that fill variables and tables as a subgraph of their own, which every signature calls once, before
 * anything else.
 */
export function lowerInitializers(builder: ModelBuilder, graph: Graph, nodes: readonly Node[]): void {
  const callers = builder.model.signatures.map((s) => s.subgraph);
  const target = builder.addSubgraph('initialize');
  lowerGraph(builder, target, graph, [], [], nodes);
  for (const caller of callers) {
    const call = new TfliteOp('CALL_ONCE', [], [], { type: 'CallOnceOptions' });
    call.source = nodes[0].name;
    call.subgraphs = { init_subgraph_index: target };
    caller.ops.unshift(call);
  }
}

class GraphLowering {
  private readonly tensors = new Map<Value, TfliteTensor>();
  private readonly names = new Set<string>();

  constructor(
    readonly builder: ModelBuilder,
    readonly target: TfliteSubgraph,
  ) {}

  lower(node: Node): void {
    if (node.op === 'Const') return;
    const row = loweringRow(node.op);
    const refusal = row ? row.refuse?.(node) : (faultOf(node) ?? NO_ROW);
    if (row && !refusal) this.guarded(node, () => row.build(new NodeContext(this, node)));
    else this.lowerOther(node, refusal ?? NO_ROW);
  }

  /** Custom operators, and what cannot be lowered. */
  private lowerOther(node: Node, refusal: Refusal): void {
    const { customOps, refused } = this.builder;
    const isCustom = customOps.has(node.op);
    const obstacle = isCustom ? refuseCustom(node) : refusal;
    if (obstacle) refused.push({ node, refusal: obstacle });
    else this.guarded(node, () => lowerCustom(new NodeContext(this, node)));
  }

  private guarded(node: Node, build: () => void): void {
    try {
      build();
    } catch (error) {
      if (!(error instanceof NoTensorType)) throw error;
      this.builder.refused.push({ node, refusal: { reason: error.message } });
    }
  }

  /** The tensor of an input or output; none where TFLite has no such type. */
  border(value: Value): TfliteTensor[] {
    const tensors: TfliteTensor[] = [];
    this.guarded(value.node, () => void tensors.push(this.tensorOf(value)));
    return tensors;
  }

  tensorOf(value: Value): TfliteTensor {
    let tensor = this.tensors.get(value);
    if (!tensor) {
      const constant = value.node.constant;
      tensor = constant
        ? this.constant(value.node.name, constant)
        : this.tensor(
            value.index ? value.name : value.node.name,
            value.dtype ?? 'float32',
            value.shape ?? null,
          );
      this.tensors.set(value, tensor);
    }
    return tensor;
  }

  tensor(name: string, dtype: DType, shape: Shape): TfliteTensor {
    const type = tensorType(dtype);
    if (!type) throw new NoTensorType(`TFLite has no tensors of type ${dtype}`);
    return new TfliteTensor(
      this.uniqueName(name),
      type,
      shape?.map((d) => d ?? -1),
    );
  }

  constant(name: string, tensor: Tensor): TfliteTensor {
    const result = this.tensor(name, tensor.dtype, [...tensor.shape]);
    result.buffer = this.builder.buffer(tensor);
    return result;
  }

  private uniqueName(name: string): string {
    let unique = name;
    for (let i = 1; this.names.has(unique); i++) unique = `${name}_${i}`;
    this.names.add(unique);
    return unique;
  }
}

class NodeContext implements LoweringContext {
  constructor(
    private readonly lowering: GraphLowering,
    readonly node: Node,
  ) {}

  input(i: number): TfliteTensor {
    return this.lowering.tensorOf(this.node.inputs[i]);
  }

  inputs(): TfliteTensor[] {
    return this.node.inputs.map((v) => this.lowering.tensorOf(v));
  }

  output(i = 0): TfliteTensor {
    return this.lowering.tensorOf(this.node.output(i));
  }

  tensorOf(value: Value): TfliteTensor {
    return this.lowering.tensorOf(value);
  }

  constant(name: string, tensor: Tensor): TfliteTensor {
    return this.lowering.constant(`${this.node.name}/${name}`, tensor);
  }

  derived(source: Tensor, how: string, make: () => Tensor): Tensor {
    return this.lowering.builder.derived(source, how, make);
  }

  ints(name: string, values: readonly number[] | number): TfliteTensor {
    const tensor =
      typeof values === 'number'
        ? Tensor.scalar('int32', values)
        : Tensor.fromNumbers('int32', [values.length], values);
    return this.constant(name, tensor);
  }

  temporary(name: string, dtype: DType, shape: Shape): TfliteTensor {
    return this.lowering.tensor(`${this.node.name}/${name}`, dtype, shape);
  }

  emit(
    code: string,
    inputs: (TfliteTensor | undefined)[],
    outputs: TfliteTensor[],
    options?: FlatObject,
  ): TfliteOp {
    const op = new TfliteOp(code, inputs, outputs, options);
    op.source = this.node.name;
    this.lowering.target.ops.push(op);
    return op;
  }

  emitCustom(
    code: string,
    inputs: (TfliteTensor | undefined)[],
    outputs: TfliteTensor[],
    options: Uint8Array,
  ): TfliteOp {
    const op = this.emit('CUSTOM', inputs, outputs);
    op.customCode = code;
    op.customOptions = options;
    return op;
  }

  asInt32(i: number): TfliteTensor {
    const value = this.node.inputs[i];
    const constant = value.node.constant;
    if (constant?.dtype === 'int64') {
      const narrow = Tensor.fromNumbers('int32', constant.shape, constant.toNumbers().map(clampInt32));
      return this.lowering.constant(value.node.name, narrow);
    }
    if (value.dtype !== 'int64') return this.input(i);
    const narrow = this.temporary(`int32_${i}`, 'int32', value.shape ?? null);
    this.emit('CAST', [this.input(i)], [narrow], {
      type: 'CastOptions',
      in_data_type: 'INT64',
      out_data_type: 'INT32',
    });
    return narrow;
  }

  subgraph(functionName: string): TfliteSubgraph {
    const body = this.lowering.builder.functions.get(functionName);
    if (!body) throw new RangeError(`function "${functionName}" is not in the library`);
    const target = this.lowering.builder.addSubgraph(functionName);
    lowerGraph(
      this.lowering.builder,
      target,
      body,
      body.args.map((a) => a.output()),
      body.results,
    );
    return target;
  }
}

/** Sizes like 2^62 mean "to the end" in slices: the largest int32 means the same. */
function clampInt32(n: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, n));
}
