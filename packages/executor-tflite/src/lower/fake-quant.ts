/**
 * Simulated quantisation of activations, as training with quantisation leaves it behind, becomes what it simulates:
 *
 *   y = FakeQuantWithMinMax…(x, min, max)   →   y = DEQUANTIZE(QUANTIZE(x))
 *
 * The pair keeps the trained range; quantising to int8 takes it from there. Of constants (weights) folding has made
 * the rounded values by now, on whose steps the quantiser finds the trained scale again.
 */
import { Tensor, type Node, type Value } from '@floe/export-core';
import type { Quantization, TfliteTensor } from '../tflite/model';
import type { LoweringContext, LoweringRow, LoweringTable, Refusal } from './row';

const f32 = Math.fround;
/** int8 is uint8 less this. */
const OFFSET = 128;
const BITS = 8;
/** Of a range that holds only zero: as good as zero, and no division by it. */
const SMALLEST_SCALE = 2 ** -100;

interface Trained {
  quantization: Quantization;
  /** Smallest value of each channel, where int8 itself would reach lower. */
  lowest?: number[];
}

/** Scale and zero point of a range in which zero is moved to the nearest step (FakeQuant's own rule). */
function nudged(min: number, max: number, narrow: boolean): { scale: number; zero: number } {
  const least = narrow ? 1 : 0;
  const scale = f32(f32(max - min) / (255 - least)) || SMALLEST_SCALE;
  const zero = f32(least - f32(min / scale));
  return { scale, zero: Math.max(least, Math.min(255, Math.sign(zero) * Math.floor(Math.abs(zero) + 0.5))) };
}

function trainedByRange(min: readonly number[], max: readonly number[], node: Node, axis: number): Trained {
  const narrow = node.bool('narrow_range');
  const parts = min.map((low, c) => nudged(f32(low), f32(max[c]), narrow));
  return {
    quantization: {
      scale: parts.map((p) => p.scale),
      zeroPoint: parts.map((p) => p.zero - OFFSET),
      axis,
    },
    ...(narrow && { lowest: parts.map((p) => f32((1 - p.zero) * p.scale)) }),
  };
}

/** Symmetric: zero is zero, and the range reaches as far as the larger end asks. */
function trainedSymmetric(min: readonly number[], max: readonly number[], node: Node, axis: number): Trained {
  const signed = node.bool('signed_input');
  const narrow = signed && node.bool('narrow_range');
  const [least, most] = signed ? [narrow ? -127 : -128, 127] : [0, 255];
  const scale = min.map((low, c) => {
    const fromMin = least < 0 && low < 0 ? f32(low / least) : 0;
    return Math.max(fromMin, max[c] > 0 ? f32(max[c] / most) : 0) || SMALLEST_SCALE;
  });
  return {
    quantization: { scale, zeroPoint: scale.map(() => (signed ? 0 : -OFFSET)), axis },
    ...(narrow && { lowest: scale.map((s) => f32(-127 * s)) }),
  };
}

function numbers(value: Value | undefined): number[] | undefined {
  return value?.node.constant?.toNumbers();
}

function refuseRange(node: Node, at: readonly number[], bits: number | undefined): Refusal | undefined {
  if (bits !== BITS)
    return { reason: `quantisation to ${bits ?? 'a computed number of'} bits has no kernel` };
  if (node.inputs[0].dtype !== 'float32') return { reason: `no kernel quantises ${node.inputs[0].dtype}` };
  const ends = at.map((i) => numbers(node.inputs[i]));
  if (ends.some((e) => !e)) return { reason: 'its range is computed at run time' };
  return undefined;
}

function emitPair(c: LoweringContext, { quantization, lowest }: Trained): void {
  let value: TfliteTensor = c.input(0);
  const { shape } = c.node.output();
  if (lowest) {
    const limit = c.constant(
      'lowest',
      Tensor.fromNumbers('float32', lowest.length > 1 ? [lowest.length] : [], lowest),
    );
    const cut = c.temporary('cut', 'float32', shape ?? null);
    c.emit('MAXIMUM', [value, limit], [cut], { type: 'MaximumMinimumOptions' });
    value = cut;
  }
  const quantized = c.temporary('quantized', 'int8', shape ?? null);
  quantized.quantization = quantization;
  c.emit('QUANTIZE', [value], [quantized]);
  c.emit('DEQUANTIZE', [quantized], [c.output()]);
}

const TO = ['QUANTIZE', 'DEQUANTIZE', 'MAXIMUM'];

/** Ranges as operands 1 and 2. */
function rangeOperands(axisOf: (node: Node) => number): LoweringRow {
  return {
    to: TO,
    note: '8 bits; the range constant',
    refuse: (node) => refuseRange(node, [1, 2], node.int('num_bits')),
    build: (c) => {
      const [min, max] = [1, 2].map((i) => numbers(c.node.inputs[i])!);
      emitPair(c, trainedByRange(min, max, c.node, axisOf(c.node)));
    },
  };
}

/** `QuantizeAndDequantize` with the bits as attribute or as operand. */
function symmetric(bitsOf: (node: Node) => number | undefined): LoweringRow {
  return {
    to: TO,
    note: '8 bits; the range given and constant',
    refuse: (node) =>
      node.bool('range_given')
        ? refuseRange(node, [1, 2], bitsOf(node))
        : { reason: 'its range is computed at run time' },
    build: (c) => {
      const [min, max] = [1, 2].map((i) => numbers(c.node.inputs[i])!);
      emitPair(c, trainedSymmetric(min, max, c.node, Math.max(0, c.node.int('axis'))));
    },
  };
}

const lastAxis = (node: Node): number => (node.inputs[0].shape?.length ?? 1) - 1;

export const table: LoweringTable = {
  FakeQuantWithMinMaxArgs: {
    to: TO,
    note: '8 bits',
    refuse: (node) => refuseRange(node, [], node.int('num_bits')),
    build: (c) => emitPair(c, trainedByRange([c.node.float('min')], [c.node.float('max')], c.node, 0)),
  },
  FakeQuantWithMinMaxVars: rangeOperands(() => 0),
  FakeQuantWithMinMaxVarsPerChannel: rangeOperands(lastAxis),
  QuantizeAndDequantizeV2: symmetric((node) => node.int('num_bits')),
  QuantizeAndDequantizeV3: symmetric((node) => numbers(node.inputs[3])?.[0]),
  QuantizeAndDequantizeV4: symmetric((node) => node.int('num_bits')),
};
