/**
 * TensorFlow.js on its CPU backend as an engine. It has float32, int32, bool and complex64 alone and takes int64 for
 * int32: graphs with other types are left to other engines.
 */
import { outputTypes, parseInput, Tensor, type DType, type Graph, type Node } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import type { GraphEngine, OpenGraph } from './graph-engine';
import { replaceConvolution } from './tfjs-convolution';
import { graphParts } from './tfjs-topology';

type Core = typeof import('@tensorflow/tfjs-core');
type Converter = typeof import('@tensorflow/tfjs-converter');
type TfjsTensor = import('@tensorflow/tfjs-core').Tensor;
type TfjsType = 'float32' | 'int32' | 'bool';

const TYPES: Partial<Record<DType, TfjsType>> = {
  float32: 'float32',
  int32: 'int32',
  int64: 'int32',
  bool: 'bool',
};

/** Types that values inside the graph may have. */
const INSIDE: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'int32',
  'int64',
  'bool',
  'complex64',
  'resource',
  'variant',
]);

/** Ops whose int64 results may leave int32 although their inputs do not. */
const INT64_ARITHMETIC = new Set(
  'Add AddV2 Sub Mul Pow Square Sum Prod Cumsum Cumprod LeftShift BitwiseXor BitwiseOr BitwiseAnd Invert'.split(
    ' ',
  ),
);

let loaded: Promise<{ core: Core; converter: Converter }> | undefined;

async function load(): Promise<{ core: Core; converter: Converter }> {
  const core = require('@tensorflow/tfjs-core') as Core;
  // Without it, the first use advises to install another backend.
  core.env().set('PROD', true);
  require('@tensorflow/tfjs-backend-cpu');
  await core.setBackend('cpu');
  replaceConvolution(core);
  return { core, converter: require('@tensorflow/tfjs-converter') as Converter };
}

export const tfjsEngine: GraphEngine = {
  name: 'tfjs',
  // Some of its ops give other numbers than TensorFlow's (MatrixBandPart, OneHot along an axis, …).
  isExact: false,
  version: () => (require('@tensorflow/tfjs-converter/package.json') as { version: string }).version,
  open: async ({ graph, initializers }, feeds, fetches) => {
    if (initializers.length) throw new CannotRun('initialisers are not run');
    for (const { tensor, dtype } of [...feeds, ...fetches]) {
      if (!TYPES[dtype]) throw new CannotRun(`it has no ${dtype} ("${tensor}")`);
    }
    const fed = new Set(feeds.map((f) => parseInput(f.tensor).name));
    const needed = neededNodes(
      graph,
      fed,
      fetches.map((f) => parseInput(f.tensor).name),
    );
    const bodies = [...graph.functions.values()].flatMap((f) => [...f.nodes.values()]);
    for (const node of [...needed, ...bodies]) if (!fed.has(node.name)) checkTypes(node);
    const { topology, constants } = graphParts(graph, needed, fed);
    const { core, converter } = await (loaded ??= load());
    const model = await guard(() =>
      converter.loadGraphModel({
        load: async () => ({ modelTopology: topology, ...weights(constants) }),
      }),
    );
    return new TfjsGraph(core, model, fetches);
  },
};

class TfjsGraph implements OpenGraph {
  /** Whether the graph has control flow or shapes that only a run tells: then it runs asynchronously alone. */
  private isDynamic = false;

  constructor(
    private readonly core: Core,
    private readonly model: import('@tensorflow/tfjs-converter').GraphModel,
    private readonly fetches: readonly { tensor: string; dtype: DType }[],
  ) {}

  run(feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    return guard(async () => {
      const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, this.toTfjs(tensor)]));
      const names = this.fetches.map((f) => f.tensor);
      try {
        const results = [await this.execute(inputs, names)].flat();
        const tensors = results.map((r, i) => fromTfjs(r, this.fetches[i].dtype));
        results.forEach((r) => r.dispose());
        return new Map(names.map((name, i) => [name, tensors[i]]));
      } finally {
        Object.values(inputs).forEach((t) => t.dispose());
      }
    });
  }

  private async execute(
    inputs: Record<string, TfjsTensor>,
    names: string[],
  ): Promise<TfjsTensor | TfjsTensor[]> {
    if (!this.isDynamic) {
      try {
        return this.model.execute(inputs, names);
      } catch (error) {
        if (!/executeAsync/.test(String(error))) throw error;
        this.isDynamic = true;
      }
    }
    return quietly(() => this.model.executeAsync(inputs, names));
  }

  private toTfjs(tensor: Tensor): TfjsTensor {
    const type = TYPES[tensor.dtype]!;
    return this.core.tensor(narrow(tensor), [...tensor.shape], type);
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** Without its advice on the console to run synchronously, which it gives also where it cannot. */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await run();
  } finally {
    console.warn = warn;
  }
}

function fromTfjs(tensor: TfjsTensor, dtype: DType): Tensor {
  if (tensor.dtype !== TYPES[dtype]) throw new CannotRun(`it gives ${tensor.dtype} for ${dtype}`);
  const data = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
  return dtype === 'int64'
    ? Tensor.fromArray('int64', tensor.shape, BigInt64Array.from(data as Int32Array, BigInt))
    : // Its cast to float leaves the integers where they are.
      Tensor.fromArray(dtype, tensor.shape, dtype === 'float32' ? Float32Array.from(data) : data.slice());
}

/** The elements as tfjs takes them: int64 as int32, where it fits. */
function narrow(tensor: Tensor): Float32Array | Int32Array | Uint8Array {
  if (tensor.dtype !== 'int64') return tensor.data as Float32Array | Int32Array | Uint8Array;
  return Int32Array.from(tensor.data as BigInt64Array, (n) => {
    // The largest numbers mean "to the end" in slices, and so does the largest int32.
    if (n === 2n ** 63n - 1n) return 2 ** 31 - 1;
    if (BigInt.asIntN(32, n) !== n) throw new CannotRun(`it has no int64, and ${n} does not fit int32`);
    return Number(n);
  });
}

function weights(constants: ReadonlyMap<string, Tensor>) {
  const used = [...constants].filter(([, tensor]) => TYPES[tensor.dtype]);
  const data = used.map(([, tensor]) => {
    const { buffer, byteOffset, byteLength } = narrow(tensor);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const weightData = new Uint8Array(Buffer.concat(data)).buffer;
  const weightSpecs = used.map(([name, t]) => ({ name, shape: [...t.shape], dtype: TYPES[t.dtype]! }));
  return { weightData, weightSpecs };
}

function checkTypes(node: Node): void {
  for (const dtype of outputTypes(node) ?? []) {
    if (!dtype) continue;
    if (!INSIDE.has(dtype)) throw new CannotRun(`it has no ${dtype} (${node.op} "${node.name}")`);
    if (dtype === 'int64' && INT64_ARITHMETIC.has(node.op))
      throw new CannotRun(`it has no int64 arithmetic (${node.op} "${node.name}")`);
  }
}

function neededNodes(graph: Graph, fed: ReadonlySet<string>, fetches: readonly string[]): Set<Node> {
  const needed = new Set<Node>();
  const stack = fetches.flatMap((name) => graph.node(name) ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    if (!fed.has(node.name)) stack.push(...node.inputs.map((v) => v.node));
  }
  return needed;
}

/** Whatever tfjs throws is a reason why it cannot run the graph. */
async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CannotRun(message.split('\n')[0].replace(/ File an issue.*/, ''));
  }
}
