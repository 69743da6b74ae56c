/**
 * One wasm module with one model in it.
 *
 * What the runtime does not tell by itself is checked here: `run` returns uninitialised memory when allocation or
 * invocation failed (the only trace is a line that starts with ERROR, so those are collected), and an input of the
 * wrong size may crash the module. Each session has a module of its own: a crash ends that one, and memory, which
 * wasm never gives back, goes with it.
 */
import { dtypeSize, Tensor, type DType } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import {
  createModule,
  takeVector,
  type CompiledModel,
  type LitertModule,
  type RankedTensorType,
  type TensorBuffer,
  type WasmModel,
} from './litert-module';
import { enumName } from '../tflite/schema';

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
/** Whether tensors of a dtype can go in and out. */
export function isElementType(dtype: DType): boolean {
  return ELEMENT_TYPES[dtype] !== undefined;
}

const DTYPES = new Map(Object.entries(ELEMENT_TYPES).map(([dtype, code]) => [code, dtype as DType]));

/** One module with one model in it. */
export class Session {
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
    const thrown = isErrorLike(error) ? String(error.message) : String(error);
    const all = new Set([...this.lines, thrown].map(readable).filter(Boolean));
    return [...all].join('; ') || 'the runtime failed without a reason';
  }
}

/** What a line says, without the places in the runtime's sources. */
function readable(line: string): string {
  return line
    .replace(/[\s└]*ERROR:\s*/g, ' ')
    .replace(/\[?[\w./-]*third_party\/[\w./-]*(:\d+\]?)?|\[[\w./-]+:\d+\]/g, '')
    .replace(/Element type \((\d+)\) not currently supported/, (_, type: string) => {
      return `it has tensors of type ${enumName('TensorType', Number(type))}, which the wasm runtime does not take`;
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/** An Error, perhaps of another realm. */
function isErrorLike(error: unknown): error is { message: unknown } {
  return typeof error === 'object' && error !== null && 'message' in error;
}
