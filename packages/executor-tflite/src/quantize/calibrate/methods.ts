/** How a range is taken from what was measured. */
import type { Variant } from '@floe/export-core';
import type { Range } from '../affine';
import { binRange, type Histogram, type Statistics } from './statistics';

export type Method = NonNullable<Variant['calibration']>['method'];

/** Share of values cut off at each end (TensorFlow's default for its percentile method: 0.001 %). */
const CUT_OFF = 1e-5;
/** Ranges tried by `mse`, from the whole range down. */
const STEPS = 100;
const SMALLEST = 0.2;
/** Levels of int8. What is held in 16 bits takes the whole range (`ranges.ts`). */
const LEVELS = 255;

/** The range by a method; what has no histogram gets its extremes. */
export function rangeBy(method: Method, statistics: Statistics): Range {
  const histogram = statistics.histogram();
  switch (method) {
    case 'moving-average':
      return { min: statistics.averageMin, max: statistics.averageMax };
    case 'percentile':
      return histogram ? percentileRange(histogram, statistics.range) : statistics.range;
    case 'mse':
      return histogram ? leastErrorRange(histogram, statistics.range) : statistics.range;
    default:
      return statistics.range;
  }
}

function percentileRange(histogram: Histogram, { min, max }: Range): Range {
  const total = histogram.counts.reduce((a, b) => a + b, 0);
  const at = (share: number): number => {
    let left = share * total;
    for (const [i, n] of histogram.counts.entries()) {
      const { min: low, max: high } = binRange(histogram, i);
      if (left <= n && n > 0) return low + (high - low) * (left / n);
      left -= n;
    }
    return max;
  };
  return { min: Math.max(min, at(CUT_OFF)), max: Math.min(max, at(1 - CUT_OFF)) };
}

/** The range, of those that shrink towards zero, with the least mean square error: what is cut off, and rounding. */
function leastErrorRange(histogram: Histogram, { min, max }: Range): Range {
  let best = { min, max };
  let least = Infinity;
  for (let step = 0; step <= STEPS; step++) {
    const factor = 1 - (step / STEPS) * (1 - SMALLEST);
    const range = { min: min * factor, max: max * factor };
    const error = squaredError(histogram, range);
    if (error < least) [best, least] = [range, error];
  }
  return best;
}

function squaredError(histogram: Histogram, { min, max }: Range): number {
  const rounding = ((Math.max(max, 0) - Math.min(min, 0)) / LEVELS) ** 2 / 12;
  return histogram.counts.reduce((sum, n, i) => {
    if (n === 0) return sum;
    const { min: low, max: high } = binRange(histogram, i);
    const value = (low + high) / 2;
    const cut = value < min ? min - value : value > max ? value - max : 0;
    return sum + n * (cut ** 2 + rounding);
  }, 0);
}
