/**
 * The wasm module of @litertjs/core in plain Node: no browser, no network, nothing global touched.
 *
 * The package's public interface wants a browser and knows three element types, so its wasm glue is used directly.
 * These bindings are internal to the package: its version is pinned.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Deletable {
  delete(): void;
}
interface Vector<T> extends Deletable {
  size(): number;
  get(i: number): T;
}
interface EnumElement {
  value: number;
}
export interface Layout extends Deletable {
  dimensions(): Vector<number>;
}
export interface RankedTensorType extends Deletable {
  elementType(): EnumElement;
  layout(): Layout;
  bytes(): number;
}
export interface TensorBuffer extends Deletable {
  lock(mode: EnumElement): number;
  unlock(): void;
  tensorType(): RankedTensorType;
  packedSize(): number;
}
export interface WasmSignature extends Deletable {
  key(): string;
  inputNames(): Vector<string>;
  outputNames(): Vector<string>;
}
export interface WasmModel extends Deletable {
  getNumSignatures(): number;
  getSignature(s: number): WasmSignature;
  getInputTensorType(s: number, i: number): RankedTensorType;
}
export interface CompiledModel extends Deletable {
  getInputBufferRequirements(s: number, i: number): Deletable;
  run(s: number, inputs: TensorBuffer[]): TensorBuffer[] | Promise<TensorBuffer[]>;
}

/** What is used of the module's bindings. */
export interface LitertModule {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  LiteRtEnvironment: { create(device: null): Deletable };
  loadModel(environment: Deletable, pointer: number, size: number): WasmModel;
  compileModel(
    environment: Deletable,
    model: WasmModel,
    options: object,
  ): CompiledModel | Promise<CompiledModel>;
  LiteRtTensorBuffer: {
    createManaged(
      environment: Deletable,
      type: unknown,
      tensor: RankedTensorType,
      size: number,
    ): TensorBuffer;
  };
  LiteRtTensorBufferType: { HOST_MEMORY: EnumElement };
  LiteRtTensorBufferLockMode: { READ: EnumElement; WRITE: EnumElement };
  LiteRtLayout: { create(dimensions: Vector<number>): Layout };
  LiteRtRankedTensorType: { create(element: EnumElement, layout: Layout): RankedTensorType };
  VectorInt32: new () => Vector<number> & { push_back(n: number): void };
  checkTensorBufferCompatible(buffer: TensorBuffer, type: RankedTensorType, requirements: Deletable): void;
}

/** Node's WebAssembly, as far as it is used (its types come with browsers' only). */
interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
}
const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

type Factory = (options: object) => Promise<LitertModule>;

/** Runs on every Node version that Floe supports, and gives the same numbers on each (no relaxed SIMD). */
const VARIANT = 'litert_wasm_compat_internal';

interface Loaded {
  factory: Factory;
  /** Compiled once a process: an instance of it then takes some milliseconds. */
  compiled: Promise<object>;
}
let loaded: Loaded | undefined;

function load(): Loaded {
  if (loaded) return loaded;
  const folder = join(dirname(require.resolve('@litertjs/core')), '..', 'wasm');
  const glue = join(folder, `${VARIANT}.js`);
  // The glue is CommonJS inside an ES module package, so that neither `require` nor `import` loads it.
  const module: { exports: unknown } = { exports: {} };
  const body = new Function(
    'module',
    'exports',
    'require',
    '__filename',
    '__dirname',
    readFileSync(glue, 'utf8'),
  );
  body(module, module.exports, createRequire(glue), glue, folder);
  loaded = {
    factory: module.exports as Factory,
    compiled: WebAssembly.compile(readFileSync(join(folder, `${VARIANT}.wasm`))),
  };
  return loaded;
}

/** A fresh instance with memory of its own; what it prints goes to `print`, line by line. */
export async function createModule(print: (line: string) => void): Promise<LitertModule> {
  const { factory, compiled } = load();
  const wasm = await compiled;
  return new Promise((resolve, reject) => {
    const instantiateWasm = (imports: object, done: (instance: object, module: object) => void) => {
      WebAssembly.instantiate(wasm, imports).then((instance) => done(instance, wasm), reject);
      return {};
    };
    factory({ print, printErr: print, instantiateWasm }).then(resolve, reject);
  });
}

/** Name and version, as they enter keys and reports. */
export function litertEngine(): { name: string; version: string } {
  const file = join(dirname(require.resolve('@litertjs/core')), '..', 'package.json');
  return {
    name: '@litertjs/core',
    version: (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version,
  };
}

/** The elements of a vector, which is deleted. */
export function takeVector<T>(vector: Vector<T>): T[] {
  const list = Array.from({ length: vector.size() }, (_, i) => vector.get(i));
  vector.delete();
  return list;
}
