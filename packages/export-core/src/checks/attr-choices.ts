/** What TensorFlow's registry allows attributes to be, where that is not everything of their type. */
import type { Attr } from '../graph/attr';
import type { Node } from '../graph/graph';

interface Choices {
  sets: string[][];
  ops: Record<string, Record<string, number>>;
}

let choices: Choices | undefined;

/** The values that an attribute may have; undefined where it may have any. */
export function choicesOf(op: string, attribute: string): readonly string[] | undefined {
  // `attr-choices.json` is written by scripts/attr-choices.py. Loaded on first use.
  choices ??= require('./attr-choices.json') as Choices;
  const attributes = Object.hasOwn(choices.ops, op) ? choices.ops[op] : {};
  return Object.hasOwn(attributes, attribute) ? choices.sets[attributes[attribute]] : undefined;
}

/** Ops that go over images: they have sizes for each of their dimensions. */
const FOUR =
  /^(Conv2D|Conv2DBackprop(Input|Filter)|DepthwiseConv2dNative(Backprop(Input|Filter))?|MaxPool|AvgPool|MaxPoolWithArgmax|ExtractImagePatches)$/;
const FIVE = /^(Conv3D|Conv3DBackpropInputV2|MaxPool3D|AvgPool3D)$/;

/** How many numbers a list attribute has to have; undefined where the op does not say. */
export function lengthOf({ op }: Node, attribute: string): number | undefined {
  if (!/^(strides|ksize|ksizes|dilations|rates)$/.test(attribute)) return undefined;
  return FOUR.test(op) ? 4 : FIVE.test(op) ? 5 : undefined;
}

/** The texts and types of an attribute, a list's one by one. */
export function valuesOf(value: Attr): string[] {
  switch (value.kind) {
    case 'list':
      return value.value.flatMap(valuesOf);
    case 'type':
      return [value.value];
    case 'string':
      return [Buffer.from(value.value).toString()];
    default:
      return [];
  }
}
