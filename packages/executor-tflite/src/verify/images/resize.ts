/**
 * Resizing as TensorFlow does it: the arithmetic of tf.image.resize (half-pixel centres, no antialiasing), of
 * resize_with_pad and of Keras's smart_resize.
 */
import type { Image } from './decode';

export type Method = 'bilinear' | 'nearest' | 'area';
export type Fit = 'stretch' | 'crop' | 'pad';

/** Three float values a pixel, row by row. */
export interface Pixels {
  height: number;
  width: number;
  values: Float32Array;
}

/** What one pixel of a row or column is made of. */
interface Taps {
  first: number;
  weights: number[];
}

/** An image of exactly that size. */
export function resized(image: Image, height: number, width: number, method: Method, fit: Fit): Pixels {
  if (fit === 'crop') return scaled(image, middleOf(image, height, width), height, width, method);
  const whole = { top: 0, left: 0, height: image.height, width: image.width };
  if (fit === 'stretch') return scaled(image, whole, height, width, method);
  const ratio = Math.max(image.height / height, image.width / width);
  const [h, w] = [image.height / ratio, image.width / ratio];
  const inner = scaled(image, whole, Math.max(1, Math.floor(h)), Math.max(1, Math.floor(w)), method);
  return padded(inner, height, width, Math.floor((height - h) / 2), Math.floor((width - w) / 2));
}

interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** The largest part of an aspect, from the middle. */
function middleOf(image: Image, targetHeight: number, targetWidth: number): Box {
  const height = Math.min(image.height, Math.floor((image.width * targetHeight) / targetWidth) || 1);
  const width = Math.min(image.width, Math.floor((image.height * targetWidth) / targetHeight) || 1);
  return {
    top: Math.floor((image.height - height) / 2),
    left: Math.floor((image.width - width) / 2),
    height,
    width,
  };
}

function scaled(image: Image, box: Box, height: number, width: number, method: Method): Pixels {
  const rows = tapsOf(box.height, height, method);
  const columns = tapsOf(box.width, width, method);
  const values = new Float32Array(height * width * 3);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const [i, wy] of row.weights.entries()) {
          const start = ((box.top + row.first + i) * image.width + box.left + column.first) * 3 + c;
          let line = 0;
          for (const [j, wx] of column.weights.entries()) line += wx * image.rgb[start + 3 * j];
          sum += wy * line;
        }
        values[at++] = sum;
      }
    }
  }
  return { height, width, values };
}

/** For each place of an axis of `to` places, what it takes of one of `from`. */
function tapsOf(from: number, to: number, method: Method): Taps[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i): Taps => {
    if (method === 'nearest')
      return { first: Math.min(from - 1, Math.floor((i + 0.5) * scale)), weights: [1] };
    if (method === 'bilinear') {
      const centre = (i + 0.5) * scale - 0.5;
      const low = Math.floor(centre);
      const part = centre - low;
      if (low < 0 || low + 1 >= from) return { first: Math.max(0, Math.min(from - 1, low)), weights: [1] };
      return { first: low, weights: [1 - part, part] };
    }
    const [start, end] = [i * scale, (i + 1) * scale];
    const first = Math.floor(start);
    const last = Math.min(from, Math.ceil(end));
    const weights = Array.from({ length: last - first }, (_unused, k) => {
      const covered = Math.min(end, first + k + 1) - Math.max(start, first + k);
      return covered / scale;
    });
    return { first, weights };
  });
}

/** Black all round. */
function padded(inner: Pixels, height: number, width: number, top: number, left: number): Pixels {
  const values = new Float32Array(height * width * 3);
  for (let y = 0; y < inner.height; y++) {
    const row = inner.values.subarray(y * inner.width * 3, (y + 1) * inner.width * 3);
    values.set(row, ((y + top) * width + left) * 3);
  }
  return { height, width, values };
}
