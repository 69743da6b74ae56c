import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinPieces, Tensor, type DType } from '@floe/export-core';
import { CannotRun } from './cannot-run';
import { LitertModel, runTflite } from './litert';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { packStrings } from '../tflite/strings';
import { writeModel } from '../tflite/write';

const fixtures = join(__dirname, '../tflite/fixtures');
const fixture = (name: string) => readFileSync(join(fixtures, `${name}.tflite`));
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<
  string,
  Record<string, number[]>
>;

function floats(shape: number[], step = 1): Tensor {
  const size = shape.reduce((n, d) => n * d, 1);
  return Tensor.fromNumbers(
    'float32',
    shape,
    Array.from({ length: size }, (_, i) => i * step),
  );
}

/** A model of one operator, or none, with a signature named after its tensors. */
function small(
  build: (
    graph: TfliteSubgraph,
    tensor: (name: string, type: string, shape?: number[]) => TfliteTensor,
  ) => void,
  withSignature = true,
): Uint8Array {
  const model = new TfliteModel();
  const graph = new TfliteSubgraph('main');
  build(graph, (name, type, shape) => new TfliteTensor(name, type, shape));
  model.subgraphs.push(graph);
  const named = (list: TfliteTensor[], prefix: string) =>
    list.map((tensor, i) => ({ name: `${prefix}${i}`, tensor }));
  if (withSignature)
    model.signatures.push({
      key: 'serve',
      subgraph: graph,
      inputs: named(graph.inputs, 'in'),
      outputs: named(graph.outputs, 'out'),
    });
  return joinPieces(writeModel(model));
}

const unary = (
  code: string,
  inShape: number[] | undefined,
  outShape: number[] | undefined,
  type = 'FLOAT32',
) =>
  small((graph, tensor) => {
    const [a, b] = [tensor('a', type, inShape), tensor('b', type, outShape)];
    graph.ops.push(new TfliteOp(code, [a], [b]));
    graph.inputs = [a];
    graph.outputs = [b];
  });

async function reasonOf(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CannotRun);
  return (error as CannotRun).reason;
}

