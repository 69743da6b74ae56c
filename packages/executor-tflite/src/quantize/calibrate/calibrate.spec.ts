import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Diagnostics, FloeError, Tensor } from '@floe/export-core';
import { npz } from '../../verify/testing/npz';
import { Builder, bytesOf } from '../testing/models';
import { readRanges, rangesText } from '../ranges';
import { calibrateModel } from './calibrate-model';
import { calibrationSamples } from './data';
import { exposing, groupsOf } from './expose';
import { specsOf } from './specs';
import { TfliteOp, TfliteTensor } from '../../tflite/model';
import { readModel } from '../../tflite/read';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'calibrate-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** y = relu(x · 2), z = x + 1 */
function model() {
  const b = new Builder();
  const x = b.input('x', [4]);
  const doubled = b.op('MUL', [x, b.floats('two', [], [2])], 'doubled', [4], { type: 'MulOptions' });
  const y = b.op('RELU', [doubled], 'y', [4]);
  const z = b.op('ADD', [x, b.floats('one', [], [1])], 'z', [4], { type: 'AddOptions' });
  return b.finish(y, z);
}

const sample = (...values: number[]) => new Map([['x', Tensor.fromNumbers('float32', [4], values)]]);
const minmax = { method: 'minmax' as const };

it('measures inputs, inner tensors and outputs', async () => {
  const samples = new Map([['serving_default', [sample(-1, 0, 1, 2), sample(0, 0, 0, 5)]]]);
  const file = await calibrateModel(bytesOf(model()), samples, minmax, new Diagnostics());
  expect(file.tensors.map(({ name, min, max }) => [name, min, max])).toEqual([
    ['x', -1, 5],
    ['doubled', -2, 10],
    ['y', 0, 10],
    ['z', 0, 6],
  ]);
  expect(file.samples).toBe(2);
  expect(file.tensors[0].histogram!.counts.reduce((a, b) => a + b, 0)).toBe(8);
});

it('measures a model that takes any size as one of that size', async () => {
  const ofSize = async (size: number) => {
    const b = new Builder();
    const doubled = b.op('ADD', [b.input('x', [size]), b.floats('one', [], [1])], 'more', [size], {
      type: 'AddOptions',
    });
    const bytes = bytesOf(b.finish(b.op('RELU', [doubled], 'y', [size])));
    const samples = new Map([['serving_default', [sample(-3, 0, 1, 2), sample(0, 0, 0, 5)]]]);
    return (await calibrateModel(bytes, samples, minmax, new Diagnostics())).tensors;
  };
  const tensors = await ofSize(-1);
  expect(tensors.map(({ min, max }) => [min, max])).toEqual([
    [-3, 5],
    [-2, 6],
    [0, 6],
  ]);
  expect(tensors).toEqual(await ofSize(4));
});

it('gives the same text each time, which reads back', async () => {
  const samples = new Map([['serving_default', [sample(-1, 0, 1, 2)]]]);
  const [a, b] = await Promise.all(
    [0, 1].map(async () =>
      rangesText(await calibrateModel(bytesOf(model()), samples, minmax, new Diagnostics())),
    ),
  );
  expect(a).toBe(b);
  const path = join(root, 'ranges.json');
  writeFileSync(path, a);
  const { model: sha256 } = JSON.parse(a) as { model: string };
  expect(rangesText(readRanges(path, sha256))).toBe(a);
});

it('ranges of another model are refused', () => {
  const path = join(root, 'ranges.json');
  writeFileSync(path, rangesText({ version: 2, model: 'aa', method: 'minmax', samples: 1, tensors: [] }));
  expect(() => readRanges(path, 'bb')).toThrow(
    expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'Q002' })] }),
  );
  writeFileSync(path, '{');
  expect(() => readRanges(path, 'bb')).toThrow(FloeError);
});

it('warns of values that are not finite, and leaves those tensors without a range', async () => {
  const b = new Builder();
  const x = b.input('x', [4]);
  const bytes = bytesOf(b.finish(b.op('LOG', [x], 'log', [4]), b.op('ABS', [x], 'abs', [4])));
  const diagnostics = new Diagnostics();
  const samples = new Map([['serving_default', [sample(-1, 0, 1, 2)]]]);
  const file = await calibrateModel(bytes, samples, minmax, diagnostics);
  expect(file.tensors.map((t) => t.name)).toEqual(['x', 'abs']);
  expect(diagnostics.list).toMatchObject([{ code: 'Q004', severity: 'warning', node: 'log' }]);
});

