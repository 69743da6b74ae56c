/**
 * What protobufjs reads and writes with: 64-bit integers as bigint, views instead of copies, strict UTF-8, and the place in
 * the file where a message breaks off.
 */
import protobuf from 'protobufjs/light';
import { FloeError } from '../diagnostics/diagnostic';
import { damaged } from './file';

/** A message's fields by name. */
export type Fields = Record<string, unknown>;

/** protobufjs' reader with 64-bit integers as bigint, views instead of copies, strict UTF-8. */
export class WireReader extends protobuf.Reader {
  constructor(
    bytes: Uint8Array,
    readonly file: string,
    /** Where the bytes start in the file. */
    readonly at: number,
  ) {
    super(asBuffer(bytes));
    this.discardUnknown = true;
  }

  // Buffer's fast text decoding, missing from its type.
  declare buf: Buffer & { utf8Slice(start: number, end: number): string };

  override raw(start: number, end: number): Uint8Array {
    return this.buf.subarray(start, end);
  }

  override string(): string {
    const length = (this as unknown as { size(): number }).size();
    const start = this.pos;
    const end = start + length;
    if (end > this.len) throw new RangeError(`a string of ${length} bytes passes the end`);
    this.pos = end;
    const text = this.buf.utf8Slice(start, end);
    // U+FFFD stands for what cannot be decoded, unless the file itself says U+FFFD (EF BF BD).
    if (text.includes('\ufffd') && !isUtf8(this.buf.subarray(start, end))) {
      this.pos = start;
      throw new Error('a string is not valid UTF-8');
    }
    return text;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A varint of up to ten bytes as an unsigned 64-bit integer; bits beyond the 64th fall away, as in C++. */
function readVarint64(reader: WireReader): bigint {
  const { buf, len } = reader;
  let pos = reader.pos;
  let low = 0;
  let scale = 1;
  // Seven bytes, 49 bits, are exact in a number; most values end here.
  for (let i = 0; i < 7; i++, scale *= 128) {
    if (pos >= len) throw new RangeError('a number passes the end');
    const byte = buf[pos++];
    low += (byte & 127) * scale;
    if (byte < 128) {
      reader.pos = pos;
      return BigInt(low);
    }
  }
  let high = 0;
  for (let i = 0; i < 3; i++) {
    if (pos >= len) throw new RangeError('a number passes the end');
    const byte = buf[pos++];
    high |= (byte & 127) << (7 * i);
    if (byte < 128) {
      reader.pos = pos;
      return BigInt.asUintN(64, (BigInt(high) << 49n) | BigInt(low));
    }
  }
  throw new Error('a number has more than ten bytes');
}

function readFixed64(reader: WireReader): bigint {
  if (reader.pos + 8 > reader.len) throw new RangeError('a number passes the end');
  const value = reader.buf.readBigUInt64LE(reader.pos);
  reader.pos += 8;
  return value;
}

// Not as methods of the class: protobufjs declares them to return its Long.
Object.assign(WireReader.prototype, {
  stringVerify: WireReader.prototype.string,
  uint64(this: WireReader) {
    return readVarint64(this);
  },
  int64(this: WireReader) {
    return BigInt.asIntN(64, readVarint64(this));
  },
  sint64(this: WireReader) {
    const v = readVarint64(this);
    return v & 1n ? -(v >> 1n) - 1n : v >> 1n;
  },
  fixed64(this: WireReader) {
    return readFixed64(this);
  },
  sfixed64(this: WireReader) {
    return BigInt.asIntN(64, readFixed64(this));
  },
});

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Runs a decoder over a whole reader.
 *
 * @throws FloeError S004 with the file and the byte offset where the message is damaged
 */
export function decodeAll(
  type: protobuf.Type,
  how: (reader: WireReader) => object,
  reader: WireReader,
): Fields {
  try {
    return how(reader) as Fields;
  } catch (error) {
    // A TypeError is a fault of Floe's, not of the file.
    if (error instanceof FloeError || error instanceof TypeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(reader.file, reader.at + reader.pos, `not a whole ${type.name} message: ${reason}`);
  }
}

/** Writer counterpart of WireReader: takes bigint for 64-bit integers. */
export class WireWriter extends protobuf.BufferWriter {}

/** The low and high halves in the shape in which protobufjs' writer takes 64-bit values. */
function halves(value: bigint | number): { low: number; high: number } {
  const v = BigInt.asUintN(64, BigInt(value));
  return { low: Number(v & 0xffffffffn), high: Number(v >> 32n) };
}

for (const method of ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'] as const) {
  const base = protobuf.Writer.prototype[method] as (this: WireWriter, value: unknown) => WireWriter;
  const many = protobuf.Writer.prototype[`${method}s` as 'int64s'] as (
    this: WireWriter,
    v: unknown,
  ) => WireWriter;
  Object.assign(WireWriter.prototype, {
    [method](this: WireWriter, value: bigint) {
      return base.call(this, halves(value));
    },
    [`${method}s`](this: WireWriter, values: readonly bigint[]) {
      return many.call(this, Array.from(values, halves));
    },
  });
}
