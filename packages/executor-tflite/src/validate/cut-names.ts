/** Names for the tensors of a cut: the features' own where ParseExample says them, else what their nodes are called. */
import type { Node, Value } from '@floe/export-core';

export function namesOf(values: readonly Value[]): string[] {
  return values.map((value) => featureName(value) ?? nodeName(value));
}

/** The key of a dense feature: it stands in a string constant that ParseExample reads. */
function featureName({ node, index }: Value): string | undefined {
  const key = /^ParseExample$/.test(node.op)
    ? denseKeysV1(node)[index - 3 * count(node, 'Nsparse')]
    : /^ParseExampleV2$/.test(node.op)
      ? strings(node, 3)[index - 3 * count(node, 'num_sparse')]
      : undefined;
  return key?.replace(/\W/g, '_');
}

function denseKeysV1(node: Node): string[] {
  const first = 2 + count(node, 'Nsparse');
  return Array.from({ length: count(node, 'Ndense') }, (_, i) => strings(node, first + i)[0] ?? '');
}

function strings(node: Node, input: number): string[] {
  const tensor = node.inputs[input]?.constant;
  return tensor?.dtype === 'string' ? tensor.strings.map((s) => Buffer.from(s).toString()) : [];
}

function count(node: Node, name: string): number {
  const value = node.attr(name);
  return value?.kind === 'int' ? Number(value.value) : 0;
}

/** `dnn/input_from_feature_columns/input_layer/concat` → `input_layer`. */
function nodeName({ node, index }: Value): string {
  const parts = node.name.split('/');
  const generic =
    /^(concat|Reshape|Identity|Cast|Squeeze|ExpandDims|TensorArrayGatherV3|TensorListStack|stack)(_\d+)?$/i;
  const part =
    parts.length > 1 && generic.test(parts[parts.length - 1])
      ? parts[parts.length - 2]
      : parts[parts.length - 1];
  const clean = part.replace(/\W/g, '_');
  return index ? `${clean}_${index}` : clean;
}
