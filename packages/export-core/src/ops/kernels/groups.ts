/** Which elements a reduction folds together. */
import { elementCount, stridesOf } from '../../tensor/shape';
import { stridedRuns } from './broadcast';
import { axisIn } from './shape-rules';

export interface Groups {
  /** The shape that is left over: without the reduced dimensions, or with ones in their place. */
  shape: number[];
  /** The first element of each group, in row-major order of the groups. */
  bases: Int32Array;
  /** The elements of a group, counted from its first. */
  offsets: Int32Array;
}

/** The groups of a tensor's elements that differ in the given axes only. */
export function groupsOf(shape: readonly number[], axes: readonly number[], keepDims = false): Groups {
  const reduced = new Set(axes.map((a) => axisIn(a, shape.length)));
  const strides = stridesOf(shape);
  const positions = (dims: number[]) => {
    const sizes = dims.map((d) => shape[d]);
    const out = new Int32Array(elementCount(sizes));
    stridedRuns(sizes, [dims.map((d) => strides[d])], (at, n, [offset], [step]) => {
      for (let i = 0; i < n; i++) out[at + i] = offset + i * step;
    });
    return out;
  };
  const all = shape.map((_, d) => d);
  const kept = all.filter((d) => !reduced.has(d));
  return {
    shape: keepDims ? shape.map((n, d) => (reduced.has(d) ? 1 : n)) : kept.map((d) => shape[d]),
    bases: positions(kept),
    offsets: positions(all.filter((d) => reduced.has(d))),
  };
}
