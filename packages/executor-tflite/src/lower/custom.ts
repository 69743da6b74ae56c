/**
 * Custom operators: nodes that no row takes, carried as they are where `allowCustomOps` lists their op.
 *
 * Their attributes become the operator's options, a FlexBuffer map, in the form in which TensorFlow's converter writes
 * them: kernels written for the one read the other.
 */
import type { Attr, Node, Tensor } from '@floe/export-core';
import { writeFlexMap, type FlexScalar, type FlexValue } from '../tflite/flexbuffer';
import { enumValue } from '../tflite/schema';
import { tensorType } from '../tflite/model';
import type { LoweringContext, Refusal } from './row';

/** The op that `detection:` ends a model with; part of every TFLite runtime's own set. */
export const POST_PROCESS = 'TFLite_Detection_PostProcess';

/** Why a node cannot be carried as a custom operator; undefined when it can. */
export function refuseCustom(node: Node): Refusal | undefined {
  for (let i = 0; i < customOutputs(node); i++) {
    if (node.output(i).dtype) continue;
    return {
      reason: `the type of its output ${i} is not known`,
      hint: 'let the node say it: attribute _output_types, a list of types',
    };
  }
  return undefined;
}

/** Lowers a node to a custom operator of the op's name. */
export function lowerCustom(context: LoweringContext): void {
  const { node } = context;
  const outputs = Array.from({ length: customOutputs(node) }, (_, i) => context.output(i));
  context.emitCustom(node.op, context.inputs(), outputs, customOptions(node));
}

/** How many outputs a node has: those it announces, and those that are known by their type. */
function customOutputs(node: Node): number {
  const noted = node.attrs.get('_output_types');
  let count = noted?.kind === 'list' ? noted.value.length : 1;
  while (node.hasOutput(count)) count++;
  return count;
}

/** The node's attributes without those that only TensorFlow reads: their names start with `_`. */
function customOptions(node: Node): Uint8Array {
  const entries = new Map<string, FlexValue>();
  for (const [name, attr] of node.attrs) {
    const value = name.startsWith('_') ? undefined : flexValue(attr);
    if (value) entries.set(name, value);
  }
  return writeFlexMap(entries);
}

/** An attribute in the format's terms; undefined for kinds that the format has no form for (shapes, functions). */
function flexValue(attr: Attr): FlexValue | undefined {
  switch (attr.kind) {
    case 'list': {
      const values = attr.value.map(flexScalar);
      const [first] = values;
      if (!first || values.some((v) => v?.kind !== first.kind)) return undefined;
      return { kind: 'list', of: first.kind, value: values as FlexScalar[] };
    }
    case 'tensor':
      return tensorList(attr.value);
    default:
      return flexScalar(attr);
  }
}

function flexScalar(attr: Attr): FlexScalar | undefined {
  switch (attr.kind) {
    case 'int':
    case 'float':
    case 'bool':
    case 'string':
      return attr;
    case 'type': {
      const type = tensorType(attr.value);
      return type === undefined ? undefined : { kind: 'int', value: BigInt(enumValue('TensorType', type)) };
    }
    default:
      return undefined;
  }
}

/** A tensor's elements, flat. */
function tensorList(tensor: Tensor): FlexValue | undefined {
  if (tensor.dtype === 'string') {
    const value = tensor.strings.map((s): FlexScalar => ({ kind: 'string', value: s }));
    return { kind: 'list', of: 'string', value };
  }
  const isFloat = tensor.dtype === 'float32' || tensor.dtype === 'float64';
  const value = tensor
    .toNumbers()
    .map((n): FlexScalar => (isFloat ? { kind: 'float', value: n } : { kind: 'int', value: BigInt(n) }));
  return { kind: 'list', of: isFloat ? 'float' : 'int', value };
}
