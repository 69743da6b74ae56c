import fc from 'fast-check';
import { parse } from 'yaml';
import { insertVariant } from './insert-variant';

const insert = (text: string, comment: string[] = []): string | undefined =>
  insertVariant(text, 'int8', '{ quantization: int8 }', comment);

it.each([
  [
    'a block',
    'variants:\n  float: {} # as trained\n\n  # smaller\n  half: { quantization: float16 } # good enough\n\n# end\nverify: {}\n',
    'variants:\n  float: {} # as trained\n\n  # smaller\n  half: { quantization: float16 } # good enough\n  # note\n  int8: { quantization: int8 }\n\n# end\nverify: {}\n',
  ],
  [
    'a block of blocks, indented by four, at the end of the file',
    'variants:\n    half:\n        quantization: float16',
    'variants:\n    half:\n        quantization: float16\n    # note\n    int8: { quantization: int8 }',
  ],
  [
    'a block whose last entry is empty',
    'variants:\n  float:\nverify: {}\n',
    'variants:\n  float:\n  # note\n  int8: { quantization: int8 }\nverify: {}\n',
  ],
  [
    'braces',
    'variants: { float: {} } # all\nverify: {}\n',
    '# note\nvariants: { float: {}, int8: { quantization: int8 } } # all\nverify: {}\n',
  ],
  [
    'braces over lines',
    'variants: {\n  float: {}, # first\n}\n',
    '# note\nvariants: {\n  float: {}, int8: { quantization: int8 }, # first\n}\n',
  ],
  ['no braces’ content', 'variants: {}\n', '# note\nvariants: { int8: { quantization: int8 } }\n'],
  [
    'a key without a value',
    'variants:\nverify: {}\n',
    'variants:\n  float: {}\n  # note\n  int8: { quantization: int8 }\nverify: {}\n',
  ],
  [
    'no variants, which means float',
    'version: 1',
    'version: 1\nvariants:\n  float: {}\n  # note\n  int8: { quantization: int8 }\n',
  ],
])('adds to %s and changes nothing else', (_, text, expected) => {
  expect(insert(text, ['# note'])).toBe(expected);
});

it('keeps the line ends of the file', () => {
  const text = 'variants:\r\n  float: {}\r\nverify: {}\r\n';
  expect(insert(text)).toBe('variants:\r\n  float: {}\r\n  int8: { quantization: int8 }\r\nverify: {}\r\n');
});

it('leaves to its author what is an alias', () => {
  expect(insert('all: &all { float: {} }\nvariants: *all\n')).toBeUndefined();
});

it('adds exactly one entry to any map, in any style', () => {
  const value = fc.constantFrom(
    '{}',
    '{ quantization: float16 }',
    '\n    quantization: float16',
    '\n    io: uint8 # x\n',
  );
  const gap = fc.constantFrom('', '\n', '  # a comment\n', '\n\n');
  const entries = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), value, gap), {
    selector: ([name]) => name,
    minLength: 1,
  });
  fc.assert(
    fc.property(entries, fc.constantFrom('', 'verify: {}\n', '# the end\n'), (list, tail) => {
      const block = list.map(([name, text, after]) => `  ${name}: ${text}\n${after}`).join('');
      const before = `version: 1\nvariants:\n${block}${tail}`;
      const after = insert(before, ['# note'])!;
      const was = parse(before) as { variants: object };
      expect(parse(after)).toEqual({ ...was, variants: { ...was.variants, int8: { quantization: 'int8' } } });
      // Nothing of the old text is lost or moved.
      const added = '  # note\n  int8: { quantization: int8 }\n';
      expect(after.replace(added, '')).toBe(before);
    }),
  );
});
