/**
 * The stages, in one table: what each reads and writes. The Nx plugin makes its targets from it, the keys what they
 * cover, the command line its chain.
 *
 * A slice is all of model.yaml that its stage may read: what is not in a stage's slice is not in its key, and a
 * stage that read it all the same would be a wrong cache hit. Neither `name` nor any path is in a slice: artefacts
 * depend on neither, so that clones in differently named folders share a cache.
 */
import { resolve } from 'node:path';
import { CALIBRATED_QUANTIZATIONS } from '../descriptor/names';
import type { ContractInput, ContractOutput, Descriptor, Variant } from '../descriptor/schema';
import type { LockSection } from '../keys/lock';
import { sourceFiles, type SourceFile } from '../keys/sources';
import { SAVED_MODEL_FILE, VARIABLE_FILES } from '../source/saved-model-files';

export type StageName =
  | 'freeze'
  | 'validate'
  | 'convert'
  | 'calibrate'
  | 'quantize'
  | 'export-tflite'
  | 'verify'
  | 'export-saved-model';

/** Another stage's artefacts, as paths below `dist/`. */
export interface Upstream {
  stage: StageName;
  files: string[];
}

export interface Stage {
  name: StageName;
  /** One target a variant (`name:variant`), or one a model. */
  perVariant: boolean;
  /** The npm package with the stage and its executor, which is called as the stage. */
  executor: '@floe/executor-freeze' | '@floe/executor-tflite';
  /** Runs models: the engine's name and version enter the key. */
  usesEngine: boolean;
  /** One sentence for people, as `nx show project` prints it. */
  description: string;
  /** False where a variant does not need the stage (calibrate and quantize of a float variant). */
  appliesTo(variant: Variant): boolean;
  /** What the stage reads of model.yaml; for stages that are not per variant, `variant` is not used. */
  slice(descriptor: Descriptor, variant?: string): Record<string, unknown>;
  /** What it reads outside `dist/`, with absolute paths. */
  files(descriptor: Descriptor, root: string, variant?: string): SourceFile[];
  /** Where model.lock.json has those files, and how model.yaml names them; undefined when it names none. */
  locked(descriptor: Descriptor, variant?: string): LockSection | undefined;
  /** What it reads below `dist/`, by the stage that writes it. */
  upstream(descriptor: Descriptor, variant?: string): Upstream[];
  /** Stages that have to succeed first though none of their artefacts is read. */
  after: StageName[];
  /** What it may write, as paths below `dist/`; the manifest is one of them. */
  outputs(variant?: string): string[];
  /** Outputs that stand for each other: a run writes those of one list, most often the first, and none of the others. */
  forms?: readonly (readonly string[])[];
  /** Its manifest (key and digests of the outputs), below `dist/`. */
  manifest(variant?: string): string;
}

const GRAPH = 'frozen/graph.pb';
const SAVED_MODEL = [SAVED_MODEL_FILE, ...VARIABLE_FILES];
/** In place of GRAPH where that would be too large. */
const LARGE_GRAPH = SAVED_MODEL.map((file) => `frozen/saved_model/${file}`);
const CONTRACT = 'frozen/contract.json';
const FROZEN = [GRAPH, ...LARGE_GRAPH, CONTRACT];
const CONVERTED = 'converted/model.tflite';

const always = (): boolean => true;
const none = (): SourceFile[] => [];
const nothing = (): undefined => undefined;
const isQuantized = (variant: Variant): boolean => variant.quantization !== 'none';
const isCalibrated = (variant: Variant): boolean =>
  (CALIBRATED_QUANTIZATIONS as readonly string[]).includes(variant.quantization);

