/** A folder of images as samples of a model's input. */
import { basename, join } from 'node:path';
import {
  FloeError,
  Tensor,
  type DType,
  type ImageSettings,
  type Place,
  type TensorSpec,
} from '@floe/export-core';
import { readImage } from './decode';
import { resized, type Pixels } from './resize';

/** Where an image goes: [1, height, width, channels], or with the channels first; without a batch too. */
interface Layout {
  shape: number[];
  height: number;
  width: number;
  channels: 1 | 3;
  channelsFirst: boolean;
}

/** Shares of red, green and blue in what a grey input sees (ITU-R 601, as JPEG's luma). */
const LUMA = [0.299, 0.587, 0.114];

/** The input that images are meant for. @throws FloeError V003 where it is not clear */
export function imageInput(
  inputs: readonly TensorSpec[],
  { input, size }: ImageSettings,
  where?: Place,
): TensorSpec {
  const fitting = inputs.filter((spec) => layoutOf(spec, size));
  const found = input === undefined ? fitting : inputs.filter(({ name }) => name === input);
  if (found.length === 1 && inputs.length === 1 && fitting.includes(found[0])) return found[0];
  const list = inputs.map(({ name }) => `"${name}"`).join(', ');
  if (inputs.length > 1)
    throw misfit(
      `a folder of images feeds one input, the model has ${inputs.length}: ${list}`,
      'save all inputs as arrays in an .npz file, or in a folder of .npy files',
      where,
    );
  if (input !== undefined && found.length === 0)
    throw misfit(`the model has no input "${input}" for images`, `its input is ${list}`, where);
  throw misfit(
    `input ${list} takes no images of 1 or 3 channels of a known size`,
    'its shape has to be [batch, height, width, channels]; images: { size: [height, width] } gives a size it leaves open',
    where,
  );
}

/**
 * The images of a folder, in the order of their names.
 *
 * @param names relative to the folder
 * @throws FloeError V003 for a file that is no image
 */
export function imageSamples(
  folder: string,
  names: readonly string[],
  spec: TensorSpec,
  settings: ImageSettings,
  where?: Place,
): Tensor[] {
  const layout = layoutOf(spec, settings.size)!;
  for (const key of ['mean', 'std'] as const) {
    const setting = settings[key];
    if (Array.isArray(setting) && setting.length !== layout.channels)
      throw misfit(
        `images: { ${key} } has ${setting.length} channels, input "${spec.name}" ${layout.channels}`,
        'give one number for all, or one a channel',
        where,
      );
  }
  return names.map((name) => {
    const image = readImage(join(folder, ...name.split('/')));
    const pixels = resized(image, layout.height, layout.width, settings.resize, settings.fit);
    return Tensor.fromNumbers(spec.dtype, layout.shape, arranged(pixels, layout, settings, spec.dtype));
  });
}

export function isImageName(name: string): boolean {
  return /\.(png|jpe?g)$/i.test(name) && !basename(name).startsWith('.');
}

/** Undefined where a shape is none of an image. */
function layoutOf({ dtype, shape }: TensorSpec, size: ImageSettings['size']): Layout | undefined {
  if (!shape || (shape.length !== 3 && shape.length !== 4)) return undefined;
  if (dtype !== 'float32' && !LIMITS[dtype]) return undefined;
  const batch = shape.length === 4 ? [shape[0] ?? 1] : [];
  if (batch[0] !== undefined && batch[0] !== 1) return undefined;
  const dims = shape.slice(-3);
  const isChannels = (d: number | null): d is 1 | 3 => d === 1 || d === 3;
  const channelsFirst = !isChannels(dims[2]);
  const channels = channelsFirst ? dims[0] : dims[2];
  if (!isChannels(channels)) return undefined;
  const [h, w] = channelsFirst ? [dims[1], dims[2]] : [dims[0], dims[1]];
  const [height, width] = [h ?? size?.[0], w ?? size?.[1]];
  if (!height || !width || (size && (size[0] !== height || size[1] !== width))) return undefined;
  const image = channelsFirst ? [channels, height, width] : [height, width, channels];
  return { shape: [...batch, ...image], height, width, channels, channelsFirst };
}

/** Values that inputs of a type can hold; images are rounded and cut off to them. */
const LIMITS: Partial<Record<DType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Normalised values in the order of the input's elements. */
function arranged(
  { values }: Pixels,
  { height, width, channels, channelsFirst }: Layout,
  { channels: order, mean, std }: ImageSettings,
  dtype: DType,
): number[] {
  const count = height * width;
  const limits = LIMITS[dtype];
  const of = (setting: number | number[], c: number) => (Array.isArray(setting) ? setting[c] : setting);
  const out = new Array<number>(count * channels);
  for (let c = 0; c < channels; c++) {
    const [m, s] = [of(mean, c), of(std, c)];
    const source = order === 'bgr' ? 2 - c : c;
    for (let i = 0; i < count; i++) {
      const at = 3 * i;
      const byte =
        channels === 1
          ? LUMA[0] * values[at] + LUMA[1] * values[at + 1] + LUMA[2] * values[at + 2]
          : values[at + source];
      const value = (byte - m) / s;
      out[channelsFirst ? c * count + i : channels * i + c] = limits
        ? Math.max(limits[0], Math.min(limits[1], Math.round(value)))
        : value;
    }
  }
  return out;
}

function misfit(message: string, hint: string, where: Place | undefined): FloeError {
  return new FloeError({ code: 'V003', severity: 'error', message, hint, where });
}
