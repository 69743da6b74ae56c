/** Following a size back to the tensor it is a dimension of: unknown sizes can be equal without being known. */
import type { Node, Value } from '../../graph/graph';

export interface DimSource {
  value: Value;
  dim: number;
}

/** Ops whose output is their first input, or holds its elements in the same order. */
const SAME = new Set(['Identity', 'StopGradient', 'PreventGradient', 'Snapshot', 'CheckNumerics']);
const SAME_ELEMENTS = new Set([...SAME, 'Cast', 'Reshape', 'Squeeze', 'ExpandDims']);

/** More steps than any shape computation has. */
const MAX_HOPS = 100;

/** The value itself, seen through ops that only hand it on. */
export function originOf(value: Value): Value {
  let at = value;
  for (let hops = 0; hops < MAX_HOPS && SAME.has(at.node.op); hops++) at = at.node.inputs[0];
  return at;
}

const constantOf = (value: Value | undefined): number[] | undefined => value?.node.constant?.toNumbers();

/** The dimension that element `index` of a shape, or of something made from shapes, stands for. */
export function dimSource(value: Value, index: number): DimSource | undefined {
  let [at, i] = [value, index];
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const { node } = at;
    const { inputs } = node;
    if (node.op === 'Shape' || node.op === 'ShapeN') return { value: originOf(inputs[at.index]), dim: i };
    let next: number | undefined = i;
    let from: Value | undefined = inputs[0];
    if (node.op === 'Pack')
      [from, next] = [node.int('axis') === 0 && inputs[i]?.shape?.length === 0 ? inputs[i] : undefined, 0];
    else if (node.op === 'Unpack') next = at.index;
    else if (node.op === 'ConcatV2') [from, next] = partOf(inputs.slice(0, -1), i);
    else if (node.op === 'GatherV2' || node.op === 'Gather') next = constantOf(inputs[1])?.[i];
    else if (node.op === 'Slice') next = plus(constantOf(inputs[1])?.[0], i);
    else if (node.op === 'StridedSlice') next = sliced(node, i);
    else if (!SAME_ELEMENTS.has(node.op)) return undefined;
    if (!from || next === undefined || next < 0) return undefined;
    [at, i] = [from, next];
  }
  return undefined;
}

const plus = (a: number | undefined, b: number): number | undefined => (a === undefined ? undefined : a + b);

/** The part of a concatenation of vectors that holds element `index`, and its place there. */
function partOf(parts: readonly Value[], index: number): [Value | undefined, number] {
  let i = index;
  for (const part of parts) {
    const size = part.shape?.length === 1 ? part.shape[0] : null;
    if (size === null) return [undefined, 0];
    if (i < size) return [part, i];
    i -= size;
  }
  return [undefined, 0];
}

/** The place in a vector of element `index` of a slice of it. */
function sliced(node: Node, index: number): number | undefined {
  const [begin, strides] = [constantOf(node.inputs[1]), constantOf(node.inputs[3])];
  if (begin?.length !== 1 || strides?.length !== 1) return undefined;
  if (node.int('ellipsis_mask') || node.int('new_axis_mask')) return undefined;
  const size = node.inputs[0].shape?.[0] ?? null;
  const open = node.int('begin_mask') && !node.int('shrink_axis_mask');
  if (open && strides[0] < 0) return size === null ? undefined : size - 1 + index * strides[0];
  const first = open ? 0 : begin[0];
  if (first < 0 && size === null) return undefined;
  return (first < 0 ? first + size! : first) + index * strides[0];
}