describe('runTflite', () => {
  it('gives what TensorFlow Lite gives: an int8 convolution', async () => {
    const outputs = await runTflite(fixture('int8'), new Map([['image', floats([1, 6, 6, 2], 1 / 16)]]));
    const features = outputs.get('features')!;
    expect(features.shape).toEqual([1, 6, 6, 4]);
    expect(features.toNumbers()).toEqual(expected.int8.features);
  });

  it('gives what TensorFlow Lite gives: a loop, whose outputs lie elsewhere than laid out', async () => {
    const inputs = new Map([
      ['x', floats([3], 1 / 16)],
      ['times', Tensor.scalar('int32', 5)],
    ]);
    const outputs = await runTflite(fixture('loop'), inputs, 'serving_default');
    expect(outputs.get('y')!.toNumbers()).toEqual(expected.loop.y);
  });

  it('resizes inputs, again and again', async () => {
    const model = LitertModel.load(unary('NEG', [-1, 2], [-1, 2]));
    for (const rows of [3, 1, 3, 5]) {
      const out = (await model.run(new Map([['in0', floats([rows, 2])]]))).get('out0')!;
      expect(out.shape).toEqual([rows, 2]);
      expect(out.at(2 * rows - 1)).toBe(-(2 * rows - 1));
    }
    model.dispose();
  });

  it('runs tensors of unknown rank', async () => {
    const bytes = small((graph, tensor) => {
      const [a, b] = [tensor('a', 'FLOAT32'), tensor('b', 'FLOAT32')];
      const [c, d] = [tensor('c', 'FLOAT32', [2]), tensor('d', 'FLOAT32', [2])];
      graph.ops.push(new TfliteOp('NEG', [a], [b]), new TfliteOp('NEG', [c], [d]));
      graph.inputs = [a, c];
      graph.outputs = [b, d];
    });
    const inputs = new Map([
      ['in0', floats([2, 3])],
      ['in1', floats([2])],
    ]);
    const outputs = await runTflite(bytes, inputs);
    expect(outputs.get('out0')!.shape).toEqual([2, 3]);
    expect(outputs.get('out0')!.at(5)).toBe(-5);
    expect(outputs.get('out1')!.at(1)).toBe(-1);
  });

  it('hands out what only a run can size', async () => {
    const where = small((graph, tensor) => {
      const [a, b] = [tensor('a', 'BOOL', [4]), tensor('b', 'INT64', [-1, 1])];
      graph.ops.push(new TfliteOp('WHERE', [a], [b]));
      graph.inputs = [a];
      graph.outputs = [b];
    });
    const model = LitertModel.load(where);
    for (const bits of [
      [0, 1, 1, 0],
      [1, 0, 0, 0],
      [0, 0, 1, 1],
    ]) {
      const out = (await model.run(new Map([['in0', Tensor.fromNumbers('bool', [4], bits)]]))).get('out0')!;
      const indices = bits.flatMap((bit, i) => (bit ? [i] : []));
      expect(out.shape).toEqual([indices.length, 1]);
      expect(out.toNumbers()).toEqual(indices);
    }
    model.dispose();
  });

  it('hands out what is cut from a batch of any size', async () => {
    const constant = (name: string, values: number[]) => {
      const tensor = new TfliteTensor(name, 'INT32', [values.length]);
      tensor.buffer = { bytes: new Uint8Array(Int32Array.from(values).buffer) };
      return tensor;
    };
    const bytes = small((graph, tensor) => {
      const [input, x] = [tensor('input', 'FLOAT32', [-1, 4]), tensor('x', 'FLOAT32', [-1, 4])];
      const k = constant('k', [2]);
      k.shape = [];
      const [values, indices] = [tensor('values', 'FLOAT32', [-1, 2]), tensor('indices', 'INT32', [-1, 2])];
      const slice = tensor('slice', 'FLOAT32', [-1, 3]);
      graph.ops.push(
        new TfliteOp('ABS', [input], [x]),
        new TfliteOp('TOPK_V2', [x, k], [values, indices], { type: 'TopKV2Options' }),
        new TfliteOp('SLICE', [x, constant('begin', [0, 1]), constant('size', [-1, 3])], [slice], {
          type: 'SliceOptions',
        }),
      );
      graph.inputs = [input];
      graph.outputs = [values, indices, slice];
    });
    const model = LitertModel.load(bytes);
    for (const rows of [2, 1, 3]) {
      const outputs = await model.run(new Map([['in0', floats([rows, 4])]]));
      const each = (of: (row: number) => number[]) =>
        Array.from({ length: rows }, (_, row) => of(row)).flat();
      expect([...outputs.values()].map((t) => t.toNumbers())).toEqual([
        each((r) => [4 * r + 3, 4 * r + 2]),
        each(() => [3, 2]),
        each((r) => [4 * r + 1, 4 * r + 2, 4 * r + 3]),
      ]);
    }
    model.dispose();
  });

  it('hands out shapes, which the runtime computes ahead of the run', async () => {
    const shape = small((graph, tensor) => {
      const [a, b] = [tensor('a', 'FLOAT32', [-1, 2]), tensor('b', 'INT32', [2])];
      graph.ops.push(new TfliteOp('SHAPE', [a], [b], { type: 'ShapeOptions', out_type: 'INT32' }));
      graph.inputs = [a];
      graph.outputs = [b];
    });
    const out = (await runTflite(shape, new Map([['in0', floats([7, 2])]]))).get('out0')!;
    expect(out.toNumbers()).toEqual([7, 2]);
  });

  it('hands out inputs, constants and the same tensor twice', async () => {
    const bytes = small((graph, tensor) => {
      const [a, b, c] = [
        tensor('a', 'FLOAT32', [2]),
        tensor('b', 'FLOAT32', [2]),
        tensor('c', 'FLOAT32', [1]),
      ];
      c.buffer = { bytes: new Uint8Array(Float32Array.of(9).buffer) };
      graph.ops.push(new TfliteOp('NEG', [a], [b]));
      graph.inputs = [a];
      graph.outputs = [b, a, c, b];
    });
    const outputs = await runTflite(bytes, new Map([['in0', floats([2])]]));
    expect([...outputs].map(([name, t]) => [name, t.toNumbers()])).toEqual([
      ['out0', [-0, -1]],
      ['out1', [0, 1]],
      ['out2', [9]],
      ['out3', [-0, -1]],
    ]);
  });

  it('names inputs and outputs by their tensors where there is no signature', async () => {
    const bytes = small((graph, tensor) => {
      const [a, b] = [tensor('first', 'FLOAT32', [2]), tensor('last', 'FLOAT32', [2])];
      graph.ops.push(new TfliteOp('NEG', [a], [b]));
      graph.inputs = [a];
      graph.outputs = [b];
    }, false);
    const outputs = await runTflite(bytes, new Map([['first', floats([2])]]));
    expect(outputs.get('last')!.toNumbers()).toEqual([-0, -1]);
  });

  it.each<[DType, string, number[]]>([
    ['int32', 'INT32', [1, -2]],
    ['int64', 'INT64', [2 ** 40, -3]],
    ['int8', 'INT8', [-128, 127]],
    ['uint8', 'UINT8', [255, 0]],
    ['int16', 'INT16', [-32768, 5]],
    ['bool', 'BOOL', [1, 0]],
  ])('takes and gives %s', async (dtype, type, values) => {
    const bytes = small((graph, tensor) => {
      const [a, b] = [tensor('a', type, [2]), tensor('b', type, [2, 1])];
      const shape = tensor('shape', 'INT32', [2]);
      shape.buffer = { bytes: new Uint8Array(Int32Array.of(2, 1).buffer) };
      graph.ops.push(new TfliteOp('RESHAPE', [a, shape], [b], { type: 'ReshapeOptions' }));
      graph.inputs = [a];
      graph.outputs = [b];
    });
    const out = (await runTflite(bytes, new Map([['in0', Tensor.fromNumbers(dtype, [2], values)]]))).get(
      'out0',
    )!;
    expect([out.dtype, out.shape, out.toNumbers()]).toEqual([dtype, [2, 1], values]);
  });

  it('runs models side by side', async () => {
    const inputs = new Map([['in0', floats([2])]]);
    const bytes = unary('NEG', [2], [2]);
    const outputs = await Promise.all(Array.from({ length: 4 }, () => runTflite(bytes, inputs)));
    for (const out of outputs) expect(out.get('out0')!.at(1)).toBe(-1);
  });
});

