/** A bounds-checked reader over bytes of a file: every failure says where in the file it is. */
import type { FloeError } from '../diagnostics/diagnostic';

/** Makes the error for a place (a byte offset within the bytes read) and a reason. */
export type Failure = (at: number, reason: string) => FloeError;

export class ByteCursor {
  constructor(
    readonly bytes: Uint8Array,
    public pos: number,
    readonly end: number,
    private readonly failure: Failure,
  ) {}

  fail(reason: string, at = this.pos): FloeError {
    return this.failure(at, reason);
  }

  /** A little-endian base-128 number: seven bits a byte, lowest first; exact or refused. */
  varint(): number {
    const start = this.pos;
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.pos >= this.end) throw this.fail('a number passes the end of its block', start);
      const byte = this.bytes[this.pos++];
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.fail('a number is larger than any file', start);
        return value;
      }
    }
    throw this.fail('a number has more than ten bytes', start);
  }

  /** A fixed unsigned 32-bit number, little-endian. */
  uint32(): number {
    const b = this.take(4);
    return (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (length > this.end - this.pos) throw this.fail(`${length} bytes pass the end of their block`);
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }
}
