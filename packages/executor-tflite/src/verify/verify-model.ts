/**
 * Compares a .tflite file with the frozen graph it came from, output by output. Each ends as *agrees*, *differs* or
 * *not verified*, with the figures or the reason.
 */
import { dtypeKind, joinPieces, type Quantization, type Signature, type Tensor } from '@floe/export-core';
import { unrollLstms } from '../quantize/unroll-lstm';
import { readModel } from '../tflite/read';
import { writeModel } from '../tflite/write';
import { CannotRun } from './cannot-run';
import { Comparison, type Figures } from './compare';
import { compareDetections, type DetectionOutputs, type DetectionResult } from './compare-detections';
import type { FrozenGraph, GraphEngine } from './graph-engine';
import { runGraph, type EngineName, type GraphRun, type Refusal } from './graph-runner';
import { fromModelOutput, toModelInput } from './io-types';
import { compareLayers, type LayerResult } from './layers';
import { LitertModel, type SignatureInfo } from './litert';
import type { Sample, Samples } from './samples';

export type Status = 'agrees' | 'differs' | 'not verified';

export interface OutputResult {
  name: string;
  status: Status;
  /** Why it differs or was not verified; for agreement what is worth knowing. */
  reason?: string;
  /** Who computed what it was compared with. */
  reference?: EngineName;
  figures?: Figures;
}

export interface SignatureResult {
  key: string;
  samples: number;
  /** Engines that could not run the graph. */
  refusals: Refusal[];
  outputs: OutputResult[];
  /** Of a quantised model: where its error enters; or why that could not be found out. */
  layers?: LayerResult[];
  layersUnknown?: string;
  /** Of a detector: its detections, compared as such. */
  detections?: DetectionResult;
}

/** What is near enough. */
export interface Rule {
  /** Relative tolerance of float models; see compare.ts. */
  tolerance: number;
  /** For quantised models instead: the smallest signal to noise ratio, in dB. */
  minSqnr?: number;
}

/** Adds to each result where the error of a quantised model enters, by the float model it was made of. */
export async function addLayers(
  results: readonly SignatureResult[],
  float: Uint8Array,
  tflite: Uint8Array,
  samples: Samples,
): Promise<void> {
  for (const result of results) {
    try {
      result.layers = await compareLayers(float, tflite, result.key, samples.get(result.key) ?? []);
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      result.layersUnknown = error.reason;
    }
  }
}

/** By the signature's key: outputs that are detections. */
export type Detectors = ReadonlyMap<string, DetectionOutputs>;

/**
 * Signal to noise ratios, in dB, below which a quantised model is rather wrong than coarse. Where model.yaml says
 * nothing (`verify: { minSqnr }`).
 */
const MIN_SQNR: Record<Quantization, number | undefined> = {
  none: undefined,
  float16: 40,
  dynamic: 15,
  int8: 10,
  int16x8: 20,
  'weight-only-int8': 20,
  'weight-only-int4': 5,
};

export function ruleFor(quantization: Quantization, tolerance: number, minSqnr: number | undefined): Rule {
  const quantized = MIN_SQNR[quantization];
  return quantized === undefined ? { tolerance } : { tolerance, minSqnr: minSqnr ?? quantized };
}

/** @throws FloeError when the file is no .tflite file */
export async function verifyModel(
  tflite: Uint8Array,
  frozen: FrozenGraph,
  signatures: readonly Signature[],
  samples: Samples,
  rule: Rule,
  engines?: readonly GraphEngine[],
  detectors: Detectors = new Map(),
): Promise<SignatureResult[]> {
  const { bytes, note } = runnable(tflite);
  const model = LitertModel.load(bytes, 'model.tflite');
  const results: SignatureResult[] = [];
  try {
    for (const signature of signatures) {
      const fed = samples.get(signature.key) ?? [];
      const detector = detectors.get(signature.key);
      const result = await verifySignature(model, frozen, signature, fed, rule, detector, engines);
      if (note) for (const output of result.outputs) addNote(output, note);
      results.push(result);
    }
  } finally {
    model.dispose();
  }
  return results;
}

