/** What `verification.json` holds: everything that was found, and nothing that changes from run to run. */
import type { Quantization } from '@floe/export-core';
import { operatorVersion } from '../tflite/op-version';
import type { TfliteModel, TfliteTensor } from '../tflite/model';
import { dtypeOf } from '../tflite/model';
import { minimumRuntime } from '../tflite/runtime-version';
import type { EngineName } from './graph-runner';
import type { Rule, SignatureResult } from './verify-model';

export interface TensorFacts {
  signature: string;
  name: string;
  dtype: string;
  shape: string;
}

export interface ModelFacts {
  bytes: number;
  /** The oldest TFLite runtime with all its operators; empty when it has none. */
  minRuntime: string;
  quantization: Quantization;
  inputs: TensorFacts[];
  outputs: TensorFacts[];
  operators: { name: string; version: number; count: number }[];
}

export interface Verification {
  version: 1;
  /** What ran the .tflite file. */
  runtime: EngineName;
  rule: Rule;
  samples: { source: 'data' | 'random' };
  model: ModelFacts;
  signatures: SignatureResult[];
}

/** What there is to say of a model before it runs. */
export function modelFacts(model: TfliteModel, bytes: number, quantization: Quantization): ModelFacts {
  const facts = (list: 'inputs' | 'outputs'): TensorFacts[] =>
    model.signatures.flatMap((s) => s[list].map(({ name, tensor }) => tensorFacts(s.key, name, tensor)));
  const ops = model.subgraphs.flatMap((g) => g.ops);
  const operators = new Map<string, { name: string; version: number; count: number }>();
  for (const op of ops) {
    const [name, version] = [op.customCode ?? op.code, operatorVersion(op)];
    const entry = operators.get(`${name} ${version}`);
    if (entry) entry.count++;
    else operators.set(`${name} ${version}`, { name, version, count: 1 });
  }
  const builtins = ops.filter((op) => op.code !== 'CUSTOM');
  return {
    bytes,
    minRuntime: minimumRuntime(builtins.map((op) => ({ code: op.code, version: operatorVersion(op) }))),
    quantization,
    inputs: facts('inputs'),
    outputs: facts('outputs'),
    operators: [...operators.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
  };
}

function tensorFacts(signature: string, name: string, { type, shape }: TfliteTensor): TensorFacts {
  const sizes = shape ? `[${shape.map((d) => (d < 0 ? '?' : d)).join(', ')}]` : 'of any rank';
  return { signature, name, dtype: dtypeOf(type) ?? type, shape: sizes };
}

/** As JSON. Figures are rounded: their last digits say nothing. */
export function verificationJson(verification: Verification): string {
  const rounded = <T extends object>(figures: T): T =>
    Object.fromEntries(
      Object.entries(figures).map(([key, n]: [string, unknown]) => [
        key,
        typeof n === 'number' ? Number(n.toPrecision(6)) : n,
      ]),
    ) as T;
  const signatures = verification.signatures.map((s) => ({
    ...s,
    outputs: s.outputs.map((o) => (o.figures ? { ...o, figures: rounded(o.figures) } : o)),
    ...(s.layers ? { layers: s.layers.map((layer) => rounded(layer)) } : {}),
  }));
  return JSON.stringify({ ...verification, signatures }, null, 2) + '\n';
}
