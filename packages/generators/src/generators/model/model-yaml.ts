/** The text of a model.yaml. */
import { relative, sep } from 'node:path';
import { detectionYaml, type DetectionBlock, type TensorSpec } from '@floe/export-core';
import type { FoundSource } from './find-source';

/**
 * @param folder the model project's, absolute: paths are written relative to it
 * @param schema path of the JSON Schema for editors
 */
export function modelYaml(name: string, source: FoundSource, folder: string, schema?: string): string {
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
function inputText({ name, tensor, dtype, shape }: TensorSpec): string {
  const sizes = shape?.map((size, axis) => (axis === 0 ? (size ?? 1) : size));
  const shapeText = sizes === undefined ? '' : `, shape: [${sizes.map((size) => size ?? 'null').join(', ')}]`;
  return `  - { name: ${scalar(name)}, tensor: ${JSON.stringify(tensor)}, dtype: ${dtype}${shapeText} }`;
}

function outputText({ name, tensor }: TensorSpec): string {
  return `  - { name: ${scalar(name)}, tensor: ${JSON.stringify(tensor)} }`;
}

/** A YAML scalar: plain where it cannot be read as anything but text. */
function scalar(text: string): string {
  const plain =
    /^[A-Za-z_./][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|\.(inf|nan))$/i.test(text);
  // JSON's strings are YAML's.
  return plain ? text : JSON.stringify(text);
}
