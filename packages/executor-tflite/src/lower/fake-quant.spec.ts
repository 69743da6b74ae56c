/** Simulated quantisation against TensorFlow's: pairs of 8 bits, and what is written out in float for others. */
import { loadFixtures } from '../../../export-core/src/ops/testing/fixtures';
import { convertAndRun, operatorsOf, type Outcome } from './testing/fixture-models';

const CASES = loadFixtures('quantize').filter(
  ({ op }) => /^FakeQuant\w+(Args|Vars|Channel)$/.test(op) || /^QuantizeAndDequantizeV[234]$/.test(op),
);

/** Values halfway between two steps: TensorFlow takes the upper one or the even one, the kernel the one farther from 0. */
const TIES = new Set([
  ...[2, 5, 10, 14, 25].flatMap((n) => [`FakeQuantWithMinMaxVars/${n}`, `FakeQuantWithMinMaxArgs/${n}`]),
  ...[2, 8].map((n) => `FakeQuantWithMinMaxVarsPerChannel/${n}`),
  ...[2, 4].flatMap((v) => [22, 34].map((n) => `QuantizeAndDequantizeV${v}/${n}`)),
  'QuantizeAndDequantizeV3/18',
]);

let outcome: Outcome;
beforeAll(async () => {
  outcome = await convertAndRun(CASES);
});

it('is what TensorFlow computes, but for ties', () => {
  expect(new Set(outcome.wrong.keys())).toEqual(TIES);
  expect(outcome.right.length).toBeGreaterThan(100);
});

it('is refused where the range or the bits have no kernel', () => {
  expect([...outcome.refused.keys()].filter((name) => name.startsWith('FakeQuant'))).toEqual([]);
  expect(new Set(outcome.refused.values())).toEqual(
    new Set([
      'its range is computed at run time',
      'quantisation to 5 bits has no kernel',
      'no kernel quantises float64',
    ]),
  );
});

it('of 8 bits is a pair, cut off below where the range is narrow', () => {
  const kinds = CASES.filter(({ op }) => op === 'FakeQuantWithMinMaxVars').map((t) =>
    operatorsOf(t).join(' '),
  );
  expect(kinds).toContain('QUANTIZE DEQUANTIZE');
  expect(kinds).toContain('MAXIMUM QUANTIZE DEQUANTIZE');
});
