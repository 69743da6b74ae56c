/** What the `infer` and `evaluate` functions of several families share: dimensions, axes, known elements. */
import type { InferContext, OpRow, OutputInfo } from '../op-row';
import { elementCount, isStatic, type Dim, type Shape } from '../../tensor/shape';
import { Tensor } from '../../tensor/tensor';

export type Infer = (c: InferContext) => OutputInfo[];
type Evaluate = NonNullable<OpRow['evaluate']>;

/** One output. */
export const out = (shape: Shape, elements?: Dim[]): OutputInfo[] => [{ shape, elements }];

/** The output has the shape of input `i`. */
export const likeInput =
  (i = 0): Infer =>
  (c) =>
    out(c.shape(i));

/** Outputs of shapes that no input changes. */
export const always =
  (...shapes: Shape[]): Infer =>
  () =>
    shapes.map((shape) => ({ shape: shape && [...shape] }));

/** Refuses at run time what TensorFlow's kernel refuses. */
export function refuse(message: string): never {
  throw new RangeError(message);
}

export const unknownDims = (rank: number): Dim[] => new Array<Dim>(rank).fill(null);

/** Dimension arithmetic as TensorFlow's: known results out of unknown operands where the other operand decides. */
export const addDims = (a: Dim, b: Dim): Dim =>
  a === 0 ? b : b === 0 ? a : a === null || b === null ? null : a + b;
export const subDims = (a: Dim, b: Dim): Dim => (b === 0 ? a : a === null || b === null ? null : a - b);
export const mulDims = (a: Dim, b: Dim): Dim =>
  a === 0 || b === 0 ? 0 : a === 1 ? b : b === 1 ? a : a === null || b === null ? null : a * b;

/** Number of elements; 0 as soon as one dimension is 0. */
export const productOf = (dims: readonly Dim[]): Dim =>
  dims.includes(0) ? 0 : dims.reduce<Dim>((a, b) => mulDims(a, b), 1);

/** The dimensions of input `i`, which must have this rank (all unknown where the rank is). */
export function dimsOfRank(c: InferContext, i: number, rank: number): Dim[] {
  const shape = c.shape(i);
  if (shape && shape.length !== rank) c.fail(`input ${i} must have rank ${rank}, not ${shape.length}`);
  return shape ?? unknownDims(rank);
}

/** The shape of input `i`, which must have at least this rank. */
export function rankAtLeast(c: InferContext, i: number, rank: number): Shape {
  const shape = c.shape(i);
  if (shape && shape.length < rank) c.fail(`input ${i} must have at least rank ${rank}, not ${shape.length}`);
  return shape;
}

/** One dimension out of two descriptions of it. */
export function mergeDims(c: InferContext, a: Dim, b: Dim): Dim {
  if (a !== null && b !== null && a !== b) c.fail(`dimensions ${a} and ${b} must be equal`);
  return a ?? b;
}

/** One shape out of two descriptions of it. */
export function mergeKnown(c: InferContext, a: Shape, b: Shape): Shape {
  if (a === null || b === null) return a ?? b;
  if (a.length !== b.length) c.fail(`shapes of rank ${a.length} and ${b.length} must be equal`);
  return a.map((d, i) => mergeDims(c, d, b[i]));
}

/** An axis counted from the front; `rank` is its exclusive limit. */
export function axisIn(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) refuse(`axis ${axis} is outside of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** As axisIn, for inference. */
export function inferAxis(c: InferContext, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) c.fail(`axis ${axis} is outside of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** The value of a scalar integer input; null when unknown. */
export function scalarInput(c: InferContext, i: number): Dim {
  // A constant of another integer type than int32 and int64 has no elements for the context.
  const elements = c.elements(i) ?? (c.constant(i)?.size === 1 ? c.constant(i)!.toNumbers() : undefined);
  return elements?.length === 1 ? elements[0] : null;
}

/** A shape given as a tensor: -1 and unknown elements are unknown sizes; its length alone gives the rank. */
export function shapeInput(c: InferContext, i: number): Shape {
  const elements = c.elements(i);
  const own = c.shape(i);
  if (elements) {
    if (own?.length === 0) return null;
    return elements.map((e) => {
      if (e !== null && e < -1) c.fail(`size ${e} in input ${i} is negative`);
      return e === -1 ? null : e;
    });
  }
  return own?.length === 1 && own[0] !== null ? unknownDims(own[0]) : null;
}

/** Known length of input `i`, a vector. */
export function lengthOf(c: InferContext, i: number): Dim {
  return c.elements(i)?.length ?? c.shape(i)?.[0] ?? null;
}

/** The integers of a small constant; undefined when one of them is unknown. */
export function knownInts(c: InferContext, i: number): number[] | undefined {
  const elements = c.elements(i) ?? c.constant(i)?.toNumbers();
  return elements?.every((e) => e !== null) ? (elements as number[]) : undefined;
}

const isInt = (dtype: string | undefined) => dtype === 'int32' || dtype === 'int64';

/** More elements than any shape or index list has: not worth following. */
const MAX_TRACKED = 64;

/**
 * The known elements that an op which only moves elements leaves in its outputs: `evaluate` runs over numbers that
 * stand for the elements of the inputs `data`; number 0 stays for the zero of paddings. All other inputs must be
 * known. Undefined where nothing is known.
 */
export function trackElements(
  c: InferContext,
  data: readonly number[],
  evaluate: Evaluate,
): Dim[][] | undefined {
  if (!data.every((i) => isInt(c.dtype(i)) && isStatic(c.shape(i)))) return undefined;
  if (data.reduce((sum, i) => sum + elementCount(c.shape(i) as number[]), 0) > MAX_TRACKED) return undefined;
  if (!data.some((i) => c.elements(i)?.some((e) => e !== null))) return undefined;
  const values: Dim[] = [0];
  const inputs: Tensor[] = [];
  for (let i = 0; i < c.count; i++) {
    if (data.includes(i)) {
      const shape = c.shape(i) as number[];
      const size = elementCount(shape);
      const ids = Array.from({ length: size }, (_, k) => values.length + k);
      values.push(...(c.elements(i) ?? unknownDims(size)));
      inputs.push(Tensor.fromNumbers('int32', shape, ids));
    } else {
      const tensor = knownTensor(c, i);
      if (!tensor) return undefined;
      inputs.push(tensor);
    }
  }
  try {
    return evaluate(inputs, c.node).map((t) => t.toNumbers().map((id) => values[id]));
  } catch (error) {
    // What cannot run has no elements; whether it is an error is for the shapes to say.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function knownTensor(c: InferContext, i: number): Tensor | undefined {
  const constant = c.constant(i);
  if (constant) return constant;
  const ints = knownInts(c, i);
  const shape = c.shape(i);
  const dtype = c.dtype(i);
  return ints && dtype && isInt(dtype) && isStatic(shape)
    ? Tensor.fromNumbers(dtype, shape, ints)
    : undefined;
}

/** A row for an op that moves elements of the inputs `data`: its inference also follows their known elements. */
export function moving(
  data: readonly number[] | ((c: InferContext) => number[]),
  infer: Infer,
  evaluate: Evaluate,
): OpRow {
  return {
    infer: (c) => {
      const infos = infer(c);
      const elements = trackElements(c, typeof data === 'function' ? data(c) : data, evaluate);
      return elements ? infos.map((info, i) => ({ ...info, elements: elements[i] })) : infos;
    },
    evaluate,
  };
}

/** 0, 1, …, n - 1 */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
