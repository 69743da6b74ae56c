/** Integer LSTMs against TensorFlow's own int8 file of the same model and samples: scripts/lstm-fixture.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Diagnostics, readNpz } from '@floe/export-core';
import { floatsOf } from '../fuse/edit';
import { TfliteOp, type TfliteModel, type TfliteTensor } from '../tflite/model';
import { readModel } from '../tflite/read';
import { samplesOf } from '../verify/samples';
import { applyPlan } from './apply';
import { calibrateModel } from './calibrate/calibrate-model';
import { specsOf } from './calibrate/specs';
import { unrollLstms } from './unroll-lstm';
import { LSTM_INPUTS } from './plan-lstm';
import { planModel } from './quantize-model';
import { knownRanges, type RangesFile } from './ranges';
import { describeOps, relativeError, run } from './testing/models';

const file = (name: string) => readFileSync(join(__dirname, 'fixtures', name));
const float = () => readModel(file('lstm.tflite'), 'lstm.tflite');
const samples = samplesOf(readNpz(join(__dirname, 'fixtures/lstm.npz')), 'lstm.npz', specsOf(float()));
const lstmsOf = (model: TfliteModel) =>
  model.subgraphs[0].ops.filter((op) => op.code === 'UNIDIRECTIONAL_SEQUENCE_LSTM');

let ranges: RangesFile;
beforeAll(async () => {
  ranges = await calibrateModel(file('lstm.tflite'), samples, { method: 'minmax' }, new Diagnostics());
});

function quantized(edit: (ranges: RangesFile) => void = () => undefined): [TfliteModel, Diagnostics] {
  const model = float();
  const known = structuredClone(ranges);
  edit(known);
  const diagnostics = new Diagnostics();
  const measured = knownRanges(model, known);
  const plan = planModel(
    model,
    { quantization: 'int8' },
    { measured, trained: () => undefined },
    diagnostics,
  );
  applyPlan(model, plan);
  return [model, diagnostics];
}

it('has the types and parameters of TensorFlow’s', () => {
  const [model] = quantized();
  const theirs = lstmsOf(readModel(file('lstm_int8.tflite'), 'lstm_int8.tflite'));
  const ours = lstmsOf(model);
  expect(ours).toHaveLength(theirs.length);
  const facts = (t: TfliteTensor | undefined) =>
    t && { type: t.type, shape: t.shape, isVariable: t.isVariable };
  ours.forEach((op, n) => {
    const all = (o: TfliteOp) => [...o.inputs, ...o.outputs];
    expect(all(op).map(facts)).toEqual(all(theirs[n]).map(facts));
    all(op).forEach((tensor, i) => {
      const [a, b] = [tensor?.quantization, all(theirs[n])[i]?.quantization];
      if (!a || !b) return expect(a).toBe(b);
      // They keep the state between samples, which moves the ranges a little.
      expect(Math.abs(a.scale[0] / b.scale[0] - 1)).toBeLessThan(0.02);
      expect(Math.abs(a.zeroPoint[0] - b.zeroPoint[0])).toBeLessThanOrEqual(12);
    });
    expect(op.inputs[LSTM_INPUTS.cellState]!.quantization!.scale).toEqual(
      theirs[n].inputs[LSTM_INPUTS.cellState]!.quantization!.scale,
    );
    expect(op.intermediates).toHaveLength(theirs[n].intermediates!.length);
  });
});

it('written out for the runtime, computes what an LSTM does', async () => {
  const model = float();
  const cells = [...unrollLstms(model).values()];
  expect(describeOps(model).join()).not.toContain('LSTM');
  const [first] = lstmsOf(float());
  const [sample] = samples.get(specsOf(model)[0].key)!;
  const { inputs, outputs } = model.signatures[0];
  const x = sample.get(inputs[0].name)!;
  const expected = lstm(first, x.toNumbers(), 10);
  outputs[0].tensor = cells[0];
  model.subgraphs[0].outputs = [cells[0]];
  const got = (await run(model, inputs[0].name, x)).get(outputs[0].name)!;
  expect(relativeError(got.toNumbers(), expected)).toBeLessThan(1e-5);
});

it('written out, an integer LSTM gives what TensorFlow’s interpreter computes, but for the rounding of its gates', async () => {
  const model = readModel(file('lstm_int8.tflite'), 'lstm_int8.tflite');
  unrollLstms(model);
  const [{ key, inputs, outputs }] = model.signatures;
  const step = model.subgraphs[0].ops.at(-1)!.inputs[0]!.quantization!.scale[0];
  const expected = readNpz(join(__dirname, 'fixtures/lstm_int8_outputs.npz')).get('y')!.toNumbers();
  const size = outputs[0].tensor.elements;
  for (const [n, sample] of samples
    .get(key)!
    .slice(0, expected.length / size)
    .entries()) {
    const got = (await run(model, inputs[0].name, sample.get(inputs[0].name)!)).get(outputs[0].name)!;
    got.toNumbers().forEach((value, i) => {
      expect(Math.abs(value - expected[n * size + i])).toBeLessThanOrEqual(2.01 * step);
    });
  }
});

it('stays in float where the cell state is not known or too large', () => {
  const [cell] = lstmsOf(float()).map((op) => op.inputs[LSTM_INPUTS.cellState]!.name);
  const [unknown, why] = quantized((r) => (r.tensors = r.tensors.filter((t) => t.name !== cell)));
  expect(lstmsOf(unknown)[0].outputs[0].type).toBe('FLOAT32');
  expect(why.list).toMatchObject([{ code: 'Q003', message: expect.stringContaining('is not known') }]);
  const [large, reason] = quantized((r) => r.tensors.forEach((t) => t.name === cell && (t.max = 65)));
  expect(lstmsOf(large)[0].outputs[0].type).toBe('FLOAT32');
  expect(reason.list[0].message).toContain('beyond ±64');
});

/** Cell states by the textbook. */
function lstm(op: TfliteOp, x: number[], steps: number): number[] {
  const numbers = (i: number) => floatsOf(op.inputs[i]!.buffer!.bytes);
  const [w, r, b] = [LSTM_INPUTS.weights, LSTM_INPUTS.recurrent, LSTM_INPUTS.biases].map((l) =>
    l.map(numbers),
  );
  const units = b[0].length;
  const width = x.length / steps;
  let [h, c] = [new Array<number>(units).fill(0), new Array<number>(units).fill(0)];
  const out: number[] = [];
  for (let t = 0; t < steps; t++) {
    const gate = (g: number, u: number) =>
      b[g][u] +
      x.slice(t * width, (t + 1) * width).reduce((sum, v, i) => sum + v * w[g][u * width + i], 0) +
      h.reduce((sum, v, i) => sum + v * r[g][u * units + i], 0);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const next = c.map((v, u) => sigmoid(gate(1, u)) * v + sigmoid(gate(0, u)) * Math.tanh(gate(2, u)));
    h = next.map((v, u) => sigmoid(gate(3, u)) * Math.tanh(v));
    c = next;
    out.push(...c);
  }
  return out;
}
