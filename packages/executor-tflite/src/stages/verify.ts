/**
 * The verify stage: runs model.tflite and the frozen graph on the same samples and says of each output whether they
 * agree. What could not be compared is never passed over: a warning, or an error under `verify: { required: true }`.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  Diagnostics,
  postProcessSettings,
  type Contract,
  type Diagnostic,
  type Graph,
  type StageContext,
  type StageFunction,
  MAX_TFLITE_BYTES,
  readFile,
} from '@floe/export-core';
import { loadFrozen, type FrozenModel } from '../convert/load-frozen';
import { POST_PROCESS } from '../detection/names';
import { detectionsPerCount } from '../detection/detection';
import { engineGraph } from '../detection/reference';
import { readModel } from '../tflite/read';
import { CannotRun } from '../verify/cannot-run';
import { litertEngine } from '../verify/litert-module';
import { readSamples } from '../verify/sample-files';
import { randomSamples, type RangeOf, type Samples } from '../verify/samples';
import { reportPage } from '../verify/report';
import { modelFacts, verificationJson, type Verification } from '../verify/verification';
import { detectionOutputs, type DetectionOutputs } from '../verify/compare-detections';
import { worstLayers, type LayerResult } from '../verify/layers';
import { addLayers, ruleFor, verifyModel, type Detectors, type OutputResult } from '../verify/verify-model';

/** Layers that a message names. */
const NAMED_LAYERS = 3;

export const verify: StageFunction = async (context) => {
  const { dist, descriptor } = context;
  const variant = context.variant as string;
  const { quantization } = descriptor.variants[variant];
  const diagnostics = new Diagnostics();
  const { graph, contract, detection } = loadFrozen(context, diagnostics, { builtin: false });
  const detectors = detectorsOf(graph, contract, detection);
  const file = join(dist, variant, 'model.tflite');
  const tflite = readFile(file, MAX_TFLITE_BYTES);
  const facts = modelFacts(readModel(tflite, file), tflite.length, quantization);
  const samples = samplesOf(context, contract);
  const { tolerance, minSqnr } = descriptor.verify;
  const rule = ruleFor(quantization, tolerance, minSqnr);
  const bytes = (): Uint8Array => {
    if (contract.graph !== undefined) throw new CannotRun('the frozen graph is larger than 2 GiB');
    return readFileSync(join(dist, 'frozen/graph.pb'));
  };
  const frozen = engineGraph({ bytes, graph, initializers: contract.initializers }, detection !== undefined);
  const signatures = await verifyModel(
    tflite,
    frozen,
    contract.signatures,
    samples,
    rule,
    undefined,
    detectors,
  );
  if (rule.minSqnr !== undefined)
    await addLayers(
      signatures,
      readFile(join(dist, 'converted/model.tflite'), MAX_TFLITE_BYTES),
      tflite,
      samples,
    );
  const verification: Verification = {
    version: 1,
    runtime: litertEngine(),
    rule,
    samples: { source: descriptor.verify.data === undefined ? 'random' : 'data' },
    model: facts,
    signatures,
  };
  for (const signature of signatures) {
    const of = signatures.length > 1 ? ` of signature "${signature.key}"` : '';
    for (const output of signature.outputs) {
      const problem = problemOf(output, of, context, signature.layers);
      // The four outputs of a detector agree or differ together: one message says it.
      if (problem && !isRepeated(output.name, detectors.get(signature.key))) diagnostics.add(problem);
    }
  }
  return {
    diagnostics: diagnostics.list,
    artefacts: {
      [`${variant}/verification.json`]: verificationJson(verification),
      [`${variant}/report.html`]: reportPage(verification),
    },
    summary: summaryOf(verification),
  };
};

/** The signatures whose outputs are detections: of `detection:`, or of a graph that has TFLite's operator already. */
function detectorsOf(graph: Graph, contract: Contract, detection: FrozenModel['detection']): Detectors {
  const node = [...graph.nodes.values()].find((n) => n.op === POST_PROCESS);
  const perCount = detection?.perCount ?? (node && detectionsPerCount(postProcessSettings(node)));
  if (perCount === undefined) return new Map();
  const entries = contract.signatures.map((s) => [s.key, detectionOutputs(s, perCount)] as const);
  return new Map(entries.filter((e): e is [string, DetectionOutputs] => e[1] !== undefined));
}

