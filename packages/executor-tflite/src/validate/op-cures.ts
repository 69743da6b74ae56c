/** What people do about ops that TFLite has not: by op, the nearest thing to try. */
interface Cure {
  ops: RegExp;
  hint: string;
}

const CURES: readonly Cure[] = [
  {
    ops: /^Cudnn/,
    hint: 'restore the checkpoint into the layer without cuDNN (tf.compat.v1: CudnnCompatibleLSTMCell / CudnnCompatibleGRUCell; Keras: LSTM, GRU) and save that',
  },
  {
    ops: /^CTC(GreedyDecoder|BeamSearchDecoder\w*|Loss\w*)$/,
    hint: 'end the model at the logits and decode in the app',
  },
  {
    ops: /^(Py|EagerPy)Func/,
    hint: 'Python cannot leave Python: write the function with TensorFlow ops, or call it in the app',
  },
  {
    ops: /^(MatrixInverse|MatrixDeterminant|LogMatrixDeterminant|MatrixSolve\w*|MatrixTriangularSolve|Cholesky\w*|Qr|Svd|SelfAdjointEig\w*|Eig|Lu|TridiagonalSolve|MatrixExponential|MatrixLogarithm|MatrixSquareRoot)$/,
    hint: 'compute it before saving where its input is constant, or in the app',
  },
  { ops: /^(Ragged\w+)$/, hint: 'make it dense where the model is built: x.to_tensor(), with a fixed size' },
  { ops: /^Sparse(?!Softmax)\w+$/, hint: 'make it dense where the model is built: tf.sparse.to_dense(x)' },
  {
    ops: /^(CombinedNonMaxSuppression|NonMaxSuppression(V2|WithOverlaps)?)$/,
    hint: 'use tf.image.non_max_suppression for each class, or for SSD models `detection: {}`',
  },
  {
    ops: /^(Lgamma|Digamma|Polygamma|Zeta|Igamma\w*|Betainc|Bessel\w+|Dawsn|Expint|Fresnel\w+|Spence)$/,
    hint: 'no runtime has it: approximate it with the ops there are, or compute it in the app',
  },
  {
    ops: /^(BoostedTrees\w+|Tree\w+)$/,
    hint: 'trees have no operators: end the model before them, or run the trees in the app',
  },
  {
    ops: /^(TensorArray\w*|TensorList\w*|Stack\w*|EmptyTensorList)$/,
    hint: 'keep sizes and element shapes of the loop constant (a fixed number of steps, TensorArray(element_shape=…))',
  },
  {
    ops: /^(Fft|FFT|IFFT|IRFFT|BatchFFT|STFT)\w*$/,
    hint: 'TFLite has the real transform only: tf.signal.rfft, of a power of two',
  },
  {
    ops: /^(Gradient|SymbolicGradient|\w+Grad)$/,
    hint: 'gradients belong to training: declare an output of the forward pass',
  },
  {
    ops: /^(XlaCallModule|XlaLaunch|XlaConv\w*|XlaDot\w*|Xla\w+)$/,
    hint: 'save the model with jit_compile=False (jax2tf: native_serialization=False, enable_xla=False)',
  },
  {
    ops: /^(PartitionedCall|StatefulPartitionedCall)$/,
    hint: 'the function it calls is not in the file: save the model again',
  },
  {
    ops: /^(StatelessRandom\w+|RandomUniform\w*|ImageProjectiveTransform\w*)$/,
    hint: 'where it belongs to augmentation, which is for training: save the model without those layers',
  },
  {
    ops: /^(DynamicPartition|(Parallel)?DynamicStitch)$/,
    hint: 'where a partitioned embedding is looked up: build the graph for inference without a partitioner (the checkpoint stays)',
  },
  { ops: /^TPU\w+$/, hint: 'export for serving without TPU rewriting: export_to_tpu=False' },
];

/** The cure of an op; undefined where none is known. */
export function cureOf(op: string): string | undefined {
  return CURES.find(({ ops }) => ops.test(op))?.hint;
}
