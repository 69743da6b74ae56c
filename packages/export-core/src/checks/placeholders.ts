/**
 * Placeholders that are no input: which value they have in inference, where their name says it, and what to declare
 * where it does not.
 */
import { contractOutputs, type Contract } from '../contract/contract';
import type { Diagnostic } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import { dtypeKind } from '../tensor/dtype';
import { shapeToString, type Shape } from '../tensor/shape';
import { neededBy, nodeOf } from './needed';

interface InferenceValue {
  /** Of the name's last parts. */
  name: RegExp;
  kinds: readonly string[];
  value: number;
  /** As people say it. */
  told: string;
}

const end = (words: string): RegExp => new RegExp(`(^|[/_])(${words})(_\\d+)?$`, 'i');

/** Switches between training and inference, by the names they have in nearly all models. */
const INFERENCE_VALUES: readonly InferenceValue[] = [
  {
    name: end(
      'is_?training|training|train|is_?train|phase(_train)?|train_?(flag|phase|mode)|learning_phase|keras_learning_phase',
    ),
    kinds: ['bool'],
    value: 0,
    told: 'false',
  },
  {
    name: end('keep_?prob(ability)?|(drop_?out_)?keep(_prob)?'),
    kinds: ['float'],
    value: 1,
    told: '1: nothing is dropped',
  },
  {
    name: end('drop_?(out)?_?(rate|prob(ability)?)'),
    kinds: ['float'],
    value: 0,
    told: '0: nothing is dropped',
  },
];

/** The value that a placeholder has in inference; undefined where its name does not say. */
export function inferenceValue(node: Node): { value: number; told: string } | undefined {
  const kind = dtypeKind(node.type('dtype'));
  // Switches are scalars; old graphs do not say so.
  if (declaredShape(node)?.length) return undefined;
  return INFERENCE_VALUES.find((row) => row.kinds.includes(kind) && row.name.test(node.name));
}

/** G006 for a placeholder that the outputs need and nobody feeds. */
export function unfedPlaceholder(graph: Graph, node: Node, contract: Contract): Diagnostic {
  const dtype = node.type('dtype');
  const shape = declaredShape(node);
  const output = contractOutputs(contract).find(({ tensor }) => {
    const end = nodeOf(graph, tensor);
    return end && neededBy([end], new Set()).has(node);
  });
  const name = node.name.replace(/.*\//, '').replace(/\W/g, '_');
  const shaped = shape ? `, shape: ${JSON.stringify(shape)}` : '';
  return {
    code: 'G006',
    severity: 'error',
    message: `output "${output?.name ?? contractOutputs(contract)[0]?.name}" needs placeholder "${node.name}" (${dtype} ${shapeToString(shape)}), which is no input and has no default`,
    hint: `under inputs: { name: ${name}, tensor: "${node.name}:0", dtype: ${dtype}${shaped} }; labels are fed in training only: there declare an output before the loss`,
    node: node.name,
  };
}

function declaredShape(node: Node): Shape {
  const shape = node.attr('shape');
  return shape?.kind === 'shape' ? shape.value : null;
}
