import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { decode, encode, type MessageInit, type MessageName } from './proto';
import { parseText } from './text-proto';
import { codesOf, fixture, messageOf } from './testing/fixtures';
import { printText } from './testing/text-writer';

const parse = <N extends MessageName>(name: N, text: string) => parseText(name, Buffer.from(text), 'x.pbtxt');
/** The text as a message, through the binary form, so that only what is set counts. */
const bytes = <N extends MessageName>(name: N, text: string) =>
  encode(name, parse(name, text)).toString('hex');
const same = <N extends MessageName>(name: N, text: string, value: MessageInit<N>) =>
  expect(decode(name, encode(name, parse(name, text)), 'a')).toEqual(decode(name, encode(name, value), 'b'));

describe('parseText', () => {
  it('reads the text of a graph as its binary', () => {
    const text = fs.readFileSync(fixture('v2/graph.pbtxt'));
    const graph = parseText('GraphDef', text, 'graph.pbtxt');
    expect(encode('GraphDef', graph)).toEqual(
      encode('GraphDef', decode('GraphDef', fs.readFileSync(fixture('v2/graph.pb')), 'graph.pb')),
    );
  });

  it('reads nested messages in braces and angles, with colons and separators or without', () => {
    const wanted = { name: 'a', op: 'Const', input: ['x', 'y', 'z'], attr: { k: { i: 5n } } };
    same(
      'NodeDef',
      'name: "a" op: "Const" input: "x" input: "y" input: "z" attr { key: "k" value { i: 5 } }',
      wanted,
    );
    same('NodeDef', `name:'a',op:"Const";input:["x","y", 'z'],attr:<key:"k" value<i:5>>;`, wanted);
    same(
      'NodeDef',
      'attr: [ { key: "k" value: { i: 5, }; } ]\n input: []\n input: ["x","y","z"] name: "a" op:"Const"',
      wanted,
    );
    same('GraphDef', 'node [ { name: "a" }, < name: "b" > ]', { node: [{ name: 'a' }, { name: 'b' }] });
  });

  it('skips comments, blanks and a byte order mark', () => {
    same('NodeDef', '\ufeff# first\n\t name # why not\n : # here\r\n "a"# end', { name: 'a' });
    same('NodeDef', '', {});
    same('NodeDef', ' # nothing', {});
  });

  it('joins strings and knows every escape', () => {
    same('NodeDef', `name: "a" 'b'\n  "c" # comment\n 'd'`, { name: 'abcd' });
    const raw = (text: string) => Buffer.from(parse('AttrValue', `s: ${text}`).s);
    expect(raw(String.raw`"\a\b\f\n\r\t\v\\\'\"\?"`)).toEqual(Buffer.from('\x07\b\f\n\r\t\v\\\'"?'));
    expect(raw(String.raw`"\0\12\377\1234"`)).toEqual(Buffer.from([0, 10, 255, 0o123, 0x34]));
    expect(raw(String.raw`"\x1\xfF\XaZ"`)).toEqual(Buffer.from([1, 255, 10, 0x5a]));
    expect(raw(String.raw`"\u00e9\U0001f600\ud83d\ude00"`)).toEqual(Buffer.from('é😀😀'));
    expect(raw('"it\'s"')).toEqual(Buffer.from("it's"));
    expect(raw('"ü"')).toEqual(Buffer.from('ü'));
  });

  it('reads numbers in every notation', () => {
    const ints = (text: string) => parse('TensorProto', `int64_val: [${text}]`).int64_val;
    expect(ints('0, -0, 7, - 7, 0x1F, -0xff, 010, 9223372036854775807, -9223372036854775808')).toEqual([
      0n,
      0n,
      7n,
      -7n,
      31n,
      -255n,
      8n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]);
    expect(parse('TensorProto', 'uint64_val: 18446744073709551615').uint64_val).toEqual([2n ** 64n - 1n]);
    const floats = (text: string) => parse('TensorProto', `double_val: [${text}]`).double_val;
    expect(
      floats('1, 1f, 1.5F, .5, 5., 1e3, 1E-3f, 2e+2, -2.5, inf, -inf, Infinity, - inf, nan, -nan'),
    ).toEqual([
      1,
      1,
      1.5,
      0.5,
      5,
      1000,
      0.001,
      200,
      -2.5,
      Infinity,
      -Infinity,
      Infinity,
      -Infinity,
      NaN,
      NaN,
    ]);
    expect(Object.is(floats('-0')[0], -0)).toBe(true);
    expect(parse('TensorProto', 'float_val: 0.1').float_val).toEqual([Math.fround(0.1)]);
    expect(parse('TensorProto', 'float_val: 1e50').float_val).toEqual([Infinity]);
    expect(parse('TensorProto', 'bool_val: [true, false, t, f, True, False, 1, 0]').bool_val).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it('reads enums by name and number', () => {
    expect(parse('AttrValue', 'type: DT_HALF').type).toBe(19);
    expect(parse('AttrValue', 'type: 19').type).toBe(19);
    expect(parse('AttrValue', 'type: DT_FLOAT_REF').type).toBe(101);
    expect(parse('AttrValue', 'type: 12345').type).toBe(12345);
    expect(parse('AttrValue', 'list { type: [DT_INT8, 4] }').list!.type).toEqual([6, 4]);
  });

  it('takes map entries with parts left out, and the last of a key', () => {
    const node = parse(
      'NodeDef',
      'attr { } attr { key: "a" } attr { value { i: 1 } key: "b" } attr { key: "b" }',
    );
    expect(Object.keys(node.attr)).toEqual(['', 'a', 'b']);
    expect(node.attr.b.value).toBeUndefined();
    expect(parse('FunctionDef', 'ret { key: "a" }').ret.a).toBe('');
    expect(
      parse('FunctionDef', 'resource_arg_unique_id { key: 3 value: 4 }').resource_arg_unique_id,
    ).toMatchObject({ 3: 4 });
    expect(Object.keys(parse('NodeDef', 'attr { key: "__proto__" value { i: 1 } }').attr)).toEqual([
      '__proto__',
    ]);
  });

  it('skips extensions, Any contents and debug info', () => {
    const any = `any_list { value { [type.googleapis.com/some.Type] { a: 1 b { c: "}" } d: [1, { e: - 2 }] } } }`;
    expect(parse('CollectionDef', any).any_list!.value).toHaveLength(1);
    same('NodeDef', '[some.extension]: 5 name: "a" [other.one] < x: "y" "z" >', { name: 'a' });
    same('GraphDef', 'debug_info { files: "a.py" traces { key: "k" value { frame_id: 1 } } } version: 3', {
      version: 3,
    });
  });

  it.each([
    ['node { nmae: "a" }', 1, 8, /NodeDef has no field "nmae" .*did you mean `name`/],
    ['node {\n  name: "a"\n  name: "b" }', 3, 3, /name stands twice/],
    ['node { attr { key: "k" value { i: 1 s: "a" } } }', 1, 37, /s beside i/],
    ['node { name "a" }', 1, 13, /expected ":" after name/],
    ['node { name: a }', 1, 14, /needs a string in quotes, found "a"/],
    ['node { name: "a }', 1, 14, /not closed/],
    ['node { name: "a\n" }', 1, 14, /not closed/],
    ['node { name: "\\q" }', 1, 15, /unknown escape \\q/],
    ['node { name: "\\xg" }', 1, 15, /\\x needs/],
    ['node { name: "\\777" }', 1, 15, /larger than/],
    ['node { name: "\\ud800" }', 1, 15, /not a Unicode character/],
    ['node { name: "\\xff" }', 1, 14, /not valid UTF-8/],
    ['version: 1.5', 1, 10, /needs an integer, found "1.5"/],
    ['version: 2147483648', 1, 10, /cannot hold 2147483648/],
    ['version: 089', 1, 10, /needs an integer/],
    ['version: ', 1, 10, /needs an integer, found the end of the file/],
    [
      'node { attr { key: "k" value { type: DT_FLOTA } } }',
      1,
      38,
      /DataType has no value DT_FLOTA .*DT_FLOAT/,
    ],
    ['node { attr { key: "k" value { b: yes } } }', 1, 35, /true or false, found "yes"/],
    ['node { attr { key: "k" value { f: 0x10 } } }', 1, 35, /needs a number/],
    ['node { attr { key: "k" value { f: 1.2.3 } } }', 1, 35, /needs a number/],
    ['node { attr { ky: "k" } }', 1, 15, /attr entry has no field "ky"/],
    ['node {', 1, 7, /expected a field or "}" of NodeDef, found the end/],
    ['node { >', 1, 8, /found ">"/],
    ['node: [ { } ', 1, 13, /expected "," or "]"/],
    ['}', 1, 1, /expected a field of GraphDef, found "}"/],
    ['ü: 1', 1, 1, /expected a field/],
    ['node { name: "ü" } x', 1, 20, /no field "x"/],
    ['[a', 1, 2, /expected the name of a type/],
    ['1: 2', 1, 1, /expected a field/],
  ])('refuses %j with place and reason', (text, line, column, reason) => {
    const message = messageOf(() => parse('GraphDef', text));
    expect(message).toMatch(reason);
    expect(message).toContain(`x.pbtxt:${line}:${column}:`);
  });

  it('limits nesting, of known and skipped fields', () => {
    const nested = (open: string, n: number, close: string) => open.repeat(n) + close.repeat(n);
    expect(codesOf(() => parse('FullTypeDef', nested('args {', 100, '}')))).toEqual([]);
    expect(messageOf(() => parse('FullTypeDef', nested('args {', 101, '}')))).toContain(
      'nested more than 100',
    );
    expect(codesOf(() => parse('FullTypeDef', 'args {'.repeat(100_000)))).toEqual(['S004']);
    expect(codesOf(() => parse('GraphDef', `debug_info ${'{ a '.repeat(100_000)}`))).toEqual(['S004']);
    expect(codesOf(() => parse('GraphDef', `[a] ${'[[['.repeat(10_000)}`))).toEqual(['S004']);
  });

  it('reads again what is printed', () => {
    const graph = decode('GraphDef', fs.readFileSync(fixture('v2/graph.pb')), 'graph.pb');
    expect(encode('GraphDef', parse('GraphDef', printText('GraphDef', graph)))).toEqual(
      encode('GraphDef', graph),
    );
    const value = fc.oneof(
      fc.record({ s: fc.uint8Array().map((b) => Buffer.from(b)) }),
      fc.record({ i: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
      fc.record({ f: fc.float() }),
      fc.record({ b: fc.boolean() }),
      fc.record({ type: fc.integer({ min: 0, max: 150 }) }),
      fc.record({ placeholder: fc.string({ unit: 'grapheme' }) }),
      fc.record({
        tensor: fc.record({ double_val: fc.array(fc.double()), int_val: fc.array(fc.integer()) }),
      }),
      fc.record({ list: fc.record({ s: fc.array(fc.uint8Array().map((b) => Buffer.from(b))) }) }),
    );
    const text = fc.string({ unit: 'grapheme' });
    const node = fc.record({ name: text, op: text, input: fc.array(text), attr: fc.dictionary(text, value) });
    fc.assert(
      fc.property(node, (message) => {
        const printed = printText('NodeDef', decode('NodeDef', encode('NodeDef', message), 'x'));
        expect(bytes('NodeDef', printed)).toBe(encode('NodeDef', message).toString('hex'));
      }),
      { numRuns: 300 },
    );
  });

  it('ends every damaged text in an error with a place, or reads it', () => {
    const text = fs.readFileSync(fixture('v2/graph.pbtxt')).subarray(0, 2500);
    for (let end = 0; end < text.length; end++)
      codesOf(() => parseText('GraphDef', text.subarray(0, end), 'x'));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(text);
        changed[at] = byte;
        expect(['', 'S004']).toContain(codesOf(() => parseText('GraphDef', changed, 'x')).join());
      }),
      { numRuns: 1000 },
    );
    const word = fc.constantFrom(
      'node',
      '{',
      '}',
      '<',
      '>',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      "'",
      '"',
      '1',
      '-',
      '#',
      '\n',
      'attr',
      'key',
      '.',
      '\\',
      '0x',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        codesOf(() => parse('GraphDef', words.join(' ')));
      }),
      { numRuns: 2000 },
    );
  });
});
