/** Runs a converted model over samples and measures the values of its float tensors. */
import { createHash } from 'node:crypto';
import { Diagnostics } from '@floe/export-core';
import { floatsOf } from '../../fuse/edit';
import type { TfliteModel, TfliteSignature, TfliteTensor } from '../../tflite/model';
import { readModel } from '../../tflite/read';
import { LitertModel } from '../../verify/litert';
import type { Sample, Samples } from '../../verify/samples';
import type { RangesFile } from '../ranges';
import { checkStatistics } from './checks';
import { exposing, groupsOf } from './expose';
import { rangeBy, type Method } from './methods';
import { Statistics } from './statistics';

export interface CalibrationSettings {
  method: Method;
  /** Progress, for people. */
  log?(line: string): void;
}

/**
 * Measures every float tensor that is computed. Deterministic: the same model and samples give the same file.
 *
 * @param bytes the converted model
 * @throws FloeError when the runtime cannot run it
 */
export async function calibrateModel(
  bytes: Uint8Array,
  samples: Samples,
  { method, log }: CalibrationSettings,
  diagnostics: Diagnostics,
): Promise<RangesFile> {
  const model = readModel(bytes, 'the converted model');
  const statistics = new Map<TfliteTensor, Statistics>();
  for (const signature of model.signatures) {
    await measure(model, signature, samples.get(signature.key) ?? [], statistics, log);
  }
  checkStatistics(statistics, diagnostics);
  const tensors = model.subgraphs.flatMap((graph, subgraph) =>
    graph.tensors().flatMap((tensor, index) => {
      const known = statistics.get(tensor);
      if (!known || known.samples === 0 || known.notFinite > 0) return [];
      const { min, max } = rangeBy(method, known);
      const { min: low, max: high } = known.range;
      const isCut = min !== low || max !== high;
      return [
        {
          subgraph,
          index,
          name: tensor.name,
          min,
          max,
          ...(isCut && { observed: [low, high] as [number, number] }),
          histogram: known.histogram(),
        },
      ];
    }),
  );
  const count = Math.max(0, ...[...samples.values()].map((list) => list.length));
  return {
    version: 1,
    model: createHash('sha256').update(bytes).digest('hex'),
    method,
    samples: count,
    tensors,
  };
}

async function measure(
  model: TfliteModel,
  signature: TfliteSignature,
  samples: readonly Sample[],
  statistics: Map<TfliteTensor, Statistics>,
  log?: (line: string) => void,
): Promise<void> {
  const add = (tensor: TfliteTensor, values: Float32Array): void => {
    let known = statistics.get(tensor);
    if (!known) statistics.set(tensor, (known = new Statistics()));
    known.add(values);
  };
  const computed = floatTensors(signature);
  for (const sample of samples) {
    for (const { name, tensor } of signature.inputs) {
      if (tensor.type === 'FLOAT32') add(tensor, sample.get(name)!.data as Float32Array);
    }
  }
  const groups = groupsOf(computed);
  for (const [g, group] of groups.entries()) {
    const { bytes, tensors } = exposing(model, signature, group);
    const runner = LitertModel.load(bytes);
    try {
      for (const [s, sample] of samples.entries()) {
        const values = await runner.run(sample, signature.key);
        for (const [name, tensor] of tensors) add(tensor, floatsOf(values.get(name)!.bytes));
        const pass = groups.length > 1 ? `, pass ${g + 1} of ${groups.length}` : '';
        if ((s + 1) % 10 === 0 || s + 1 === samples.length)
          log?.(`calibrate: sample ${s + 1} of ${samples.length}${pass}`);
      }
    } finally {
      runner.dispose();
    }
  }
}

/** Float tensors that the signature's graph computes, each once. */
function floatTensors({ subgraph, inputs }: TfliteSignature): TfliteTensor[] {
  const given = new Set(inputs.map(({ tensor }) => tensor));
  return subgraph
    .tensors()
    .filter((t) => t.type === 'FLOAT32' && !t.isConstant && !t.isVariable && !given.has(t));
}
