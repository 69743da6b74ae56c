/** Random small graphs: what is converted gives in LiteRT what the op table's exact evaluation gives. */
import fc from 'fast-check';
import { Diagnostics, joinPieces, type Tensor } from '@floe/export-core';
import { RandomGraph } from '../testing/random-graphs';
import type { TfliteModel } from '../tflite/model';
import { writeModel } from '../tflite/write';
import { runTflite } from '../verify/litert';
import { convertGraph } from './convert-graph';

/** Rows of numbers that a graph is drawn from. */
const rows = fc.array(fc.array(fc.nat({ max: 9999 }), { minLength: 3, maxLength: 14 }), {
  minLength: 2,
  maxLength: 9,
});

interface Outcome {
  /** Why it is not converted: a kernel is missing. */
  refused?: string;
  /** How a result differs. */
  fault?: string;
}

/** Draws, converts and runs a graph; `tamper` may spoil the model before it is written. */
async function check(
  numbers: readonly (readonly number[])[],
  tamper?: (model: TfliteModel) => void,
): Promise<Outcome> {
  const drawn = new RandomGraph(numbers);
  const outputs = drawn.outputs();
  const text = String(drawn);
  const wrong = outputs.find(({ value, tensor }) => !agrees(value.shape, tensor.shape));
  if (wrong) return { fault: `${wrong.value.name} was inferred as [${wrong.value.shape}]\n${text}` };
  const diagnostics = new Diagnostics();
  const model = convertGraph(drawn.graph, { signatures: [drawn.signature(outputs)] }, diagnostics);
  if (diagnostics.hasErrors) return { refused: diagnostics.list.map((d) => d.message).join('; ') };
  tamper?.(model);
  const results = await runTflite(joinPieces(writeModel(model)), drawn.feeds);
  for (const [i, { tensor, value }] of outputs.entries()) {
    const fault = difference(results.get(`y${i}`)!, tensor, drawn.scale);
    const operators = model.subgraphs[0].ops.map((o) => o.code).join(' ');
    if (fault) return { fault: `${value.name}: ${fault}\n${text}\n${operators}` };
  }
  return {};
}

function agrees(inferred: readonly (number | null)[] | null | undefined, actual: readonly number[]): boolean {
  if (!inferred) return true;
  return inferred.length === actual.length && inferred.every((d, i) => d === null || d === actual[i]);
}

/** Roundings are relative to the result and to the largest number on the way to it. */
function difference(got: Tensor, want: Tensor, scale: number): string | undefined {
  if (got.dtype !== want.dtype) return `${got.dtype} instead of ${want.dtype}`;
  if (String(got.shape) !== String(want.shape)) return `[${got.shape}] instead of [${want.shape}]`;
  const isFloat = want.dtype === 'float32';
  for (let i = 0; i < want.size; i++) {
    const [x, y] = [got.at(i), want.at(i)];
    const allowed = isFloat ? 1e-4 * Math.abs(y) + 1e-5 * scale : 0;
    if (!(Math.abs(x - y) <= allowed)) return `element ${i} is ${x} instead of ${y}`;
  }
  return undefined;
}

const SETTINGS = { numRuns: 120, seed: 5 };

test('random graphs give the same converted', async () => {
  let [converted, refused] = [0, 0];
  const property = fc.asyncProperty(rows, async (numbers) => {
    const outcome = await check(numbers);
    if (outcome.refused) refused++;
    else converted++;
    expect(outcome.fault).toBeUndefined();
  });
  await fc.assert(property, SETTINGS);
  // Else the property would hold of little.
  expect(refused).toBeLessThan(converted / 10);
});

test('a wrong operator is found', async () => {
  const swapped: Record<string, string> = { ADD: 'SUB', SUB: 'ADD', RELU: 'ABS', MAXIMUM: 'MINIMUM' };
  const spoil = (model: TfliteModel) => {
    const op = model.subgraphs[0].ops.find((o) => Object.hasOwn(swapped, o.code));
    if (!op) return;
    op.code = swapped[op.code];
    if (op.options) op.options = { ...op.options, type: op.code === 'SUB' ? 'SubOptions' : 'AddOptions' };
  };
  const property = fc.asyncProperty(rows, async (numbers) => {
    expect((await check(numbers, spoil)).fault).toBeUndefined();
  });
  await expect(fc.assert(property, { ...SETTINGS, endOnFailure: true })).rejects.toThrow(/Property failed/);
});
