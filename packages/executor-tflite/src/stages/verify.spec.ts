import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attr,
  FloeError,
  Graph,
  joinPieces,
  parseDescriptor,
  Tensor,
  writeGraphDef,
  type Contract,
  type StageResult,
} from '@floe/export-core';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { writeModel } from '../tflite/write';
import { npz } from '../verify/testing/npz';
import { verify } from './verify';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'verify-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const f32 = { T: attr.type('float32') };

/** y = x·2 frozen; x·factor as .tflite. */
function project(yaml: string, factor = 2): void {
  mkdirSync(join(root, 'dist/frozen'), { recursive: true });
  mkdirSync(join(root, 'dist/float'));
  const graph = new Graph();
  const x = graph
    .add('x', 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape([3]) })
    .output();
  graph.add('y', 'Mul', [x, graph.addConst('c', Tensor.scalar('float32', 2)).output()], f32);
  writeFileSync(join(root, 'dist/frozen/graph.pb'), joinPieces(writeGraphDef(graph)));
  const spec = { dtype: 'float32' as const, shape: [3] };
  const contract: Contract = {
    version: 1,
    signatures: [
      {
        key: 'serving_default',
        inputs: [{ name: 'x', tensor: 'x:0', ...spec }],
        outputs: [{ name: 'y', tensor: 'y:0', ...spec }],
      },
    ],
    initializers: [],
  };
  writeFileSync(join(root, 'dist/frozen/contract.json'), JSON.stringify(contract));
  const model = new TfliteModel();
  const main = new TfliteSubgraph('main');
  const [a, b] = ['x', 'y'].map((name) => new TfliteTensor(name, 'FLOAT32', [3]));
  const c = new TfliteTensor('c', 'FLOAT32', []);
  c.buffer = { bytes: new Uint8Array(Float32Array.of(factor).buffer) };
  main.ops.push(new TfliteOp('MUL', [a, c], [b], { type: 'MulOptions' }));
  main.inputs = [a];
  main.outputs = [b];
  model.subgraphs.push(main);
  model.signatures.push({
    key: 'serving_default',
    subgraph: main,
    inputs: [{ name: 'x', tensor: a }],
    outputs: [{ name: 'y', tensor: b }],
  });
  writeFileSync(join(root, 'dist/float/model.tflite'), joinPieces(writeModel(model)));
  writeFileSync(join(root, 'model.yaml'), yaml);
}

const YAML = `version: 1
source: { frozenGraph: graph.pb }
inputs:
  - { name: x, tensor: "x:0", dtype: float32, shape: [3], range: [-4, 4] }
outputs:
  - { name: y, tensor: "y:0" }
`;

async function run(yaml: string, factor?: number): Promise<StageResult> {
  project(yaml, factor);
  writeFileSync(join(root, 'graph.pb'), '');
  const file = join(root, 'model.yaml');
  const { descriptor, place } = parseDescriptor(file, yaml);
  return verify({
    root,
    dist: join(root, 'dist'),
    descriptor: descriptor!,
    place,
    variant: 'float',
    log: () => undefined,
    progress: () => undefined,
  });
}

const json = (result: StageResult) => JSON.parse(result.artefacts['float/verification.json'] as string);

describe('verify', () => {
  it('agrees on made-up samples in the declared range', async () => {
    const result = await run(YAML);
    expect(result.diagnostics).toEqual([]);
    expect(result.summary).toMatch(/^outputs: 1 agrees against .*; 4 random samples, max \|d\| 0/);
    expect(json(result)).toMatchObject({
      samples: { source: 'random' },
      signatures: [{ samples: 4, outputs: [{ name: 'y', status: 'agrees', figures: { elements: 12 } }] }],
    });
    expect(Object.keys(result.artefacts).sort()).toEqual(['float/report.html', 'float/verification.json']);
    expect(result.artefacts['float/report.html']).toContain('1 agrees');
  });

  it('writes the same reports each time, and no paths into them', async () => {
    const first = await run(YAML);
    rmSync(join(root, 'dist'), { recursive: true });
    const second = await run(YAML);
    expect(second.artefacts).toEqual(first.artefacts);
    expect(JSON.stringify(first.artefacts)).not.toContain(root);
  });

  it('takes samples from a file', async () => {
    const x = Tensor.fromNumbers('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
    writeFileSync(join(root, 'samples.npz'), npz({ x }));
    const result = await run(YAML + 'verify: { data: samples.npz }\n');
    expect(json(result)).toMatchObject({ samples: { source: 'data' }, signatures: [{ samples: 2 }] });
    expect(result.summary).toContain('2 samples');
  });

  it('names file, input and place of samples that do not fit', async () => {
    writeFileSync(join(root, 'samples.npz'), npz({ x: Tensor.fromNumbers('float32', [1, 2], [1, 2]) }));
    const error: unknown = await run(YAML + 'verify: { data: samples.npz }\n').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FloeError);
    expect((error as FloeError).diagnostics).toEqual([
      expect.objectContaining({
        code: 'V003',
        message: expect.stringContaining('samples of shape [2] for input "x", which is [3]'),
        where: expect.objectContaining({ line: 7 }),
      }),
    ]);
  });

  it('is an error with figures where an output differs, and still reports', async () => {
    const result = await run(YAML, 2.5);
    expect(result.diagnostics).toEqual([
      expect.objectContaining({
        code: 'V001',
        severity: 'error',
        message: expect.stringContaining('output "y" differs'),
      }),
    ]);
    expect(result.diagnostics[0].message).toMatch(/max \|d\| [\d.]+, cosine/);
    expect(json(result).signatures[0].outputs[0].status).toBe('differs');
  });

  it('allows what model.yaml allows', async () => {
    expect((await run(YAML + 'verify: { tolerance: 0.3 }\n', 2.5)).diagnostics).toEqual([]);
  });

  it('warns of what was not verified, and fails where it has to be', async () => {
    const text = YAML.replace('{ name: y,', '{ name: y2,');
    project(YAML);
    const graph = new Graph();
    const x = graph
      .add('x', 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape([3]) })
      .output();
    graph.add('y', 'Igamma', [x, x], f32);
    const odd = joinPieces(writeGraphDef(graph));
    const outcome = async (yaml: string) => {
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      project(yaml);
      writeFileSync(join(root, 'dist/frozen/graph.pb'), odd);
      const { descriptor, place } = parseDescriptor(join(root, 'model.yaml'), yaml);
      const context = { root, dist: join(root, 'dist'), descriptor: descriptor!, place, variant: 'float' };
      return verify({ ...context, log: () => undefined, progress: () => undefined });
    };
    const { diagnostics } = await outcome(text);
    expect(diagnostics).toEqual([expect.objectContaining({ code: 'V002', severity: 'warning' })]);
    expect(diagnostics[0].message).toMatch(
      /output "y" was not verified: no engine can run the graph .*Igamma/,
    );
    const required = await outcome(text + 'verify: { required: true }\n');
    expect(required.diagnostics).toEqual([expect.objectContaining({ code: 'V002', severity: 'error' })]);
  });
});
