/** Shape rules that many elementwise ops share. */
import { broadcastShapes, elementCount, isStatic, mergeShapes, type Dim, type Shape } from '../tensor/shape';
import type { DType } from '../tensor/dtype';
import { broadcastIndices } from './kernels/broadcast';
import type { InferContext, OpRow, OutputInfo } from './op-row';

type Infer = NonNullable<OpRow['infer']>;

/** One output with the first input's shape. */
export const unchanged: Infer = (c) => [{ shape: c.shape(0) }];

/** One output with the shape that all inputs have. */
export const merged: Infer = (c) => {
  let shape: Shape = null;
  for (let i = 0; i < c.count; i++) shape = mergeShapes(shape, c.shape(i));
  return [{ shape }];
};

/** Keeps an element only where a dtype can hold it. */
function fits(value: Dim, dtype: DType | undefined): Dim {
  if (exact(value) === null) return null;
  return dtype === 'int32' && value !== (value! | 0) ? null : value;
}

/** An element, or null where a number cannot hold it exactly. */
export const exact = (value: Dim): Dim => (value !== null && Number.isSafeInteger(value) ? value : null);

/** The first input's shape, and known elements passed through `f`. */
export function unchangedWith(f: (x: number) => number): Infer {
  return (c) => [
    {
      shape: c.shape(0),
      elements: c.elements(0)?.map((x) => (exact(x) === null ? null : fits(f(x as number), c.dtype(0)))),
    },
  ];
}

/** The broadcast of two inputs' shapes; ends inference where they do not broadcast. */
export function broadcastOfInputs(c: InferContext, i = 0, j = 1): Shape {
  const shape = broadcastShapes(c.shape(i), c.shape(j));
  if (shape === undefined) return c.fail(`shapes [${c.shape(i)}] and [${c.shape(j)}] do not broadcast`);
  return shape;
}

/** One output with the broadcast shape of two inputs. */
export const broadcasting: Infer = (c) => [{ shape: broadcastOfInputs(c) }];

/** The same with known elements combined by `f`, which sees null for an unknown one. */
export function broadcastingWith(f: (x: Dim, y: Dim) => Dim): Infer {
  return (c): OutputInfo[] => {
    const shape = broadcastOfInputs(c);
    const spread = [0, 1].map((i) => spreadElements(c, i, shape));
    const [x, y] = spread;
    if (!x || !y) return [{ shape }];
    return [{ shape, elements: x.map((v, i) => fits(f(v, y[i]), c.dtype(0))) }];
  };
}

/** The known elements of input `i`, broadcast to `to`; undefined where one of the shapes is not known. */
export function spreadElements(c: InferContext, i: number, to: Shape): Dim[] | undefined {
  const from = c.shape(i);
  if (!isStatic(from) || !isStatic(to)) return undefined;
  const elements = c.elements(i) ?? unknownElements(c, i, from);
  return elements && Array.from(broadcastIndices(from, to), (k) => exact(elements[k]));
}

/** An unknown operand of a small integer op still has a size: `n * 0` and `Select` can know the rest. */
function unknownElements(c: InferContext, i: number, shape: readonly number[]): Dim[] | undefined {
  const integer = c.dtype(i) === 'int32' || c.dtype(i) === 'int64';
  return integer && elementCount(shape) <= 64 ? new Array<Dim>(elementCount(shape)).fill(null) : undefined;
}

/** Lifts a function of two known elements to one that gives null where one is unknown. */
export function known(f: (x: number, y: number) => Dim): (x: Dim, y: Dim) => Dim {
  return (x, y) => (x === null || y === null ? null : f(x, y));
}
