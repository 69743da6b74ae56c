/** A variant as it stands in model.yaml, and what has to be said of it. */
import { CALIBRATED_QUANTIZATIONS, type Quantization, type TensorSpec } from '@floe/export-core';
import { scalar } from './scalar';

export interface NewVariant {
  name: string;
  quantization: Quantization;
  /** Path of calibration data, relative to the model's folder. */
  data?: string;
  /** Samples of it to use. */
  samples?: number;
  io?: string;
  onUnsupported?: string;
}

/** What calibration data have to hold; of a SavedModel's signature nothing is known without reading it. */
export type CalibratedInputs = readonly Pick<TensorSpec, 'name' | 'dtype' | 'shape'>[];

/** The name that a variant has when none is given. */
export function defaultName(quantization: Quantization): string {
  return quantization === 'none' ? 'float' : quantization;
}

/** Its settings: `{ quantization: int8, calibration: { data: samples.npz } }`. */
export function settingsText({ quantization, data, samples, io, onUnsupported }: NewVariant): string {
  const calibration = [
    data !== undefined && `data: ${scalar(data)}`,
    samples !== undefined && `samples: ${samples}`,
  ].filter(Boolean);
  const entries = [
    quantization !== 'none' && `quantization: ${quantization}`,
    calibration.length > 0 && `calibration: { ${calibration.join(', ')} }`,
    io !== undefined && `io: ${io}`,
    onUnsupported !== undefined && `onUnsupported: ${onUnsupported}`,
  ].filter(Boolean);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Lines of a comment that say what is still to be done: which samples to write, and where to name them. */
export function calibrationNote(
  { name, quantization, data }: NewVariant,
  inputs: CalibratedInputs,
): string[] {
  if (data !== undefined || !(CALIBRATED_QUANTIZATIONS as readonly string[]).includes(quantization))
    return [];
  const arrays = inputs.map((input) => `${JSON.stringify(input.name)}: ${variableName(input.name)}`);
  return [
    `# ${name} is calibrated with random inputs as long as it has no data: good for a first look, not for use.`,
    '# Write 100 or more typical inputs, prepared as for the model, into calibration.npz beside this file,',
    '# and add them below: calibration: { data: calibration.npz }',
    ...(arrays.length > 0 ? [`#   numpy.savez("calibration.npz", **{${arrays.join(', ')}})`] : []),
    ...inputs.map(
      (input) =>
        `#   ${variableName(input.name)}: ${input.dtype}, shape (N, ${sizes(input.shape)}), N samples`,
    ),
  ];
}

/** A name that Python takes. */
function variableName(name: string): string {
  return name.replace(/\W/g, '_').replace(/^(?=\d|$)/, '_');
}

function sizes(shape: TensorSpec['shape']): string {
  return shape ? shape.map((size) => size ?? 'any').join(', ') : '...';
}
