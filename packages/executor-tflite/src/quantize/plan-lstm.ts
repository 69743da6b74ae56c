/**
 * Plans of integer LSTMs, as TensorFlow's converter makes them: int8 weights with one scale each, an int8 output whose
 * scale the output state shares, an int16 cell state with a power of two as its scale.
 */
import { floats } from '../fuse/edit';
import { TfliteTensor, type Quantization, type TfliteOp } from '../tflite/model';
import { biasParams, fitBias, perTensor } from './affine';
import type { KnownRanges } from './groups';
import { isFloatConstant, type OperandPlan, type OpPlan } from './plan';
import type { WeightParams } from './plan-weights';

/** Where the operator's inputs stand. Each list: input, forget, cell and output gate. */
export const LSTM_INPUTS = {
  input: 0,
  weights: [1, 2, 3, 4],
  recurrent: [5, 6, 7, 8],
  biases: [12, 13, 14, 15],
  outputState: 18,
  cellState: 19,
} as const;

/** Optional inputs of LSTMs that the converter does not make: peepholes, projection, layer normalisation. */
const OTHERS = [9, 10, 11, 16, 17, 20, 21, 22, 23];
/** The kernel refuses coarser scales of the cell state: beyond ±64 (2⁻⁹ · 2¹⁵) its activations lose too much. */
const MAX_CELL_EXPONENT = -9;
const CELL_STEPS = 2 ** 15;
/** The kernel asks for five; without layer normalisation and projection it reads of the last only its parameters. */
const INTERMEDIATES = 5;

const GATES = [...LSTM_INPUTS.weights, ...LSTM_INPUTS.recurrent, ...LSTM_INPUTS.biases];

/** Four gates, and neither peepholes nor projection nor layer normalisation. */
export function hasPlainGates(op: TfliteOp): boolean {
  return GATES.every((i) => op.inputs[i]) && !OTHERS.some((i) => op.inputs[i]);
}

/** Why an LSTM cannot compute in integers; undefined when it can. */
export function whyNotLstm(op: TfliteOp, known: KnownRanges): string | undefined {
  if (!hasPlainGates(op) || !GATES.every((i) => isFloatConstant(op.inputs[i])))
    return 'the integer kernel is used with constant weights, without peepholes, projection and normalisation';
  const cell = op.inputs[LSTM_INPUTS.cellState] as TfliteTensor;
  const [input, output] = [op.inputs[LSTM_INPUTS.input] as TfliteTensor, op.outputs[0]];
  const isTrained = (t: TfliteTensor): boolean => t !== cell && known.trained(t) !== undefined;
  const unknown = [input, output, cell].find(
    (t) => !isTrained(t) && !known.measured(t, t === cell ? 'INT16' : 'INT8'),
  );
  if (unknown) return `the range of "${unknown.name}" is not known`;
  return cellParams(cell, known)
    ? undefined
    : 'its cell state grows beyond ±64, which the integer kernel does not hold';
}

/** The smallest power of two that holds the cell state, as its scale. */
function cellParams(cell: TfliteTensor, known: KnownRanges): Quantization | undefined {
  const { min, max } = known.measured(cell, 'INT16')!;
  const exponent = Math.ceil(Math.log2(Math.max(-min, max, 2 ** -20))) - Math.log2(CELL_STEPS);
  return exponent <= MAX_CELL_EXPONENT ? perTensor(2 ** exponent, 0) : undefined;
}

/**
 * The plan, or why there is none.
 *
 * @param input  parameters of the sequence
 * @param output parameters of the result, and of the output state
 */
export function planLstm(
  op: TfliteOp,
  known: KnownRanges,
  weightParams: WeightParams,
  input: Quantization,
  output: Quantization,
): OpPlan | string {
  const inputs: (OperandPlan | undefined)[] = op.inputs.map(() => undefined);
  for (const gate of [0, 1, 2, 3]) {
    const weights = op.inputs[LSTM_INPUTS.weights[gate]] as TfliteTensor;
    const recurrent = op.inputs[LSTM_INPUTS.recurrent[gate]] as TfliteTensor;
    const bias = op.inputs[LSTM_INPUTS.biases[gate]] as TfliteTensor;
    const values = floats(bias)!;
    const own = weightParams(weights, undefined, 'INT8');
    const ofRecurrent = weightParams(recurrent, undefined, 'INT8');
    if (!own || !ofRecurrent || !values.every(Number.isFinite))
      return `the weights of "${weights.name}" are not finite`;
    const fitted = fitBias(values, input.scale[0], own, 'INT32');
    inputs[LSTM_INPUTS.weights[gate]] = { form: { type: 'INT8', quantization: fitted } };
    inputs[LSTM_INPUTS.recurrent[gate]] = { form: { type: 'INT8', quantization: ofRecurrent } };
    inputs[LSTM_INPUTS.biases[gate]] = {
      form: { type: 'INT32', quantization: biasParams(input.scale[0], fitted) },
    };
  }
  inputs[LSTM_INPUTS.input] = { form: { type: 'INT8', quantization: input } };
  inputs[LSTM_INPUTS.outputState] = { form: { type: 'INT8', quantization: output } };
  const cell = op.inputs[LSTM_INPUTS.cellState] as TfliteTensor;
  inputs[LSTM_INPUTS.cellState] = { form: { type: 'INT16', quantization: cellParams(cell, known) } };
  return {
    op,
    mode: 'int8',
    inputs,
    outputs: [{ type: 'INT8', quantization: output }],
    intermediates: Array.from({ length: INTERMEDIATES }, (_, i) => {
      const isHidden = i === INTERMEDIATES - 1;
      const name = `${op.outputs[0].name}/intermediate_${i}`;
      const tensor = new TfliteTensor(name, isHidden ? 'INT8' : 'INT16', [0]);
      if (isHidden) tensor.quantization = output;
      return tensor;
    }),
  };
}
