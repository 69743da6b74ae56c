/**
 * String tensors in a .tflite buffer:
 *
 *   int32 count | int32 offset[count + 1] | bytes
 *
 * Offsets count from the start of the buffer; the last one is its end.
 */

export function packStrings(strings: readonly Uint8Array[]): Uint8Array {
  const header = 4 * (strings.length + 2);
  const out = Buffer.alloc(header + strings.reduce((n, s) => n + s.length, 0));
  out.writeInt32LE(strings.length, 0);
  let at = header;
  strings.forEach((s, i) => {
    out.writeInt32LE(at, 4 + 4 * i);
    out.set(s, at);
    at += s.length;
  });
  out.writeInt32LE(at, 4 + 4 * strings.length);
  return out;
}

/** Throws RangeError when the offsets do not fit the buffer. */
export function unpackStrings(bytes: Uint8Array): Uint8Array[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 4) throw new RangeError('a string buffer is shorter than its count');
  const count = view.readInt32LE(0);
  if (count < 0 || 4 * (count + 2) > view.length)
    throw new RangeError(`a string buffer cannot hold ${count} strings`);
  return Array.from({ length: count }, (_, i) => {
    const start = view.readInt32LE(4 + 4 * i);
    const end = view.readInt32LE(8 + 4 * i);
    if (start < 0 || end < start || end > view.length) throw new RangeError(`string ${i} leaves its buffer`);
    return bytes.subarray(start, end);
  });
}
