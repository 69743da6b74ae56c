/**
 * Native TensorFlow through @tensorflow/tfjs-node, where a workspace has installed it. It loads SavedModels alone, so
 * the frozen graph is wrapped in one, in a temporary folder.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeCode, FloeError, Tensor, type DType } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import type { FedTensor, GraphEngine, OpenGraph } from './graph-engine';

const PACKAGE = '@tensorflow/tfjs-node';

/** Types that go in and come out unchanged. Others make every signature unloadable, or change on the way. */
const TYPES: ReadonlySet<DType> = new Set<DType>(['float32', 'int32', 'bool']);

type Tfjs = typeof import('@tensorflow/tfjs-core') & {
  node: { loadSavedModel(path: string, tags: string[], signature: string): Promise<SavedModel> };
};
interface SavedModel {
  predict(inputs: object): Record<string, import('@tensorflow/tfjs-core').Tensor>;
  dispose(): void;
}

export const tfjsNodeEngine: GraphEngine = {
  name: 'tfjs-node',
  isExact: true,
  version: () => {
    for (const folder of require.resolve.paths(PACKAGE) ?? []) {
      const file = join(folder, PACKAGE, 'package.json');
      if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    }
    return undefined;
  },
  open: async ({ bytes, initializers }, feeds, fetches) => {
    if (initializers.length) throw new CannotRun('initialisers are not run');
    for (const { tensor, dtype } of [...feeds, ...fetches]) {
      if (!TYPES.has(dtype)) throw new CannotRun(`it does not take ${dtype} ("${tensor}")`);
    }
    const tf = load();
    const folder = mkdtempSync(join(tmpdir(), 'floe-verify-'));
    try {
      mkdirSync(join(folder, 'variables'));
      writeFileSync(join(folder, 'saved_model.pb'), savedModel(bytes(), feeds, fetches));
      const model = await tf.node.loadSavedModel(folder, ['serve'], 'serving_default');
      return new NodeGraph(tf, model, feeds, fetches);
    } catch (error) {
      throw reason(error, folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Its version is part of the key, so that another engine may not stand in for it when it does not load. */
function load(): Tfjs {
  try {
    return require(PACKAGE) as Tfjs;
  } catch (error) {
    throw new FloeError({
      code: 'V002',
      severity: 'error',
      message: `${PACKAGE} is installed but does not load: ${(error as Error).message.split('\n')[0]}`,
      hint: `npm rebuild ${PACKAGE}, or uninstall it: Floe then uses other engines`,
    });
  }
}

class NodeGraph implements OpenGraph {
  constructor(
    private readonly tf: Tfjs,
    private readonly model: SavedModel,
    private readonly feeds: readonly FedTensor[],
    private readonly fetches: readonly FedTensor[],
  ) {}

  async run(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    try {
      const inputs = this.feeds.map(({ tensor, dtype }, i) => {
        const { data, shape } = tensors.get(tensor)!;
        return [`x${i}`, this.tf.tensor(data as Float32Array, [...shape], dtype as 'float32')] as const;
      });
      const outputs = this.model.predict(Object.fromEntries(inputs));
      const results = this.fetches.map(({ tensor, dtype }, i): [string, Tensor] => {
        const output = outputs[`y${i}`];
        if (output.dtype !== dtype) throw new CannotRun(`it gives ${output.dtype} for ${dtype}`);
        return [tensor, Tensor.fromArray(dtype, output.shape, (output.dataSync() as Float32Array).slice())];
      });
      [...inputs.map(([, t]) => t), ...Object.values(outputs)].forEach((t) => t.dispose());
      return new Map(results);
    } catch (error) {
      throw reason(error);
    }
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** The temporary folder's name differs from run to run; reports must not. */
function reason(error: unknown, folder = ''): Error {
  if (error instanceof FloeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split('\n')[0];
  return new CannotRun(folder ? line.replaceAll(folder, 'the model') : line);
}

// ------------------------------------------------------------------ the SavedModel around a GraphDef

/**
 *   SavedModel     1 version, 2 MetaGraphDef
 *   MetaGraphDef   1 meta info (4 tags), 2 GraphDef, 5 map of signatures
 *   SignatureDef   1 map of inputs, 2 map of outputs, 3 method
 *   TensorInfo     1 name, 2 dtype, 3 shape (3 unknown rank)
 */
function savedModel(graph: Uint8Array, feeds: readonly FedTensor[], fetches: readonly FedTensor[]): Buffer {
  const entry = (field: number, key: string, value: Buffer) =>
    bytesField(field, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, value)]));
  const info = ({ tensor, dtype }: FedTensor) => {
    const name = tensor.includes(':') ? tensor : `${tensor}:0`;
    const anyRank = bytesField(3, numberField(3, 1));
    return Buffer.concat([bytesField(1, Buffer.from(name)), numberField(2, dtypeCode(dtype)), anyRank]);
  };
  const signature = Buffer.concat([
    ...feeds.map((f, i) => entry(1, `x${i}`, info(f))),
    ...fetches.map((f, i) => entry(2, `y${i}`, info(f))),
    bytesField(3, Buffer.from('tensorflow/serving/predict')),
  ]);
  const meta = Buffer.concat([
    bytesField(1, bytesField(4, Buffer.from('serve'))),
    bytesField(2, graph),
    entry(5, 'serving_default', signature),
  ]);
  return Buffer.concat([numberField(1, 1), bytesField(2, meta)]);
}

function numberField(field: number, value: number): Buffer {
  return Buffer.from([field << 3, ...varint(value)]);
}

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) | 128);
  }
}
