import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from './model';
import {
  microRegistrationSource,
  registrationSource,
  usedOperators,
  type UsedOperator,
} from './registration';
import { MICRO_OPERATORS } from './target';

/** The methods of TFLite Micro's resolver for builtin operators, from its micro_mutable_op_resolver.h of 2025; ReduceAll came later. */
const METHODS =
  `Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs
  BroadcastTo CallOnce Cast Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div
  DynamicUpdateSlice Elu EmbeddingLookup Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather
  GatherNd Greater GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogSoftmax
  LogicalAnd LogicalNot LogicalOr Logistic MaxPool2D Maximum Mean Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2
  Prelu Quantize ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor
  ReverseV2 Round Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt Square
  SquaredDifference Squeeze StridedSlice Sub Sum Svdf Tanh Transpose TransposeConv UnidirectionalSequenceLSTM Unpack
  VarHandle While ZerosLike`.split(/\s+/);

function op(code: string, type: string, custom?: string): TfliteOp {
  const made = new TfliteOp(code, [new TfliteTensor('a', type, [2])], [new TfliteTensor('b', type, [2])]);
  if (custom !== undefined) made.customCode = custom;
  return made;
}

function modelOf(...ops: TfliteOp[]): TfliteModel {
  const model = new TfliteModel();
  const main = new TfliteSubgraph('main');
  const branch = new TfliteSubgraph('branch');
  main.ops = ops.slice(0, -1);
  branch.ops = ops.slice(-1);
  model.subgraphs.push(main, branch);
  return model;
}

describe('usedOperators', () => {
  it('names each operator at each version once, of all subgraphs, by name', () => {
    const model = modelOf(
      op('RELU', 'INT8'),
      op('CUSTOM', 'FLOAT32', 'MyOp'),
      op('ABS', 'FLOAT32'),
      op('RELU', 'FLOAT32'),
      op('RELU', 'FLOAT32'),
    );
    expect(usedOperators(model)).toEqual([
      { name: 'ABS', version: 1 },
      { name: 'MyOp', version: 1, custom: true },
      { name: 'RELU', version: 1 },
      { name: 'RELU', version: 2 },
    ]);
  });
});

describe('registrationSource', () => {
  it('registers the range of versions in use, and custom kernels by their convention', () => {
    const source = registrationSource([
      { name: 'RELU', version: 1 },
      { name: 'RELU', version: 2 },
      { name: 'ExtractFeatures', version: 1, custom: true },
      { name: 'TFLite_Detection_PostProcess', version: 1, custom: true },
    ]);
    expect(source).toContain('TfLiteRegistration* Register_EXTRACT_FEATURES();\n');
    expect(source.slice(source.indexOf('void')))
      .toBe(`void RegisterSelectedOps(::tflite::MutableOpResolver* resolver) {
  resolver->AddBuiltin(::tflite::BuiltinOperator_RELU, ::tflite::ops::builtin::Register_RELU(), 1, 2);
  resolver->AddCustom("ExtractFeatures", ::tflite::ops::custom::Register_EXTRACT_FEATURES(), 1, 1);
  resolver->AddCustom("TFLite_Detection_PostProcess", ::tflite::ops::custom::Register_DETECTION_POSTPROCESS(), 1, 1);
}
`);
  });
});

describe('microRegistrationSource', () => {
  const builtin = (name: string): UsedOperator => ({ name, version: 1 });

  it('calls a method that the resolver has, for each operator it has', () => {
    const names = [...MICRO_OPERATORS];
    const called = [...microRegistrationSource(names.map(builtin)).matchAll(/resolver\.Add(\w+)\(\)/g)];
    expect(called.map(([, method]) => method).sort()).toEqual([...METHODS].sort());
    expect(called).toHaveLength(names.length);
  });

  it('sizes the resolver by operators, whatever their versions', () => {
    const source = microRegistrationSource([
      builtin('ABS'),
      { name: 'RELU', version: 1 },
      { name: 'RELU', version: 2 },
      { name: 'MyOp', version: 1, custom: true },
    ]);
    expect(source).toContain('MicroMutableOpResolver<3>');
    expect(source).toContain('resolver.AddCustom("MyOp", Register_MY_OP())');
    expect(source).not.toContain('#error');
  });

  it('does not compile where TFLite Micro lacks an operator', () => {
    expect(microRegistrationSource([builtin('ABS'), builtin('GELU')])).toContain(
      '#error "TFLite Micro has no GELU:',
    );
  });
});