const FREEZE: Stage = {
  name: 'freeze',
  perVariant: false,
  executor: '@floe/executor-freeze',
  usesEngine: false,
  description: 'Replaces the variables of the source by constants: frozen/graph.pb and its contract',
  appliesTo: always,
  slice: ({ source, inputs, outputs, signatures, freeze }) => ({
    source: {
      kind: source.savedModel ? 'savedModel' : source.frozenGraph ? 'frozenGraph' : 'checkpoint',
      tags: source.tags,
      signature: source.signature,
      signatures: source.signatures,
    },
    ...contract({ inputs, outputs, signatures }, false),
    freeze,
  }),
  files: (descriptor, root) => sourceFiles(descriptor, root),
  locked: ({ source: { checkpoint, graph, savedModel, frozenGraph } }) =>
    section('source', { checkpoint, graph, savedModel, frozenGraph }),
  upstream: () => [],
  after: [],
  outputs: () => [...FROZEN, 'frozen/manifest.json'],
  forms: [[GRAPH], LARGE_GRAPH],
  manifest: () => 'frozen/manifest.json',
};

const VALIDATE: Stage = {
  name: 'validate',
  perVariant: false,
  executor: '@floe/executor-tflite',
  usesEngine: false,
  description: 'Checks graph, contract and target before anything is converted: validation/report.json',
  appliesTo: always,
  slice: conversionSlice,
  files: conversionFiles,
  locked: conversionLocked,
  upstream: () => [{ stage: 'freeze', files: FROZEN }],
  after: [],
  outputs: () => ['validation/report.json', 'validation/report.sarif', 'validation/manifest.json'],
  manifest: () => 'validation/manifest.json',
};

const CONVERT: Stage = {
  name: 'convert',
  perVariant: false,
  executor: '@floe/executor-tflite',
  usesEngine: false,
  description: 'Lowers the frozen graph to TFLite operators: converted/model.tflite, float',
  appliesTo: always,
  slice: conversionSlice,
  files: conversionFiles,
  locked: conversionLocked,
  upstream: () => [{ stage: 'freeze', files: FROZEN }],
  after: ['validate'],
  outputs: () => [CONVERTED, 'converted/manifest.json'],
  manifest: () => 'converted/manifest.json',
};

const CALIBRATE: Stage = {
  name: 'calibrate',
  perVariant: true,
  executor: '@floe/executor-tflite',
  usesEngine: true,
  description: 'Runs the converted model over calibration data and measures ranges: ranges.json',
  appliesTo: isCalibrated,
  slice: (descriptor, variant) => ({
    ...sampling(descriptor),
    calibration: withoutPath(variantOf(descriptor, variant).calibration ?? { method: 'minmax' }),
  }),
  files: (descriptor, root, variant) =>
    dataFile('calibration', variantOf(descriptor, variant).calibration?.data, root),
  locked: (descriptor, variant) =>
    section(`calibration:${variant}`, { data: variantOf(descriptor, variant).calibration?.data }),
  upstream: () => [
    { stage: 'convert', files: [CONVERTED] },
    { stage: 'freeze', files: [CONTRACT] },
  ],
  after: [],
  outputs: (variant) => [`${variant}/ranges.json`, `${variant}/ranges.manifest.json`],
  manifest: (variant) => `${variant}/ranges.manifest.json`,
};

const QUANTIZE: Stage = {
  name: 'quantize',
  perVariant: true,
  executor: '@floe/executor-tflite',
  usesEngine: false,
  description: 'Quantises the converted model: quantized.tflite',
  appliesTo: isQuantized,
  slice: (descriptor, variant) => {
    const { quantization, onUnsupported, biasCorrection, rules } = variantOf(descriptor, variant);
    return { quantization, onUnsupported, biasCorrection, rules, target: descriptor.target };
  },
  files: none,
  locked: nothing,
  upstream: (descriptor, variant) => [
    { stage: 'convert', files: [CONVERTED] },
    ...(isCalibrated(variantOf(descriptor, variant))
      ? [{ stage: 'calibrate' as const, files: [`${variant}/ranges.json`] }]
      : []),
  ],
  after: [],
  outputs: (variant) => [`${variant}/quantized.tflite`, `${variant}/quantized.manifest.json`],
  manifest: (variant) => `${variant}/quantized.manifest.json`,
};

