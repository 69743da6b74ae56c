import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { encode } from './proto';
import { FILE_KINDS, sniff } from './sniff';
import { codesOf, copied, fixture, removeTempFolders, tempFolder } from './testing/fixtures';

afterEach(removeTempFolders);

const kindOf = (bytes: Uint8Array | string) => {
  const file = path.join(tempFolder(), 'x.pb');
  fs.writeFileSync(file, bytes);
  return sniff(file).kind;
};
const varint = (n: number) => Buffer.from([(n & 127) | 128, n >> 7]);

describe('sniff', () => {
  it.each([
    ['v2/graph.pb', 'graphdef'],
    ['v2/graph.pbtxt', 'graphdef-text'],
    ['v2/sharded.ckpt.meta', 'metagraph'],
    ['v2/sharded.ckpt.index', 'checkpoint-index'],
    ['v2/sharded.ckpt.data-00000-of-00002', 'unknown'],
    ['v1/single.ckpt', 'checkpoint-v1'],
    ['v1/sharded.ckpt-00001-of-00002', 'checkpoint-v1'],
    ['tf2/checkpoint', 'checkpoint-state'],
    ['tf2', 'checkpoint-dir'],
    ['v1', 'checkpoint-dir'],
    ['npz/packed.npz', 'npz'],
    ['expected.json', 'unknown'],
    ['make_fixtures.py', 'unknown'],
  ])('%s is %s', (name, kind) => {
    expect(sniff(fixture(name))).toEqual({ kind });
  });

  const graph = fs.readFileSync(fixture('v2/graph.pb'));
  const meta = fs.readFileSync(fixture('v2/sharded.ckpt.meta'));
  const small = { node: [{ name: 'a', op: 'Const' }] };

  it('tells graphs apart by their structure', () => {
    const model = Buffer.concat([
      Buffer.from([8, 1, 0x12]),
      Buffer.from([...varint(meta.length & 0x3fff)]),
      meta,
    ]);
    expect(meta.length).toBeGreaterThan(0x3fff);
    expect(kindOf(model)).toBe('unknown');
    const metaGraph = { meta_info_def: { tags: ['serve'] }, graph_def: small };
    expect(kindOf(encode('SavedModel', { saved_model_schema_version: 1n, meta_graphs: [metaGraph] }))).toBe(
      'savedmodel',
    );
    expect(
      kindOf(encode('SavedModel', { saved_model_schema_version: 1n, meta_graphs: [metaGraph, metaGraph] })),
    ).toBe('savedmodel');
    expect(kindOf(encode('MetaGraphDef', metaGraph))).toBe('metagraph');
    expect(kindOf(encode('MetaGraphDef', { graph_def: small }))).toBe('metagraph');
    expect(
      kindOf(encode('MetaGraphDef', { meta_info_def: { tensorflow_version: '1.15.0' }, graph_def: {} })),
    ).toBe('metagraph');
    expect(kindOf(encode('GraphDef', small))).toBe('graphdef');
    expect(kindOf(encode('GraphDef', { ...small, versions: { producer: 1, bad_consumers: [1, 2] } }))).toBe(
      'graphdef',
    );
    expect(
      kindOf(encode('GraphDef', { ...small, library: { function: [{ signature: { name: 'f' } }] } })),
    ).toBe('graphdef');
    expect(kindOf(encode('GraphDef', { versions: { producer: 1 } }))).toBe('graphdef');
    expect(kindOf(encode('GraphDef', { node: [{ name: 'x', op: 'My>Op', attr: { a: { i: 1n } } }] }))).toBe(
      'graphdef',
    );
    expect(kindOf(graph.subarray(0, graph.length - 3))).toBe('graphdef');
  });

  it('knows other formats', () => {
    expect(kindOf('')).toBe('empty');
    expect(kindOf('\x1c\0\0\0TFL3 and more')).toBe('tflite');
    expect(kindOf(Buffer.from('894844460d0a1a0a00', 'hex'))).toBe('hdf5');
    expect(kindOf(Buffer.concat([Buffer.alloc(512), Buffer.from('894844460d0a1a0a', 'hex')]))).toBe('hdf5');
    expect(kindOf('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n')).toBe('lfs-pointer');
    // ir_version 8, producer "pytorch", a graph, an operator set.
    expect(
      kindOf(Buffer.from([8, 8, 0x12, 7, ...Buffer.from('pytorch'), 0x3a, 2, 0x12, 0, 0x42, 2, 16, 13])),
    ).toBe('onnx');
    expect(kindOf('PK\x05\x06' + '\0'.repeat(18))).toBe('npz');
    expect(kindOf('PK\x03\x04 torn')).toBe('npz');
    expect(kindOf(Buffer.alloc(3000))).toBe('unknown');
    expect(kindOf(Buffer.alloc(3000, 0xff))).toBe('unknown');
    expect(kindOf(Buffer.concat([Buffer.alloc(60), Buffer.from('57fb808b247547db', 'hex')]))).toBe(
      'checkpoint-index',
    );
  });

  it('knows Keras archives by their members', () => {
    const name = 'config.json';
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(name.length, 28);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(46 + name.length, 12);
    end.writeUInt32LE(4, 16);
    expect(kindOf(Buffer.concat([Buffer.from('PK\x03\x04'), entry, Buffer.from(name), end]))).toBe('keras');
  });

  it.each([
    ['# a comment\n\n  node {\n', 'graphdef-text'],
    ['\ufeffversions { producer: 1 }', 'graphdef-text'],
    ['node: [ { } ]', 'graphdef-text'],
    ['meta_info_def {\n', 'metagraph-text'],
    ['graph_def <', 'metagraph-text'],
    ['saved_model_schema_version: 1\n', 'savedmodel-text'],
    ['model_checkpoint_path: "a"', 'checkpoint-state'],
    ['# only a comment', 'unknown'],
    ['node of a tree', 'unknown'],
    ['{"json": 1}', 'unknown'],
  ])('tells text %j to be %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });

  it('tells folders apart', () => {
    const folder = tempFolder();
    expect(sniff(folder).kind).toBe('unknown');
    fs.writeFileSync(path.join(folder, 'saved_model.pbtxt'), '');
    expect(sniff(folder).kind).toBe('savedmodel-dir');
    const other = copied('tf2/ckpt-1.index');
    expect(sniff(other).kind).toBe('checkpoint-dir');
    const empty = tempFolder();
    fs.writeFileSync(path.join(empty, 'checkpoint'), 'something else');
    expect(sniff(empty).kind).toBe('unknown');
    expect(codesOf(() => sniff(path.join(folder, 'nothing')))).toEqual(['S001']);
  });

  it('gives a kind for any bytes', () => {
    const start = fc.constantFrom(
      '',
      '\x08\x01\x12',
      '\x0a',
      'PK\x03\x04',
      '\x89HDF',
      'node {',
      '\x12\x06\x0a\x04\x0a\x00',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (head, rest, table) => {
        const tail = table ? Buffer.from('57fb808b247547db', 'hex') : Buffer.alloc(0);
        expect(Object.keys(FILE_KINDS)).toContain(
          kindOf(Buffer.concat([Buffer.from(head, 'latin1'), rest, tail])),
        );
        removeTempFolders();
      }),
      { numRuns: 500 },
    );
  });
});
