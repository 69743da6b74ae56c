/**
 * Custom operators: nodes that no row takes, carried as they are where `allowCustomOps` lists their op.
 *
 * Their attributes become the operator's options, a FlexBuffer map, in the form in which TensorFlow's converter writes
 * them: kernels written for the one read the other.
 */
import { outputTypes, type Attr, type Node, type Tensor, type Value } from '@floe/export-core';
import { writeFlexMap, type FlexScalar, type FlexValue } from '../tflite/flexbuffer';
import { enumValue } from '../tflite/schema';
import { tensorType } from '../tflite/model';
import type { LoweringContext, Refusal } from './row';

/** Why a node cannot be carried as a custom operator; undefined when it can. */
export function refuseCustom(node: Node): Refusal | undefined {
  const untyped = outputsOf(node).find((value) => !value.dtype);
  return (
    untyped && {
      reason: `the type of its output ${untyped.index} is not known`,
      hint: 'let the node say it: attribute _output_types, a list of types',
    }
  );
}

/** Lowers a node to a custom operator of the op's name. */
export function lowerCustom(context: LoweringContext): void {
  const { node } = context;
  const outputs = outputsOf(node).map((value) => context.tensorOf(value));
  context.emitCustom(node.op, context.inputs(), outputs, customOptions(node));
}

/** What a node gives: as many values as its definition or its note says, otherwise those that are read. */
function outputsOf(node: Node): Value[] {
  const count = outputTypes(node)?.length ?? Math.max(1, node.knownOutputs.length);
  return Array.from({ length: count }, (_, i) => node.output(i));
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
