/** The op table against TensorFlow: every case of every fixture file, its values and its inferred shapes. */
import { opRow, tableOps } from './table';
import {
  elementsFault,
  fixtureFamilies,
  inferCase,
  loadFixtures,
  shapeFault,
  tensorFault,
  type FixtureCase,
} from './testing/fixtures';

const families = new Map(fixtureFamilies().map((family) => [family, loadFixtures(family)]));
const tested = new Set([...families.values()].flat().map((test) => test.op));

function byOp(cases: FixtureCase[]): [string, FixtureCase[]][] {
  const groups = new Map<string, FixtureCase[]>();
  for (const test of cases) groups.set(test.op, [...(groups.get(test.op) ?? []), test]);
  return [...groups];
}

function evaluationFaults(test: FixtureCase): string[] {
  const evaluate = opRow(test.op)?.evaluate;
  if (!evaluate) return [];
  try {
    const found = evaluate(test.inputs, test.node());
    const faults = test.outputs.map((want, i) => tensorFault(found[i], want, test.op));
    return faults.flatMap((fault, i) => (fault ? [`${describeCase(test)} output ${i}: ${fault}`] : []));
  } catch (error) {
    return [`${describeCase(test)}: ${String(error)}`];
  }
}

function inferenceFaults(test: FixtureCase): string[] {
  return test.shapes.flatMap((record, r) => {
    const { outputs, complaints } = inferCase(test, record);
    const faults = [...complaints];
    outputs.forEach((value, i) => {
      const want = test.outputs[i];
      if (value.dtype !== want.dtype)
        faults.push(`output ${i} has dtype ${value.dtype} instead of ${want.dtype}`);
      const fault = shapeFault(value.shape, record.out[i], want.shape) ?? elementsFault(value.partial, want);
      if (fault) faults.push(`output ${i}: ${fault}`);
    });
    return faults.map((fault) => `${describeCase(test)} shapes ${r}: ${fault}`);
  });
}

function describeCase(test: FixtureCase): string {
  return `${test.name} (${test.inputs.map((t) => `${t.dtype}[${t.shape.join(',')}]`).join(', ')})`;
}

describe.each([...families])('family %s', (_family, cases) => {
  test.each(byOp(cases))('%s', (op, list) => {
    expect(opRow(op)).toBeDefined();
    expect(list.flatMap(evaluationFaults)).toEqual([]);
    expect(list.flatMap(inferenceFaults)).toEqual([]);
  });
});

/**
 * Ops that today's TensorFlow cannot be asked for: internal ones, names that only old graphs may hold, and TFLite's own
 * (tested on detectors, where it is lowered).
 */
const UNTESTABLE = /^(_UnaryOpsComposition|Batch(I?FFT|Matrix).*|TFLite_Detection_PostProcess)$/;

test('every op that is evaluated has cases', () => {
  const missing = tableOps().filter((op) => opRow(op)?.evaluate && !tested.has(op) && !UNTESTABLE.test(op));
  expect(missing).toEqual([]);
});
