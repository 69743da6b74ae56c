import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attr, Graph, joinPieces, readNpz, Tensor, writeGraphDef, type Signature } from '@floe/export-core';
import { floeEngine } from './floe-engine';
import type { GraphEngine } from './graph-engine';
import { reportPage } from './report';
import { verificationJson, type Verification } from './verification';
import { ruleFor, verifyModel, type Rule } from './verify-model';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { specsOf } from '../quantize/calibrate/specs';
import { readModel } from '../tflite/read';
import { writeModel } from '../tflite/write';
import { samplesOf } from './samples';

const f32 = { T: attr.type('float32') };

/** y = x·factor in TensorFlow. */
function frozen(factor = 2) {
  const graph = new Graph();
  const x = graph
    .add('x', 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape([4]) })
    .output();
  const c = graph.addConst('c', Tensor.scalar('float32', factor)).output();
  graph.add('y', 'Mul', [x, c], f32);
  return { bytes: () => joinPieces(writeGraphDef(graph)), graph, initializers: [] };
}

const signature: Signature = {
  key: 'serve',
  inputs: [{ name: 'in', tensor: 'x:0', dtype: 'float32', shape: [4] }],
  outputs: [{ name: 'out', tensor: 'y:0', dtype: 'float32', shape: [4] }],
};

/** y = x·factor in TFLite, perhaps between int8 tensors. */
function tflite(factor = 2, quantized?: { scale: number; zeroPoint: number }): Uint8Array {
  const model = new TfliteModel();
  const graph = new TfliteSubgraph('main');
  const tensor = (name: string, type: string, shape: number[]) => new TfliteTensor(name, type, shape);
  const [x, y] = [tensor('x', 'FLOAT32', [4]), tensor('y', 'FLOAT32', [4])];
  const c = tensor('c', 'FLOAT32', []);
  c.buffer = { bytes: new Uint8Array(Float32Array.of(factor).buffer) };
  let [input, output] = [x, y];
  if (quantized) {
    const { scale, zeroPoint } = quantized;
    input = tensor('qx', 'INT8', [4]);
    output = tensor('qy', 'INT8', [4]);
    input.quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
    output.quantization = { scale: [scale * factor], zeroPoint: [zeroPoint], axis: 0 };
    graph.ops.push(new TfliteOp('DEQUANTIZE', [input], [x]));
  }
  graph.ops.push(new TfliteOp('MUL', [x, c], [y], { type: 'MulOptions' }));
  if (quantized) graph.ops.push(new TfliteOp('QUANTIZE', [y], [output]));
  graph.inputs = [input];
  graph.outputs = [output];
  model.subgraphs.push(graph);
  model.signatures.push({
    key: 'serve',
    subgraph: graph,
    inputs: [{ name: 'in', tensor: input }],
    outputs: [{ name: 'out', tensor: output }],
  });
  return joinPieces(writeModel(model));
}

const samples = new Map([
  ['serve', [new Map([['in', Tensor.fromNumbers('float32', [4], [1, -1, 0.5, 3])]])]],
]);
const near: Rule = { tolerance: 1e-4 };

async function outcome(bytes: Uint8Array, rule = near, engines?: GraphEngine[], graph = frozen()) {
  const [result] = await verifyModel(bytes, graph, [signature], samples, rule, engines);
  return { ...result.outputs[0], refusals: result.refusals };
}

/** An engine that gives other numbers, or none. */
const wrong = (isExact: boolean): GraphEngine => ({
  name: 'wrong',
  isExact,
  version: () => '1.0',
  open: async () => ({
    run: async () => new Map([['y:0', Tensor.fromNumbers('float32', [4], [0, 0, 0, 0])]]),
    dispose: () => undefined,
  }),
});

