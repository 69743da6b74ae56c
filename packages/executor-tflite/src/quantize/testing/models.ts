/** Small models for tests, built in code. */
import { joinPieces, Tensor } from '@floe/export-core';
import type { FlatObject } from '../../tflite/flatbuffer';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor, type TensorType } from '../../tflite/model';
import { readModel } from '../../tflite/read';
import { writeModel } from '../../tflite/write';
import { SeededRandom } from '../../verify/seeded-random';
import { runTflite } from '../../verify/litert';
import type { KnownRanges } from '../groups';
import type { Range } from '../affine';

export class Builder {
  readonly model = new TfliteModel();
  readonly graph = new TfliteSubgraph('main');
  private readonly random = SeededRandom.named('models');

  constructor() {
    this.model.subgraphs.push(this.graph);
  }

  input(name: string, shape: number[], type: TensorType = 'FLOAT32'): TfliteTensor {
    const tensor = new TfliteTensor(name, type, shape);
    this.graph.inputs.push(tensor);
    return tensor;
  }

  floats(name: string, shape: number[], values: ArrayLike<number>): TfliteTensor {
    const tensor = new TfliteTensor(name, 'FLOAT32', shape);
    tensor.buffer = { bytes: new Uint8Array(Float32Array.from(values).buffer) };
    return tensor;
  }

  ints(name: string, values: number[]): TfliteTensor {
    const tensor = new TfliteTensor(name, 'INT32', [values.length]);
    tensor.buffer = { bytes: Tensor.fromNumbers('int32', [values.length], values).bytes };
    return tensor;
  }

  /** A constant of random values in ±size. */
  weights(name: string, shape: number[], size = 1): TfliteTensor {
    const count = shape.reduce((n, d) => n * d, 1);
    return this.floats(name, shape, this.values(count, size));
  }

  values(count: number, size = 1): number[] {
    return Array.from({ length: count }, () => this.random.between(-size, size));
  }

  op(
    code: string,
    inputs: (TfliteTensor | undefined)[],
    name: string,
    shape: number[],
    options?: FlatObject,
  ): TfliteTensor {
    const output = new TfliteTensor(name, 'FLOAT32', shape);
    this.graph.ops.push(new TfliteOp(code, inputs, [output], options));
    return output;
  }

  conv(x: TfliteTensor, name: string, channels: number, size = 1): TfliteTensor {
    const [n, h, w, inner] = x.shape as number[];
    const filter = this.weights(`${name}/filter`, [channels, 3, 3, inner], size);
    const bias = this.weights(`${name}/bias`, [channels], 0.1);
    return this.op('CONV_2D', [x, filter, bias], name, [n, h, w, channels], CONV);
  }

  /** The model, as read from its file: constants are views, as the stages see them. */
  finish(...outputs: TfliteTensor[]): TfliteModel {
    this.graph.outputs = outputs;
    const named = (tensors: TfliteTensor[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
    this.model.signatures = [
      {
        key: 'serving_default',
        subgraph: this.graph,
        inputs: named(this.graph.inputs),
        outputs: named(outputs),
      },
    ];
    return readModel(bytesOf(this.model), 'test');
  }
}

export const CONV = { type: 'Conv2DOptions', padding: 'SAME', stride_w: 1, stride_h: 1 };

export function bytesOf(model: TfliteModel): Uint8Array {
  return joinPieces(writeModel(model));
}

/** Ranges by tensor name; one that is not listed has none. */
export function ranges(known: Record<string, [number, number]>): KnownRanges {
  const of = (tensor: TfliteTensor): Range | undefined => {
    const found = known[tensor.name];
    return found && { min: found[0], max: found[1] };
  };
  return { measured: of, trained: () => undefined };
}

export const anyRange: KnownRanges = { measured: () => ({ min: -4, max: 4 }), trained: () => undefined };

export function tensorNamed(model: TfliteModel, name: string): TfliteTensor {
  const found = model.subgraphs.flatMap((g) => g.tensors()).find((t) => t.name === name);
  if (!found) throw new Error(`no tensor ${name}`);
  return found;
}

/** `CONV_2D INT8,INT8,INT32>INT8` for each operator. */
export function describeOps(model: TfliteModel): string[] {
  return model.subgraphs[0].ops.map((op) => {
    const types = (list: (TfliteTensor | undefined)[]) => list.map((t) => t?.type ?? '-').join(',');
    return `${op.code} ${types(op.inputs)}>${types(op.outputs)}`;
  });
}

/** Runs a model with one input. */
export async function run(model: TfliteModel, input: string, values: Tensor): Promise<Map<string, Tensor>> {
  return runTflite(bytesOf(model), new Map([[input, values]]));
}

/** √(Σ(a−b)² / Σb²). */
export function relativeError(a: readonly number[], b: readonly number[]): number {
  const sum = (f: (i: number) => number) => a.reduce((n, _, i) => n + f(i), 0);
  return Math.sqrt(sum((i) => (a[i] - b[i]) ** 2) / sum((i) => b[i] ** 2));
}

/** Adds QUANTIZE→DEQUANTIZE after a tensor, as a trained range leaves them. */
export function trainedPair(
  b: Builder,
  x: TfliteTensor,
  name: string,
  scale: number,
  zeroPoint: number,
): TfliteTensor {
  const quantized = new TfliteTensor(`${name}/quantized`, 'INT8', x.shape);
  quantized.quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
  b.graph.ops.push(new TfliteOp('QUANTIZE', [x], [quantized]));
  return b.op('DEQUANTIZE', [quantized], name, x.shape as number[]);
}
