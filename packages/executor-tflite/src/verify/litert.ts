/**
 * Runs .tflite files: Floe's tensors in, Floe's tensors out, by the names of a signature.
 *
 * What the runtime does not tell by itself is checked here: `run` returns uninitialised memory when allocation or
 * invocation failed (the only trace is a line that starts with ERROR, so those are collected), and an input of the
 * wrong size may crash the module. Each session has a module of its own: a crash ends that one, and memory, which
 * wasm never gives back, goes with it.
 */
import { dtypeSize, FloeError, Tensor, type DType } from '@floe/export-core';
import { exposeOutputs, resizeInputs, shapeName, type Exposure } from './adapt-model';
import { tensorsLaidOutLate } from './late-tensors';
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
  ) {
    super({ code: 'V002', severity: 'error', message: `the .tflite file cannot be run: ${reason}` });
    this.name = 'CannotRun';
  }
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
  /** Tensors whose shape in the file is not to be relied on. */
  laidOutLate: ReadonlySet<TfliteTensor>;
}

/** Sessions that a model keeps open: as it is, and copies for outputs that are sized at run time. */
const MAX_SESSIONS = 3;

/** A .tflite file ready to run. Variables keep their values between runs with equal input shapes. */
export class LitertModel {
  readonly signatures: readonly SignatureInfo[];
  /** By what was changed in the copy they run; the one used last stands last. */
  private readonly sessions = new Map<string, Session>();
  /** Shapes that outputs had in earlier runs: the first guess for the next. */
  private readonly seenShapes = new Map<TfliteTensor, readonly number[]>();

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
  async run(inputs: ReadonlyMap<string, Tensor>, signature?: string): Promise<Map<string, Tensor>> {
    const info = this.signature(signature);
    checkInputs(info, inputs);
    const results = new Map<string, Tensor>();
    const computed = info.outputs.filter((output) => {
      // The runtime leaves the buffers of such outputs as they were.
      const given = info.inputs.find((input) => input.tensor === output.tensor);
      const known = given ? inputs.get(given.name) : constantOf(output);
      if (known) results.set(output.name, known);
      return !known;
    });
    if (computed.length) {
      const late = computed.filter((o) => !o.shape || info.laidOutLate.has(o.tensor));
      const all = late.length
        ? await this.runLate(info, inputs, late)
        : await this.runCopy(info, inputs, new Map());
      for (const { name } of computed) results.set(name, all.get(name)!);
    }
    return new Map(info.outputs.map(({ name }) => [name, results.get(name)!]));
  }

  /** Runs a copy in which the shapes of the given outputs are fixed: guessed first, measured if that was wrong. */
  private async runLate(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    outputs: TensorInfo[],
  ): Promise<Map<string, Tensor>> {
    const guess = (o: TensorInfo) =>
      this.seenShapes.get(o.tensor) ?? (o.tensor.isStatic ? o.shape : undefined);
    if (outputs.every(guess)) {
      try {
        return await this.runWithShapes(info, inputs, outputs, (o) => guess(o)!);
      } catch (error) {
        // A wrong guess fails like everything else; measuring tells.
        if (!(error instanceof CannotRun)) throw error;
      }
    }
    const ranks = await this.runCopy(
      info,
      inputs,
      exposing(outputs, () => ({ as: 'rank' })),
    );
    const rank = (o: TensorInfo) => ranks.get(o.name)!.at(0);
    const arrays = outputs.filter((o) => rank(o) > 0);
    const shapes = arrays.length
      ? await this.runCopy(
          info,
          inputs,
          exposing(arrays, (o) => ({ as: 'shape', rank: rank(o) })),
        )
      : undefined;
    return this.runWithShapes(info, inputs, outputs, (o) =>
      rank(o) > 0 ? shapes!.get(o.name)!.toNumbers() : [],
    );
  }

  private async runWithShapes(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    outputs: TensorInfo[],
    shapeOf: (output: TensorInfo) => readonly number[],
  ): Promise<Map<string, Tensor>> {
    const results = await this.runCopy(
      info,
      inputs,
      exposing(outputs, (o) => ({ as: 'value', shape: shapeOf(o) })),
    );
    for (const o of outputs) {
      // As many elements as were guessed may still be laid out otherwise.
      const measured = results.get(shapeName(o.name))!.toNumbers();
      if (shapeOf(o).length === 0 && measured[0] !== 0) throw new CannotRun(`"${o.name}" is no scalar`);
      const shape = shapeOf(o).length === 0 ? [] : measured;
      const value = results.get(o.name)!;
      if (shape.reduce((n, d) => n * d, 1) !== value.size)
        throw new CannotRun(`"${o.name}" has no certain shape`);
      this.seenShapes.set(o.tensor, shape);
      results.set(o.name, value.reshape(shape));
    }
    return results;
  }

