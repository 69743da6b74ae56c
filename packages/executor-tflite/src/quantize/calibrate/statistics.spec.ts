import fc from 'fast-check';
import { rangeBy } from './methods';
import { binRange, Statistics } from './statistics';

const statisticsOf = (...samples: number[][]): Statistics => {
  const statistics = new Statistics();
  for (const sample of samples) statistics.add(Float32Array.from(sample));
  return statistics;
};

const values = fc.array(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
  {
    minLength: 1,
    maxLength: 50,
  },
);

it('the histogram counts every value, in its bin, whatever the order of samples', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const forward = statisticsOf(a, b);
      const histogram = forward.histogram()!;
      expect(statisticsOf(b, a).histogram()).toEqual(histogram);
      expect(histogram.counts.reduce((x, y) => x + y, 0)).toBe(a.length + b.length);
      const last = histogram.counts.length - 1;
      // Next to an edge, rounding decides.
      const slack = 1e-9 * histogram.limit;
      expect(binRange(histogram, 0).min).toBeLessThanOrEqual(forward.min + slack);
      expect(binRange(histogram, 0).max).toBeGreaterThan(forward.min - slack);
      expect(binRange(histogram, last).max).toBeGreaterThan(forward.max - slack);
    }),
  );
});

it('values that are not finite are counted apart', () => {
  const statistics = statisticsOf([1, NaN, -2, Infinity], [NaN]);
  expect(statistics).toMatchObject({ min: -2, max: 1, count: 2, notFinite: 3, samples: 1 });
});

it('every method stays within what was seen', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const statistics = statisticsOf(a, b);
      for (const method of ['minmax', 'moving-average', 'percentile', 'mse'] as const) {
        const { min, max } = rangeBy(method, statistics);
        const slack = 1e-6 * Math.max(Math.abs(statistics.min), Math.abs(statistics.max));
        expect(Math.min(min, 0)).toBeGreaterThanOrEqual(Math.min(statistics.min, 0) - slack);
        expect(Math.max(max, 0)).toBeLessThanOrEqual(Math.max(statistics.max, 0) + slack);
      }
    }),
  );
});

describe('one value far out', () => {
  const sample = Array.from({ length: 300_000 }, (_, i) => (i % 1000) / 1000);
  const statistics = statisticsOf([...sample, 100]);
  it('is kept by minmax', () => expect(rangeBy('minmax', statistics).max).toBe(100));
  it('is cut off by percentile', () => expect(rangeBy('percentile', statistics).max).toBeLessThan(2));
  it('is cut off by mse where that costs less than the rounding of all others', () =>
    expect(rangeBy('mse', statistics).max).toBeLessThan(80));
});

it('moving-average follows the samples', () => {
  const { min, max } = rangeBy('moving-average', statisticsOf([-1, 1], [-1, 11]));
  expect(min).toBe(-1);
  expect(max).toBeCloseTo(2);
});

it('means are of channels, which take turns', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 11 }), (channels, rows) => {
      const statistics = new Statistics(channels);
      // Row r of channel c in sample s: each mean is known.
      for (const sample of [0, 10])
        statistics.add(
          Float32Array.from(
            { length: rows * channels },
            (_, i) => 100 * (i % channels) + sample + (i < channels ? rows : 0),
          ),
        );
      expect(statistics.means()).toEqual(Array.from({ length: channels }, (_, c) => 100 * c + 6));
    }),
  );
  expect(statisticsOf([1, 2]).means()).toBeUndefined();
});
