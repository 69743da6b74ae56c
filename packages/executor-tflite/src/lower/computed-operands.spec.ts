/** Ops whose axes, sizes and indices are computed: what converts at all gives what TensorFlow gives. */
import type { FixtureCase } from '../../../export-core/src/ops/testing/fixtures';
import { rewrittenOps } from '../prepare/rewrite-to-builtins';
import { loweredOps } from './table';
import { convertAndRun, fixturesByFamily, type Outcome } from './testing/fixture-models';

const COVERED = new Set([...loweredOps(), ...rewrittenOps()]);

/** What differs: the kernels themselves refuse, or it is so with known operands too (lowering.spec.ts). */
const DIFFERS: [cases: RegExp, why: string][] = [
  [/^FloorDiv\/0$/, 'divides by 0, which the kernel refuses'],
  [/^Pow\/6$/, 'negative powers of integers'],
  [/^LeftShift\/2$/, 'shifts by more than the type has bits'],
  [/^GatherNd\/14$|^ScatterNd\/11$/, 'indices outside, which the kernels refuse'],
  [/^InTopK(V2)?\/\d$/, 'rows with infinities or NaN, and indices outside'],
  [/^TensorScatterUpdate\/2$/, 'indices that repeat are added up: TensorFlow too says that any may win'],
  [
    /^(SparseSegment(Sum|Mean|SqrtN)\/2|SegmentSum\/(2|4|10|16))$/,
    'segments without rows, which the kernel refuses',
  ],
  [/^ReverseV2\/6$/, 'axes with others between them, which the kernel refuses'],
  [/^SoftmaxCrossEntropyWithLogits\/3$/, 'logits and labels that broadcast against each other'],
  [/^NonMaxSuppressionV[45]\/\d+$/, 'the wasm runtime hands these out before they have their size'],
];

/** Cases with plain numbers and an operand that lowering.spec.ts makes a constant. */
function casesOf(fixtures: FixtureCase[]): FixtureCase[] {
  return fixtures.filter(
    (t) =>
      COVERED.has(t.op) &&
      t.inputs.length > 1 &&
      [...t.inputs, ...t.outputs].every((v) => /^(float32|int32|bool)$/.test(v.dtype) && v.size > 0),
  );
}

describe.each(fixturesByFamily(casesOf))('ops of the fixtures %s, of computed operands', (_family, cases) => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await convertAndRun(cases, 'sizes');
  });

  it('give what TensorFlow gives', () => {
    const known = (name: string) => DIFFERS.some(([pattern]) => pattern.test(name));
    expect([...outcome.wrong].filter(([name]) => !known(name))).toEqual([]);
    const agree = outcome.right.filter((name) => known(name) && !/^(InTopK|NonMax)/.test(name));
    expect(agree).toEqual([]);
  });
});