describe('warns of values that ruin a model', () => {
  const size = 64;
  const check = async (
    valueOf: (sample: number, i: number) => number,
  ): Promise<[string, string | undefined][]> => {
    const b = new Builder();
    const bytes = bytesOf(b.finish(b.op('ABS', [b.input('x', [size])], 'y', [size])));
    const list = Array.from({ length: 4 }, (_, n) => {
      const numbers = Array.from({ length: size }, (_v, i) => valueOf(n, i));
      return new Map([['x', Tensor.fromNumbers('float32', [size], numbers)]]);
    });
    const diagnostics = new Diagnostics();
    await calibrateModel(bytes, new Map([['serving_default', list]]), minmax, diagnostics);
    return diagnostics.list.map((d) => [d.message, d.hint]);
  };

  it('the same everywhere', async () => {
    expect(await check(() => 3)).toEqual([
      ['"x", "y" are the same in every sample', expect.stringContaining('differ')],
    ]);
  });

  it('nearly all at the ends of the range', async () => {
    // -1 and 1, and now and then something between.
    const values = (n: number, i: number) => (i === 5 ? n / 10 : i % 2 ? 1 : -1);
    expect(await check(values)).toEqual([
      [expect.stringMatching(/"x".* saturated/), expect.stringContaining('scaled as in training')],
    ]);
  });

  it('and of nothing where values are spread', async () => {
    expect(await check((n, i) => ((i * 37 + n * 11) % 64) / 32 - 1)).toEqual([]);
  });
});

describe('groups of tensors', () => {
  const tensor = (elements: number) => new TfliteTensor('t', 'FLOAT32', [elements]);
  it('stay under the bound, but for a tensor that is larger alone', () => {
    const sizes = [10, 10, 100, 5, 5, 5].map(tensor);
    expect(groupsOf(sizes, 80).map((g) => g.map((t) => t.elements))).toEqual([[10, 10], [100], [5, 5, 5]]);
  });
});

describe('a pass', () => {
  it('computes what its tensors need, and leaves the model as it was', () => {
    const changed = model();
    const before = bytesOf(changed);
    const doubled = changed.subgraphs[0].ops[0].outputs[0];
    const { bytes, tensors } = exposing(changed, changed.signatures[0], [doubled]);
    expect(readModel(bytes, 'pass').subgraphs[0].ops.map((op) => op.code)).toEqual(['MUL']);
    expect([...tensors]).toEqual([['value 0', doubled]]);
    expect(bytesOf(changed)).toEqual(before);
  });

  it('does all that has an effect, with what that needs', () => {
    const b = new Builder();
    const x = b.input('x', [4]);
    const y = b.op('RELU', [x], 'y', [4]);
    const state = b.op('NEG', [x], 'state', [4]);
    const handle = b.op('VAR_HANDLE', [], 'handle', [], { type: 'VarHandleOptions', shared_name: 'v' });
    handle.type = 'RESOURCE';
    b.graph.ops.push(new TfliteOp('ASSIGN_VARIABLE', [handle, state], [], { type: 'AssignVariableOptions' }));
    const changed = b.finish(y, b.op('ABS', [x], 'z', [4]));
    const exposed = changed.subgraphs[0].ops[0].outputs[0];
    const { bytes } = exposing(changed, changed.signatures[0], [exposed]);
    expect(readModel(bytes, 'pass').subgraphs[0].ops.map((op) => op.code)).toEqual([
      'RELU',
      'NEG',
      'VAR_HANDLE',
      'ASSIGN_VARIABLE',
    ]);
  });
});

