import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { FloeError } from '../diagnostics/diagnostic';
import { create, decode, encode, enumName, enumNumber } from './proto';
import { messageType } from './proto-types';
import { codesOf, fixture, messageOf } from './testing/fixtures';

const GRAPH = fs.readFileSync(fixture('v2/graph.pb'));

describe('decode', () => {
  it('reads a graph that TensorFlow wrote', () => {
    const graph = decode('GraphDef', GRAPH, 'graph.pb');
    expect(graph.versions?.producer).toBeGreaterThan(1000);
    expect(graph.node[0]).toMatchObject({ name: 'x', op: 'Placeholder', input: [] });
    const ints = graph.node.find((n) => n.name === 'ints')!.attr.value;
    expect(ints.value).toBe('tensor');
    expect(ints.tensor!.tensor_shape!.dim[0].size).toBe(44n);
    const content = ints.tensor!.tensor_content;
    expect(Buffer.from(content).readBigInt64LE()).toBe(-3n);
  });

  it('reads a MetaGraphDef with collections and saver', () => {
    const meta = decode('MetaGraphDef', fs.readFileSync(fixture('v2/sharded.ckpt.meta')), 'x.meta');
    expect(meta.meta_info_def!.tensorflow_version).toBe('2.21.0');
    expect(enumName('CheckpointFormatVersion', meta.saver_def!.version)).toBe('V2');
    const [first] = meta.collection_def.variables.bytes_list!.value;
    const variable = decode('VariableDef', first, 'variable');
    expect(variable).toMatchObject({ variable_name: 'layer/rows/w/part_0:0', trainable: true });
    expect(variable.save_slice_info_def).toMatchObject({
      full_name: 'layer/rows/w',
      full_shape: [5n, 4n],
      var_offset: [0n, 0n],
      var_shape: [3n, 4n],
    });
  });

  it('gives views, not copies, of bytes', () => {
    const bytes = encode('TensorProto', { tensor_content: Buffer.from('abcdef') });
    const { tensor_content } = decode('TensorProto', bytes, 't');
    expect(tensor_content.buffer).toBe(bytes.buffer);
    // Also out of a plain Uint8Array that starts somewhere in its buffer.
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const again = decode('TensorProto', shifted.subarray(3), 't').tensor_content;
    expect(again.buffer).toBe(shifted.buffer);
    expect(Buffer.from(again).toString()).toBe('abcdef');
  });

  it('keeps 64-bit integers exact', () => {
    const values = [
      0n,
      1n,
      -1n,
      127n,
      128n,
      2n ** 49n - 1n,
      2n ** 49n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    const tensor = decode('TensorProto', encode('TensorProto', { int64_val: values }), 't');
    expect(tensor.int64_val).toEqual(values);
    const unsigned = [2n ** 64n - 1n, 2n ** 63n, 5n];
    expect(decode('TensorProto', encode('TensorProto', { uint64_val: unsigned }), 't').uint64_val).toEqual(
      unsigned,
    );
    const signed = decode('StructuredValue', encode('StructuredValue', { int64_value: -(2n ** 40n) }), 's');
    expect(signed).toMatchObject({ kind: 'int64_value', int64_value: -(2n ** 40n) });
  });

  it('has defaults for what is not there', () => {
    const entry = decode('BundleEntryProto', new Uint8Array(0), 'x');
    expect([entry.offset, entry.size, entry.crc32c, entry.shape, entry.slices]).toEqual([
      0n,
      0n,
      0,
      null,
      [],
    ]);
    expect(Object.keys(decode('NodeDef', new Uint8Array(0), 'x').attr)).toEqual([]);
    expect(decode('AttrValue', new Uint8Array(0), 'x').value).toBeUndefined();
    expect(create('TensorShapeDim').size).toBe(0n);
  });

  it('takes __proto__, constructor and the like as keys like others', () => {
    const attr = Object.create(null) as Record<string, { i: bigint }>;
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) attr[key] = { i: 7n };
    const node = decode('NodeDef', encode('NodeDef', { name: 'n', attr }), 'x');
    expect(Object.keys(node.attr).sort()).toEqual(['__proto__', 'constructor', 'hasOwnProperty', 'toString']);
    expect(node.attr['__proto__'].i).toBe(7n);
    expect(({} as Record<string, unknown>).i).toBeUndefined();
    expect(decode('NodeDef', encode('NodeDef', { name: 'n' }), 'x').attr['constructor']).toBeUndefined();
  });

  it('skips unknown fields of every wire type', () => {
    // Fields 900 … 904: varint, eight bytes, bytes, group, four bytes; then the name.
    const unknown = Buffer.from([
      ...[0xa0, 0x38, 5, 0xa9, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0xb2, 0x38, 2, 9, 9],
      ...[0xbb, 0x38, 8, 1, 0xbc, 0x38, 0xc5, 0x38, 1, 2, 3, 4],
    ]);
    const bytes = Buffer.concat([unknown, encode('NodeDef', { name: 'n' }), unknown]);
    expect(decode('NodeDef', bytes, 'x').name).toBe('n');
  });

  it('names file and byte offset of damage', () => {
    expect(codesOf(() => decode('GraphDef', GRAPH.subarray(0, 1000), 'some.pb'))).toEqual(['S004']);
    expect(messageOf(() => decode('GraphDef', GRAPH.subarray(0, 1000), 'some.pb', 5000))).toMatch(
      /^some\.pb is damaged at byte 5\d\d\d: not a whole GraphDef message/,
    );
  });

  it('decodes a function when a field of it is asked for', () => {
    const node_def = [{ name: 'inner', op: 'NoOp', input: ['^x'] }];
    const library = { function: [{ signature: { name: 'f' }, node_def, ret: { y: 'inner:y:0' } }] };
    const bytes = encode('GraphDef', { library });
    const whole = decode('GraphDef', bytes, 'x.pb');
    const [body] = whole.library!.function;
    expect(body.signature!.name).toBe('f');
    expect(body.node_def).toMatchObject(node_def);
    expect(body.ret).toMatchObject({ y: 'inner:y:0' });
    expect(body.control_ret).toEqual(Object.create(null));
    expect(encode('GraphDef', decode('GraphDef', bytes, 'x.pb')).equals(bytes)).toBe(true);
    expect(encode('GraphDef', whole).equals(bytes)).toBe(true);
    expect(
      decode('GraphDef', encode('GraphDef', { library: { function: [{}] } }), 'x').library!.function[0]
        .signature,
    ).toBe(null);

    // `inner`'s op, at the end of its NodeDef, is no UTF-8 any more.
    const at = bytes.indexOf('NoOp');
    bytes[at] = 0xff;
    const [damaged] = decode('GraphDef', bytes, 'x.pb', 1000).library!.function;
    expect(damaged.signature!.name).toBe('f');
    expect(messageOf(() => damaged.node_def)).toContain(
      `x.pb is damaged at byte ${1000 + at}: not a whole FunctionDef`,
    );
    expect(codesOf(() => damaged.ret)).toEqual(['S004']);
  });

  it('refuses text that is not UTF-8, but not U+FFFD itself', () => {
    expect(codesOf(() => decode('NodeDef', Buffer.from([0x0a, 2, 0xc3, 0x28]), 'x'))).toEqual(['S004']);
    expect(decode('NodeDef', encode('NodeDef', { name: '\ufffd' }), 'x').name).toBe('\ufffd');
  });

  it('ends deep nesting in an error', () => {
    let bytes = Buffer.alloc(0);
    for (let i = 0; i < 20_000; i++) {
      const length: number[] = [];
      for (let n = bytes.length; ; n >>>= 7) {
        length.push(n >= 128 ? (n & 127) | 128 : n);
        if (n < 128) break;
      }
      bytes = Buffer.concat([Buffer.from([0x12, ...length]), bytes]);
    }
    // FullTypeDef.args contains itself; unknown groups nest as well.
    expect(codesOf(() => decode('FullTypeDef', bytes, 'x'))).toEqual(['S004']);
    expect(codesOf(() => decode('FullTypeDef', Buffer.alloc(100_000, 0x7b), 'x'))).toEqual(['S004']);
  });

  it('survives truncation at every offset and any change of a byte', () => {
    const meta = fs.readFileSync(fixture('v2/sharded.ckpt.meta'));
    const small = meta.subarray(0, 3000);
    for (let end = 0; end < small.length; end++)
      codesOf(() => decode('MetaGraphDef', small.subarray(0, end), 'x'));
    fc.assert(
      fc.property(fc.nat(GRAPH.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(GRAPH);
        changed[at] = byte;
        expect(['', 'S004']).toContain(codesOf(() => decode('GraphDef', changed, 'x')).join());
      }),
      { numRuns: 1500 },
    );
  });
});