describe('verifyModel', () => {
  it('agrees where the numbers do', async () => {
    const result = await outcome(tflite());
    expect(result).toMatchObject({ name: 'out', status: 'agrees', figures: { elements: 4, outside: 0 } });
    expect(result.reference!.name).toMatch(/^tfjs/);
  });

  it('differs where they do not, with figures', async () => {
    const result = await outcome(tflite(2.001));
    expect(result).toMatchObject({ status: 'differs', figures: { elements: 4 } });
    expect(result.figures!.maxAbsoluteError).toBeCloseTo(0.003, 5);
    expect(result.reason).toContain('outside the tolerance of 0.0001');
  });

  it('asks for a second opinion where an engine is not exact, and only there', async () => {
    const agreed = await outcome(tflite(), near, [wrong(false), floeEngine]);
    expect(agreed).toMatchObject({ status: 'agrees', reference: { name: 'floe' } });
    expect(agreed.reason).toBe('wrong 1.0 gives other numbers');
    expect(await outcome(tflite(), near, [wrong(true), floeEngine])).toMatchObject({
      status: 'differs',
      reference: { name: 'wrong' },
    });
    expect(await outcome(tflite(3), near, [wrong(false), floeEngine])).toMatchObject({
      status: 'differs',
      reference: { name: 'floe' },
    });
  });

  it('asks about the worst sample first, and about all only where that is told otherwise', async () => {
    const inputs = [1, 4, 2].map((x) => new Map([['in', Tensor.fromNumbers('float32', [4], [x, 0, 0, 0])]]));
    const asked: number[] = [];
    /** y = x·factor, of which `asked` tells. */
    const engine = (isExact: boolean, factor: number): GraphEngine => ({
      ...wrong(isExact),
      open: async () => ({
        run: async (feeds) => {
          const numbers = feeds.get('x:0')!.toNumbers();
          if (isExact) asked.push(numbers[0]);
          const y = Tensor.fromNumbers(
            'float32',
            [4],
            numbers.map((n) => n * factor),
          );
          return new Map([['y:0', y]]);
        },
        dispose: () => undefined,
      }),
    });
    const status = async (first: number): Promise<string> => {
      const engines = [engine(false, first), engine(true, 2)];
      const all = new Map([['serve', inputs]]);
      const [{ outputs }] = await verifyModel(tflite(3), frozen(), [signature], all, near, engines);
      return outputs[0].status;
    };
    expect(await status(2)).toBe('differs');
    expect(asked.splice(0)).toEqual([4]);
    expect(await status(2.5)).toBe('differs');
    expect(asked.splice(0)).toEqual([4, 1, 2]);
    expect(await status(3)).toBe('agrees');
    expect(asked).toEqual([]);
  });

  it('runs LSTMs, which keep their states in variables, step by step', async () => {
    const fixture = (name: string) => join(__dirname, '../quantize/fixtures', name);
    const bytes = readFileSync(fixture('lstm_int8.tflite'));
    const [{ key, inputs, outputs }] = specsOf(readModel(bytes, 'lstm_int8.tflite'));
    const expected = readNpz(fixture('lstm_int8_outputs.npz')).get('y')!;
    const shape = outputs[0].shape as number[];
    const size = shape.reduce((n, d) => n * d, 1);
    const theirs = Array.from({ length: expected.size / size }, (_, i) =>
      Tensor.fromNumbers('float32', shape, expected.toNumbers().slice(i * size, (i + 1) * size)),
    );
    const given = samplesOf(readNpz(fixture('lstm.npz')), 'lstm.npz', [{ key, inputs, outputs }]);
    const fed = new Map([[key, given.get(key)!.slice(0, theirs.length)]]);
    const tensorflow: GraphEngine = {
      name: 'tensorflow',
      isExact: true,
      version: () => '2.15.1',
      open: async () => ({
        run: async () => new Map([[outputs[0].tensor, theirs.shift()!]]),
        dispose: () => undefined,
      }),
    };
    const rule = ruleFor('int8', 1e-4, 35);
    const [result] = await verifyModel(bytes, frozen(), [{ key, inputs, outputs }], fed, rule, [tensorflow]);
    expect(result.outputs[0]).toMatchObject({
      status: 'agrees',
      reason: expect.stringContaining('step by step'),
    });
  });

  it('verifies nothing that no engine can run', async () => {
    const result = await outcome(tflite(), near, []);
    expect(result).toMatchObject({ status: 'not verified' });
    expect(result.reason).toContain('no engine can run the graph');
  });

  it('verifies nothing that the runtime cannot run', async () => {
    const bytes = Buffer.from(tflite());
    const [result] = await verifyModel(
      bytes,
      frozen(),
      [{ ...signature, key: 'other' }],
      new Map([['other', samples.get('serve')!]]),
      near,
    );
    expect(result.outputs[0]).toMatchObject({ status: 'not verified' });
    expect(result.outputs[0].reason).toContain('no signature "other"');
  });

  it('differs where an output is missing or of another shape', async () => {
    const more = { ...signature, outputs: [{ ...signature.outputs[0], name: 'gone' }] };
    const [result] = await verifyModel(tflite(), frozen(), [more], samples, near);
    expect(result.outputs[0]).toMatchObject({
      status: 'differs',
      reason: 'the .tflite file has no such output',
    });
  });

  it('quantises what goes in and dequantises what comes out', async () => {
    const rule = ruleFor('int8', 1e-4, undefined);
    const bytes = tflite(2, { scale: 0.03, zeroPoint: -10 });
    const result = await outcome(bytes, rule);
    expect(result.status).toBe('agrees');
    expect(result.figures!.sqnr).toBeGreaterThan(30);
    // As a float model it would be too far away: 0.5 and 3 are no multiples of the scale that fit.
    expect((await outcome(tflite(2, { scale: 0.3, zeroPoint: 0 }), near)).status).toBe('differs');
    expect((await outcome(tflite(2, { scale: 0.3, zeroPoint: 0 }), { ...rule, minSqnr: 60 })).reason).toMatch(
      /signal to noise ratio is \d+\.\d dB, less than 60/,
    );
  });

  it('takes the ratio of model.yaml before its own', () => {
    expect(ruleFor('none', 1e-3, 50)).toEqual({ tolerance: 1e-3 });
    expect(ruleFor('int8', 1e-3, 50)).toEqual({ tolerance: 1e-3, minSqnr: 50 });
    expect(ruleFor('int8', 1e-3, undefined).minSqnr).toBeGreaterThan(0);
  });
});

describe('the reports', () => {
  async function verification(): Promise<Verification> {
    return {
      version: 1,
      runtime: { name: 'runtime', version: '1.0' },
      rule: near,
      samples: { source: 'random' },
      model: {
        bytes: 1234,
        minRuntime: '1.5.0',
        quantization: 'none',
        inputs: [{ signature: 'serve', name: '<script>alert(1)</script>', dtype: 'float32', shape: '[4]' }],
        outputs: [],
        operators: [{ name: 'MUL', version: 1, count: 1 }],
      },
      signatures: await verifyModel(tflite(2.001), frozen(), [signature], samples, near),
    };
  }

  it('say the same each time', async () => {
    const [a, b] = [await verification(), await verification()];
    expect(verificationJson(a)).toBe(verificationJson(b));
    expect(reportPage(a)).toBe(reportPage(b));
  });

  it('hold figures, escape names and load nothing', async () => {
    const page = reportPage(await verification());
    expect(page).toContain('differs');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import/);
    expect(page).toMatch(/color-scheme: light dark/);
    expect(JSON.parse(verificationJson(await verification()))).toMatchObject({
      signatures: [{ outputs: [{ name: 'out', status: 'differs' }] }],
    });
  });
});
