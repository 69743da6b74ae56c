/**
 * A .tflite model in memory: what passes work on between lowering and writing, and what the reader gives back.
 *
 * Operators point at tensors; a tensor is owned by the subgraph whose operators use it. Indices exist in the file
 * only: the writer makes them.
 */
import type { DType } from '@floe/export-core';
import type { FlatObject } from './flatbuffer';

/** Member names of the schema's TensorType. */
export type TensorType = string;

const TENSOR_TYPES: Partial<Record<DType, TensorType>> = {
  float32: 'FLOAT32',
  float16: 'FLOAT16',
  bfloat16: 'BFLOAT16',
  float64: 'FLOAT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
  string: 'STRING',
  complex64: 'COMPLEX64',
  complex128: 'COMPLEX128',
  resource: 'RESOURCE',
  variant: 'VARIANT',
};

const DTYPES = new Map(Object.entries(TENSOR_TYPES).map(([dtype, type]) => [type, dtype as DType]));

/** TFLite's type for a dtype; undefined where it has none. */
export function tensorType(dtype: DType): TensorType | undefined {
  return TENSOR_TYPES[dtype];
}

/** The dtype of a TFLite type; undefined for types that TensorFlow has not (INT4, …). */
export function dtypeOf(type: TensorType): DType | undefined {
  return DTYPES.get(type);
}

/** Bytes of a constant; tensors that share one `ConstBuffer` share one buffer of the file. */
export interface ConstBuffer {
  readonly bytes: Uint8Array;
  /** Given where `bytes` are computed on demand and need not be kept. */
  readonly byteLength?: number;
}

export interface Quantization {
  scale: number[];
  zeroPoint: number[];
  /** Axis of `scale` and `zeroPoint` when they have more than one element. */
  axis: number;
  /** Other schemes than one scale an axis (blockwise, custom); not interpreted. */
  details?: FlatObject;
}

export class TfliteTensor {
  /** Sizes, -1 where unknown; `undefined` when the rank is unknown. */
  shape: number[] | undefined;
  /** Set for constants. */
  buffer?: ConstBuffer;
  quantization?: Quantization;
  isVariable = false;
  /** How the elements that are not zero are stored; not interpreted. */
  sparsity?: FlatObject;
  /** Types and shapes of what a VARIANT tensor holds; not interpreted. */
  variantTensors?: FlatObject[];

  constructor(
    public name: string,
    public type: TensorType,
    shape: readonly number[] | undefined,
  ) {
    this.shape = shape && [...shape];
  }

  get isConstant(): boolean {
    return this.buffer !== undefined;
  }

  /** True when every size is known. */
  get isStatic(): boolean {
    return this.shape !== undefined && this.shape.every((d) => d >= 0);
  }

  /** Number of elements of a static tensor. */
  get elements(): number {
    return (this.shape ?? []).reduce((n, d) => n * d, 1);
  }
}

const EFFECTS = new Set(['ASSIGN_VARIABLE', 'CALL_ONCE', 'HASHTABLE_IMPORT', 'WHILE', 'IF']);

export class TfliteOp {
  /** What `options` gives for CUSTOM operators. */
  customCode?: string;
  customOptions?: Uint8Array;
  /** The node of the user's graph this operator comes from; for diagnostics. */
  source = '';
  /** Subgraphs this operator calls, by option name (`then_subgraph_index`, `body_subgraph_index`, …). */
  subgraphs?: Record<string, TfliteSubgraph>;
  /** Internal state tensors of integer LSTMs. */
  intermediates?: TfliteTensor[];

  /**
   * @param code a member of BuiltinOperator
   * @param inputs undefined for an optional input that is not given
   * @param options `{ type: 'Conv2DOptions', … }`, or undefined when the operator has none
   */
  constructor(
    public code: string,
    public inputs: (TfliteTensor | undefined)[],
    public outputs: TfliteTensor[],
    public options?: FlatObject,
  ) {}

  /** Whether it may do more than compute its outputs, itself or in a graph it calls. */
  get hasEffect(): boolean {
    return EFFECTS.has(this.code);
  }
}

export class TfliteSubgraph {
  inputs: TfliteTensor[] = [];
  outputs: TfliteTensor[] = [];
  /** In an order in which each stands after what it reads. */
  ops: TfliteOp[] = [];

  constructor(public name: string) {}

  /** Every tensor, each once: inputs, then operator by operator, then outputs. */
  tensors(): TfliteTensor[] {
    const all = new Set<TfliteTensor>(this.inputs);
    for (const op of this.ops) {
      for (const t of op.inputs) if (t) all.add(t);
      for (const t of op.intermediates ?? []) all.add(t);
      for (const t of op.outputs) all.add(t);
    }
    for (const t of this.outputs) all.add(t);
    return [...all];
  }

  /** The operator that makes each tensor. */
  producers(): Map<TfliteTensor, TfliteOp> {
    const map = new Map<TfliteTensor, TfliteOp>();
    for (const op of this.ops) for (const t of op.outputs) map.set(t, op);
    return map;
  }

  /** The operators that read each tensor, in order; an operator stands once. */
  consumers(): Map<TfliteTensor, TfliteOp[]> {
    const map = new Map<TfliteTensor, TfliteOp[]>();
    for (const op of this.ops) {
      for (const t of new Set(op.inputs)) {
        if (!t) continue;
        const list = map.get(t);
        if (list) list.push(op);
        else map.set(t, [op]);
      }
    }
    return map;
  }
}

export interface TfliteSignature {
  key: string;
  subgraph: TfliteSubgraph;
  inputs: { name: string; tensor: TfliteTensor }[];
  outputs: { name: string; tensor: TfliteTensor }[];
}

export class TfliteModel {
  /** The first is the main one. */
  subgraphs: TfliteSubgraph[] = [];
  signatures: TfliteSignature[] = [];
  metadata = new Map<string, Uint8Array>();
  description = 'Floe Converted.';
}
