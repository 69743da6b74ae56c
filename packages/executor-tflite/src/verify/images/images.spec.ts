/** Images against what TensorFlow made of the same files: scripts/image-fixtures.py. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FloeError, type ImageSettings, type Shape, type Signature } from '@floe/export-core';
import { readSamples } from '../sample-files';
import { readImage } from './decode';
import { resized, type Fit, type Method } from './resize';

const FIXTURES = join(__dirname, 'fixtures');
const { decoded, resized: cases } = JSON.parse(readFileSync(join(FIXTURES, 'values.json'), 'utf8')) as {
  decoded: Record<string, { shape: number[]; rgb: number[] }>;
  resized: { file: string; method: Method; fit: Fit; size: [number, number]; values: number[] }[];
};
/** Largest and mean difference allowed: decoders of JPEG round differently, and spread halved colours differently. */
const SLACK: Record<string, [number, number]> = {
  'colour.jpg': [4, 1],
  'grey.jpg': [2, 0.5],
  'halved.jpg': [64, 10],
};

describe('decoding', () => {
  it.each(Object.keys(decoded))('%s', (name) => {
    const { height, width, rgb } = readImage(join(FIXTURES, name));
    const { shape, rgb: expected } = decoded[name];
    expect([height, width, 3]).toEqual(shape);
    const off = expected.map((v, i) => Math.abs(v - rgb[i]));
    const [largest, mean] = SLACK[name] ?? [0, 0];
    expect(Math.max(...off)).toBeLessThanOrEqual(largest);
    expect(off.reduce((a, b) => a + b, 0) / off.length).toBeLessThanOrEqual(mean);
  });
});

describe('resizing', () => {
  it.each(cases.map((c) => [c.method, c.fit, c.size.join('×'), c] as const))(
    '%s, %s, %s',
    (_m, _f, _s, c) => {
      const got = resized(readImage(join(FIXTURES, c.file)), c.size[0], c.size[1], c.method, c.fit);
      expect(got.values).toHaveLength(c.values.length);
      c.values.forEach((v, i) => expect(Math.abs(got.values[i] - v)).toBeLessThan(2e-3));
    },
  );
});

describe('a folder as samples', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'images-'));
    mkdirSync(join(root, 'more'));
    // Sorted by name, wherever they lie: b.png, more/a.jpg.
    copyFileSync(join(FIXTURES, 'colour.png'), join(root, 'b.png'));
    copyFileSync(join(FIXTURES, 'colour.jpg'), join(root, 'more/a.JPG'));
    writeFileSync(join(root, 'notes.txt'), 'no image');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const PLAIN: ImageSettings = { fit: 'stretch', resize: 'bilinear', channels: 'rgb', mean: 0, std: 1 };
  const signature = (shape: Shape, dtype: 'float32' | 'uint8' = 'float32', name = 'image'): Signature => ({
    key: 's',
    inputs: [{ name, tensor: `${name}:0`, dtype, shape }],
    outputs: [],
  });
  const read = (shape: Shape, settings: Partial<ImageSettings> = {}, dtype?: 'uint8', limit?: number) =>
    readSamples([signature(shape, dtype)], { data: root, images: { ...PLAIN, ...settings }, limit }).get(
      's',
    )!;
  const values = (sample: ReturnType<typeof read>[0]) => sample.get('image')!.toNumbers();
  const problem = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      return (error as FloeError).diagnostics;
    }
    throw new Error('nothing was thrown');
  };

  it('is one sample an image, in the order of their names', () => {
    const samples = read([1, 9, 14, 3]);
    expect(samples.map((s) => s.get('image')!.shape)).toEqual([
      [1, 9, 14, 3],
      [1, 9, 14, 3],
    ]);
    expect(values(samples[0])).toEqual(decoded['colour.png'].rgb);
    expect(read([1, 9, 14, 3], {}, undefined, 1)).toHaveLength(1);
  });

  it('is normalised channel by channel, in the order asked for', () => {
    const [sample] = read([9, 14, 3], { mean: [10, 20, 30], std: [2, 4, 8], channels: 'bgr' });
    const [r, g, b] = decoded['colour.png'].rgb;
    expect(values(sample).slice(0, 3)).toEqual([(b - 10) / 2, (g - 20) / 4, (r - 30) / 8]);
  });

  it('fills inputs with channels first, of open size, of one channel, of bytes', () => {
    const { rgb } = decoded['colour.png'];
    const first = values(read([null, 3, 9, 14])[0]);
    expect([first[0], first[9 * 14], first[2 * 9 * 14]]).toEqual(rgb.slice(0, 3));
    expect(read([1, null, null, 3], { size: [9, 14] })[0].get('image')!.shape).toEqual([1, 9, 14, 3]);
    const grey = values(read([1, 9, 14, 1])[0]);
    expect(grey[0]).toBeCloseTo(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], 3);
    expect(values(read([1, 9, 14, 3], { mean: 100 }, 'uint8')[0])).toEqual(
      rgb.map((v) => Math.max(0, v - 100)),
    );
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'no settings',
      () => readSamples([signature([1, 8, 8, 3])], { data: root }),
      /nothing says how they become/,
    ],
    ['an input of another kind', () => read([1, 10]), /takes no images of 1 or 3 channels/],
    ['a size that is not known', () => read([1, null, null, 3]), /of a known size/],
    ['another size than the input has', () => read([1, 8, 8, 3], { size: [4, 4] }), /of a known size/],
    ['an input that is not there', () => read([1, 8, 8, 3], { input: 'other' }), /has no input "other"/],
    [
      'settings of other channels',
      () => read([1, 8, 8, 3], { mean: [1, 2] }),
      /has 2 channels, input "image" 3/,
    ],
    [
      'several inputs',
      () =>
        readSamples(
          [
            {
              ...signature([1, 8, 8, 3]),
              inputs: ['a', 'b'].flatMap((n) => signature([1, 8, 8, 3], undefined, n).inputs),
            },
          ],
          { data: root, images: PLAIN },
        ),
      /feeds one input, the model has 2: "a", "b"/,
    ],
    [
      'a folder without any',
      () => readSamples([signature([1, 8, 8, 3])], { data: FIXTURES.replace('fixtures', ''), limit: 0 }),
      /nothing says how/,
    ],
  ])('tells of %s', (_name, f, message) => {
    expect(problem(f)).toMatchObject([
      { code: 'V003', severity: 'error', message: expect.stringMatching(message) },
    ]);
  });

  it('refuses what is no image, and one that claims to be huge, before it is decoded', () => {
    writeFileSync(join(root, 'c.png'), 'text');
    expect(problem(() => read([1, 8, 8, 3]))[0].message).toMatch(/c\.png is neither a PNG nor a JPEG file/);
    const bytes = Buffer.from(readFileSync(join(FIXTURES, 'colour.png')));
    bytes.writeUInt32BE(1 << 20, 16);
    bytes.writeUInt32BE(1 << 20, 20);
    writeFileSync(join(root, 'c.png'), bytes);
    expect(problem(() => read([1, 8, 8, 3]))[0].message).toMatch(/cannot be decoded: it claims 1048576/);
    writeFileSync(join(root, 'c.png'), readFileSync(join(FIXTURES, 'colour.png')).subarray(0, 60));
    expect(problem(() => read([1, 8, 8, 3]))[0].message).toMatch(/cannot be decoded/);
  });
});
