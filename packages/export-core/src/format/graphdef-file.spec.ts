import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { attr } from '../graph/attr';
import { Graph } from '../graph/graph';
import { writeGraphDef } from '../graph/write-graphdef';
import { writeFileAtomic } from '../keys/atomic';
import { readGraphFile } from '../source/graph-file';
import { Tensor } from '../tensor/tensor';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'floe-graphdef-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A graph of about 20 MB: small and large constants in turn, so that both ways of reading meet. */
function large(): Graph {
  const graph = new Graph();
  for (let i = 0; i < 5; i++) {
    const data = Float32Array.from({ length: 1 << 20 }, (_, k) => k + i);
    graph.addConst(`large_${i}`, Tensor.fromArray('float32', [1 << 10, 1 << 10], data));
    const small = graph.addConst(`small_${i}`, Tensor.scalar('int32', i));
    graph.add(`identity_${i}`, 'Identity', [small.output()], { T: attr.type('int32') });
  }
  return graph;
}

test('the weights of a large graph stay in its file until they are asked for, and are then the same', () => {
  const file = join(folder, 'graph.pb');
  const graph = large();
  writeFileAtomic(file, writeGraphDef(graph));
  const { graph: read } = readGraphFile(file);
  expect([...read.nodes.keys()]).toEqual([...graph.nodes.keys()]);
  for (const node of graph.nodes.values()) {
    if (!node.constant) continue;
    const tensor = read.node(node.name)!.constant!;
    expect(tensor.isDeferred).toBe(node.name.startsWith('large'));
    expect(Buffer.compare(tensor.bytes, node.constant.bytes)).toBe(0);
  }
});

test('written again it is the same file', () => {
  const first = join(folder, 'graph.pb');
  const again = join(folder, 'again.pb');
  const one = writeFileAtomic(first, writeGraphDef(large()));
  expect(writeFileAtomic(again, writeGraphDef(readGraphFile(first).graph))).toEqual(one);
});

test('a truncated large graph is damaged', () => {
  const file = join(folder, 'cut.pb');
  const { size } = writeFileAtomic(file, writeGraphDef(large()));
  for (const length of [size - 1, size - (1 << 20), 17 << 20]) {
    truncateSync(file, length);
    expect(() => readGraphFile(file)).toThrow(FloeError);
    writeFileAtomic(file, writeGraphDef(large()));
  }
});
