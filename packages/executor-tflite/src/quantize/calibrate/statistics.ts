/**
 * What is kept of a tensor's values: smallest, largest, and a histogram.
 *
 * The histogram's bins divide [-limit, limit), where the limit is the power of two above the largest magnitude. When a
 * larger value comes, the limit doubles and bins merge in pairs: so the result does not depend on the order of values.
 */
import type { TfliteTensor } from '../../tflite/model';
import type { Range } from '../affine';

const BINS = 1024;
/** Values below it are as good as zero: the limit starts there. */
const MIN_EXPONENT = -60;

export interface Histogram {
  /** Bins divide [-limit, limit). */
  limit: number;
  /** Index of the first bin that is listed; those before it and after the last are empty. */
  first: number;
  bins: number;
  counts: number[];
}

/** A running mean of each sample's extremes gives the newest this weight. */
const MOVING_WEIGHT = 0.1;

export class Statistics {
  min = Infinity;
  max = -Infinity;
  /** Running means of the samples' extremes. */
  averageMin = 0;
  averageMax = 0;
  samples = 0;
  /** Finite values seen. */
  count = 0;
  notFinite = 0;
  private limit = 0;
  private counts = new Float64Array(BINS);
  private readonly sums: Float64Array;
  /** How many values each sum is of. */
  private summed = 0;

  /** @param channels whose means are wanted: value i is of channel i mod their number; 0: no means are */
  constructor(readonly channels = 0) {
    this.sums = new Float64Array(channels);
  }

  /** Takes in the values of one sample. */
  add(values: Float32Array): void {
    const extremes = extremesOf(values);
    const finite = extremes ? values : values.filter(isFinite);
    const { min, max } = extremes ?? extremesOf(finite)!;
    this.notFinite += values.length - finite.length;
    if (finite.length === 0) return;
    this.addExtremes(min, max);
    this.addToSums(values);
    this.count += finite.length;
    this.raiseLimit(Math.max(-min, max));
    // A power of two: the product is exact, so that a value's bin is the same before and after bins merge.
    addToBins(finite, BINS / 2 / this.limit, this.counts);
  }

  /** Takes in a sample of which only the extremes are known. */
  addExtremes(min: number, max: number): void {
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
    const weight = this.samples === 0 ? 1 : MOVING_WEIGHT;
    this.averageMin += weight * (min - this.averageMin);
    this.averageMax += weight * (max - this.averageMax);
    this.samples++;
  }

  private addToSums(values: Float32Array): void {
    const { sums, channels } = this;
    if (channels === 0 || values.length % channels !== 0) return;
    const together = 4 * channels;
    const whole = values.length - (values.length % together);
    // Four at a time: writing to memory is what takes long.
    for (let i = 0; i < whole; i += together)
      for (let c = 0, at = i; c < channels; c++, at++)
        sums[c] += values[at] + values[at + channels] + values[at + 2 * channels] + values[at + 3 * channels];
    for (let i = whole; i < values.length; i++) sums[i % channels] += values[i];
    this.summed += values.length / channels;
  }

  /** Mean of each channel, to six digits; undefined where they were not wanted or are not known. */
  means(): number[] | undefined {
    if (this.summed === 0) return undefined;
    return Array.from(this.sums, (sum) => Number((sum / this.summed).toPrecision(6)));
  }

  private raiseLimit(magnitude: number): void {
    if (!this.limit) this.limit = 2 ** MIN_EXPONENT;
    if (magnitude < this.limit) return;
    const wanted = 2 ** (Math.floor(Math.log2(magnitude)) + 1);
    // The logarithm is rounded: a power of two may come out one step off.
    const limit = wanted > magnitude ? wanted : wanted * 2;
    if (this.count === 0 || this.counts.every((n) => n === 0)) this.limit = limit;
    while (this.limit < limit) {
      const merged = new Float64Array(BINS);
      for (let i = 0; i < BINS; i++) merged[BINS / 4 + (i >> 1)] += this.counts[i];
      this.counts = merged;
      this.limit *= 2;
    }
  }

  get range(): Range {
    return { min: this.min, max: this.max };
  }

  /** Undefined where only extremes are known. */
  histogram(): Histogram | undefined {
    const first = this.counts.findIndex((n) => n > 0);
    if (first < 0) return undefined;
    const last = this.counts.findLastIndex((n) => n > 0);
    return {
      limit: this.limit,
      first,
      bins: BINS,
      counts: Array.from(this.counts.subarray(first, last + 1)),
    };
  }
}

const isFinite = (v: number): boolean => v - v === 0;

/** Smallest and largest of values; undefined where one of them is not finite. */
function extremesOf(values: Float32Array): Range | undefined {
  let min = Infinity;
  let max = -Infinity;
  // 0 for finite values, NaN once there is another.
  let differences = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    differences += v - v;
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return differences === 0 ? { min, max } : undefined;
}

/** Tables that values take in turn: counting one need not wait for the one before it, often of the same bin. */
const turns = new Uint32Array(4 * BINS);

function addToBins(values: Float32Array, factor: number, counts: Float64Array): void {
  turns.fill(0);
  const whole = values.length & ~3;
  const bin = (i: number): number => (Math.floor(values[i] * factor) | 0) + BINS / 2;
  for (let i = 0; i < whole; i += 4) {
    turns[bin(i)]++;
    turns[bin(i + 1) + BINS]++;
    turns[bin(i + 2) + 2 * BINS]++;
    turns[bin(i + 3) + 3 * BINS]++;
  }
  for (let i = whole; i < values.length; i++) turns[bin(i)]++;
  for (let i = 0; i < turns.length; i++) counts[i % BINS] += turns[i];
}

export class StatisticsByTensor extends Map<TfliteTensor, Statistics> {
  /** @param channels of tensors whose means are wanted, how many */
  constructor(readonly channels: ReadonlyMap<TfliteTensor, number>) {
    super();
  }

  /** The statistics of a tensor, new ones for one that is not there yet. */
  of(tensor: TfliteTensor): Statistics {
    let known = this.get(tensor);
    if (!known) this.set(tensor, (known = new Statistics(this.channels.get(tensor))));
    return known;
  }
}

/** The edges of a listed bin. */
export function binRange({ limit, first, bins }: Histogram, i: number): Range {
  const width = (2 * limit) / bins;
  const min = -limit + (first + i) * width;
  return { min, max: min + width };
}
