/** Ops whose sizes are known only at run time: no size of the example may get into the model. */
import type { FixtureCase } from '../../../export-core/src/ops/testing/fixtures';
import { rewrittenOps } from '../prepare/rewrite-to-builtins';
import { loweredOps } from './table';
import { convertAndRun, fixturesByFamily, type Outcome } from './testing/fixture-models';

const COVERED = new Set([...loweredOps(), ...rewrittenOps()]);
const CASES_PER_OP = 3;

/** A few cases of every op with plain numbers. */
function fewOfEach(fixtures: FixtureCase[]): FixtureCase[] {
  const byOp = new Map<string, FixtureCase[]>();
  for (const test of fixtures) {
    const plain = [...test.inputs, ...test.outputs].every(
      (t) => /^(float32|int32|bool)$/.test(t.dtype) && t.size > 0,
    );
    const list = byOp.get(test.op) ?? [];
    if (COVERED.has(test.op) && plain && list.length < CASES_PER_OP) byOp.set(test.op, [...list, test]);
  }
  return [...byOp.values()].flat();
}

/** Ops that need a size to be written at all: constants are laid out by it, or loops unrolled. */
const NEED_SIZES = new Set(
  (
    'Cumprod Conv2D DepthwiseConv2dNative MaxPool AvgPool MaxPool3D AvgPool3D MaxPoolV2 ' +
    'MaxPoolWithArgmax MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiagV2 ' +
    'MatrixSetDiagV3 Diag DiagPart ResizeBicubic ResizeArea ScaleAndTranslate ExtractImagePatches CropAndResize DynamicStitch ' +
    'ParallelDynamicStitch DynamicPartition SpaceToBatchND BatchToSpaceND TensorScatterMax TensorScatterMin ' +
    'FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 IRFFT IRFFT2D SegmentMean SegmentMax SegmentMin SegmentProd ' +
    'SparseSegmentMean SparseSegmentSqrtN DenseBincount Bincount Equal NotEqual Cross Pack InTopK InTopKV2 ' +
    'SparseTensorDenseMatMul ConcatV2 GatherV2 RFFT RFFT2D MatMul Einsum ConcatOffset UniqueV2 Conv3D ' +
    'Conv3DBackpropInputV2'
  ).split(' '),
);

/** Differs with known sizes too; see lowering.spec.ts. */
const DIFFERS =
  /^(FloorDiv\/0|Pow\/6|LeftShift\/2|InTopK(V2)?\/\d+|GatherNd\/14|ScatterNd\/11|ArgM(ax|in)\/13|Lgamma\/0|Softplus\/0|SoftmaxCrossEntropyWithLogits\/3|Cast\/\d+)$/;

/** The wasm runtime hands these out before they have their size; TensorFlow's interpreter gives the right one. */
const SIZED_LATE = /^(IsInf\/0|IsNan\/0|ReluGrad\/0|ApproximateEqual\/0|TopK(V2)?\/\d+)$/;

describe.each(fixturesByFamily(fewOfEach))('ops of the fixtures %s, of unknown sizes', (_family, cases) => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await convertAndRun(cases, 'ranks');
  });

  it('give what TensorFlow gives', () => {
    expect([...outcome.wrong].filter(([name]) => !DIFFERS.test(name) && !SIZED_LATE.test(name))).toEqual([]);
  });

  it('are refused only where sizes are needed', () => {
    const op = (name: string) => name.slice(0, name.lastIndexOf('/'));
    const unexpected = [...outcome.refused].filter(
      ([name, reason]) =>
        !NEED_SIZES.has(op(name)) && !/has no int32 kernel|no rewrite|truncates integers only/.test(reason),
    );
    expect(unexpected).toEqual([]);
  });
});
