/**
 * Index walks over row-major tensors: broadcasting, transposing and anything else that strides describe.
 *
 * A walk collapses the dimensions that step alike in every operand and then visits *runs*: stretches of the output
 * in which each operand moves by a constant step. Same shapes make one run over everything, a bias one run a row.
 */
import type { TypedArray } from '../../tensor/dtype';
import { broadcastShapes, elementCount, stridesOf } from '../../tensor/shape';

/**
 * One stretch of `length` output elements from `at` on. Operand `k` starts at `offsets[k]` and moves by `steps[k]`;
 * both arrays are reused between visits.
 */
export type VisitRun = (
  at: number,
  length: number,
  offsets: readonly number[],
  steps: readonly number[],
) => void;

/** Visits all elements of `sizes` in row-major order; operand `k` moves by `strides[k][d]` along dimension `d`. */
export function stridedRuns(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  visit: VisitRun,
): void {
  if (sizes.some((n) => n === 0)) return;
  // Innermost dimension first.
  const dims: number[] = [];
  const moves: number[][] = strides.map(() => []);
  for (let d = sizes.length - 1; d >= 0; d--) {
    if (sizes[d] === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && strides.every((s, k) => s[d] === moves[k][last] * dims[last])) dims[last] *= sizes[d];
    else {
      dims.push(sizes[d]);
      strides.forEach((s, k) => moves[k].push(s[d]));
    }
  }
  const offsets = strides.map(() => 0);
  const length = dims[0] ?? 1;
  const steps = moves.map((m) => m[0] ?? 0);
  const index = new Array<number>(dims.length).fill(0);
  for (let at = 0; ; at += length) {
    visit(at, length, offsets, steps);
    let d = 1;
    for (; d < dims.length; d++) {
      index[d]++;
      for (let k = 0; k < offsets.length; k++) offsets[k] += moves[k][d];
      if (index[d] < dims[d]) break;
      for (let k = 0; k < offsets.length; k++) offsets[k] -= moves[k][d] * dims[d];
      index[d] = 0;
    }
    if (d >= dims.length) return;
  }
}

/** The steps of an operand of shape `from` that is broadcast to `to`: 0 along the dimensions it repeats. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, d) => (d < lead || from[d - lead] === 1 ? 0 : own[d - lead]));
}

/** Visits the elements of `to`, to which every operand's shape must broadcast; see `stridedRuns`. */
export function broadcastRuns(
  shapes: readonly (readonly number[])[],
  to: readonly number[],
  visit: VisitRun,
): void {
  stridedRuns(
    to,
    shapes.map((s) => broadcastStrides(s, to)),
    visit,
  );
}

/** The common shape of known shapes; throws RangeError where they do not broadcast. */
export function broadcastOf(...shapes: (readonly number[])[]): number[] {
  let out: number[] = [];
  for (const shape of shapes) {
    const next = broadcastShapes(out, [...shape]) as number[] | undefined;
    if (!next) throw new RangeError(`[${out.join(',')}] and [${shape.join(',')}] do not broadcast`);
    out = next;
  }
  return out;
}

/** For each element of `to`, the index of the element of `from` that is broadcast to it. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  const out = new Int32Array(elementCount(to));
  broadcastRuns([from], to, (at, length, [offset], [step]) => {
    for (let i = 0; i < length; i++) out[at + i] = offset + i * step;
  });
  return out;
}

/**
 * Elements of shape `from` spread out to shape `to`; the array itself where nothing repeats. `lanes` array
 * entries make one element (2 for complex numbers).
 */
export function expand<T extends TypedArray>(
  data: T,
  from: readonly number[],
  to: readonly number[],
  lanes = 1,
): T {
  const count = elementCount(to);
  if (elementCount(from) === count) return data;
  const out = new (data.constructor as new (n: number) => T)(count * lanes);
  const source = data as unknown as Record<number, number>;
  const target = out as unknown as Record<number, number>;
  broadcastRuns([from], to, (at, length, [offset], [step]) => {
    if (lanes === 1) {
      if (step === 0) (out as Uint8Array).fill(source[offset], at, at + length);
      else for (let i = 0; i < length; i++) target[at + i] = source[offset + i * step];
      return;
    }
    for (let i = 0; i < length; i++) {
      for (let l = 0; l < lanes; l++) target[(at + i) * lanes + l] = source[(offset + i * step) * lanes + l];
    }
  });
  return out;
}
