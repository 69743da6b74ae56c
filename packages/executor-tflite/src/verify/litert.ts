/**
 * Runs .tflite files: Floe's tensors in, Floe's tensors out, by the names of a signature.
 *
 * What the runtime does not tell by itself is checked here: `run` returns uninitialised memory when allocation or
 * invocation failed (the only trace is a line that starts with ERROR, so those are collected), and an input of the
 * wrong size may crash the module. Each session has a module of its own: a crash ends that one, and memory, which
 * wasm never gives back, goes with it.
 */
import { dtypeSize, FloeError, Tensor, type DType } from '@floe/export-core';
import { resizeInputs, withOutputShapes } from './adapt-model';
import {
  createModule,
  takeVector,
  type CompiledModel,
  type LitertModule,
  type RankedTensorType,
  type TensorBuffer,
  type WasmModel,
} from './litert-module';
import { readModel } from '../tflite/read';
import { dtypeOf, type TfliteModel, type TfliteSignature, type TfliteTensor } from '../tflite/model';

/** The runtime's element types. */
const ELEMENT_TYPES: Partial<Record<DType, number>> = {
  float32: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  bool: 6,
  int16: 7,
  complex64: 8,
  int8: 9,
  float16: 10,
  float64: 11,
  complex128: 12,
  uint64: 13,
  uint32: 16,
  uint16: 17,
  bfloat16: 19,
};
const DTYPES = new Map(Object.entries(ELEMENT_TYPES).map(([dtype, code]) => [code, dtype as DType]));

/** The model cannot be run here, which says nothing about whether it is right. */
export class CannotRun extends FloeError {
  constructor(
    /** Completes "cannot be run: …". */
    readonly reason: string,
    /** True when a size that is only known at run time is in the way; see `RunOptions.outputShapes`. */
    readonly dynamicOutput = false,
  ) {
    super({ code: 'V002', severity: 'error', message: `the .tflite file cannot be run: ${reason}` });
    this.name = 'CannotRun';
  }
}

export interface RunOptions {
  /**
   * Shapes to expect of outputs whose size only a run can tell: the runtime cannot hand those out, so a RESHAPE to
   * the given shape is appended in a copy.
   */
  outputShapes?: ReadonlyMap<string, readonly number[]>;
}

/** Name, dtype and shape (-1 where unknown) of an input or output. */
export interface TensorInfo {
  name: string;
  dtype: DType;
  shape: readonly number[] | undefined;
  tensor: TfliteTensor;
}

export interface SignatureInfo {
  key: string;
  inputs: TensorInfo[];
  outputs: TensorInfo[];
}

/** A .tflite file ready to run. Variables keep their values between runs with equal input shapes. */
export class LitertModel {
  readonly signatures: readonly SignatureInfo[];
  private session?: { key: string; session: Session };

  private constructor(
    private readonly bytes: Uint8Array,
    private readonly model: TfliteModel,
  ) {
    this.signatures = signaturesOf(model);
  }

  /**
   * @param file its name for messages
   * @throws FloeError when it is no .tflite file
   */
  static load(bytes: Uint8Array, file = 'the model'): LitertModel {
    return new LitertModel(bytes, readModel(bytes, file));
  }

  /** The signature of that key; without a key the first. */
  signature(key?: string): SignatureInfo {
    const found = key === undefined ? this.signatures[0] : this.signatures.find((s) => s.key === key);
    if (!found) throw new CannotRun(key === undefined ? 'it has no graph' : `it has no signature "${key}"`);
    return found;
  }

  /**
   * One inference. Inputs of a shape other than the last run's make the graph be laid out anew.
   *
   * @throws CannotRun
   */
  async run(
    inputs: ReadonlyMap<string, Tensor>,
    signature?: string,
    options: RunOptions = {},
  ): Promise<Map<string, Tensor>> {
    const info = this.signature(signature);
    checkInputs(info, inputs);
    try {
      return await this.runIn(info, inputs, undefined);
    } catch (error) {
      const { outputShapes } = options;
      if (!(error instanceof CannotRun) || !outputShapes) throw error;
      const unknown = info.outputs.filter((o) => outputShapes.has(o.name) && !o.tensor.isStatic);
      if (!unknown.length) throw error;
      return this.runIn(info, inputs, new Map(unknown.map((o) => [o.name, outputShapes.get(o.name)!])));
    }
  }

