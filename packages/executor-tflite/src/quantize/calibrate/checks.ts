/** Warnings about measured values: what makes a quantised model bad, found before it is made. */
import type { Diagnostics } from '@floe/export-core';
import type { TfliteTensor } from '../../tflite/model';
import type { Statistics } from './statistics';

/** A tensor with this share of its values at the ends of its range is saturated. */
const SATURATED = 0.95;
/** Bins between the two ends; with fewer, most values are always at an end. */
const MIN_BINS = 8;
/** Tensors that a message names. */
const NAMED = 3;

/** Adds a warning for each kind of trouble, naming the first tensors. */
export function checkStatistics(
  statistics: ReadonlyMap<TfliteTensor, Statistics>,
  diagnostics: Diagnostics,
): void {
  const kinds: { what: string; hint: string; is(s: Statistics, t: TfliteTensor): boolean }[] = [
    {
      what: 'hold values that are not finite (NaN or infinite)',
      hint: 'what computes them stays in float; look for a division by zero, or for data out of range',
      is: (s) => s.notFinite > 0,
    },
    {
      what: 'are the same in every sample',
      hint: 'if the samples are all alike, give ones that differ',
      is: (s, t) => s.notFinite === 0 && s.min === s.max && t.elements > 1,
    },
    {
      what: 'are saturated: nearly all values are at the ends of the range',
      hint: 'check that the samples are scaled as in training (0…1, -1…1, 0…255)',
      is: (s) => s.notFinite === 0 && s.min < s.max && isSaturated(s),
    },
  ];
  for (const { what, hint, is } of kinds) {
    const names = [...statistics].filter(([t, s]) => is(s, t)).map(([t]) => t.name);
    if (!names.length) continue;
    diagnostics.warning('Q004', `${listed(names)} ${what}`, { hint, node: names[0] });
  }
}

/** Names of tensors for a message: the first, and how many more. */
export function listed(names: readonly string[]): string {
  const first = names.slice(0, NAMED).map((n) => `"${n}"`);
  return first.join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
}

function isSaturated(statistics: Statistics): boolean {
  const histogram = statistics.histogram();
  if (!histogram || histogram.counts.length < MIN_BINS) return false;
  const { counts } = histogram;
  // Where all values are one sign, zero is the end that does not count: that is what a ReLU gives.
  const low = statistics.min < 0 ? counts[0] : 0;
  const high = statistics.max > 0 ? counts[counts.length - 1] : 0;
  return (low + high) / statistics.count >= SATURATED;
}
