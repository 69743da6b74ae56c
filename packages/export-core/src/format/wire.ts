/**
 * The fields of a protobuf message as they stand in a file, without its schema: what tells formats apart.
 *
 *   field   varint (number << 3 | wire type), then by wire type
 *           0 varint    1 eight bytes    2 varint length, bytes    5 four bytes
 */

/** What fields are read from: a file, or a window over one. */
export interface ByteSource {
  read(start: number, length: number): Uint8Array;
}

export interface WireField {
  number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  type: number;
  /** Where the contents are (wire type 2), else where the value is. */
  start: number;
  end: number;
}

/** Longest tag and length before a field's contents. */
const MAX_HEAD_BYTES = 20;

/**
 * The first fields of the message at [start, end) of a file, at most `most`; undefined when it is no protobuf
 * message as far as that. Contents are not read, so that a field of a gigabyte costs nothing.
 */
export function wireFields(
  file: ByteSource,
  start: number,
  end: number,
  most: number,
): WireField[] | undefined {
  const fields: WireField[] = [];
  let pos = start;
  while (pos < end && fields.length < most) {
    const head = file.read(pos, Math.min(MAX_HEAD_BYTES, end - pos));
    const tag = varint(head, 0);
    if (!tag || tag.value > 0xffffffff) return undefined;
    const number = Math.floor(tag.value / 8);
    const type = tag.value & 7;
    let from = pos + tag.next;
    let to: number;
    if (type === 0) {
      const value = varint(head, tag.next);
      if (!value) return undefined;
      to = pos + value.next;
    } else if (type === 2) {
      const length = varint(head, tag.next);
      if (!length) return undefined;
      from = pos + length.next;
      to = from + length.value;
    } else if (type === 1 || type === 5) to = from + (type === 1 ? 8 : 4);
    else return undefined;
    if (number === 0 || to > end) return undefined;
    fields.push({ number, type, start: from, end: to });
    pos = to;
  }
  return fields;
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    value += (bytes[at + i] & 127) * 128 ** i;
    if (bytes[at + i] < 128) return { value, next: at + i + 1 };
  }
  return undefined;
}