/** The file as the runtime takes it: without variables. */
function runnable(tflite: Uint8Array): { bytes: Uint8Array; note?: string } {
  const model = readModel(tflite, 'model.tflite');
  if (!unrollLstms(model).size) return { bytes: tflite };
  const note =
    'LSTM operators were computed step by step in float, their states rounded as the file holds them';
  return { bytes: joinPieces(writeModel(model)), note };
}

function addNote(output: OutputResult, note: string): void {
  if (output.status !== 'not verified') output.reason = [output.reason, note].filter(Boolean).join('; ');
}

async function verifySignature(
  model: LitertModel,
  frozen: FrozenGraph,
  signature: Signature,
  samples: readonly Sample[],
  rule: Rule,
  detector?: DetectionOutputs,
  engines?: readonly GraphEngine[],
): Promise<SignatureResult> {
  const result: SignatureResult = { key: signature.key, samples: samples.length, refusals: [], outputs: [] };
  const all = (reason: string): SignatureResult => ({
    ...result,
    outputs: signature.outputs.map(({ name }) => ({ name, status: 'not verified', reason })),
  });
  let info: SignatureInfo;
  let got: Map<string, Tensor>[];
  try {
    info = model.signature(signature.key);
    got = [];
    for (const sample of samples) got.push(await runModel(model, info, signature, sample));
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    return all(`the .tflite file cannot be run here: ${error.reason}`);
  }
  try {
    const runner = runGraph(frozen, signature, samples, engines);
    result.refusals = runner.refusals;
    const first = await runner.next();
    if (!first) return all(`no engine can run the graph (${reasons(runner.refusals)})`);
    const compare = (run: GraphRun, names: readonly string[]): OutputResult[] => {
      if (detector) result.detections = compareAsDetections(detector, got, run, rule);
      const { detections } = result;
      return names.map((name) =>
        detections && isDetectionOutput(name, detector)
          ? detectionOutput(name, detections, run)
          : compareOutput(name, got, run, rule),
      );
    };
    const names = signature.outputs.map((o) => o.name);
    let outputs = compare(first, names);
    const doubtful = outputs.filter((o) => o.status !== 'agrees').map((o) => o.name);
    const worst = farthestSample(got, first, doubtful);
    // Reference engines are slow. Where the next one agrees with this on the worst sample, it would say the same of all.
    const second =
      doubtful.length && !first.isExact
        ? await runner.next({
            sample: worst,
            isSettled: (other) => doubtful.every((name) => isSame(first.outputs[worst], other, name, rule)),
          })
        : undefined;
    if (second) {
      const again = new Map(compare(second, doubtful).map((o) => [o.name, o]));
      const note = `${first.engine.name} ${first.engine.version} gives other numbers`;
      outputs = outputs.map((o) => {
        const other = again.get(o.name);
        if (!other) return o;
        return other.status === 'agrees' ? { ...other, reason: note } : other;
      });
    }
    return { ...result, outputs };
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    return all(error.reason);
  }
}

async function runModel(
  model: LitertModel,
  info: SignatureInfo,
  signature: Signature,
  sample: Sample,
): Promise<Map<string, Tensor>> {
  const inputs = new Map<string, Tensor>();
  for (const input of info.inputs) {
    const given = sample.get(input.name);
    if (!given) throw new CannotRun(`its input "${input.name}" is not in the contract`);
    const tensor = toModelInput(given, input);
    if (!tensor)
      throw new CannotRun(`its input "${input.name}" is ${input.dtype}, the contract's ${given.dtype}`);
    inputs.set(input.name, tensor);
  }
  const outputs = await model.run(inputs, info.key);
  for (const output of info.outputs) {
    const wanted = signature.outputs.find((o) => o.name === output.name);
    const tensor = outputs.get(output.name) as Tensor;
    if (wanted) outputs.set(output.name, fromModelOutput(tensor, wanted.dtype, output));
  }
  return outputs;
}

