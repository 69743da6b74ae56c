import * as fc from 'fast-check';
import { compress } from 'snappyjs';
import { FloeError } from '../diagnostics/diagnostic';
import { damaged } from '../format/file';
import { unsnappy } from './snappy';

const failure = (at: number, reason: string) => damaged('test', at, reason);
const plain = (bytes: number[] | Uint8Array, limit = 1e6) =>
  Buffer.from(unsnappy(Uint8Array.from(bytes), limit, failure));

describe('unsnappy', () => {
  it('undoes compression', () => {
    const repetitive = fc
      .array(fc.constantFrom('abc', 'abcabcabd', '\0\0\0\0\0\0\0\0\0\0', 'x'), { maxLength: 300 })
      .map((words) => Buffer.from(words.join('')));
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 500 })), (bytes) => {
        expect(plain(compress(Uint8Array.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('copies overlapping ranges as runs', () => {
    // "ab", then 6 bytes from 2 back: ababab more.
    expect(plain([8, 0x04, 0x61, 0x62, 0x02 | (5 << 2), 2, 0]).toString()).toBe('abababab');
    // The same with a 32-bit offset, and with the short form.
    expect(plain([8, 0x04, 0x61, 0x62, 0x03 | (5 << 2), 2, 0, 0, 0]).toString()).toBe('abababab');
    expect(plain([8, 0x04, 0x61, 0x62, 0x01 | (2 << 2), 2]).toString()).toBe('abababab');
  });

  it.each([
    ['a length over the limit', [0x80, 0x80, 0x80, 0x80, 0x01, 0x00]],
    ['a length that the stream cannot make', [0xff, 0x7f, 0x00, 0x61]],
    ['a copy before the start', [4, 0x00, 0x61, 0x01, 9]],
    ['a copy from no distance', [5, 0x00, 0x61, 0x01, 0]],
    ['a literal past the end', [4, 0x0c, 0x61]],
    ['more bytes than it says', [1, 0x04, 0x61, 0x62]],
    ['fewer bytes than it says', [9, 0x04, 0x61, 0x62]],
    ['a literal of 4 GiB', [4, 0xfc, 0xff, 0xff, 0xff, 0xff]],
    ['a cut-off offset', [8, 0x04, 0x61, 0x62, 0x02]],
    ['nothing', []],
    ['an endless length', new Array<number>(12).fill(0x80)],
  ])('refuses %s', (_, bytes) => {
    expect(() => plain(bytes)).toThrow(FloeError);
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          plain(bytes);
        } catch (error) {
          if (!(error instanceof FloeError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