describe('what cannot be run', () => {
  const neg = unary('NEG', [-1, 2], [-1, 2]);

  it('names the input that is missing or of another type or shape', async () => {
    expect(await reasonOf(runTflite(neg, new Map()))).toContain('"in0" is not given');
    const ints = new Map([['in0', Tensor.fromNumbers('int32', [1, 2], [1, 2])]]);
    expect(await reasonOf(runTflite(neg, ints))).toBe('input "in0" is float32, not int32');
    expect(await reasonOf(runTflite(neg, new Map([['in0', floats([3])]])))).toContain(
      'has shape [-1,2], not [3]',
    );
    expect(await reasonOf(runTflite(neg, new Map([['in0', floats([0, 2])]])))).toContain('no elements');
  });

  it('names a signature that is not there', async () => {
    expect(await reasonOf(runTflite(neg, new Map(), 'other'))).toContain('no signature "other"');
  });

  it('says so of strings', async () => {
    const text = packStrings([]);
    expect(text.length).toBe(8);
    const bytes = unary('RESHAPE', [1], [1], 'STRING');
    expect(await reasonOf(runTflite(bytes, new Map()))).toContain('is a string tensor');
  });

  it('reports what a kernel says, instead of memory nobody wrote to', async () => {
    // ADD of shapes that do not broadcast fails when tensors are laid out.
    const bytes = small((graph, tensor) => {
      const [a, b, c] = [
        tensor('a', 'FLOAT32', [2]),
        tensor('b', 'FLOAT32', [3]),
        tensor('c', 'FLOAT32', [3]),
      ];
      graph.ops.push(new TfliteOp('ADD', [a, b], [c], { type: 'AddOptions' }));
      graph.inputs = [a, b];
      graph.outputs = [c];
    });
    const inputs = new Map([
      ['in0', floats([2])],
      ['in1', floats([3])],
    ]);
    const reason = await reasonOf(runTflite(bytes, inputs));
    expect(reason).toMatch(/dims|broadcast|prepare/i);
    expect(reason).not.toMatch(/third_party|ERROR/);
  });

  it('names a type that is not taken', async () => {
    const bytes = unary('NEG', [1], [1], 'VARIANT');
    expect(await reasonOf(runTflite(bytes, new Map()))).toContain('variant');
  });

  it('runs again after a failure', async () => {
    const model = LitertModel.load(neg);
    await reasonOf(model.run(new Map([['in0', floats([3])]])));
    const out = (await model.run(new Map([['in0', floats([1, 2])]]))).get('out0')!;
    expect(out.at(1)).toBe(-1);
    model.dispose();
  });
});