describe('data', () => {
  const specs = () => specsOf(model());
  const read = (data: string | undefined, range?: [number, number], samples?: number, wanted = ['y']) => {
    const diagnostics = new Diagnostics();
    const settings = { data, samples, rangeOf: () => range, wanted };
    const found = calibrationSamples(specs(), settings, diagnostics);
    return { found: found.get('serving_default')!, diagnostics: diagnostics.list };
  };
  const save = (rows: number, value: (i: number) => number = (i) => i / 100) => {
    const file = join(root, 'calibration.npz');
    const numbers = Array.from({ length: rows * 4 }, (_, i) => value(i));
    writeFileSync(file, npz({ x: Tensor.fromNumbers('float32', [rows, 4], numbers) }));
    return file;
  };

  it('is as many samples as asked for', () => {
    expect(read(save(20)).found).toHaveLength(20);
    expect(read(save(20), undefined, 12).found).toHaveLength(12);
  });

  it('warns of few samples, and of values outside the declared range', () => {
    const { diagnostics } = read(
      save(3, (i) => i * 20),
      [-1, 1],
    );
    expect(diagnostics.map((d) => [d.code, d.severity])).toEqual([
      ['Q001', 'warning'],
      ['Q001', 'warning'],
    ]);
    expect(diagnostics[1].message).toContain('reach from 0 to 220');
  });

  it('refuses NaN', () => {
    const { diagnostics } = read(save(12, (i) => (i === 7 ? NaN : 0)));
    expect(diagnostics).toMatchObject([{ code: 'Q001', severity: 'error' }]);
  });

  it('that does not fit is an error of calibration', () => {
    const file = join(root, 'c.npz');
    writeFileSync(file, npz({ x: Tensor.fromNumbers('float32', [2, 3], [1, 2, 3, 4, 5, 6]) }));
    expect(() => read(file)).toThrow(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'Q001' })] }),
    );
  });

  it('may be a folder of .npy files', () => {
    const folder = join(root, 'data');
    mkdirSync(folder);
    const bytes = npz({ x: Tensor.fromNumbers('float32', [1, 4], [1, 2, 3, 4]) });
    // A stored entry: the .npy lies in the archive as it is.
    const start = bytes.indexOf('\x93NUMPY', 0, 'latin1');
    writeFileSync(join(folder, 'x.npy'), bytes.subarray(start, bytes.indexOf('PK\x01\x02', start, 'latin1')));
    expect(read(folder).found[0].get('x')!.toNumbers()).toEqual([1, 2, 3, 4]);
    expect(() => read(root)).toThrow();
  });

  it('may be a folder of images, checked against the declared range', () => {
    const images = { fit: 'stretch', resize: 'bilinear', channels: 'rgb', mean: 127.5, std: 127.5 } as const;
    const b = new Builder();
    const specsOfImages = specsOf(b.finish(b.op('ABS', [b.input('x', [1, 4, 4, 3])], 'y', [1, 4, 4, 3])));
    const data = join(__dirname, '../../verify/images/fixtures');
    const diagnosed = (std: number): string[] => {
      const diagnostics = new Diagnostics();
      const rangeOf = (): [number, number] => [-1, 1];
      const settings = { data, images: { ...images, std }, rangeOf, wanted: ['y'] };
      expect(calibrationSamples(specsOfImages, settings, diagnostics).get('serving_default')).toHaveLength(7);
      return diagnostics.list.map((d) => d.message);
    };
    expect(diagnosed(127.5)).toEqual([expect.stringContaining('has 7 samples')]);
    expect(diagnosed(1)[1]).toMatch(/reach from -.*, its declared range is \[-1, 1\]/);
  });

  it('is made up, with a warning, where there is none', () => {
    const { found, diagnostics } = read(undefined, [2, 3]);
    expect(found.length).toBeGreaterThan(1);
    expect(
      found.every((s) =>
        s
          .get('x')!
          .toNumbers()
          .every((v) => v >= 2 && v <= 3),
      ),
    ).toBe(true);
    expect(diagnostics).toMatchObject([{ code: 'Q001', severity: 'warning' }]);
    expect(diagnostics[0].message).toContain('the ranges of "y" are those of random inputs');
  });

  it('few or none, is no fault where every range is trained', () => {
    expect(read(undefined, [2, 3], undefined, []).diagnostics).toEqual([]);
    expect(read(save(3), undefined, undefined, []).diagnostics).toEqual([]);
  });
});
