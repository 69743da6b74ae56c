/**
 * Runs .tflite files: Floe's tensors in, Floe's tensors out, by the names of a signature.
 *
 * The runtime neither resizes inputs nor hands out what it did not lay out itself; where that is needed, a copy of the
 * file is run in which it is not (adapt-model.ts). Everything else runs as it is.
 */
import { elementCount, Tensor, type DType } from '@floe/export-core';
import { exposeOutputs, resizeInputs, shapeName, type Exposure } from './adapt-model';
import { tensorsLaidOutLate } from './late-tensors';
import { isElementType, Session } from './litert-session';
import { CannotRun } from './cannot-run';
import { readModel } from '../tflite/read';
import { dtypeOf, type TfliteModel, type TfliteSignature, type TfliteTensor } from '../tflite/model';

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
    const computed: TensorInfo[] = [];
    const exposures = new Map<string, Exposure>();
    for (const output of info.outputs) {
      // An output that is an input or a constant the runtime does not fill in, and it reads the input from there.
      const given = info.inputs.find((input) => input.tensor === output.tensor);
      const known = given ? inputs.get(given.name) : constantOf(output);
      if (known) results.set(output.name, known);
      else if (!computed.some((o) => o.tensor === output.tensor)) computed.push(output);
      if (computed.at(-1) !== output) exposures.set(output.name, { as: 'nothing' });
    }
    if (computed.length) {
      const late = computed.filter((o) => !o.shape || info.laidOutLate.has(o.tensor));
      const all = late.length
        ? await this.runLate(info, inputs, late, exposures)
        : await this.runCopy(info, inputs, exposures);
      for (const { name } of computed) results.set(name, all.get(name)!);
    }
    const twin = (output: TensorInfo) => computed.find((o) => o.tensor === output.tensor)!.name;
    return new Map(info.outputs.map((o) => [o.name, results.get(o.name) ?? results.get(twin(o))!]));
  }

  /** Runs a copy in which the shapes of the given outputs are fixed: guessed first, measured if that was wrong. */
  private async runLate(
    info: SignatureInfo,
    inputs: ReadonlyMap<string, Tensor>,
    outputs: TensorInfo[],
    others: ReadonlyMap<string, Exposure>,
  ): Promise<Map<string, Tensor>> {
    const run = (these: TensorInfo[], as: (output: TensorInfo) => Exposure) =>
      this.runCopy(
        info,
        inputs,
        new Map([...others, ...these.map((o): [string, Exposure] => [o.name, as(o)])]),
      );
    const runWithShapes = async (shapeOf: (output: TensorInfo) => readonly number[]) => {
      const results = await run(outputs, (o) => ({ as: 'value', shape: shapeOf(o) }));
      for (const o of outputs) {
        const value = results.get(o.name)!;
        // As many elements as were guessed may still be laid out otherwise.
        const measured = results.get(shapeName(o.name))!.toNumbers();
        const isScalar = shapeOf(o).length === 0;
        const shape = isScalar ? [] : measured;
        if ((isScalar && measured[0] !== 0) || elementCount(shape) !== value.size)
          throw new CannotRun(`the shape of "${o.name}" is not certain`);
        this.seenShapes.set(o.tensor, shape);
        results.set(o.name, value.reshape(shape));
      }
      return results;
    };
    const guess = (o: TensorInfo) =>
      this.seenShapes.get(o.tensor) ?? (o.tensor.isStatic ? o.shape : undefined);
    if (outputs.every(guess)) {
      try {
        return await runWithShapes((o) => guess(o)!);
      } catch (error) {
        // A wrong guess fails like everything else; measuring tells.
        if (!(error instanceof CannotRun)) throw error;
      }
    }
    const ranks = await run(outputs, () => ({ as: 'rank' }));
    const rank = (o: TensorInfo) => ranks.get(o.name)!.at(0);
    const arrays = outputs.filter((o) => rank(o) > 0);
    const shapes = arrays.length ? await run(arrays, (o) => ({ as: 'shape', rank: rank(o) })) : undefined;
    return runWithShapes((o) => (rank(o) > 0 ? shapes!.get(o.name)!.toNumbers() : []));
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
    if (!isElementType(tensor.dtype))
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
