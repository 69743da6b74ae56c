/**
 * Where the error of a quantised model enters. Each operator of the float model is set beside what the quantised model
 * has under the same name, on the same samples, twice:
 *
 *   float model                     x ── op ──▶ y
 *   quantised model                 x′ ─ op′ ─▶ y′          sqnr:  y′ against y, all error up to here
 *   the float operator in it        x′ ─ op ──▶ y″          added: y′ against y″, the error of this layer alone
 *
 * An LSTM is one layer, though it runs written out.
 */
import type { Tensor } from '@floe/export-core';
import { exposing, groupsOf } from '../quantize/calibrate/expose';
import { unrollLstms } from '../quantize/unroll-lstm';
import { TfliteOp, TfliteTensor, type TfliteModel, type TfliteSignature } from '../tflite/model';
import { readModel } from '../tflite/read';
import { CannotRun } from './cannot-run';
import { Comparison } from './compare';
import { toModelInput } from './io-types';
import { sizedBeforehand } from './late-tensors';
import { LitertModel } from './litert';
import type { Sample } from './samples';

/** Samples that layers are compared on: enough to rank them. */
const LAYER_SAMPLES = 4;
/** Bytes of the tensors that one pass hands out of the float model; of the other it is twice as many. */
const MAX_PASS_BYTES = 1 << 25;

export interface LayerResult {
  /** The operator's name, as `rules` match it. */
  name: string;
  op: string;
  /** Signal to noise ratio of its result in dB; null where there is no noise. */
  sqnr: number | null;
  /** Noise that the layer itself adds, relative to the signal, both as power. Left out where it cannot be told. */
  added?: number;
}

interface Pair {
  tensor: TfliteTensor;
  twin: TfliteTensor;
  op: TfliteOp;
}

/**
 * Layers of one signature, in the order of the float model. Left out are layers that the quantised model does not have
 * or has in another size, and tensors whose size the runtime does not know before it runs.
 *
 * @param samples tensors by the names of the float model's inputs
 * @throws CannotRun
 */
export async function compareLayers(
  float: Uint8Array,
  quantized: Uint8Array,
  key: string,
  samples: readonly Sample[],
): Promise<LayerResult[]> {
  const original = sideOf(float, 'the converted model', key);
  const changed = sideOf(quantized, 'model.tflite', key);
  const twins = twinsOf(original.signature, changed.signature);
  const isSized = [original, changed].map(({ signature }) => sizedBeforehand(signature.subgraph));
  const pairs = original.signature.subgraph.ops.flatMap((op) =>
    op.outputs.flatMap((tensor): Pair[] => {
      const twin = twins.get(tensor);
      if (tensor.type !== 'FLOAT32' || !twin || !isSized[0](tensor) || !isSized[1](twin)) return [];
      return [{ tensor, twin, op }];
    }),
  );
  // From here on only tensors are looked up in the models, which keep theirs.
  for (const { model } of [original, changed]) unrollLstms(model);
  const layers: LayerResult[] = [];
  const byTensor = new Map(pairs.map((pair) => [pair.tensor, pair]));
  for (const group of groupsOf([...byTensor.keys()], MAX_PASS_BYTES)) {
    const these = group.map((tensor) => byTensor.get(tensor)!);
    layers.push(...(await comparePass(original, changed, these, twins, samples.slice(0, LAYER_SAMPLES))));
  }
  return layers;
}

async function comparePass(
  original: Side,
  changed: Side,
  pairs: readonly Pair[],
  twins: ReadonlyMap<TfliteTensor, TfliteTensor>,
  samples: readonly Sample[],
): Promise<LayerResult[]> {
  const { key, subgraph } = changed.signature;
  const before = subgraph.ops;
  const left = exposing(
    original.model,
    original.signature,
    pairs.map(({ tensor }) => tensor),
  );
  const extension = new Extension(twins);
  const actual = pairs.map(({ twin }) => extension.readable(twin));
  const alone = pairs.map(({ op, tensor }) => extension.alone(op, tensor));
  subgraph.ops = [...before, ...extension.ops];
  unrollLstms(changed.model);
  const right = exposing(
    changed.model,
    changed.signature,
    [...actual, ...alone].filter((t) => t !== undefined),
  );
  subgraph.ops = before;
  const names = new Map([...right.tensors].map(([name, tensor]) => [tensor, name]));
  const runners = [LitertModel.load(left.bytes), LitertModel.load(right.bytes)];
  const upTo = pairs.map(() => new Comparison(0));
  const own = pairs.map(() => new Comparison(0));
  const unlike = new Set<number>();
  try {
    for (const sample of samples) {
      const expected = await runners[0].run(sample, key);
      const inputs = inputsFor(runners[1], original.signature, sample, key);
      const got = await runners[1].run(inputs, key);
      const valueOf = (tensor: TfliteTensor) => got.get(names.get(tensor)!)!;
      pairs.forEach((_, i) => {
        const value = valueOf(actual[i]);
        const wanted = expected.get(`value ${i}`)!;
        if (value.size !== wanted.size) return void unlike.add(i);
        upTo[i].add(value, wanted.reshape(value.shape));
        const other = alone[i];
        if (other) own[i].add(value, valueOf(other).reshape(value.shape));
      });
    }
  } finally {
    for (const runner of runners) runner.dispose();
  }
  return pairs.flatMap(({ op }, i): LayerResult[] => {
    if (unlike.has(i)) return [];
    const { sqnr } = own[i].figures();
    return [
      {
        // Rules match the name of an operator's first result.
        name: op.outputs[0].name,
        op: op.customCode ?? op.code,
        sqnr: upTo[i].figures().sqnr,
        ...(alone[i] ? { added: sqnr === null ? 0 : 10 ** (-sqnr / 10) } : {}),
      },
    ];
  });
}

