/** Samples from what model.yaml names as `data`: an .npz, a folder of .npy files, or a folder of images. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  FloeError,
  MAX_FOLDER_ENTRIES,
  readNpy,
  readNpz,
  systemError,
  type ImageSettings,
  type Place,
  type Signature,
  type Tensor,
} from '@floe/export-core';
import { imageInput, imageSamples, isImageName } from './images/image-samples';
import { samplesOf, type Sample, type Samples } from './samples';

export interface SampleSource {
  /** Absolute path. */
  data: string;
  /** How images are read, where `data` is a folder of them. */
  images?: ImageSettings;
  /** How many samples to use at most: the first ones. */
  limit?: number;
  where?: Place;
}

/**
 * Samples of all signatures.
 *
 * @throws FloeError V003 with everything that does not fit, and the readers' own (S001, S004, …)
 */
export function readSamples(signatures: readonly Signature[], source: SampleSource): Samples {
  const { data, images, limit, where } = source;
  const names = namesIn(data);
  if (names === undefined) {
    if (images) throw misfit(`${data} is a file, not a folder of images`, 'leave out `images`', where);
    return first(samplesOf(readNpz(data), data, signatures, where), limit);
  }
  const arrays = names.filter((name) => name.endsWith('.npy'));
  const pictures = names.filter(isImageName);
  if (arrays.length && !images)
    return first(samplesOf(readArrays(data, arrays), data, signatures, where), limit);
  if (pictures.length === 0)
    throw misfit(
      `${data} holds no ${images ? '.png or .jpg' : '.npy'} file`,
      images
        ? 'images are found by their names’ endings, also in folders below'
        : 'save an array for each input: np.save("input_name.npy", samples), samples along the first axis',
      where,
    );
  if (!images)
    throw misfit(
      `${data} holds images, and nothing says how they become numbers`,
      'say it as the app does it: images: { mean: 127.5, std: 127.5 } gives -1…1, { std: 255 } 0…1, {} the bytes',
      where,
    );
  const used = pictures.slice(0, limit);
  return new Map(
    signatures.map((signature): [string, Sample[]] => {
      const spec = imageInput(signature.inputs, images, where);
      const tensors = imageSamples(data, used, spec, images, where);
      return [signature.key, tensors.map((tensor) => new Map([[spec.name, tensor]]))];
    }),
  );
}

/** Arrays by input name: `input.npy`, or `signature/input.npy` where there are several signatures. */
function readArrays(folder: string, names: readonly string[]): Map<string, Tensor> {
  const entries = names.map((name): [string, Tensor] => {
    const file = join(folder, name);
    return [name.slice(0, -'.npy'.length), readNpy(readFileSync(file), file)];
  });
  return new Map(entries);
}

/** The files below a folder, sorted, with forward slashes; undefined when it is none. */
function namesIn(path: string): string[] | undefined {
  try {
    if (!statSync(path).isDirectory()) return undefined;
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
    if (names.length > MAX_FOLDER_ENTRIES)
      throw misfit(`${path} has ${names.length} files`, `at most ${MAX_FOLDER_ENTRIES} are looked at`);
    return names.map((name) => name.replaceAll('\\', '/')).sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    throw error instanceof FloeError ? error : systemError(path, error);
  }
}

function first(samples: Samples, limit: number | undefined): Samples {
  return new Map([...samples].map(([key, list]) => [key, list.slice(0, limit)]));
}

function misfit(message: string, hint: string, where?: Place): FloeError {
  return new FloeError({ code: 'V003', severity: 'error', message, hint, where });
}
