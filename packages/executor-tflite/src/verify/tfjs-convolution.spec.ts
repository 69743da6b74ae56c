import * as core from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { replaceConvolution } from './tfjs-convolution';
import { SeededRandom } from './seeded-random';

type Padding = 'same' | 'valid' | core.backend_util.ExplicitPadding;

interface Case {
  batch: number;
  size: [number, number];
  window: [number, number];
  channels: number;
  filters: number;
  stride: number;
  dilation: number;
  padding: Padding;
}

const natural = (max: number) => fc.integer({ min: 1, max });
const cases: fc.Arbitrary<Case> = fc.record({
  batch: natural(2),
  size: fc.tuple(fc.integer({ min: 5, max: 11 }), fc.integer({ min: 5, max: 11 })),
  window: fc.tuple(natural(3), natural(3)),
  channels: natural(5),
  filters: natural(9),
  stride: natural(2),
  dilation: natural(2),
  padding: fc.constantFrom<Padding>('same', 'valid', [
    [0, 0],
    [1, 2],
    [2, 0],
    [0, 0],
  ]),
});

function convolved({
  batch,
  size,
  window,
  channels,
  filters,
  stride,
  dilation,
  padding,
}: Case): Float32Array {
  const random = SeededRandom.named('convolution');
  const values = (...shape: [number, number, number, number]) =>
    core.tensor4d(
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => random.between(-1, 1)),
      shape,
    );
  const [x, filter] = [values(batch, ...size, channels), values(...window, channels, filters)];
  // One of them has to be 1.
  const strides = dilation > 1 ? 1 : stride;
  return core.conv2d(x, filter, strides, padding, 'NHWC', dilation).dataSync() as Float32Array;
}

it('gives what the backend’s own convolution gives', async () => {
  // Without it, the first use advises to install another backend.
  core.env().set('PROD', true);
  await core.setBackend('cpu');
  const samples = fc.sample(cases, { numRuns: 60, seed: 1 });
  const expected = samples.map(convolved);
  const former = core.getKernel('Conv2D', 'cpu').kernelFunc;
  replaceConvolution(core);
  expect(core.getKernel('Conv2D', 'cpu').kernelFunc).not.toBe(former);
  samples.forEach((sample, i) => {
    const actual = convolved(sample);
    expect(actual).toHaveLength(expected[i].length);
    expect(Math.max(...actual.map((v, j) => Math.abs(v - expected[i][j])))).toBeLessThan(1e-5);
  });
});