/** The layers that add most noise themselves, the worst first. */
export function worstLayers(layers: readonly LayerResult[], count: number): LayerResult[] {
  return layers
    .filter(({ added }) => (added ?? 0) > 0)
    .sort((a, b) => (b.added as number) - (a.added as number))
    .slice(0, count);
}

interface Side {
  model: TfliteModel;
  signature: TfliteSignature;
}

function sideOf(bytes: Uint8Array, file: string, key: string): Side {
  const model = readModel(bytes, file);
  const signature = model.signatures.find((s) => s.key === key);
  if (!signature) throw new CannotRun(`${file} has no signature "${key}"`);
  return { model, signature };
}

/** Tensors of the float model, and those that stand for them in the quantised one. */
function twinsOf(original: TfliteSignature, changed: TfliteSignature): Map<TfliteTensor, TfliteTensor> {
  const byName = new Map<string, TfliteTensor>();
  for (const op of changed.subgraph.ops) {
    // What an operator gives itself, not that in another form.
    if (op.code !== 'QUANTIZE' && op.code !== 'DEQUANTIZE') for (const t of op.outputs) byName.set(t.name, t);
  }
  // Inputs and outputs of the model have the contract's names by now.
  const twins = new Map<TfliteTensor, TfliteTensor>();
  for (const list of ['inputs', 'outputs'] as const)
    original[list].forEach(({ tensor }, i) => twins.set(tensor, changed[list][i].tensor));
  for (const op of original.subgraph.ops) {
    for (const tensor of op.outputs) {
      const names = [`${tensor.name}/int8`, `${tensor.name}/int16`, tensor.name];
      const twin = names.map((name) => byName.get(name)).find((t) => t);
      if (twin) twins.set(tensor, twin);
    }
  }
  return twins;
}

/** Operators to add to the quantised model. */
class Extension {
  readonly ops: TfliteOp[] = [];
  private readonly floats = new Map<TfliteTensor, TfliteTensor>();

  constructor(private readonly twins: ReadonlyMap<TfliteTensor, TfliteTensor>) {}

  /** A quantised tensor as float. */
  readable(tensor: TfliteTensor): TfliteTensor {
    if (!tensor.quantization) return tensor;
    let float = this.floats.get(tensor);
    if (!float) {
      float = new TfliteTensor(`${tensor.name}/read`, 'FLOAT32', tensor.shape);
      this.floats.set(tensor, float);
      this.ops.push(new TfliteOp('DEQUANTIZE', [tensor], [float]));
    }
    return float;
  }

  /** The result of the float operator on what its quantised twin reads; undefined where that is not there. */
  alone(op: TfliteOp, result: TfliteTensor): TfliteTensor | undefined {
    if (op.subgraphs || op.code === 'CUSTOM') return undefined;
    const inputs = op.inputs.map((tensor) => {
      // States start from zero in each model, as its own.
      if (!tensor || tensor.isConstant || tensor.isVariable) return tensor;
      const twin = this.twins.get(tensor);
      return twin && this.readable(twin);
    });
    if (inputs.some((tensor, i) => op.inputs[i] && tensor?.type !== op.inputs[i].type)) return undefined;
    const outputs = op.outputs.map((t) => new TfliteTensor(`${t.name}/alone`, t.type, t.shape));
    this.ops.push(new TfliteOp(op.code, inputs, outputs, op.options));
    return outputs[op.outputs.indexOf(result)];
  }
}

/** The quantised model's inputs stand in the same order, and may be integers. */
function inputsFor(
  runner: LitertModel,
  signature: TfliteSignature,
  sample: Sample,
  key: string,
): Map<string, Tensor> {
  return new Map(
    runner.signature(key).inputs.map((input, i) => {
      const given = sample.get(signature.inputs[i].name) as Tensor;
      const tensor = toModelInput(given, input);
      if (!tensor) throw new CannotRun(`its input "${input.name}" is ${input.dtype}`);
      return [input.name, tensor];
    }),
  );
}
