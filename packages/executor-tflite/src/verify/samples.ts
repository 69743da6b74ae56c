/**
 * What models are fed: samples from arrays, or seeded random ones.
 *
 * Arrays' keys are input names (`signature/input` where there are several signatures) and the first axis counts
 * samples; each sample is one invocation.
 */
import {
  Diagnostics,
  dtypeKind,
  dtypeSize,
  elementCount,
  FloeError,
  nearest,
  shapeToString,
  Tensor,
  type DType,
  type Place,
  type Signature,
  type TensorSpec,
} from '@floe/export-core';
import { inputRange } from '../detection/input-range';
import { SeededRandom } from './seeded-random';

/** One invocation: tensors by input name. */
export type Sample = Map<string, Tensor>;

/** Samples of each signature, by its key. */
export type Samples = Map<string, Sample[]>;

/** How many are made up where no data are given. */
export const RANDOM_SAMPLES = 4;

/** Where an unknown size is made up. */
const MADE_UP_SIZE = 1;

/**
 * Divides arrays, by input name, into samples of all signatures.
 *
 * @param file what the arrays come from, for messages
 * @throws FloeError V003 with everything that does not fit
 */
export function samplesOf(
  arrays: ReadonlyMap<string, Tensor>,
  file: string,
  signatures: readonly Signature[],
  where?: Place,
): Samples {
  const diagnostics = new Diagnostics();
  const used = new Set<string>();
  const samples: Samples = new Map();
  for (const signature of signatures) {
    const inputs = new Map<TensorSpec, Tensor>();
    for (const spec of signature.inputs) {
      const key = keyOf(signature, spec, signatures.length);
      used.add(key);
      const array = arrays.get(key);
      const problem = array ? misfit(array, spec) : `has no array "${key}"${meant(key, [...arrays.keys()])}`;
      if (problem) diagnostics.error('V003', `${file} ${problem}`, { where, hint: expected(key, spec) });
      else inputs.set(spec, array as Tensor);
    }
    const counts = new Set([...inputs.values()].map((a) => a.shape[0]));
    if (counts.size > 1) {
      const list = [...inputs].map(
        ([spec, a]) => `"${keyOf(signature, spec, signatures.length)}" ${a.shape[0]}`,
      );
      diagnostics.error('V003', `${file} has different numbers of samples: ${list.join(', ')}`, {
        where,
        hint: 'the first axis of each array counts samples: make it equally long',
      });
      continue;
    }
    const [count = 0] = counts;
    if (inputs.size && count === 0) {
      diagnostics.error('V003', `${file} has no samples: its arrays have a first axis of length 0`, {
        where,
      });
    }
    const list = Array.from({ length: inputs.size ? count : 1 }, (_, i): Sample => {
      return new Map([...inputs].map(([spec, array]) => [spec.name, element(array, i, spec.dtype)]));
    });
    samples.set(signature.key, list);
  }
  const unused = [...arrays.keys()].filter((key) => !used.has(key));
  if (unused.length) {
    const message = `${file} has arrays that no input takes: ${unused.join(', ')}`;
    diagnostics.warning('V003', message, { where, hint: `the inputs are ${[...used].join(', ')}` });
  }
  if (diagnostics.hasErrors) throw new FloeError(diagnostics.list);
  return samples;
}

function keyOf(signature: Signature, spec: TensorSpec, signatures: number): string {
  return signatures > 1 ? `${signature.key}/${spec.name}` : spec.name;
}

/** Why an array cannot feed an input; undefined when it can. */
function misfit(array: Tensor, { name, dtype, shape }: TensorSpec): string | undefined {
  if (array.shape.length === 0) return `has one number as "${name}", not an array of samples`;
  const isWide = array.dtype === 'int64' && dtype === 'int32';
  if (isWide && (array.data as BigInt64Array).some((n) => BigInt.asIntN(32, n) !== n))
    return `has numbers for input "${name}" that do not fit int32`;
  if (!castable(array.dtype, dtype)) return `has ${array.dtype} for input "${name}", which is ${dtype}`;
  const [, ...each] = array.shape;
  const fits = !shape || (shape.length === each.length && shape.every((d, i) => d === null || d === each[i]));
  if (fits) return undefined;
  const why =
    shape.length === array.shape.length
      ? ': the first axis, which counts samples, is missing'
      : isTransposed(each, shape)
        ? ': the axes stand in another order'
        : '';
  return `has samples of shape [${each.join(',')}] for input "${name}", which is ${shapeToString(shape)}${why}`;
}