  private async runIn(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    outputShapes: ReadonlyMap<string, readonly number[]> | undefined,
  ): Promise<Map<string, Tensor>> {
    const shapes = new Map(info.inputs.map((i) => [i.tensor, inputs.get(i.name)!.shape]));
    const key = JSON.stringify([info.key, [...shapes.values()], outputShapes && [...outputShapes]]);
    if (this.session?.key !== key) {
      this.dispose();
      const signature = this.model.signatures.find((s) => s.key === info.key);
      const bytes = outputShapes
        ? withOutputShapes(this.bytes, info.key, shapesByName(info, inputs), outputShapes)
        : resizeInputs(this.bytes, this.model, signature, shapes);
      this.session = { key, session: await Session.open(bytes) };
    }
    try {
      return await this.session.session.run(info, inputs);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Gives the runtime's memory back; the model can be run again. */
  dispose(): void {
    this.session?.session.dispose();
    this.session = undefined;
  }
}

/** Runs a model once. @throws FloeError, CannotRun */
export async function runTflite(
  bytes: Uint8Array,
  inputs: ReadonlyMap<string, Tensor>,
  signature?: string,
  options?: RunOptions,
): Promise<Map<string, Tensor>> {
  const model = LitertModel.load(bytes);
  try {
    return await model.run(inputs, signature, options);
  } finally {
    model.dispose();
  }
}

/** A model without signatures has one, without a name, whose inputs and outputs are called as their tensors. */
function signaturesOf(model: TfliteModel): SignatureInfo[] {
  const info = (key: string, inputs: TfliteSignature['inputs'], outputs: TfliteSignature['outputs']) => ({
    key,
    inputs: inputs.map(infoOf),
    outputs: outputs.map(infoOf),
  });
  if (model.signatures.length) return model.signatures.map((s) => info(s.key, s.inputs, s.outputs));
  const [main] = model.subgraphs;
  const named = (tensors: TfliteTensor[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
  return main ? [info('', named(main.inputs), named(main.outputs))] : [];
}

function infoOf({ name, tensor }: { name: string; tensor: TfliteTensor }): TensorInfo {
  return { name, dtype: dtypeOf(tensor.type) ?? 'variant', shape: tensor.shape, tensor };
}

function shapesByName(
  info: SignatureInfo,
  inputs: ReadonlyMap<string, Tensor>,
): Map<string, readonly number[]> {
  return new Map(info.inputs.map((i) => [i.name, inputs.get(i.name)!.shape]));
}

function checkInputs(info: SignatureInfo, inputs: ReadonlyMap<string, Tensor>): void {
  for (const tensor of [...info.inputs, ...info.outputs]) {
    if (ELEMENT_TYPES[tensor.dtype] === undefined)
      throw new CannotRun(
        `"${tensor.name}" is a ${tensor.dtype} tensor, which the wasm runtime does not take`,
      );
  }
  for (const { name, dtype, shape } of info.inputs) {
    const tensor = inputs.get(name);
    if (!tensor)
      throw new CannotRun(`input "${name}" is not given (${[...inputs.keys()].join(', ') || 'none'} are)`);
    if (tensor.dtype !== dtype) throw new CannotRun(`input "${name}" is ${dtype}, not ${tensor.dtype}`);
    const fits =
      !shape ||
      (shape.length === tensor.shape.length && shape.every((d, i) => d < 0 || d === tensor.shape[i]));
    if (!fits) throw new CannotRun(`input "${name}" has shape [${shape}], not [${tensor.shape}]`);
  }
}

/** One module with one model in it. */
class Session {
  private constructor(
    private readonly wasm: LitertModule,
    private readonly log: ErrorLog,
    private readonly environment: { delete(): void },
    private readonly model: WasmModel,
    private readonly compiled: CompiledModel,
  ) {}

  static async open(bytes: Uint8Array): Promise<Session> {
    const log = new ErrorLog();
    const wasm = await createModule((line) => log.add(line));
    return log.guard(async () => {
      const environment = wasm.LiteRtEnvironment.create(null);
      const pointer = wasm._malloc(bytes.length) >>> 0;
      if (!pointer)
        throw new Error(`${bytes.length} bytes do not fit the memory of the wasm runtime (4 GiB)`);
      wasm.HEAPU8.set(bytes, pointer);
      const model = wasm.loadModel(environment, pointer, bytes.length);
      const compiled = await wasm.compileModel(environment, model, {
        environment: { liteRtEnvironment: environment },
        accelerator: 'wasm',
        cpuOptions: { numThreads: 1 },
        gpuOptions: {},
        webNNOptions: {},
      });
      return new Session(wasm, log, environment, model, compiled);
    });
  }

  run(info: SignatureInfo, inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    return this.log.guard(async () => {
      const s = this.signatureIndex(info.key);
      const signature = this.model.getSignature(s);
      const inputNames = takeVector(signature.inputNames());
      const outputNames = takeVector(signature.outputNames());
      signature.delete();
      const buffers = inputNames.map((name, i) => this.inputBuffer(s, i, inputs.get(name)!));
      const results = await this.compiled.run(s, buffers);
      // Before anything is read: after a failed run the buffers hold what was in memory.
      this.log.throwIfAny();
      for (const buffer of buffers) buffer.delete();
      const byName = new Map(results.map((buffer, i) => [outputNames[i], this.take(buffer)]));
      return new Map(info.outputs.map(({ name }) => [name, byName.get(name)!]));
    });
  }

  private signatureIndex(key: string): number {
    const count = this.model.getNumSignatures();
    for (let s = 0; s < count; s++) {
      const signature = this.model.getSignature(s);
      const found = signature.key();
      signature.delete();
      if (found === key) return s;
    }
    // The runtime makes one up, with a name of its own, where the file has none.
    return 0;
  }

  private inputBuffer(s: number, i: number, tensor: Tensor): TensorBuffer {
    const { wasm } = this;
    const dimensions = new wasm.VectorInt32();
    for (const d of tensor.shape) dimensions.push_back(d);
    const layout = wasm.LiteRtLayout.create(dimensions);
    dimensions.delete();
    const type = wasm.LiteRtRankedTensorType.create({ value: ELEMENT_TYPES[tensor.dtype]! }, layout);
    layout.delete();
    const host = wasm.LiteRtTensorBufferType.HOST_MEMORY;
    const buffer = wasm.LiteRtTensorBuffer.createManaged(this.environment, host, type, tensor.byteLength);
    type.delete();
    const expected = this.model.getInputTensorType(s, i);
    const requirements = this.compiled.getInputBufferRequirements(s, i);
    wasm.checkTensorBufferCompatible(buffer, expected, requirements);
    expected.delete();
    requirements.delete();
    const pointer = buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE) >>> 0;
    wasm.HEAPU8.set(tensor.bytes, pointer);
    buffer.unlock();
    return buffer;
  }

  /** The contents of an output buffer, which is deleted. */
  private take(buffer: TensorBuffer): Tensor {
    const { dtype, shape } = describe(buffer.tensorType());
    const pointer = buffer.lock(this.wasm.LiteRtTensorBufferLockMode.READ) >>> 0;
    const size = shape.reduce((n, d) => n * d, dtypeSize(dtype));
    const bytes = this.wasm.HEAPU8.slice(pointer, pointer + size);
    buffer.unlock();
    buffer.delete();
    return Tensor.fromBytes(dtype, shape, bytes);
  }

  dispose(): void {
    try {
      this.compiled.delete();
      this.model.delete();
      this.environment.delete();
    } catch {
      // A crashed module cannot tidy up; its memory goes with it.
    }
  }
}

function describe(type: RankedTensorType): { dtype: DType; shape: number[] } {
  const code = type.elementType().value;
  const layout = type.layout();
  const shape = takeVector(layout.dimensions());
  layout.delete();
  type.delete();
  const dtype = DTYPES.get(code);
  if (!dtype) throw new Error(`an output is of element type ${code}`);
  return { dtype, shape };
}

/** What the module reports besides its results. */
class ErrorLog {
  private lines: string[] = [];

  add(line: string): void {
    if (/^\s*(ERROR:|Aborted)/.test(line)) this.lines.push(line);
  }

  throwIfAny(): void {
    if (this.lines.length) throw new Error('');
  }

  /** Turns whatever goes wrong inside into a CannotRun with all that is known about it. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.lines = [];
    try {
      const result = await work();
      this.throwIfAny();
      return result;
    } catch (error) {
      throw new CannotRun(this.describe(error));
    }
  }

  private describe(error: unknown): string {
    const thrown = error instanceof Error || isErrorLike(error) ? String(error.message) : String(error);
    const lines = this.lines.map((l) => l.replace(/^\s*ERROR:\s*(\[[^\]]*\]\s*)?/, '').trim());
    // A crash is told by the engine in words about memory.
    const all = [...new Set([...lines, thrown.trim()])].filter(Boolean);
    return all.join('; ') || 'the runtime failed without a reason';
  }
}

/** An Error of another realm. */
function isErrorLike(error: unknown): error is { message: unknown } {
  return typeof error === 'object' && error !== null && 'message' in error;
}
