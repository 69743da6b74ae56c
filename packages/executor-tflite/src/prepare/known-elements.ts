/**
 * Elements of small integer tensors that are computed from sizes: what a constant adds to an element that is known only
 * at run time. Two elements that are the same sum are equal, whatever the sizes are.
 */
import { opRow, Tensor, type Value } from '@floe/export-core';

/** `number`, plus an element of a value of the graph: its name and place, nothing where the number is all. */
export interface Element {
  number: number;
  plus?: string;
}

/** Longest chain of ops that is followed. */
const MAX_STEPS = 64;

/** Ops that keep elements in their order. */
const SAME_ORDER = /^(Identity|Reshape|ExpandDims|Squeeze)$/;
/** Ops that only choose elements: by their other operands, which must be constant. */
const CHOOSING = /^(StridedSlice|Slice|Transpose|GatherV2)$/;

/** Every element of a tensor, in order; undefined where even their number is unknown. */
export function elementsOf(value: Value): Element[] | undefined {
  const size = sizeOf(value);
  return size === undefined ? undefined : Array.from({ length: size }, (_, i) => elementOf(value, i));
}

function sizeOf({ shape }: Value): number | undefined {
  return shape?.includes(null) === false ? (shape as number[]).reduce((n, d) => n * d, 1) : undefined;
}

function elementOf(start: Value, at: number): Element {
  let [value, index, number] = [start, at, 0];
  for (let step = 0; step < MAX_STEPS; step++) {
    const constant = value.node.constant;
    if (constant) return { number: number + constant.toNumbers()[index] };
    const from = sourceOf(value, index);
    if (!from) break;
    [value, index, number] = [from.value, from.index, number + from.number];
  }
  return { number, plus: `${value.name}[${index}]` };
}

/** The element that an element is, plus a number; undefined where it is computed in another way. */
function sourceOf(
  { node }: Value,
  index: number,
): { value: Value; index: number; number: number } | undefined {
  const { inputs } = node;
  if (SAME_ORDER.test(node.op)) return { value: inputs[0], index, number: 0 };
  if (node.op === 'Pack' && node.int('axis') === 0) {
    const each = sizeOf(inputs[0]);
    if (each === undefined) return undefined;
    return { value: inputs[Math.floor(index / each)], index: index % each, number: 0 };
  }
  if (CHOOSING.test(node.op)) {
    const chosen = choose(node.inputs[0], node);
    return chosen === undefined ? undefined : { value: inputs[0], index: chosen[index], number: 0 };
  }
  if (/^Add(V2)?$/.test(node.op)) {
    const side = inputs.findIndex((input) => input.node.constant);
    const other = inputs[1 - side];
    // Where the other operand is not repeated.
    if (side < 0 || sizeOf(other) === undefined || sizeOf(other) !== sizeOf(node.output())) return undefined;
    const numbers = inputs[side].node.constant!.toNumbers();
    if (numbers.length !== 1 && numbers.length !== sizeOf(other)) return undefined;
    return { value: other, index, number: numbers[numbers.length === 1 ? 0 : index] };
  }
  return undefined;
}

/** Which element of the operand each element of the result is. */
function choose(operand: Value, node: Value['node']): number[] | undefined {
  const size = sizeOf(operand);
  const others = node.inputs.slice(1).map((input) => input.node.constant);
  if (size === undefined || !others.every((tensor) => tensor !== undefined)) return undefined;
  const places = Tensor.fromNumbers(
    'int32',
    operand.shape as number[],
    Array.from({ length: size }, (_, i) => i),
  );
  return opRow(node.op)
    ?.evaluate?.([places, ...others], node)[0]
    .toNumbers();
}
