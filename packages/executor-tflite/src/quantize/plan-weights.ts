/** Plans that touch constants only: float16, dynamic, weight-only. Activations stay float. */
import { floats } from '../fuse/edit';
import type { Quantization, TensorType, TfliteOp, TfliteTensor } from '../tflite/model';
import { extent, weightParams } from './affine';
import { isFloatConstant, type Form, type OperandPlan, type OpPlan } from './plan';
import { MIN_HALF_ELEMENTS, MIN_WEIGHT_ELEMENTS, policyOf, SHAPE_FROM_FLOATS } from './policy';

/** The largest finite float16. */
const MAX_HALF = 65504;

/** Parameters of a tensor's weights are needed again where the tensor is shared: reading large ones takes time. */
export type WeightParams = (
  tensor: TfliteTensor,
  axis: number | undefined,
  type: TensorType,
) => Quantization | undefined;

/** Remembers by contents; undefined where a weight is NaN or infinite. */
export function rememberedWeights(): WeightParams {
  const known = new Map<object, Map<string, Quantization | undefined>>();
  return (tensor, axis, type) => {
    const buffer = tensor.buffer as object;
    const ofBuffer = known.get(buffer) ?? new Map<string, Quantization | undefined>();
    known.set(buffer, ofBuffer);
    const key = `${type} ${axis} ${tensor.shape}`;
    if (!ofBuffer.has(key)) {
      const params = weightParams(floats(tensor)!, tensor.shape!, axis, type);
      ofBuffer.set(key, params.scale.every(Number.isFinite) ? params : undefined);
    }
    return ofBuffer.get(key);
  };
}

/** `float16`: constants are held as float16 and read back before they are used. */
export function planFloat16(op: TfliteOp): OpPlan | undefined {
  if (op.code === 'CUSTOM' || op.subgraphs || SHAPE_FROM_FLOATS.has(op.code)) return undefined;
  const inputs = op.inputs.map((t): OperandPlan | undefined => {
    if (!isFloatConstant(t) || t.elements < MIN_HALF_ELEMENTS) return undefined;
    const { min, max } = extent(floats(t)!);
    // Beyond the range of float16 (a mask of -1e9, say) a value would become infinite.
    return -min <= MAX_HALF && max <= MAX_HALF ? { stored: { type: 'FLOAT16' } } : undefined;
  });
  return inputs.some(Boolean)
    ? { op, mode: 'float16', inputs, outputs: op.outputs.map(() => undefined) }
    : undefined;
}

/** `dynamic`: int8 weights; the kernel quantises its activations while it runs. */
export function planDynamic(op: TfliteOp, params: WeightParams): OpPlan | undefined {
  const { weights, table } = policyOf(op);
  const outputs: (Form | undefined)[] = op.outputs.map(() => undefined);
  const inputs: (OperandPlan | undefined)[] = op.inputs.map(() => undefined);
  if (table !== undefined) {
    const tensor = op.inputs[table];
    const form = large(tensor) && int8Form(tensor, undefined, params);
    if (!form) return undefined;
    inputs[table] = { form };
    outputs[0] = form;
    return { op, mode: 'dynamic', inputs, outputs };
  }
  if (!weights?.hybrid) return undefined;
  const given = weights.inputs.filter((i) => op.inputs[i]);
  // A kernel takes either all its weights as int8 or none.
  if (!given.every((i) => isFloatConstant(op.inputs[i])) || !given.some((i) => large(op.inputs[i])))
    return undefined;
  for (const i of given) {
    const form = int8Form(
      op.inputs[i] as TfliteTensor,
      weights.hybrid === 'per-channel' ? weights.axis : undefined,
      params,
    );
    if (!form) return undefined;
    inputs[i] = { form };
  }
  const options = weights.asymmetricInputs && {
    type: weights.asymmetricInputs,
    ...op.options,
    asymmetric_quantize_inputs: true,
  };
  return { op, mode: 'dynamic', inputs, outputs, ...(options && { options }) };
}

/** `weight-only-int8` and `-int4`: weights are held as integers and read back; kernels compute in float. */
export function planWeightOnly(
  op: TfliteOp,
  type: 'INT8' | 'INT4',
  params: WeightParams,
): OpPlan | undefined {
  const { weights, table } = policyOf(op);
  const which = weights?.inputs ?? (table === undefined ? [] : [table]);
  const inputs = op.inputs.map((t, i): OperandPlan | undefined => {
    if (!which.includes(i) || !large(t)) return undefined;
    const quantization = params(t, weights?.axis ?? (t.shape!.length > 1 ? 0 : undefined), type);
    return quantization && { stored: { type, quantization } };
  });
  const mode = type === 'INT8' ? 'weight-only-int8' : 'weight-only-int4';
  return inputs.some(Boolean) ? { op, mode, inputs, outputs: op.outputs.map(() => undefined) } : undefined;
}

function large(tensor: TfliteTensor | undefined): tensor is TfliteTensor {
  return isFloatConstant(tensor) && tensor.elements >= MIN_WEIGHT_ELEMENTS;
}

function int8Form(tensor: TfliteTensor, axis: number | undefined, params: WeightParams): Form | undefined {
  const quantization = params(tensor, axis, 'INT8');
  return quantization && { type: 'INT8', quantization };
}
