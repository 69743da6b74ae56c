/**
 * The tokens of protobuf's text format, read straight from the file's bytes.
 *
 *   name   [A-Za-z_][A-Za-z0-9_]*
 *   number -?  decimal | 0octal | 0xhex | float [f]        inf  infinity  nan
 *   string 'a' "b", adjacent ones joined; escapes \n \t … \xHH \ooo \uXXXX \UXXXXXXXX
 *   space  blanks, line ends, # comments
 *
 * Text models hold hundreds of MB of escaped strings, so strings are decoded byte by byte into one reused buffer;
 * nothing is built character by character.
 */
import { FloeError } from '../diagnostics/diagnostic';
import { asBuffer } from './proto-wire';

const SPACE = 1;
const WORD = 2;
const DIGIT = 4;

/** What a byte can be part of. */
const CLASS = new Uint8Array(256);
for (const c of ' \t\r\n\f\v') CLASS[c.charCodeAt(0)] = SPACE;
for (let c = 0x30; c <= 0x39; c++) CLASS[c] = WORD | DIGIT;
for (let c = 0x41; c <= 0x5a; c++) CLASS[c] = CLASS[c | 0x20] = WORD;
CLASS[0x5f] = WORD;

const NEWLINE = 0x0a;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

/** One-letter escapes and the byte they stand for. */
const SIMPLE_ESCAPES = new Map<number, number>(
  Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, "'": 39, '"': 34, '?': 63 }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);

export class TextScanner {
  pos = 0;
  readonly end: number;
  private readonly buf: Buffer & { latin1Slice(start: number, end: number): string };
  private scratch = Buffer.allocUnsafeSlow(4096);

  constructor(
    bytes: Uint8Array,
    readonly file: string,
  ) {
    this.buf = asBuffer(bytes) as TextScanner['buf'];
    this.end = bytes.length;
    if (this.buf[0] === 0xef && this.buf[1] === 0xbb && this.buf[2] === 0xbf) this.pos = 3;
  }

  /** An S004 error at a place of the text, in lines and columns. */
  error(message: string, at = this.pos, length?: number, hint?: string): FloeError {
    const before = this.buf.subarray(0, at);
    let line = 1;
    for (let i = before.indexOf(NEWLINE); i >= 0; i = before.indexOf(NEWLINE, i + 1)) line++;
    const column = before.toString('utf8', before.lastIndexOf(NEWLINE) + 1).length + 1;
    return new FloeError({
      code: 'S004',
      severity: 'error',
      message: `${this.file}:${line}:${column}: ${message}`,
      ...(hint ? { hint } : {}),
      where: { file: this.file, line, column, ...(length ? { length } : {}) },
    });
  }

  /** Skips space and comments; the next byte, or -1 at the end. */
  peek(): number {
    const { buf, end } = this;
    let { pos } = this;
    for (;;) {
      while (pos < end && CLASS[buf[pos]] === SPACE) pos++;
      if (pos >= end || buf[pos] !== HASH) break;
      const newline = buf.indexOf(NEWLINE, pos);
      pos = newline < 0 ? end : newline + 1;
    }
    this.pos = pos;
    return pos < end ? buf[pos] : -1;
  }

  /** Takes the next byte when it is `byte`. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.pos++;
    return true;
  }

  /** What stands at the current place, for error messages. */
  found(): string {
    const c = this.peek();
    if (c < 0) return 'the end of the file';
    const from = this.pos;
    const to = CLASS[c] & WORD ? this.wordEnd(from) : from + 1;
    return JSON.stringify(this.buf.toString('latin1', from, Math.min(to, from + 40)));
  }

  private wordEnd(pos: number): number {
    while (pos < this.end && CLASS[this.buf[pos]] & WORD) pos++;
    return pos;
  }

  /** A name (field, enum value); undefined when none stands there. */
  name(): string | undefined {
    const c = this.peek();
    if (c < 0 || (CLASS[c] & (WORD | DIGIT)) !== WORD) return undefined;
    const from = this.pos;
    this.pos = this.wordEnd(from + 1);
    return this.buf.latin1Slice(from, this.pos);
  }

  /** The name in brackets of an extension or an Any, after its `[`. */
  bracketName(): string {
    const from = this.pos;
    const close = this.buf.indexOf(0x5d, from);
    const text = close < 0 ? '' : this.buf.latin1Slice(from, Math.min(close, from + 1000)).trim();
    if (!/^[\w./ -]+$/.test(text)) throw this.error(`expected the name of a type and "]" after "["`, from);
    this.pos = close + 1;
    return text;
  }

  /** A number's or word's characters, with its sign in front; '' when none stands there. */
  scalar(): string {
    const negative = this.take(MINUS);
    const c = this.peek();
    const from = this.pos;
    if (c < 0 || !(CLASS[c] & WORD || c === DOT)) return negative ? '-' : '';
    const { buf, end } = this;
    let pos = from;
    for (; pos < end; pos++) {
      const b = buf[pos];
      if (CLASS[b] & WORD || b === DOT) continue;
      // A sign belongs to a number only after the e of its exponent.
      if ((b !== PLUS && b !== MINUS) || pos === from || (buf[pos - 1] | 0x20) !== 0x65) break;
      if (!(CLASS[buf[from]] & DIGIT || buf[from] === DOT) || (buf[from + 1] | 0x20) === 0x78) break;
    }
    this.pos = pos;
    const text = buf.latin1Slice(from, pos);
    return negative ? `-${text}` : text;
  }