function compareOutput(
  name: string,
  got: readonly ReadonlyMap<string, Tensor>[],
  run: GraphRun,
  rule: Rule,
): OutputResult {
  const comparison = new Comparison(rule.tolerance);
  const result = { name, reference: run.engine };
  let isExact = false;
  for (const [i, outputs] of got.entries()) {
    const tensor = outputs.get(name);
    if (!tensor) return { ...result, status: 'differs', reason: 'the .tflite file has no such output' };
    isExact = !['float', 'complex'].includes(dtypeKind(tensor.dtype));
    const misfit = comparison.add(tensor, run.outputs[i].get(name) as Tensor);
    if (misfit) return { ...result, status: 'differs', reason: misfit };
  }
  const figures = comparison.figures();
  if (comparison.agrees) return { ...result, status: 'agrees', figures };
  if (rule.minSqnr === undefined) {
    const reason = `${figures.outside} of ${figures.elements} elements are outside the tolerance of ${rule.tolerance}`;
    return { ...result, status: 'differs', reason, figures };
  }
  if (isExact) {
    const reason = `${figures.outside} of ${figures.elements} integers differ, as those of a quantised model may`;
    return { ...result, status: 'not verified', reason, figures };
  }
  const sqnr = figures.finiteMismatches ? -Infinity : (figures.sqnr ?? Infinity);
  if (sqnr >= rule.minSqnr) return { ...result, status: 'agrees', figures };
  const reason = figures.finiteMismatches
    ? `${figures.finiteMismatches} elements are finite in one of the two alone`
    : `the signal to noise ratio is ${sqnr.toFixed(1)} dB, less than ${rule.minSqnr}`;
  return { ...result, status: 'differs', reason, figures };
}

/** The sample on which the model is farthest from the graph, by any of these outputs. */
function farthestSample(
  got: readonly ReadonlyMap<string, Tensor>[],
  run: GraphRun,
  names: readonly string[],
): number {
  const distances = got.map((outputs, i) =>
    Math.max(
      0,
      ...names.map((name) => {
        const tensor = outputs.get(name);
        const comparison = new Comparison(0);
        if (!tensor || comparison.add(tensor, run.outputs[i].get(name) as Tensor)) return Infinity;
        const { finiteMismatches, maxAbsoluteError, outside } = comparison.figures();
        return finiteMismatches ? Infinity : maxAbsoluteError || outside;
      }),
    ),
  );
  return Math.max(0, distances.indexOf(Math.max(...distances)));
}

/** Two engines give the same for an output of one sample. */
function isSame(
  one: ReadonlyMap<string, Tensor>,
  other: ReadonlyMap<string, Tensor>,
  name: string,
  { tolerance }: Rule,
): boolean {
  const comparison = new Comparison(tolerance);
  return !comparison.add(one.get(name) as Tensor, other.get(name) as Tensor) && comparison.agrees;
}

function compareAsDetections(
  detector: DetectionOutputs,
  got: readonly ReadonlyMap<string, Tensor>[],
  run: GraphRun,
  { tolerance, minSqnr }: Rule,
): DetectionResult {
  return compareDetections(got, run.outputs, detector, { tolerance, quantized: minSqnr !== undefined });
}

function isDetectionOutput(name: string, detector: DetectionOutputs | undefined): boolean {
  return detector !== undefined && Object.values(detector).includes(name);
}

/** What the comparison of detections says of each of the outputs that make them up. */
function detectionOutput(name: string, { agrees, reason }: DetectionResult, run: GraphRun): OutputResult {
  return {
    name,
    status: agrees ? 'agrees' : 'differs',
    ...(reason ? { reason } : {}),
    reference: run.engine,
  };
}

function reasons(refusals: readonly Refusal[]): string {
  return refusals.map(({ engine, reason }) => `${engine.name}: ${reason}`).join('; ');
}
