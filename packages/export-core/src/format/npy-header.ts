/** The header of an .npy file: a Python dictionary literal with three known keys, and nothing else. */
import { damaged, fileError } from './file';

export interface NpyHeader {
  /** As NumPy writes it, such as `<f4`. */
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

type Literal = string | number | boolean | null | Literal[];

/**
 * Parses the header's text.
 *
 * @param at byte offset of the text in the file, for errors
 * @throws FloeError S004, S007 (structured types)
 */
export function parseNpyHeader(text: string, file: string, at: number): NpyHeader {
  const values = new LiteralParser(text, file, at).dictionary();
  const descr = values.get('descr');
  const shape = values.get('shape');
  const order = values.get('fortran_order');
  if (Array.isArray(descr)) {
    const hint = 'save each field as an array of its own';
    throw fileError('S007', file, `${file} has elements with several fields, which cannot be read`, hint);
  }
  const isShape =
    Array.isArray(shape) && shape.every((d) => typeof d === 'number' && Number.isSafeInteger(d) && d >= 0);
  if (typeof descr !== 'string' || !isShape || typeof order !== 'boolean') {
    throw damaged(file, at, "its header does not say 'descr', 'fortran_order' and 'shape'");
  }
  return { descr, fortranOrder: order, shape: shape as number[] };
}

/** The part of Python's literals that NumPy writes: strings, numbers, True, False, None, tuples and lists. */
class LiteralParser {
  private pos = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly at: number,
  ) {}

  dictionary(): Map<string, Literal> {
    const values = new Map<string, Literal>();
    this.expect('{');
    while (!this.accept('}')) {
      const key = this.value(0);
      if (typeof key !== 'string' || values.has(key)) throw this.wrong();
      this.expect(':');
      values.set(key, this.value(0));
      if (!this.accept(',')) {
        this.expect('}');
        break;
      }
    }
    if (this.text.slice(this.pos).trim() !== '') throw this.wrong();
    return values;
  }

  private value(depth: number): Literal {
    if (depth > 8) throw this.wrong();
    if (this.accept('(')) return this.list(')', depth);
    if (this.accept('[')) return this.list(']', depth);
    // Python 2 wrote long integers with an L.
    const match = this.match(/(?:u?'([^'\\]*)'|u?"([^"\\]*)"|(-?\d+)L?|(True|False|None)\b)/y);
    if (!match) throw this.wrong();
    if (match[3] !== undefined) return Number(match[3]);
    if (match[4] !== undefined) return match[4] === 'None' ? null : match[4] === 'True';
    return match[1] ?? match[2];
  }

  private list(close: string, depth: number): Literal[] {
    const items: Literal[] = [];
    while (!this.accept(close)) {
      items.push(this.value(depth + 1));
      if (!this.accept(',')) {
        this.expect(close);
        break;
      }
    }
    return items;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    while (/\s/.test(this.text.charAt(this.pos))) this.pos++;
    pattern.lastIndex = this.pos;
    const match = pattern.exec(this.text);
    if (match) this.pos += match[0].length;
    return match;
  }

  private accept(character: string): boolean {
    while (/\s/.test(this.text.charAt(this.pos))) this.pos++;
    if (this.text.charAt(this.pos) !== character) return false;
    this.pos++;
    return true;
  }

  private expect(character: string): void {
    if (!this.accept(character)) throw this.wrong();
  }

  private wrong(): Error {
    return damaged(
      this.file,
      this.at + this.pos,
      'its header is not a Python dictionary of the expected form',
    );
  }
}
