/**
 * What Floe knows of a TensorFlow op beyond its definition: one row an op, one file a family, `table.ts` joins them.
 */
import type { Node } from '../graph/graph';
import type { DType } from '../tensor/dtype';
import type { Dim, Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** What shape inference of one node may look at. */
export interface InferContext {
  readonly node: Node;
  /** Number of data inputs. */
  readonly count: number;
  /** Shape of input `i`; null when not even its rank is known. */
  shape(i: number): Shape;
  dtype(i: number): DType | undefined;
  /** The value of input `i` where it is constant. */
  constant(i: number): Tensor | undefined;
  /**
   * The elements of a small integer input (a shape, a size, an axis) as far as they are known; undefined when
   * nothing is, not even how many. A constant gives all its elements.
   */
  elements(i: number): Dim[] | undefined;
  /** Ends inference of this node: the graph contradicts itself here. */
  fail(message: string): never;
}

/** What inference found of one output. The dtype comes from the op's definition unless it is said here. */
export interface OutputInfo {
  shape: Shape;
  dtype?: DType;
  /** Known elements of a small integer output; see Value.partial. */
  elements?: Dim[];
}

export interface OpRow {
  /** Output shapes from input shapes. Without it: unknown shapes. */
  infer?(context: InferContext): OutputInfo[];
  /**
   * The outputs from constant inputs, bit-exact where TensorFlow's own kernels are deterministic. Throws RangeError
   * where TensorFlow would fail at run time. Not called for inputs or outputs beyond the folding limit.
   */
  evaluate?(inputs: readonly Tensor[], node: Node): Tensor[];
}

export type OpTable = Record<string, OpRow>;