function isRepeated(name: string, detector: DetectionOutputs | undefined): boolean {
  return detector !== undefined && [detector.classes, detector.scores, detector.count].includes(name);
}

function samplesOf({ descriptor, root, place }: StageContext, contract: Contract): Samples {
  const { data, images } = descriptor.verify;
  if (data !== undefined) {
    return readSamples(contract.signatures, {
      data: resolve(root, data),
      images,
      where: place(['verify', 'data']),
    });
  }
  const rangeOf: RangeOf = (signature, input) => {
    const declared = [
      ...(descriptor.tflite.inputs ?? []),
      ...(descriptor.signatures?.[signature]?.inputs ?? []),
      ...(descriptor.inputs ?? []),
    ];
    return declared.find((i) => i.name === input)?.range;
  };
  return randomSamples(contract.signatures, rangeOf);
}

function problemOf(
  output: OutputResult,
  of: string,
  { descriptor, place, variant }: StageContext,
  layers: readonly LayerResult[] = [],
): Diagnostic | undefined {
  const { name, status, reason, reference, figures } = output;
  const title = `output "${name}"${of}`;
  if (status === 'agrees') return undefined;
  if (status === 'not verified') {
    const { required, data } = descriptor.verify;
    return {
      code: 'V002',
      severity: required ? 'error' : 'warning',
      message: `${title} was not verified: ${reason}`,
      ...(required ? { where: place(['verify', 'required']) } : {}),
      ...(data === undefined ? { hint: 'give samples of real data: verify: { data: samples.npz }' } : {}),
    };
  }
  const far = figures
    ? ` (max |d| ${figures.maxAbsoluteError.toPrecision(3)}, cosine ${figures.cosine.toFixed(6)})`
    : '';
  const worst = worstLayers(layers, NAMED_LAYERS);
  const names = worst.map(({ name, op, added }) => {
    return `"${name}" (${op}, ${(-10 * Math.log10(added!)).toFixed(1)} dB)`;
  });
  const rules = worst.map(({ name }) => `{ match: ${JSON.stringify(name)}, quantization: none }`);
  return {
    code: 'V001',
    severity: 'error',
    message: `${title} differs from ${reference?.name} ${reference?.version}: ${reason}${far}${
      worst.length ? `; most of the error enters at ${names.join(', ')}` : ''
    }`,
    where: place(['verify']),
    hint: worst.length
      ? `keep these layers in float, and with them what reads them where that does not help: variants: { ${variant}: { rules: [${rules.join(', ')}] } }`
      : 'report.html has the figures of every output; verify: { tolerance } or { minSqnr } say what is near enough',
  };
}

function summaryOf({ signatures, samples }: Verification): string {
  const outputs = signatures.flatMap((s) => s.outputs);
  const counts = (['agrees', 'differs', 'not verified'] as const).flatMap((status) => {
    const n = outputs.filter((o) => o.status === status).length;
    return n ? [`${n} ${n > 1 && status !== 'not verified' ? status.slice(0, -1) : status}`] : [];
  });
  const engines = new Set(
    outputs.flatMap((o) => (o.reference ? [`${o.reference.name} ${o.reference.version}`] : [])),
  );
  const worst = Math.max(0, ...outputs.map((o) => o.figures?.maxAbsoluteError ?? 0));
  const fed = signatures.reduce((n, s) => n + s.samples, 0);
  const kind = samples.source === 'random' ? 'random ' : '';
  const against = engines.size ? ` against ${[...engines].join(', ')}` : '';
  const error = outputs.some((o) => o.figures) ? `, max |d| ${worst.toPrecision(2)}` : '';
  return `outputs: ${counts.join(', ')}${against}; ${fed} ${kind}sample${fed === 1 ? '' : 's'}${error}`;
}