/** The same sizes, as of an image with its channels first and last. */
function isTransposed(given: readonly number[], wanted: readonly (number | null)[]): boolean {
  const sorted = (sizes: readonly (number | null)[]) => sizes.map(Number).sort((a, b) => a - b);
  return !wanted.includes(null) && String(sorted(given)) === String(sorted(wanted));
}

function expected(key: string, { dtype, shape }: TensorSpec): string {
  const sizes = shape ? shape.map((d) => d ?? 'any') : ['…'];
  return `np.savez(file, **{"${key}": samples}) with samples.shape == (N, ${sizes.join(', ')}) and dtype ${dtype}`;
}

function meant(key: string, keys: string[]): string {
  const [name] = nearest(key, keys);
  const found = keys.length ? `; it has ${keys.map((k) => `"${k}"`).join(', ')}` : '';
  return name === undefined ? found : `, but "${name}"`;
}

/** NumPy makes float64 and int64 of what is written down: those are taken where they lose nothing that counts. */
function castable(from: DType, to: DType): boolean {
  return from === to || (from === 'float64' && to === 'float32') || (from === 'int64' && to === 'int32');
}

function element(array: Tensor, i: number, dtype: DType): Tensor {
  const shape = array.shape.slice(1);
  const size = elementCount(shape);
  if (array.dtype === 'string')
    return Tensor.fromStrings(shape, array.strings.slice(i * size, (i + 1) * size));
  const step = size * dtypeSize(array.dtype);
  const one = Tensor.fromBytes(array.dtype, shape, array.bytes.subarray(i * step, (i + 1) * step));
  return array.dtype === dtype ? one : Tensor.fromNumbers(dtype, shape, one.toNumbers());
}

/** Smallest and largest value that an input was declared to take. */
export type RangeOf = (signature: string, input: string) => readonly [number, number] | undefined;

/** Made-up samples: the same on every machine, whatever else a model has. */
export function randomSamples(
  signatures: readonly Signature[],
  rangeOf: RangeOf = () => undefined,
  count = RANDOM_SAMPLES,
): Samples {
  return new Map(
    signatures.map((signature) => [
      signature.key,
      Array.from({ length: count }, (_, i): Sample => {
        const entry = (spec: TensorSpec): [string, Tensor] => [
          spec.name,
          randomTensor(
            spec,
            rangeOf(signature.key, spec.name) ?? inputRange(spec.tensor),
            SeededRandom.named(`${signature.key}/${spec.name}#${i}`),
          ),
        ];
        return new Map(signature.inputs.map(entry));
      }),
    ]),
  );
}

function randomTensor(
  { dtype, shape }: TensorSpec,
  range: readonly [number, number] | undefined,
  random: SeededRandom,
): Tensor {
  const sizes = (shape ?? []).map((d) => d ?? MADE_UP_SIZE);
  const size = elementCount(sizes);
  if (dtype === 'string')
    return Tensor.fromStrings(sizes, new Array<Uint8Array>(size).fill(new Uint8Array(0)));
  const kind = dtypeKind(dtype);
  const draw = (): number => {
    if (kind === 'bool') return random.integer(0, 1);
    if (kind === 'float' || kind === 'complex') return random.between(range?.[0] ?? 0, range?.[1] ?? 1);
    // Small integers: most are indices, counts or pixels, and a large index is outside of its table.
    const [low, high] = range ?? (dtype === 'uint8' ? [0, 255] : [0, 1]);
    return random.integer(Math.ceil(low), Math.floor(high));
  };
  const parts = kind === 'complex' ? 2 : 1;
  const numbers = Array.from({ length: size * parts }, draw);
  if (kind !== 'complex') return Tensor.fromNumbers(dtype, sizes, numbers);
  const pairs = dtype === 'complex64' ? Float32Array.from(numbers) : Float64Array.from(numbers);
  return Tensor.fromArray(dtype, sizes, pairs);
}
