/** What rules about operator versions ask of an operator's signature: types, shapes, quantisation, options. */
import type { TensorType, TfliteOp, TfliteTensor } from './model';

export type Condition = (op: TfliteOp) => boolean;

/** Input `i` is of one of the types. */
export function input(i: number, ...types: TensorType[]): Condition {
  return (op) => types.includes(op.inputs[i]?.type ?? '');
}

export function output(i: number, ...types: TensorType[]): Condition {
  return (op) => types.includes(op.outputs[i]?.type ?? '');
}

/** Input 0 is of one of the types. */
export function is(...types: TensorType[]): Condition {
  return input(0, ...types);
}

export function both(...conditions: Condition[]): Condition {
  return (op) => conditions.every((c) => c(op));
}

export function either(...conditions: Condition[]): Condition {
  return (op) => conditions.some((c) => c(op));
}

export function not(condition: Condition): Condition {
  return (op) => !condition(op);
}

/** An option that is true, not 0, or another member than the enum's first. */
export function option(name: string, ...off: unknown[]): Condition {
  return (op) => {
    const value = op.options?.[name];
    return value !== undefined && ![false, 0, 'NONE', ...off].includes(value as never);
  };
}

export function equals(name: string, value: unknown): Condition {
  return (op) => op.options?.[name] === value;
}

export function rankAbove(i: number, rank: number): Condition {
  return (op) => sizes(op.inputs[i]).length > rank;
}

/** `input`, `weights` (input 1 unless said otherwise) and `output` are of these types. */
export function types(of: TensorType, weights: TensorType, out: TensorType, weightsAt = 1): Condition {
  return both(is(of), input(weightsAt, weights), output(0, out));
}

/** Float activations, int8 weights. */
export const hybrid = types('FLOAT32', 'INT8', 'FLOAT32');
export const int8 = is('INT8');
export const int16 = is('INT16');
export const float16 = is('FLOAT16');
export const bool = is('BOOL');
export const text = is('STRING');
export const uint32 = is('UINT32');
export const FLOAT8 = ['FLOAT8_E4M3FN', 'FLOAT8_E5M2'];
export const float8 = is(...FLOAT8);
export const int16To16 = both(int16, output(0, 'INT16'));

export const quantized: Condition = (op) => op.inputs[0]?.quantization !== undefined;

/** Inputs of different shapes, one of them of more than four dimensions. */
export const broadcastsAbove4: Condition = (op) => {
  if (op.inputs.length < 2) return false;
  const [a, b] = op.inputs.map(sizes);
  const differ = a.length !== b.length || a.some((d, i) => d !== b[i]);
  return differ && op.inputs.some((t) => sizes(t).length > 4);
};

/** Sizes as they stand in the file's `shape`: unknown ones are 1 there. */
export function sizes(tensor: TfliteTensor | undefined): number[] {
  return (tensor?.shape ?? []).map((d) => (d < 0 ? 1 : d));
}

/** The weights have a scale for each element of an axis. */
export function perChannel(i: number, axis: number): Condition {
  return (op) => {
    const channels = sizes(op.inputs[i])[axis];
    return channels > 0 && op.inputs[i]?.quantization?.scale.length === channels;
  };
}

/** A tensor has several scales, one for each element of the axis they belong to. */
export function perAxis(tensorOf: (op: TfliteOp) => TfliteTensor | undefined): Condition {
  return (op) => {
    const tensor = tensorOf(op);
    const q = tensor?.quantization;
    return q !== undefined && q.scale.length > 1 && q.scale.length === sizes(tensor)[q.axis];
  };
}

export const grouped: Condition = (op) => {
  const channels = sizes(op.inputs[0]);
  return channels.length > 0 && channels[3] !== sizes(op.inputs[1])[3];
};

/** The product of two quantised values has to be scaled up. */
export const rescalesUp: Condition = (op) => {
  const scales = [op.inputs[0], op.inputs[1], op.outputs[0]].map((t) => t?.quantization?.scale[0] ?? 0);
  // In float32, as the runtime computes it.
  const [a, b, out] = scales.map(Math.fround);
  return a !== 0 && b !== 0 && out !== 0 && Math.fround(Math.fround(a * b) / out) >= 1;
};

/** Dilated along either axis. */
export const dilated: Condition = (op) =>
  ['dilation_w_factor', 'dilation_h_factor'].some((name) => (op.options?.[name] ?? 1) !== 1);

/** Float results of int8 weights. */
export const hybridRecurrent = both(input(1, 'INT8'), output(0, 'FLOAT32'));

/** A type of bias is asked for, other than the usual one. */
export const biasType = option('quantized_bias_type', 'FLOAT32');

/** int16 activations. The weights that kernels take with them are int8; the C++ rule asks for int16 alone. */
export const int16x8 = either(types('INT16', 'INT8', 'INT16'), types('INT16', 'INT16', 'INT16'));

/** The same for LSTMs, whose weights start at input 2. */
export const hybridLstm = types('FLOAT32', 'INT8', 'FLOAT32', 2);

/** An LSTM with all its gates' weights apart. */
export const fullKernel = not(equals('kernel_type', 'BASIC'));