  private async runCopy(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    exposures: ReadonlyMap<string, Exposure>,
  ): Promise<Map<string, Tensor>> {
    for (const [name, exposure] of exposures) {
      if (exposure.as === 'value' && exposure.shape.includes(0))
        throw new CannotRun(`"${name}" ${NO_ELEMENTS}`);
    }
    const key = JSON.stringify([info.key, info.inputs.map((i) => inputs.get(i.name)!.shape), [...exposures]]);
    const session = this.sessions.get(key) ?? (await Session.open(this.copyFor(info, inputs, exposures)));
    this.sessions.delete(key);
    this.sessions.set(key, session);
    const [oldest] = this.sessions;
    if (this.sessions.size > MAX_SESSIONS) this.close(oldest[0]);
    try {
      return await session.run(info.key, inputs);
    } catch (error) {
      this.close(key);
      throw error;
    }
  }

  private copyFor(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    exposures: ReadonlyMap<string, Exposure>,
  ): Uint8Array {
    const shape = ({ name }: TensorInfo) => inputs.get(name)!.shape;
    if (exposures.size)
      return exposeOutputs(
        this.bytes,
        info.key,
        new Map(info.inputs.map((i) => [i.name, shape(i)])),
        exposures,
      );
    const signature = this.model.signatures.find((s) => s.key === info.key);
    return resizeInputs(
      this.bytes,
      this.model,
      signature,
      new Map(info.inputs.map((i) => [i.tensor, shape(i)])),
    );
  }

  private close(key: string): void {
    this.sessions.get(key)?.dispose();
    this.sessions.delete(key);
  }

  /** Gives the runtime's memory back; the model can be run again. */
  dispose(): void {
    for (const key of [...this.sessions.keys()]) this.close(key);
  }
}

function exposing(outputs: TensorInfo[], as: (output: TensorInfo) => Exposure): Map<string, Exposure> {
  return new Map(outputs.map((o) => [o.name, as(o)]));
}

function constantOf({ dtype, tensor }: TensorInfo): Tensor | undefined {
  return tensor.buffer && Tensor.fromBytes(dtype, tensor.shape ?? [], tensor.buffer.bytes);
}

/** Runs a model once. @throws FloeError, CannotRun */
export async function runTflite(
  bytes: Uint8Array,
  inputs: ReadonlyMap<string, Tensor>,
  signature?: string,
): Promise<Map<string, Tensor>> {
  const model = LitertModel.load(bytes);
  try {
    return await model.run(inputs, signature);
  } finally {
    model.dispose();
  }
}

/** A model without signatures has one, without a name, whose inputs and outputs are called as their tensors. */
function signaturesOf(model: TfliteModel): SignatureInfo[] {
  const infoOf = ({ name, tensor }: TfliteSignature['inputs'][0]): TensorInfo => ({
    name,
    dtype: dtypeOf(tensor.type) ?? 'variant',
    shape: tensor.shape,
    tensor,
  });
  const named = (tensors: TfliteTensor[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
  const signatures = model.signatures.length
    ? model.signatures
    : model.subgraphs
        .slice(0, 1)
        .map((g) => ({ key: '', subgraph: g, inputs: named(g.inputs), outputs: named(g.outputs) }));
  return signatures.map(({ key, subgraph, inputs, outputs }) => ({
    key,
    inputs: inputs.map(infoOf),
    outputs: outputs.map(infoOf),
    laidOutLate: tensorsLaidOutLate(subgraph),
  }));
}

const NO_ELEMENTS = 'has no elements, which the wasm runtime does not take';

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
    if (tensor.size === 0) throw new CannotRun(`"${name}" ${NO_ELEMENTS}`);
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

  run(key: string, inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    return this.log.guard(async () => {
      const s = this.signatureIndex(key);
      const signature = this.model.getSignature(s);
      const inputNames = takeVector(signature.inputNames());
      const outputNames = takeVector(signature.outputNames());
      signature.delete();
      const buffers = inputNames.map((name, i) => this.inputBuffer(s, i, inputs.get(name)!));
      const results = await this.compiled.run(s, buffers);
      // Before anything is read: after a failed run the buffers hold what was in memory.
      this.log.throwIfAny();
      for (const buffer of buffers) buffer.delete();
      return new Map(results.map((buffer, i) => [outputNames[i], this.take(buffer)]));
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
