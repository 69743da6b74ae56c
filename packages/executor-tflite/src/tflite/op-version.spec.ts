import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteBuffer } from 'flatbuffers';
import type { FlatObject } from './flatbuffer';
import { readTable, rootPosition } from './flatbuffer';
import { TfliteOp, TfliteTensor } from './model';
import { operatorVersion } from './op-version';
import { readModel } from './read';
import { compareVersions, minimumRuntime } from './runtime-version';
import { builtinOperators, runtimeOf } from './schema';

type Spec = string | { type: string; shape?: number[]; scale?: number[]; axis?: number } | undefined;

function tensor(spec: Spec): TfliteTensor | undefined {
  if (spec === undefined) return undefined;
  const { type, shape, scale, axis } = typeof spec === 'string' ? { type: spec } : spec;
  const result = new TfliteTensor('t', type, shape ?? [2]);
  if (scale) result.quantization = { scale, zeroPoint: scale.map(() => 0), axis: axis ?? 0 };
  return result;
}

function version(code: string, inputs: Spec[], outputs: Spec[], options?: FlatObject): number {
  return operatorVersion(
    new TfliteOp(code, inputs.map(tensor), outputs.map(tensor) as TfliteTensor[], options),
  );
}

const image = (type: string, channels = 3) => ({ type, shape: [1, 4, 4, channels] });
const filter = (type: string, scale?: number[]) => ({ type, shape: [8, 3, 3, 3], scale });
const eight = [1, 2, 3, 4, 5, 6, 7, 8];