const EXPORT_TFLITE: Stage = {
  name: 'export-tflite',
  perVariant: true,
  executor: '@floe/executor-tflite',
  usesEngine: false,
  description: 'Gives the model the names, order and types of the contract, and its metadata: model.tflite',
  appliesTo: always,
  slice: (descriptor, variant) => {
    const { quantization, io } = variantOf(descriptor, variant);
    const { inputs, outputs, signatures, tflite, target, allowCustomOps, detection } = descriptor;
    return {
      ...contract({ inputs, outputs, signatures }, false),
      tflite: contract(tflite, false),
      target,
      allowCustomOps,
      detection: detectionSlice(detection),
      quantization,
      io,
    };
  },
  files: none,
  locked: nothing,
  upstream: (descriptor, variant) => [
    isQuantized(variantOf(descriptor, variant))
      ? { stage: 'quantize', files: [`${variant}/quantized.tflite`] }
      : { stage: 'convert', files: [CONVERTED] },
    { stage: 'freeze', files: [CONTRACT] },
  ],
  after: [],
  outputs: (variant) =>
    ['model.tflite', 'ops.json', 'register_ops.cc', 'register_ops_micro.h', 'manifest.json'].map(
      (f) => `${variant}/${f}`,
    ),
  manifest: (variant) => `${variant}/manifest.json`,
};

const VERIFY: Stage = {
  name: 'verify',
  perVariant: true,
  executor: '@floe/executor-tflite',
  usesEngine: true,
  description:
    'Compares model.tflite with the frozen graph on the same samples: verification.json, report.html',
  appliesTo: always,
  slice: (descriptor, variant) => {
    const { quantization, io } = variantOf(descriptor, variant);
    return {
      ...sampling(descriptor),
      allowCustomOps: descriptor.allowCustomOps,
      detection: detectionSlice(descriptor.detection),
      verify: withoutPath(descriptor.verify),
      quantization,
      io,
    };
  },
  // The graph that is compared with is cut as convert cuts it.
  files: (descriptor, root) => [
    ...dataFile('samples', descriptor.verify.data, root),
    ...conversionFiles(descriptor, root),
  ],
  locked: (descriptor) => {
    const detection = conversionLocked(descriptor)?.from;
    return section('verification', { data: descriptor.verify.data, ...detection });
  },
  upstream: (descriptor, variant) => [
    { stage: 'freeze', files: FROZEN },
    { stage: 'export-tflite', files: [`${variant}/model.tflite`] },
    // Layers of a quantised model are compared with those of the float model.
    ...(isQuantized(variantOf(descriptor, variant))
      ? [{ stage: 'convert' as const, files: [CONVERTED] }]
      : []),
  ],
  after: [],
  outputs: (variant) =>
    ['verification.json', 'report.html', 'verification.manifest.json'].map((f) => `${variant}/${f}`),
  manifest: (variant) => `${variant}/verification.manifest.json`,
};

const EXPORT_SAVED_MODEL: Stage = {
  name: 'export-saved-model',
  perVariant: false,
  executor: '@floe/executor-freeze',
  usesEngine: false,
  description: 'Writes the frozen graph as a SavedModel with the contract as its signatures: saved_model/',
  appliesTo: always,
  slice: () => ({}),
  files: none,
  locked: nothing,
  upstream: () => [{ stage: 'freeze', files: FROZEN }],
  after: [],
  outputs: () => [...SAVED_MODEL.map((file) => `saved_model/${file}`), 'saved_model.manifest.json'],
  // Weights stand in the graph, or beside it where that would be too large.
  forms: [[], VARIABLE_FILES.map((file) => `saved_model/${file}`)],
  manifest: () => 'saved_model.manifest.json',
};

/** Every stage, each after those it reads from. */
export const STAGES: readonly Stage[] = [
  FREEZE,
  VALIDATE,
  CONVERT,
  CALIBRATE,
  QUANTIZE,
  EXPORT_TFLITE,
  VERIFY,
  EXPORT_SAVED_MODEL,
];