describe('encode', () => {
  it('gives back what it was given', () => {
    const graph = decode('GraphDef', GRAPH, 'graph.pb');
    const bytes = encode('GraphDef', graph);
    expect(decode('GraphDef', bytes, 'again')).toEqual(graph);
    expect(encode('GraphDef', decode('GraphDef', bytes, 'again'))).toEqual(bytes);
  });

  it('does not depend on the order of a map or on written defaults', () => {
    const one = encode('NodeDef', {
      name: 'n',
      attr: { a: { i: 1n }, b: { shape: { dim: [{ size: 0n }] } } },
    });
    const two = encode('NodeDef', { attr: { b: { shape: { dim: [{}] } }, a: { i: 1n } }, name: 'n', op: '' });
    expect(one).toEqual(two);
  });

  it('writes the zero of a oneof group', () => {
    const attr = decode('AttrValue', encode('AttrValue', { i: 0n }), 'x');
    expect([attr.value, attr.i]).toEqual(['i', 0n]);
  });

  it('round-trips tensors of every list', () => {
    const proto = fc.record({
      dtype: fc.integer({ min: 0, max: 200 }),
      float_val: fc.array(fc.float()),
      double_val: fc.array(fc.double()),
      int_val: fc.array(fc.integer()),
      int64_val: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      uint64_val: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      bool_val: fc.array(fc.boolean()),
      string_val: fc.array(fc.uint8Array().map((b) => Buffer.from(b))),
      tensor_content: fc.uint8Array().map((b) => Buffer.from(b)),
    });
    fc.assert(
      fc.property(proto, (value) => {
        const got = decode('TensorProto', encode('TensorProto', value), 'x');
        for (const key of Object.keys(value) as (keyof typeof value)[]) expect(got[key]).toEqual(value[key]);
      }),
    );
  });
});

describe('the schema', () => {
  it('prepares every message', () => {
    expect(messageType('TrackableObjectGraph').fields.nodes.id).toBe(1);
    expect(enumNumber('DataType', 'DT_BFLOAT16')).toBe(14);
    expect(enumNumber('DataType', 'constructor')).toBeUndefined();
    expect(enumName('DataType', 119)).toBe('DT_HALF_REF');
    expect(() => decode('SavedModel', Buffer.from([8]), 'x')).toThrow(FloeError);
  });
});