describe('operatorVersion', () => {
  it.each<[string, Spec[], Spec[], FlatObject | undefined, number]>([
    ['CONV_2D', [image('FLOAT32'), filter('FLOAT32')], ['FLOAT32'], undefined, 1],
    ['CONV_2D', [image('FLOAT32'), filter('INT8', [1])], ['FLOAT32'], undefined, 2],
    ['CONV_2D', [image('FLOAT32'), filter('INT8', eight)], ['FLOAT32'], undefined, 5],
    ['CONV_2D', [image('INT8'), filter('INT8', eight)], ['INT8'], undefined, 3],
    ['CONV_2D', [image('INT8'), filter('INT4', eight)], ['INT8'], undefined, 7],
    ['CONV_2D', [image('FLOAT32', 6), filter('FLOAT32')], ['FLOAT32'], undefined, 6],
    ['CONV_2D', [image('INT16'), filter('INT8', eight)], ['INT16'], { quantized_bias_type: 'FLOAT32' }, 4],
    ['CONV_2D', [image('INT16'), filter('INT8', eight)], ['INT16'], { quantized_bias_type: 'INT32' }, 8],
    ['DEPTHWISE_CONV_2D', ['FLOAT32', 'FLOAT32'], ['FLOAT32'], { dilation_h_factor: 2 }, 2],
    ['DEPTHWISE_CONV_2D', ['FLOAT32', 'FLOAT32'], ['FLOAT32'], { dilation_h_factor: 1 }, 1],
    ['FULLY_CONNECTED', ['FLOAT32', 'FLOAT32'], ['FLOAT32'], undefined, 6],
    ['FULLY_CONNECTED', ['FLOAT32', 'FLOAT32', undefined], ['FLOAT32'], undefined, 1],
    ['FULLY_CONNECTED', ['FLOAT32', 'FLOAT32', undefined], ['FLOAT32'], { keep_num_dims: true }, 5],
    [
      'FULLY_CONNECTED',
      ['FLOAT32', { type: 'INT8', shape: [8, 2], scale: [1] }, undefined],
      ['FLOAT32'],
      undefined,
      3,
    ],
    [
      'FULLY_CONNECTED',
      ['FLOAT32', { type: 'INT8', shape: [8, 2], scale: [1] }, undefined],
      ['FLOAT32'],
      { asymmetric_quantize_inputs: true },
      9,
    ],
    [
      'FULLY_CONNECTED',
      ['FLOAT32', { type: 'INT8', shape: [8, 2], scale: eight }, undefined],
      ['FLOAT32'],
      undefined,
      12,
    ],
    ['BROADCAST_TO', ['FLOAT32', 'INT32'], ['FLOAT32'], undefined, 2],
    ['WHERE', ['BOOL'], ['INT64'], undefined, 1],
    ['WHERE', ['FLOAT32'], ['INT64'], undefined, 2],
    ['DIV', [{ type: 'FLOAT32', shape: [1, 2, 3, 4, 5] }, 'FLOAT32'], ['FLOAT32'], undefined, 2],
    [
      'SUB',
      [
        { type: 'FLOAT32', shape: [1, 1, 1, 1, 2] },
        { type: 'FLOAT32', shape: [1, -1, 1, 1, 2] },
      ],
      ['FLOAT32'],
      undefined,
      1,
    ],
    [
      'MUL',
      [
        { type: 'INT8', scale: [2] },
        { type: 'INT8', scale: [3] },
      ],
      [{ type: 'INT8', scale: [6] }],
      undefined,
      3,
    ],
    [
      'MUL',
      [
        { type: 'INT8', scale: [2] },
        { type: 'INT8', scale: [3] },
      ],
      [{ type: 'INT8', scale: [7] }],
      undefined,
      2,
    ],
    ['MUL', ['INT16', 'INT16'], ['INT16'], undefined, 7],
    ['ABS', [{ type: 'INT16', scale: [1] }], ['INT16'], undefined, 3],
    ['ABS', ['INT16'], ['INT16'], undefined, 4],
    ['ADD', [{ type: 'INT16', scale: [1] }, 'INT16'], ['INT16'], { pot_scale_int16: false }, 3],
    ['CAST', ['FLOAT16'], ['FLOAT32'], undefined, 5],
    ['DEQUANTIZE', [{ type: 'INT8', shape: [8, 2], scale: eight }], ['FLOAT32'], undefined, 5],
    ['DEQUANTIZE', ['FLOAT16'], ['FLOAT32'], undefined, 3],
    ['QUANTIZE', ['FLOAT32'], [{ type: 'INT8', shape: [8, 2], scale: eight }], undefined, 3],
    ['GELU', ['FLOAT32'], ['FLOAT32'], { approximate: true }, 1],
    ['RESIZE_BILINEAR', ['FLOAT32', 'INT32'], ['FLOAT32'], { half_pixel_centers: true }, 3],
    ['RESIZE_NEAREST_NEIGHBOR', ['FLOAT32', 'INT32'], ['FLOAT32'], { align_corners: true }, 3],
    ['SPLIT', ['INT32', 'FLOAT32'], ['FLOAT32'], undefined, 1],
    ['SPLIT', ['INT32', 'INT32'], ['INT32'], undefined, 3],
    ['STRIDED_SLICE', [{ type: 'FLOAT32', shape: [1, 1, 1, 1, 1] }], ['FLOAT32'], undefined, 4],
    ['STRIDED_SLICE', ['FLOAT32'], ['FLOAT32'], { new_axis_mask: 1 }, 6],
    [
      'TRANSPOSE_CONV',
      ['INT32', 'FLOAT32', 'FLOAT32'],
      ['FLOAT32'],
      { fused_activation_function: 'NONE' },
      1,
    ],
    ['TRANSPOSE_CONV', ['INT32', 'FLOAT32', 'FLOAT32', 'FLOAT32'], ['FLOAT32'], undefined, 3],
    [
      'TRANSPOSE_CONV',
      ['INT32', 'FLOAT32', 'FLOAT32'],
      ['FLOAT32'],
      { fused_activation_function: 'RELU' },
      4,
    ],
    ['TRANSPOSE', [{ type: 'FLOAT32', shape: [1, 1, 1, 1, 1, 1, 1] }], ['FLOAT32'], undefined, 8],
    ['LSTM', ['FLOAT32', undefined, 'INT8'], ['FLOAT32'], { kernel_type: 'FULL' }, 3],
    ['LSTM', ['FLOAT32', undefined, 'FLOAT32'], ['FLOAT32'], { kernel_type: 'BASIC' }, 2],
  ])('%s of %j to %j with %j', (code, inputs, outputs, options, expected) => {
    expect(version(code, inputs, outputs, options)).toBe(expected);
  });

  it('asks for no version that no runtime has, but where TensorFlow does', () => {
    const types = [
      'FLOAT32',
      'INT8',
      'INT16',
      'INT32',
      'INT64',
      'UINT8',
      'BOOL',
      'FLOAT16',
      'STRING',
      'INT4',
      'UINT32',
    ];
    const missing: string[] = [];
    for (const code of builtinOperators().filter((c) => runtimeOf(c, 1) ?? runtimeOf(c, 2))) {
      for (const a of types)
        for (const b of types) {
          const v = version(code, [a, b, b, b], [a, b]);
          if (runtimeOf(code, v) === undefined) missing.push(`${code} ${v}`);
        }
    }
    // TensorFlow's rules number LSTMs of int16 activations beyond its own kernels.
    expect([...new Set(missing)].sort()).toEqual(['LSTM 5', 'UNIDIRECTIONAL_SEQUENCE_LSTM 5']);
  });

  it.each(['int8', 'loop'])('gives the versions and the runtime that TensorFlow wrote: %s', (name) => {
    const bytes = readFileSync(join(__dirname, `fixtures/${name}.tflite`));
    const bb = new ByteBuffer(bytes);
    const raw = readTable(bb, 'Model', rootPosition(bb)) as {
      operator_codes: { version: number }[];
      subgraphs: { operators: { opcode_index: number }[] }[];
      metadata: { name: string; buffer: number }[];
      buffers: { data: Uint8Array }[];
    };
    const model = readModel(bytes, name);
    const codes = model.subgraphs.flatMap((graph, g) =>
      graph.ops.map((op, i) => {
        const written = raw.operator_codes[raw.subgraphs[g].operators[i].opcode_index].version;
        expect({ code: op.code, version: operatorVersion(op) }).toEqual({ code: op.code, version: written });
        return { code: op.code, version: written };
      }),
    );
    const metadata = raw.metadata.find((m) => m.name === 'min_runtime_version')!;
    const minimum = Buffer.from(raw.buffers[metadata.buffer].data).toString().replace(/\0+$/, '');
    expect(minimumRuntime(codes)).toBe(minimum);
  });
});

describe('compareVersions', () => {
  it('compares numbers, not text, and takes what is missing for zero', () => {
    expect(compareVersions('2.9', '2.14')).toBeLessThan(0);
    expect(compareVersions('2.14', '2.14.0')).toBe(0);
    expect(compareVersions('2.14.4', '2.14')).toBeGreaterThan(0);
  });
});