  /** A plain decimal integer of at most 15 digits, the common case; undefined (nothing taken) for any other. */
  smallInteger(): number | undefined {
    const { buf, end } = this;
    const start = (this.peek(), this.pos);
    let pos = start;
    const negative = buf[pos] === MINUS;
    if (negative) pos++;
    const from = pos;
    let value = 0;
    while (pos < end && CLASS[buf[pos]] & DIGIT) value = value * 10 + buf[pos++] - 0x30;
    const digits = pos - from;
    if (digits === 0 || digits > 15 || (digits > 1 && buf[from] === 0x30)) return undefined;
    if (pos < end && (CLASS[buf[pos]] & WORD || buf[pos] === DOT)) return undefined;
    this.pos = pos;
    return negative ? -value : value;
  }

  isString(): boolean {
    const c = this.peek();
    return c === DOUBLE_QUOTE || c === SINGLE_QUOTE;
  }

  /** A string's bytes: a view that the next call overwrites. Adjacent literals are joined. */
  string(): Buffer {
    let length = 0;
    do length = this.literal(length);
    while (this.isString());
    return this.scratch.subarray(0, length);
  }

  /** Skips a string. */
  skipString(): void {
    do this.pos = this.closingQuote() + 1;
    while (this.isString());
  }

  /** Where the literal at the current place ends. */
  private closingQuote(): number {
    const { buf, end } = this;
    const quote = buf[this.pos];
    for (let pos = this.pos + 1; pos < end; pos++) {
      const c = buf[pos];
      if (c === quote) return pos;
      if (c === BACKSLASH) pos++;
      else if (c === NEWLINE) break;
    }
    throw this.error('this string is not closed on its line');
  }

  /** Decodes one literal into the scratch buffer from `out` on; where it ends there. */
  private literal(out: number): number {
    const close = this.closingQuote();
    // No escape makes more bytes than it has characters.
    this.reserve(out, close - this.pos);
    const { buf, scratch } = this;
    let pos = this.pos + 1;
    while (pos < close) {
      const c = buf[pos++];
      if (c !== BACKSLASH) {
        scratch[out++] = c;
        continue;
      }
      const e = buf[pos++];
      if (e >= 0x30 && e <= 0x37) {
        let value = e - 0x30;
        for (let n = 1; n < 3 && pos < close && buf[pos] >= 0x30 && buf[pos] <= 0x37; n++) {
          value = value * 8 + buf[pos++] - 0x30;
        }
        if (value > 255) throw this.error('an octal escape is larger than \\377', pos - 4, 4);
        scratch[out++] = value;
      } else if (e === 0x78 || e === 0x58) {
        const digits = this.hexDigits(pos, close, 2);
        if (digits === 0) throw this.error('\\x needs a hexadecimal digit', pos - 2);
        scratch[out++] = parseInt(buf.latin1Slice(pos, pos + digits), 16);
        pos += digits;
      } else if (e === 0x75 || e === 0x55) {
        [pos, out] = this.unicode(pos - 2, close, out);
      } else {
        const byte = SIMPLE_ESCAPES.get(e);
        if (byte === undefined)
          throw this.error(`unknown escape \\${String.fromCharCode(e)} in a string`, pos - 2, 2);
        scratch[out++] = byte;
      }
    }
    this.pos = close + 1;
    return out;
  }

  private hexDigits(from: number, close: number, most: number): number {
    let n = 0;
    while (n < most && from + n < close && /[0-9a-fA-F]/.test(String.fromCharCode(this.buf[from + n]))) n++;
    return n;
  }

  /** `\uXXXX` (also as a surrogate pair) or `\UXXXXXXXX` at `at`, written as UTF-8. */
  private unicode(at: number, close: number, out: number): [pos: number, out: number] {
    const read = (from: number): number => {
      const digits = this.buf[from + 1] === 0x75 ? 4 : 8;
      if (this.hexDigits(from + 2, close, digits) < digits) {
        throw this.error(`\\${digits === 4 ? 'u' : 'U'} needs ${digits} hexadecimal digits`, from);
      }
      return parseInt(this.buf.latin1Slice(from + 2, from + 2 + digits), 16);
    };
    let code = read(at);
    let pos = at + (this.buf[at + 1] === 0x75 ? 6 : 10);
    if (code >= 0xd800 && code < 0xdc00 && this.buf[pos] === BACKSLASH && this.buf[pos + 1] === 0x75) {
      const low = read(pos);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        pos += 6;
      }
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      throw this.error('this escape is not a Unicode character', at, pos - at);
    }
    return [pos, out + this.scratch.write(String.fromCodePoint(code), out, 'utf8')];
  }

  private reserve(used: number, more: number): void {
    if (used + more <= this.scratch.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(used + more, this.scratch.length * 2));
    this.scratch.copy(grown, 0, 0, used);
    this.scratch = grown;
  }
}
