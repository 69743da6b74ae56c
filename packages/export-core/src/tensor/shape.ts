/** Shapes: a list of dimensions, `null` where a size is unknown; `null` in place of the list when the rank is. */
export type Dim = number | null;
export type Shape = Dim[] | null;

/** True when every dimension is known. */
export function isStatic(shape: Shape | undefined): shape is number[] {
  return shape != null && shape.every((d) => d !== null);
}

/** Number of elements of a known shape. */
export function elementCount(shape: readonly number[]): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** `[1,?,3]`, or `?` when the rank is unknown. */
export function shapeToString(shape: Shape | undefined): string {
  return shape == null ? '?' : `[${shape.map((d) => d ?? '?').join(',')}]`;
}

export function sameShape(a: Shape | undefined, b: Shape | undefined): boolean {
  if (a == null || b == null) return a == null && b == null;
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** True when two shapes could describe one tensor: unknown parts agree with anything. */
export function compatible(a: Shape | undefined, b: Shape | undefined): boolean {
  if (a == null || b == null) return true;
  return a.length === b.length && a.every((d, i) => d === null || b[i] === null || d === b[i]);
}

/** What two descriptions of one tensor say together; where they contradict, the first wins. */
export function mergeShapes(a: Shape | undefined, b: Shape | undefined): Shape {
  if (a == null) return b ?? null;
  if (b == null || a.length !== b.length) return a;
  return a.map((d, i) => d ?? b[i]);
}

/** What holds of both of two shapes: sizes that differ are unknown, and so is the rank where it differs. */
export function commonShape(a: Shape | undefined, b: Shape | undefined): Shape {
  if (a == null || b == null || a.length !== b.length) return null;
  return a.map((d, i) => (d === b[i] ? d : null));
}

/** NumPy broadcasting of two shapes; undefined when they do not broadcast. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  if (a === null || b === null) return null;
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = i < rank - a.length ? 1 : a[i - (rank - a.length)];
    const y = i < rank - b.length ? 1 : b[i - (rank - b.length)];
    if (x === 1) out.push(y);
    else if (y === 1) out.push(x);
    else if (x === null) out.push(y);
    else if (y === null || x === y) out.push(x);
    else return undefined;
  }
  return out;
}

/** Row-major strides of a known shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}
