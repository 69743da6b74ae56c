import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FloeError, Tensor, type DType, type Shape, type Signature } from '@floe/export-core';
import { readSamples } from './sample-files';
import { RANDOM_SAMPLES, randomSamples } from './samples';
import { npz } from './testing/npz';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'samples-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(arrays: Record<string, Tensor>): string {
  const path = join(folder, 'samples.npz');
  writeFileSync(path, npz(arrays));
  return path;
}

const input = (name: string, dtype: DType, shape: Shape) => ({ name, tensor: `${name}:0`, dtype, shape });
const signature = (key: string, ...inputs: ReturnType<typeof input>[]): Signature => ({
  key,
  inputs,
  outputs: [],
});
const image = signature('serve', input('image', 'float32', [null, 2]));
const f32 = (shape: number[], step = 1) =>
  Tensor.fromNumbers(
    'float32',
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i * step),
  );

function problems(run: () => unknown): { message: string; hint?: string }[] {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FloeError);
    const { diagnostics } = error as FloeError;
    expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set(['V003']));
    return [...diagnostics];
  }
  throw new Error('nothing was refused');
}

describe('readSamples', () => {
  it('makes one invocation of each element of the first axis', () => {
    const samples = readSamples([image], { data: file({ image: f32([3, 4, 2]) }) }).get('serve')!;
    expect(samples.map((s) => s.get('image')!.shape)).toEqual([
      [4, 2],
      [4, 2],
      [4, 2],
    ]);
    expect(samples[2].get('image')!.at(0)).toBe(16);
  });

  it('knows inputs by signature where there are several', () => {
    const two = [signature('a', input('x', 'float32', [1])), signature('b', input('x', 'float32', [1]))];
    const samples = readSamples(two, { data: file({ 'a/x': f32([1, 1]), 'b/x': f32([2, 1], 5) }) });
    expect([samples.get('a')!.length, samples.get('b')!.length]).toEqual([1, 2]);
    expect(samples.get('b')![1].get('x')!.at(0)).toBe(5);
  });

  it("takes NumPy's float64 and int64 where they lose nothing that counts", () => {
    const both = signature('serve', input('a', 'float32', [1]), input('b', 'int32', [1]));
    const a = Tensor.fromNumbers('float64', [1, 1], [0.5]);
    const b = Tensor.fromNumbers('int64', [1, 1], [7]);
    const [sample] = readSamples([both], { data: file({ a, b }) }).get('serve')!;
    expect([sample.get('a')!.dtype, sample.get('b')!.dtype]).toEqual(['float32', 'int32']);
    const large = Tensor.fromNumbers('int64', [1, 1], [2n ** 40n]);
    expect(problems(() => readSamples([both], { data: file({ a, b: large }) }))[0].message).toContain(
      'do not fit int32',
    );
  });

  it('names everything that does not fit, and what was expected', () => {
    const three = signature(
      'serve',
      input('image', 'float32', [null, 2]),
      input('mask', 'bool', [2]),
      input('size', 'int32', []),
    );
    const list = problems(() =>
      readSamples([three], {
        data: file({ imagee: f32([1, 4, 2]), mask: f32([1, 2]), size: Tensor.scalar('int32', 1) }),
      }),
    );
    expect(list.map((d) => d.message)).toEqual([
      expect.stringMatching(/no array "image", but "imagee"/),
      expect.stringMatching(/float32 for input "mask", which is bool/),
      expect.stringMatching(/one number as "size"/),
      expect.stringMatching(/arrays that no input takes: imagee/),
    ]);
    expect(list[0].hint).toContain('samples.shape == (N, any, 2) and dtype float32');
  });

  it('sees that the axis of samples is missing', () => {
    const [problem] = problems(() => readSamples([image], { data: file({ image: f32([4, 2]) }) }));
    expect(problem.message).toContain('the first axis, which counts samples, is missing');
  });

  it('sees that axes stand in another order', () => {
    const fixed = signature('serve', input('image', 'float32', [1, 8, 6, 3]));
    const [problem] = problems(() => readSamples([fixed], { data: file({ image: f32([2, 1, 3, 8, 6]) }) }));
    expect(problem.message).toContain(
      '[1,3,8,6] for input "image", which is [1,8,6,3]: the axes stand in another order',
    );
  });

  it('wants as many samples for each input, and at least one', () => {
    const two = signature('serve', input('a', 'float32', [1]), input('b', 'float32', [1]));
    const [problem] = problems(() => readSamples([two], { data: file({ a: f32([2, 1]), b: f32([3, 1]) }) }));
    expect(problem.message).toContain('"a" 2, "b" 3');
    expect(
      problems(() => readSamples([image], { data: file({ image: f32([0, 1, 2]) }) }))[0].message,
    ).toContain('no samples');
  });
});

describe('randomSamples', () => {
  const specs = signature(
    'serve',
    input('image', 'float32', [null, 300]),
    input('ranged', 'float32', [300]),
    input('pixels', 'uint8', [300]),
    input('index', 'int64', [300]),
    input('mask', 'bool', [300]),
    input('text', 'string', [2]),
    input('any', 'float32', null),
  );
  const ranges = (_: string, name: string): [number, number] | undefined =>
    name === 'ranged' ? [-1, 1] : undefined;

  it('fits the inputs and their ranges', () => {
    const samples = randomSamples([specs], ranges).get('serve')!;
    expect(samples).toHaveLength(RANDOM_SAMPLES);
    const [first] = samples;
    const values = (name: string) => first.get(name)!.toNumbers();
    const range = (name: string) => [Math.min(...values(name)), Math.max(...values(name))];
    expect(first.get('image')!.shape).toEqual([1, 300]);
    expect(first.get('any')!.shape).toEqual([]);
    expect(range('image')[0]).toBeGreaterThanOrEqual(0);
    expect(range('image')[1]).toBeLessThan(1);
    expect(range('ranged')[0]).toBeLessThan(-0.9);
    expect(range('ranged')[1]).toBeGreaterThan(0.9);
    expect(range('pixels')[1]).toBeGreaterThan(200);
    expect(range('index')).toEqual([0, 1]);
    expect(range('mask')).toEqual([0, 1]);
    expect(first.get('text')!.strings).toHaveLength(2);
  });

  it('are the same each time, and differ from sample to sample', () => {
    const draw = () =>
      randomSamples([specs], ranges)
        .get('serve')!
        .map((s) => s.get('image')!.toNumbers());
    expect(draw()).toEqual(draw());
    const [a, b] = draw();
    expect(a).not.toEqual(b);
  });

  it('do not depend on what else the model has', () => {
    const alone = signature('serve', input('ranged', 'float32', [300]));
    const value = (s: Signature) => randomSamples([s], ranges).get('serve')![0].get('ranged')!.toNumbers();
    expect(value(alone)).toEqual(value(specs));
  });
});
