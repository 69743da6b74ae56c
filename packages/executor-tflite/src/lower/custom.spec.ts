import { toObject } from 'flatbuffers/js/flexbuffers';
import { attr, Diagnostics, Tensor, type Value } from '@floe/export-core';
import { convertGraph } from '../convert/convert-graph';
import { writeFlexMap, type FlexValue } from '../tflite/flexbuffer';
import { GraphBuilder } from '../testing/graphs';

/** A graph with one custom op that has an attribute of each kind. */
function custom(): { b: GraphBuilder; y: Value } {
  const b = new GraphBuilder();
  const node = b.graph.add('y', 'MyOp', [b.input('x', [2, 3])], {
    gain: attr.float(10),
    count: attr.int(300),
    exact: attr.bool(true),
    mode: attr.string('fäst'),
    kind: attr.type('int32'),
    sizes: attr.ints([1, 2, 3]),
    table: attr.tensor(Tensor.fromNumbers('float32', [2], [0.5, 2])),
    shape: attr.shape([1, 2]),
    _output_types: attr.types(['float32', 'int32']),
  });
  return { b, y: node.output() };
}

function convert(customOps: string[]) {
  const { b, y } = custom();
  const diagnostics = new Diagnostics();
  const model = convertGraph(b.graph, { signatures: [b.signature([y])] }, diagnostics, customOps);
  return { model, diagnostics };
}

test('an op that is allowed is carried with its attributes', () => {
  const { model, diagnostics } = convert(['MyOp']);
  expect(diagnostics.list).toEqual([]);
  const [op] = model.subgraphs[0].ops;
  expect([op.code, op.customCode]).toEqual(['CUSTOM', 'MyOp']);
  expect(op.outputs.map((t) => t.type)).toEqual(['FLOAT32', 'INT32']);
  // Attributes that begin with _ are TensorFlow's own, and shapes have no form in a FlexBuffer.
  const bytes = op.customOptions!;
  expect(
    toObject(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer),
  ).toEqual({
    count: 300,
    exact: true,
    gain: 10,
    kind: 2,
    mode: 'fäst',
    sizes: [1, 2, 3],
    table: [0.5, 2],
  });
});

test('an op that is not allowed is an error', () => {
  const [problem] = convert(['Another']).diagnostics.list;
  expect(problem).toMatchObject({ code: 'T002', severity: 'error', node: 'y' });
});

test('lists and texts are read back as they were written', () => {
  const entries = new Map<string, FlexValue>([
    ['negative', { kind: 'int', value: -5n }],
    ['float', { kind: 'float', value: 2.5 }],
    ['long', { kind: 'string', value: Buffer.from('x'.repeat(70000)) }],
    ['none', { kind: 'list', of: 'int', value: [] }],
    ['flags', { kind: 'list', of: 'bool', value: [true, false].map((value) => ({ kind: 'bool', value })) }],
    ['names', { kind: 'list', of: 'string', value: [{ kind: 'string', value: Buffer.from('a') }] }],
  ]);
  const bytes = writeFlexMap(entries);
  expect(toObject(bytes.slice().buffer)).toEqual({
    negative: -5,
    float: 2.5,
    long: 'x'.repeat(70000),
    none: [],
    flags: [true, false],
    names: ['a'],
  });
  expect(writeFlexMap(new Map([...entries].reverse()))).toEqual(bytes);
});

test('in a map of eight-byte slots floats fill theirs', () => {
  const bytes = writeFlexMap(
    new Map<string, FlexValue>([
      ['wide', { kind: 'int', value: 2n ** 40n }],
      ['single', { kind: 'float', value: 2.5 }],
    ]),
  );
  // The same map by the flatbuffers package of Python. (That of JavaScript does not read slots of eight bytes.)
  const python =
    '776964650073696e676c650002080e0003000000000000000100000000000000' +
    '0200000000000000000000000000044000000000000100000f07122701';
  expect(values(bytes)).toEqual(values(Buffer.from(python, 'hex')));
});

/** What the two values of such a map are: they stand before their two types and the three bytes of the root. */
function values(bytes: Uint8Array): [float: number, int: bigint] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 5;
  return [view.getFloat64(end - 16, true), view.getBigInt64(end - 8, true)];
}
