/** The text of a model.yaml. */
import { relative, sep } from 'node:path';
import { detectionYaml, type DetectionBlock, type TensorSpec } from '@floe/export-core';
import type { FoundSource } from '../generators/model/find-source';
import { scalar } from './scalar';
import { calibrationNote, settingsText, type NewVariant } from './variant';

export interface ModelYamlOptions {
  /** The model project's folder, absolute: paths are written relative to it. */
  folder: string;
  /** Beside `float`. */
  variant?: NewVariant;
  /** Path of the JSON Schema for editors, relative to the folder. */
  schema?: string;
}

/** A model.yaml with what was found of its source. */
export function modelYaml(
  name: string,
  source: FoundSource,
  { folder, variant, schema }: ModelYamlOptions,
): string {
  const lines = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    'version: 1',
  ];
  lines.push(`name: ${scalar(name)}`, `source: ${sourceText(source, folder)}`);
  const { contract } = source;
  if (contract) {
    const isBatch = contract.inputs.some(({ shape }) => shape?.[0] === null);
    const note = isBatch ? ' # first size 1: one sample at a time; null for any number' : '';
    lines.push(contract.inputs.length > 0 ? `inputs:${note}` : 'inputs: []');
    lines.push(...contract.inputs.map(inputText), 'outputs:', ...contract.outputs.map(outputText));
  }
  if (source.detection) lines.push(...detectionLines(source.detection, folder));
  lines.push('variants:', '  float: {}');
  if (variant) {
    const note = calibrationNote(
      variant,
      source.contract?.inputs.map(oneSample) ?? source.signatureInputs ?? [],
    );
    lines.push(...[...note, `${variant.name}: ${settingsText(variant)}`].map((line) => `  ${line}`));
  }
  return lines.join('\n') + '\n';
}

function detectionLines({ pipelineConfig, ...block }: DetectionBlock, folder: string): string[] {
  return detectionYaml({
    ...block,
    ...(pipelineConfig === undefined ? {} : { pipelineConfig: relativeTo(folder, pipelineConfig) }),
  });
}

function relativeTo(folder: string, file: string): string {
  return relative(folder, file).split(sep).join('/') || '.';
}

function sourceText(
  { checkpoint, graph, savedModel, signature, frozenGraph }: FoundSource,
  folder: string,
): string {
  const path = (file: string): string => scalar(relativeTo(folder, file));
  const entries = [
    checkpoint !== undefined && `checkpoint: ${path(checkpoint)}`,
    graph !== undefined && `graph: ${path(graph)}`,
    savedModel !== undefined && `savedModel: ${path(savedModel)}`,
    signature !== undefined && `signature: ${scalar(signature)}`,
    frozenGraph !== undefined && `frozenGraph: ${path(frozenGraph)}`,
  ];
  return `{ ${entries.filter(Boolean).join(', ')} }`;
}

/** Sizes that the graph leaves open stay open, but for the batch: a phone runs one sample at a time. */
function oneSample(input: TensorSpec): TensorSpec {
  return {
    ...input,
    shape: input.shape && input.shape.map((size, axis) => (axis === 0 ? (size ?? 1) : size)),
  };
}

function inputText(input: TensorSpec): string {
  const { name, tensor, dtype, shape: sizes } = oneSample(input);
  const shapeText = !sizes ? '' : `, shape: [${sizes.map((size) => size ?? 'null').join(', ')}]`;
  return `  - { name: ${scalar(name)}, tensor: ${JSON.stringify(tensor)}, dtype: ${dtype}${shapeText} }`;
}

function outputText({ name, tensor }: TensorSpec): string {
  return `  - { name: ${scalar(name)}, tensor: ${JSON.stringify(tensor)} }`;
}
