/**
 * How far Floe's result may be from TensorFlow's, in units in the last place of max(1, |result|). Ops that are not
 * listed must agree bit for bit.
 */
const TRANSCENDENTAL =
  'Exp Expm1 Log Log1p Sin Cos Tan Sinh Cosh Tanh Asin Acos Atan Asinh Acosh Atanh Sigmoid Erf Erfc Erfinv Ndtri ' +
  'Elu Selu Softplus SoftplusGrad Xlogy Xlog1py Pow Atan2';

/** Sums and quotients that TensorFlow adds up in another order, or in the dtype itself. */
const SUMMING =
  'AvgPool AvgPool3D Conv2D Conv3D DepthwiseConv2dNative Conv2DBackpropInput Conv3DBackpropInputV2 ' +
  'DepthwiseConv2dNativeBackpropInput FusedPadConv2D FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 ' +
  'BatchNormWithGlobalNormalization LRN Softmax LogSoftmax SoftmaxCrossEntropyWithLogits ' +
  'SparseSoftmaxCrossEntropyWithLogits ResizeBilinear ResizeBicubic ResizeArea CropAndResize ' +
  'ImageProjectiveTransformV2 ImageProjectiveTransformV3 RGBToHSV HSVToRGB AdjustContrastv2 AdjustHue ' +
  'AdjustSaturation SegmentSum SegmentMean SegmentProd SparseSegmentSum SparseSegmentMean SparseSegmentSqrtN ' +
  'SparseSegmentSumWithNumSegments SparseSegmentMeanWithNumSegments SparseSegmentSqrtNWithNumSegments ' +
  'UnsortedSegmentSum UnsortedSegmentProd SparseTensorDenseMatMul';

export const TOLERANCE: Readonly<Record<string, number>> = {
  ...Object.fromEntries(SUMMING.split(' ').map((op) => [op, 8])),
  ...Object.fromEntries(TRANSCENDENTAL.split(' ').map((op) => [op, 8])),
  // Sums and products in another order and precision.
  ...Object.fromEntries(
    'AddN Sum Mean Prod EuclideanNorm L2Loss BiasAddGrad CumulativeLogsumexp'.split(' ').map((op) => [op, 4]),
  ),
  ...Object.fromEntries(
    'MatMul SparseMatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum'.split(' ').map((op) => [op, 16]),
  ),
  ...Object.fromEntries(
    ['FFT', 'IFFT', 'RFFT', 'IRFFT'].flatMap((op) => ['', '2D', '3D'].map((rank) => [op + rank, 16])),
  ),
  ComplexAbs: 2,
  Angle: 4,
  // TensorFlow refines the CPU's estimate, which leaves the last bit open.
  Rsqrt: 2,
  Reciprocal: 2,
  Inv: 2,
  // Its last elements multiply in another order than the others.
  SigmoidGrad: 2,
  // TensorFlow evaluates the kernels' polynomials in float32.
  ScaleAndTranslate: 16,
  // TensorFlow's own approximations in float32 are rough here.
  Lgamma: 32,
  Digamma: 16,
  Erfinv: 128,
};

/** Further ops that are inexact for complex numbers only. */
export const COMPLEX_TOLERANCE: Readonly<Record<string, number>> = {
  Sign: 2,
  Sqrt: 4,
  RealDiv: 4,
  Div: 4,
  DivNoNan: 4,
  Xdivy: 4,
};

/** Ops for which TensorFlow's choice between 0 and -0 depends on the place of the element in the tensor. */
export const ZERO_SIGN_VARIES: ReadonlySet<string> = new Set(['Maximum', 'Minimum', 'Relu', 'Relu6']);

/** Ops whose roundings are relative to the largest element of the result, not to each one. */
export const LARGEST_COUNTS = /^I?R?FFT/;
