/**
 * Lowering: one TensorFlow node to TFLite operators. One row an op, one file a family, `table.ts` joins them.
 *
 * Rows are for replacements that stay one operator, or nearly so. What needs several TensorFlow-level steps is
 * rewritten before (prepare/), so that constant folding still sees it.
 */
import type { DType, Node, Shape, Tensor, Value } from '@floe/export-core';
import type { FlatObject } from '../tflite/flatbuffer';
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';

/** Why a node cannot be lowered, and what would help. */
export interface Refusal {
  /** Completes "X cannot be converted: …". */
  reason: string;
  hint?: string;
  /** The node whose own refusal this one follows from: that is the one to mend. */
  follows?: string;
}

export interface LoweringRow {
  /** Builtin operators the row may make; `CUSTOM:name` for custom ones. For validation and docs/ops.md. */
  to: readonly string[];
  /** Conditions in words, for docs/ops.md. */
  note?: string;
  /** Looks at dtypes, attributes, shapes and constants; undefined when the node can be lowered. */
  refuse?(node: Node): Refusal | undefined;
  build(context: LoweringContext): void;
}

export type LoweringTable = Record<string, LoweringRow>;

/** What a row builds with. */
export interface LoweringContext {
  readonly node: Node;
  /** The tensor of input `i`. */
  input(i: number): TfliteTensor;
  /** The tensors of all data inputs. */
  inputs(): TfliteTensor[];
  /** The tensor of output `i`, of the value's dtype and shape. */
  output(i?: number): TfliteTensor;
  /** The tensor of any value of the graph. */
  tensorOf(value: Value): TfliteTensor;
  /** A constant. */
  constant(name: string, tensor: Tensor): TfliteTensor;
  /** What is made of a constant, made once for all nodes that share it. `how` tells it from other things made of it. */
  derived(source: Tensor, how: string, make: () => Tensor): Tensor;
  /** A small int32 constant: sizes, axes, permutations. A number makes a scalar. */
  ints(name: string, values: readonly number[] | number): TfliteTensor;
  /** A tensor between two operators of this row. */
  temporary(name: string, dtype: DType, shape: Shape): TfliteTensor;
  /** Adds an operator. */
  emit(
    code: string,
    inputs: (TfliteTensor | undefined)[],
    outputs: TfliteTensor[],
    options?: FlatObject,
  ): TfliteOp;
  /** Adds a custom operator. */
  emitCustom(
    code: string,
    inputs: (TfliteTensor | undefined)[],
    outputs: TfliteTensor[],
    options: Uint8Array,
  ): TfliteOp;
  /** Input `i` as int32: int64 constants are narrowed, other int64 tensors cast. */
  asInt32(i: number): TfliteTensor;
  /** The subgraph of a function of the graph, lowered once for this use. */
  subgraph(functionName: string): TfliteSubgraph;
}

/** A row for ops whose inputs and outputs go to one operator unchanged. */
export function direct(
  code: string,
  options?: FlatObject | ((node: Node) => FlatObject),
  more: Partial<LoweringRow> = {},
): LoweringRow {
  return {
    to: [code],
    build: (c) => {
      c.emit(code, c.inputs(), [c.output()], typeof options === 'function' ? options(c.node) : options);
    },
    ...more,
  };
}