/** Stages that also have a target for all variants together, without work of its own. */
export const AGGREGATES: readonly StageName[] = ['export-tflite', 'verify'];

export function stageOf(name: StageName): Stage {
  return STAGES.find((stage) => stage.name === name) as Stage;
}

/** The outputs of a run but its manifest: of the stage's forms the one of which it wrote something. */
export function outputsOf(
  { outputs, manifest, forms = [] }: Stage,
  variant: string | undefined,
  isWritten: (path: string) => boolean,
): string[] {
  const form = forms.find((files) => files.some(isWritten)) ?? forms[0] ?? [];
  const others = forms.flat().filter((path) => !form.includes(path));
  return outputs(variant).filter((path) => path !== manifest(variant) && !others.includes(path));
}

function variantOf(descriptor: Descriptor, variant: string | undefined): Variant {
  const settings = variant === undefined ? undefined : descriptor.variants[variant];
  if (!settings) throw new RangeError(`the model has no variant ${variant}`);
  return settings;
}

interface Contract {
  inputs?: ContractInput[];
  outputs?: 'auto' | ContractOutput[];
  signatures?: Descriptor['signatures'];
}

/** The contract's keys; `range` only says how samples are drawn, so only stages that draw some read it. */
function contract(part: Contract, withRange: boolean): Record<string, unknown> {
  const inputs = (list: ContractInput[] | undefined): unknown =>
    withRange ? list : list?.map(({ range: _, ...input }) => input);
  return {
    inputs: inputs(part.inputs),
    outputs: part.outputs,
    // As a list: in canonical JSON a map would lose the order, which the .tflite keeps.
    signatures:
      part.signatures &&
      Object.entries(part.signatures).map(([name, s]) => ({
        name,
        outputs: s.outputs,
        inputs: inputs(s.inputs),
      })),
  };
}

/** What a stage needs to feed a model. */
function sampling({ inputs, outputs, signatures, tflite }: Descriptor): Record<string, unknown> {
  return { ...contract({ inputs, outputs, signatures }, true), tflite };
}

function conversionSlice({ tflite, target, allowCustomOps, detection }: Descriptor): Record<string, unknown> {
  return { tflite: contract(tflite, false), target, allowCustomOps, detection: detectionSlice(detection) };
}

function conversionFiles({ detection }: Descriptor, root: string): SourceFile[] {
  return [
    ...dataFile('anchors', isFile(detection?.anchors) ? detection?.anchors : undefined, root),
    ...dataFile('pipelineConfig', detection?.pipelineConfig, root),
  ];
}

function conversionLocked({ detection }: Descriptor): LockSection | undefined {
  const anchors = isFile(detection?.anchors) ? detection?.anchors : undefined;
  return section('detection', { anchors, pipelineConfig: detection?.pipelineConfig });
}

/** A section of model.lock.json: stages that read the same files share one. */
function section(name: string, names: Record<string, string | undefined>): LockSection | undefined {
  const from = Object.entries(names).filter((e): e is [string, string] => e[1] !== undefined);
  return from.length === 0 ? undefined : { name, from: Object.fromEntries(from) };
}

/** Paths become `true`: that there is a file counts, and its content, not where it lies. */
function detectionSlice(detection: Descriptor['detection']): Record<string, unknown> | undefined {
  if (!detection) return undefined;
  const { anchors, pipelineConfig, ...rest } = detection;
  return { ...rest, anchors: isFile(anchors) ? true : anchors, pipelineConfig: pipelineConfig !== undefined };
}

/** `anchors` names a tensor or a .npy file; no tensor's name ends so. */
function isFile(anchors: string | undefined): boolean {
  return anchors !== undefined && anchors.endsWith('.npy');
}

function withoutPath({ data, ...rest }: { data?: string; [key: string]: unknown }): Record<string, unknown> {
  return { ...rest, data: data !== undefined };
}

function dataFile(role: string, path: string | undefined, root: string): SourceFile[] {
  return path === undefined ? [] : [{ role, path: resolve(root, path) }];
}
