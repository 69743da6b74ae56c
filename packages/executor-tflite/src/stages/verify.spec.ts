import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attr,
  Diagnostics,
  FloeError,
  Graph,
  joinPieces,
  parseDescriptor,
  Tensor,
  writeGraphDef,
  type Contract,
  type StageResult,
} from '@floe/export-core';
import { applyPlan } from '../quantize/apply';
import { planModel } from '../quantize/quantize-model';
import { ranges } from '../quantize/testing/models';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { readModel } from '../tflite/read';
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

  it('names the layers where the error of a quantised model enters, and the rule that keeps them in float', async () => {
    const yaml = `${YAML}variants: { int8: { quantization: int8 } }\nverify: { minSqnr: 30 }\n`;
    const outcome = async (range: [number, number]): Promise<StageResult> => {
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      project(yaml);
      mkdirSync(join(root, 'dist/converted'));
      mkdirSync(join(root, 'dist/int8'));
      const float = readFileSync(join(root, 'dist/float/model.tflite'));
      writeFileSync(join(root, 'dist/converted/model.tflite'), float);
      const model = readModel(float, 'model.tflite');
      const known = ranges({ x: [-4, 4], y: range });
      applyPlan(model, planModel(model, { quantization: 'int8' }, known, new Diagnostics()));
      writeFileSync(join(root, 'dist/int8/model.tflite'), joinPieces(writeModel(model)));
      const { descriptor, place } = parseDescriptor(join(root, 'model.yaml'), yaml);
      const context = { root, dist: join(root, 'dist'), descriptor: descriptor!, place, variant: 'int8' };
      return verify({ ...context, log: () => undefined, progress: () => undefined });
    };
    const good = await outcome([-8, 8]);
    expect(good.diagnostics).toEqual([]);
    const report = JSON.parse(good.artefacts['int8/verification.json'] as string);
    expect(report.signatures[0].layers).toMatchObject([{ name: 'y', op: 'MUL' }]);
    expect(report.signatures[0].layers[0].sqnr).toBeGreaterThan(30);
    expect(good.artefacts['int8/report.html']).toContain('<h3>Layers</h3>');
    const bad = await outcome([-8000, 8000]);
    expect(bad.diagnostics).toMatchObject([
      {
        code: 'V001',
        severity: 'error',
        message: expect.stringMatching(
          /less than 30 .*; most of the error enters at "y" \(MUL, -?[\d.]+ dB\)/,
        ),
        hint: expect.stringContaining('variants: { int8: { rules: [{ match: "y", quantization: none }] } }'),
      },
    ]);
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
