/**
 * Image files as RGB bytes.
 *
 * Decoded by libraries that are loaded when there is something to decode. What a file is, its first bytes say. The size
 * it claims is checked before any pixel is made: a few hundred bytes can claim gigabytes.
 */
import { FloeError, MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, readFile } from '@floe/export-core';

/** Height and width, and three bytes a pixel, row by row. */
export interface Image {
  height: number;
  width: number;
  rgb: Uint8Array;
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

/**
 * Decodes a .png or .jpg file. Transparency is dropped and 16 bits become 8, as tf.io.decode_image has it; a rotation
 * that a camera noted is not carried out.
 *
 * @throws FloeError S001, S002, S010; V003 when it is no image that can be decoded
 */
export function readImage(file: string): Image {
  const bytes = readFile(file, MAX_IMAGE_BYTES);
  const starts = (magic: number[]): boolean => magic.every((b, i) => bytes[i] === b);
  if (!starts(PNG) && !starts(JPEG)) throw bad(file, 'is neither a PNG nor a JPEG file');
  let decoded: { height: number; width: number; data: Uint8Array };
  try {
    decoded = starts(PNG) ? decodePng(bytes) : decodeJpeg(bytes);
  } catch (error) {
    throw bad(file, `cannot be decoded: ${(error as Error).message}`);
  }
  return withoutAlpha(decoded);
}

function decodePng(bytes: Buffer): { height: number; width: number; data: Uint8Array } {
  // The header's own chunk comes first: length, type, width, height.
  const [width, height] = bytes.length < 24 ? [0, 0] : [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > MAX_IMAGE_PIXELS) throw new RangeError(`it claims ${width} × ${height} pixels`);
  const { PNG: Decoder } = require('pngjs') as typeof import('pngjs');
  return Decoder.sync.read(bytes);
}

function decodeJpeg(bytes: Buffer): { height: number; width: number; data: Uint8Array } {
  const { decode } = require('jpeg-js') as typeof import('jpeg-js');
  const megapixels = MAX_IMAGE_PIXELS / 1e6;
  // Four bytes a pixel for the result, and what decoding keeps of each component.
  return decode(bytes, {
    useTArray: true,
    maxResolutionInMP: megapixels,
    maxMemoryUsageInMB: 32 * megapixels,
  });
}

/** Both libraries give four bytes a pixel, grey ones too. */
function withoutAlpha({ height, width, data }: { height: number; width: number; data: Uint8Array }): Image {
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0, at = 0; at < rgb.length; i += 4) {
    rgb[at++] = data[i];
    rgb[at++] = data[i + 1];
    rgb[at++] = data[i + 2];
  }
  return { height, width, rgb };
}

function bad(file: string, what: string): FloeError {
  return new FloeError({
    code: 'V003',
    severity: 'error',
    message: `${file} ${what}`,
    hint: 'save it as an ordinary .png or .jpg, or take it out of the folder',
  });
}
