/**
 * TensorFlow's StridedSlice notation (`x[1:, ..., None, 0]`): five bit masks over a sparse list of begins, ends and
 * strides, one for each thing written between the brackets.
 */
import type { Dim } from '../../tensor/shape';

export interface SliceSpec {
  begin: readonly Dim[];
  end: readonly Dim[];
  strides: readonly Dim[];
}

export interface SliceMasks {
  begin: number;
  end: number;
  ellipsis: number;
  newAxis: number;
  shrink: number;
}

/** One entry for each dimension of the input; null where something needed is not known. */
export interface DenseSlice {
  begin: Dim[];
  strides: Dim[];
  /** The slice before axes are added and removed. */
  shape: Dim[];
  finalShape: Dim[];
}

/** Spells a slice out over every dimension of the input; `fail` is called for what TensorFlow refuses. */
export function denseSlice(
  input: readonly Dim[],
  spec: SliceSpec,
  masks: SliceMasks,
  fail: (message: string) => never,
): DenseSlice {
  const result: DenseSlice = { begin: [], strides: [], shape: [], finalShape: [] };
  const has = (mask: number, i: number) => (mask & (1 << i)) !== 0;
  const count = spec.begin.length;
  if (spec.end.length !== count || spec.strides.length !== count)
    fail('begin, end and strides differ in length');
  let ellipsis = -1;
  for (let i = 0; i < count; i++) {
    if (!has(masks.ellipsis, i)) continue;
    if (ellipsis >= 0) fail('more than one ellipsis');
    ellipsis = i;
  }
  // What an ellipsis leaves to the right of it; without one it stands at the end.
  let used = 0;
  for (let i = 0; i < count; i++) if (i !== ellipsis && !has(masks.newAxis, i)) used++;
  if (used > input.length) fail(`${used} indices for ${input.length} dimensions`);
  const whole = (n: number) => {
    for (let k = 0; k < n; k++) {
      const dim = input[result.shape.length];
      result.begin.push(0);
      result.strides.push(1);
      result.shape.push(dim);
      result.finalShape.push(dim);
    }
  };
  for (let i = 0; i < count; i++) {
    if (i === ellipsis) whole(input.length - used);
    else if (has(masks.newAxis, i)) result.finalShape.push(1);
    else {
      const dim = input[result.shape.length];
      const stride = spec.strides[i];
      const begin = has(masks.begin, i) ? undefined : spec.begin[i];
      const end = has(masks.end, i) ? undefined : spec.end[i];
      if (stride === 0) fail(`stride ${i} is zero`);
      if (has(masks.shrink, i)) {
        if (stride !== null && stride < 0) fail('only stride 1 picks a single element');
        // TensorFlow looks at the index even where the mask leaves it out.
        const index = spec.begin[i];
        const at = index === null ? null : index >= 0 ? index : dim === null ? null : index + dim;
        if (at !== null && dim !== null && (at < 0 || at >= dim))
          fail(`index ${index} is outside of dimension ${dim}`);
        result.begin.push(at);
        result.strides.push(1);
        result.shape.push(1);
      } else {
        const range = interval(dim, begin, end, stride);
        result.begin.push(range.begin);
        result.strides.push(stride);
        result.shape.push(range.size);
        result.finalShape.push(range.size);
      }
    }
  }
  if (ellipsis < 0) whole(input.length - used);
  return result;
}

/** First index and number of elements of `begin:end:stride`; undefined is a bound left out, null one not known. */
function interval(
  dim: Dim,
  begin: Dim | undefined,
  end: Dim | undefined,
  stride: Dim,
): { begin: Dim; size: Dim } {
  if (stride === null || begin === null || end === null || dim === null) {
    // All of it, in one direction or the other.
    const all = begin === undefined && end === undefined && (stride === 1 || stride === -1);
    return { begin: null, size: all ? dim : null };
  }
  const low = stride > 0 ? 0 : -1;
  const high = stride > 0 ? dim : dim - 1;
  const clamp = (x: number) => Math.min(high, Math.max(low, x < 0 ? x + dim : x));
  const from = begin === undefined ? (stride > 0 ? low : high) : clamp(begin);
  const to = end === undefined ? (stride > 0 ? high : low) : clamp(end);
  return { begin: from, size: Math.max(0, Math.ceil((to - from) / stride)) };
}
