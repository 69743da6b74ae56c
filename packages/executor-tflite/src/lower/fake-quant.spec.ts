/** Simulated quantisation against TensorFlow's: pairs of 8 bits, and what is written out in float for others. */
import { loadFixtures } from '../../../export-core/src/ops/testing/fixtures';
import { convertAndRun, operatorsOf } from './testing/fixture-models';

const CASES = loadFixtures('quantize').filter(
  (t) => /^FakeQuant.*(Args|Vars|Channel)$/.test(t.op) || /^QuantizeAndDequantizeV[234]$/.test(t.op),
);

it('is what TensorFlow computes, or refused with a reason', async () => {
  const outcome = await convertAndRun(CASES);
  console.log(
    CASES.length,
    outcome.right.length,
    outcome.notRun.length,
    [...outcome.wrong].slice(0, 30),
    JSON.stringify([...outcome.refused].filter(([n]) => n.startsWith('Fake'))),
    new Set(outcome.refused.values()),
  );
});
