/** Runs a converted model over samples and measures the values of its float tensors. */
import { createHash } from 'node:crypto';
import { Diagnostics, joinPieces } from '@floe/export-core';
import { floatsOf } from '../../fuse/edit';
import type { TfliteModel, TfliteSignature, TfliteTensor } from '../../tflite/model';
import { readModel } from '../../tflite/read';
import { writeModel } from '../../tflite/write';
import { sizedBeforehand } from '../../verify/late-tensors';
import { LitertModel } from '../../verify/litert';
import type { Sample, Samples } from '../../verify/samples';
import type { RangesFile } from '../ranges';
import { meansRead } from '../bias-correction';
import { unrollLstms } from '../unroll-lstm';
import { checkStatistics } from './checks';
import { exposing, groupsOf } from './expose';
import { rangeBy, type Method } from './methods';
import { observingInside } from './observe-inside';
import { Statistics, StatisticsByTensor } from './statistics';
import { wantedRanges } from './wanted-ranges';

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
  const tensorsOf = model.subgraphs.map((graph) => graph.tensors());
  const channels = meansRead(model.subgraphs.flatMap((graph) => graph.ops));
  const cells = unrollLstms(model);
  const run = cells.size ? joinPieces(writeModel(model)) : bytes;
  const wanted = new Set([...tensorsOf.flat(), ...cells.values()]);
  const statistics = new StatisticsByTensor(channels);
  for (const signature of model.signatures) {
    const list = samples.get(signature.key) ?? [];
    await measure(model, signature, list, wanted, statistics, log);
    await measureInside(run, model, signature.key, list, statistics);
  }
  for (const [variable, states] of cells) {
    const known = statistics.get(states);
    if (known) statistics.set(variable, known);
    statistics.delete(states);
  }
  const used = new Set(wantedRanges(bytes).map(({ subgraph, index }) => tensorsOf[subgraph][index]));
  checkStatistics(new Map([...statistics].filter(([tensor]) => used.has(tensor))), diagnostics);
  const tensors = tensorsOf.flatMap((list, subgraph) =>
    list.flatMap((tensor, index) => {
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
          means: known.means(),
        },
      ];
    }),
  );
  const count = Math.max(0, ...[...samples.values()].map((list) => list.length));
  return {
    version: 2,
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
  wanted: ReadonlySet<TfliteTensor>,
  statistics: StatisticsByTensor,
  log?: (line: string) => void,
): Promise<void> {
  const add = (tensor: TfliteTensor, values: Float32Array): void => statistics.of(tensor).add(values);
  const isSized = sizedBeforehand(signature.subgraph);
  const computed = floatTensors(signature).filter((t) => isSized(t) && wanted.has(t));
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

/** Measures what is inside loops and branches, and tensors of which only a run can tell the size: extremes only. */
async function measureInside(
  bytes: Uint8Array,
  model: TfliteModel,
  key: string,
  samples: readonly Sample[],
  statistics: StatisticsByTensor,
): Promise<void> {
  const copy = readModel(bytes, 'the converted model');
  const place = new Map<TfliteTensor, TfliteTensor>();
  copy.subgraphs.forEach((graph, s) => {
    const originals = model.subgraphs[s].tensors();
    graph.tensors().forEach((tensor, i) => place.set(tensor, originals[i]));
  });
  const signature = copy.signatures.find((s) => s.key === key)!;
  const isSized = sizedBeforehand(signature.subgraph);
  const unsized = floatTensors(signature).filter((t) => !isSized(t));
  const pass = observingInside(copy, signature, unsized);
  if (!pass) return;
  const runner = LitertModel.load(pass.bytes);
  try {
    for (const sample of samples) {
      const values = await runner.run(sample, key);
      for (const { low, high, tensors } of pass.outputs) {
        const [lows, highs] = [low, high].map((name) => floatsOf(values.get(name)!.bytes));
        tensors.forEach((tensor, i) => addExtremes(statistics.of(place.get(tensor)!), lows[i], highs[i]));
      }
    }
  } finally {
    runner.dispose();
  }
}

function addExtremes(known: Statistics, low: number, high: number): void {
  // A loop without a turn and a branch not taken have seen nothing.
  if (low > high) return;
  if (Number.isFinite(low) && Number.isFinite(high)) known.addExtremes(low, high);
  else known.notFinite++;
}

/** Float tensors that the signature's graph computes, each once. */
function floatTensors({ subgraph, inputs }: TfliteSignature): TfliteTensor[] {
  const given = new Set(inputs.map(({ tensor }) => tensor));
  return subgraph
    .tensors()
    .filter((t) => t.type === 'FLOAT32' && !t.isConstant && !t.isVariable && !given.has(t));
}
