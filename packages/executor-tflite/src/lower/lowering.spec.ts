/**
 * Every op that is lowered or rewritten, against TensorFlow: the op fixtures are converted, run in the wasm runtime and
 * compared. What is refused or differs stands here, with the reason.
 */
import type { FixtureCase } from '../../../export-core/src/ops/testing/fixtures';
import { rewrittenOps } from '../prepare/rewrite-to-builtins';
import { upgradedOps } from '../prepare/upgrade-versions';
import { tensorType } from '../tflite/model';
import { loweredOps } from './table';
import { convertAndRun, fixturesByFamily, type Outcome } from './testing/fixture-models';

const COVERED = new Set([...loweredOps(), ...rewrittenOps(), ...upgradedOps()]);

function casesOf(fixtures: FixtureCase[]): FixtureCase[] {
  return fixtures.filter(
    (t) => COVERED.has(t.op) && [...t.inputs, ...t.outputs].every((v) => tensorType(v.dtype)),
  );
}

/** Cases whose result is not TensorFlow's. They are expected to differ: one that agrees must leave this list. */
const DIFFERS: [cases: RegExp, why: string][] = [
  [/^FloorDiv\/[023]$/, 'divides by 0, which the kernel refuses'],
  [/^Pow\/[456]$/, 'negative powers of integers, which TensorFlow gives as 0 or ±1'],
  [/^LeftShift\/[012]$/, 'shifts by more than the type has bits'],
  [/^GatherNd\/14$|^ScatterNd\/11$|^InTopK\/6$/, 'indices outside, which the kernels refuse'],
  [/^InTopK(V2)?\/\d+$/, 'rows with infinities or NaN, in which TensorFlow finds nothing'],
  [
    /^NonMaxSuppressionV([23]\/17|4\/3[45]|5\/(68|70))$/,
    'a threshold of 1 and identical boxes, which the kernel suppresses',
  ],
  [/^ArgM(ax|in)\/13$|^Unique\/7$/, 'compares NaN'],
  [/^SoftmaxCrossEntropyWithLogits\/3$/, 'logits and labels that broadcast against each other'],
  [/^Lgamma\/[02]$/, 'infinite operands'],
  [/^Softplus\/[023]$/, 'overflows beyond 88, as in what TensorFlow converts'],
  [/^Cast\/(305|319|333|347)$/, 'integers of complex numbers that they cannot hold'],
];

/** What may be refused although its numbers are float32, int32 or bool. */
const REFUSED: [cases: RegExp, reason: RegExp][] = [
  [/^(FULLY|Batch)?MatMul|^Einsum|^BatchMatMul/, /^(FULLY_CONNECTED|BATCH_MATMUL) has no int32 kernel/],
  [/^SparseTensorDenseMatMul\//, /no rewrite/],
  [/^Conv2D\//, /^CONV_2D has no int32 kernel/],
  [/^MaxPool(V2|3D)?\//, /^MAX_POOL_2D has no int32 kernel/],
  [/^ResizeNearestNeighbor\//, /^RESIZE_NEAREST_NEIGHBOR has no int32 kernel/],
  [/^EuclideanNorm\//, /^SQRT has no int32 kernel/],
  [/^NonMaxSuppressionV3\//, /has no float16 kernel/],
  [/^TruncateDiv\//, /^DIV (truncates integers only|has no b?float16 kernel)/],
  [/^UnsortedSegmentM(ax|in)\//, /has no bfloat16 kernel/],
  [/^(Not)?Equal\//, /shapes must be known to broadcast/],
  [/^R?FFT(2D)?\//, /powers of two|rows of one sample/],
  [/^RFFT\/4$/, /no rewrite/],
  [/^(SpaceToBatchND|BatchToSpaceND)\/1[01]$/, /^TRANSPOSE takes at most 6 dimensions/],
  [/^BiasAdd\/20$/, /data_format NCHW/],
  [/^Conv2DBackpropInput\//, /padding EXPLICIT/],
  [/^ArgMax\//, /makes no uint16/],
  [/^TopKV2\//, /makes no int64 indices/],
  [/^Random/, /makes no float64/],
  [/^TensorScatterM(ax|in)\/[23]$/, /no rewrite/],
  [/^Einsum\/(12|29|30|34)$/, /no rewrite/],
  [/^UniqueV2\//, /no rewrite/],
  [/^MaxPoolWithArgmax\//, /no rewrite/],
  [/^FusedBatchNorm/, /no rewrite/],
];

/** Types that few kernels take, and that no wider type stands in for. */
const FEW_KERNELS =
  /has no (float64|complex64|complex128|uint64|int64|uint32|uint16|int16|uint8|int8|string) kernel/;
const FOREIGN = new Set(['float64', 'complex64', 'complex128']);

function mayRefuse(test: FixtureCase, reason: string): boolean {
  if (FEW_KERNELS.test(reason)) return true;
  if (/no rewrite/.test(reason) && test.inputs.some((t) => FOREIGN.has(t.dtype))) return true;
  return REFUSED.some(([cases, why]) => cases.test(test.name) && why.test(reason));
}

describe.each(fixturesByFamily(casesOf))('ops of the fixtures %s', (_family, cases) => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await convertAndRun(cases);
  });

  it('give what TensorFlow gives', () => {
    const known = (name: string) => DIFFERS.some(([pattern]) => pattern.test(name));
    const unexpected = [...outcome.wrong].filter(([name]) => !known(name));
    expect(unexpected).toEqual([]);
    // InTopK's rows are many; of the others each must still differ.
    const agree = outcome.right.filter((name) => known(name) && !name.startsWith('InTopK'));
    expect(agree).toEqual([]);
  });

  it('are refused only where a kernel is missing', () => {
    const named = new Map(cases.map((t) => [t.name, t]));
    const unexpected = [...outcome.refused].filter(([name, reason]) => !mayRefuse(named.get(name)!, reason));
    expect(unexpected).toEqual([]);
  });

  it('have each a case that converts', () => {
    const converted = new Set(cases.filter((t) => !outcome.refused.has(t.name)).map((t) => t.op));
    expect(cases.filter((t) => !converted.has(t.op)).map((t) => t.name)).toEqual([]);
  });
});
