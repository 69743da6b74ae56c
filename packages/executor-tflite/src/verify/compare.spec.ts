import { Tensor } from '@floe/export-core';
import { Comparison } from './compare';

const f32 = (...numbers: number[]) => Tensor.fromNumbers('float32', [numbers.length], numbers);

function compare(got: Tensor, reference: Tensor, tolerance = 1e-4): Comparison {
  const comparison = new Comparison(tolerance);
  expect(comparison.add(got, reference)).toBeUndefined();
  return comparison;
}

describe('Comparison', () => {
  it('measures', () => {
    const { figures } = { figures: compare(f32(1, 2.5, -3), f32(1, 2, -3)).figures() };
    expect(figures).toMatchObject({ elements: 3, outside: 1, maxAbsoluteError: 0.5, maxRelativeError: 0.25 });
    expect(figures.cosine).toBeCloseTo((1 + 5 + 9) / Math.sqrt((1 + 6.25 + 9) * 14), 12);
    expect(figures.sqnr).toBeCloseTo(10 * Math.log10(14 / 0.25), 12);
  });

  it('counts rows of scores whose largest stays the same', () => {
    const scores = (rows: number[][]) => Tensor.fromNumbers('float32', [rows.length, 3], rows.flat());
    const reference = scores([
      [1, 2, 3],
      [3, 2, 1],
    ]);
    const got = scores([
      [1, 2.9, 2.8],
      [2.5, 2, 1],
    ]);
    expect(compare(got, reference).figures().top1).toBe(0.5);
    expect(compare(f32(1, 2), f32(1, 2)).figures().top1).toBeUndefined();
  });

  it('allows small elements an error beside large ones', () => {
    // 1e-4/10 · 100 = 1e-3 for the small one; 1e-2 and 1e-3 for the large one.
    expect(compare(f32(100.01, 0.0009), f32(100, 0)).agrees).toBe(true);
    expect(compare(f32(100, 0.0011), f32(100, 0)).agrees).toBe(false);
    expect(compare(f32(0.0009), f32(0)).agrees).toBe(false);
    expect(compare(f32(0.000009), f32(0)).agrees).toBe(true);
  });

  it('lets NaN agree with NaN alone, and infinities with their like', () => {
    expect(compare(f32(NaN, Infinity), f32(NaN, Infinity)).agrees).toBe(true);
    for (const [a, b] of [
      [NaN, 1],
      [1, NaN],
      [Infinity, -Infinity],
      [1, Infinity],
    ]) {
      const comparison = compare(f32(a), f32(b));
      expect(comparison.agrees).toBe(false);
      expect(comparison.figures().finiteMismatches).toBe(1);
    }
  });

  it('wants integers, truth values and strings to be equal', () => {
    const ints = (n: bigint) => Tensor.fromNumbers('int64', [1], [n]);
    expect(compare(ints(2n ** 60n), ints(2n ** 60n)).agrees).toBe(true);
    expect(compare(ints(2n ** 60n), ints(2n ** 60n + 1n)).agrees).toBe(false);
    const text = (s: string) => Tensor.fromStrings([1], [Buffer.from(s)]);
    expect(compare(text('a'), text('a')).agrees).toBe(true);
    expect(compare(text('a'), text('b')).agrees).toBe(false);
  });

  it('adds samples up', () => {
    const comparison = new Comparison(1e-4);
    comparison.add(f32(1), f32(1));
    comparison.add(f32(3), f32(2));
    expect(comparison.figures()).toMatchObject({ elements: 2, outside: 1, maxAbsoluteError: 1 });
  });

  it('says what is different about the form', () => {
    const comparison = new Comparison(1e-4);
    expect(comparison.add(f32(1), Tensor.fromNumbers('int32', [1], [1]))).toBe(
      'it is float32 instead of int32',
    );
    expect(comparison.add(f32(1, 2), f32(1))).toBe('its shape is [2] instead of [1]');
  });

  it('stays finite for zeros', () => {
    expect(compare(f32(0), f32(0)).figures()).toMatchObject({ cosine: 1, sqnr: null });
    expect(compare(f32(1), f32(0)).figures()).toMatchObject({ cosine: 0, sqnr: -300 });
  });

  it('widens float16', () => {
    const half = Tensor.fromNumbers('float16', [1], [1.5]);
    expect(compare(half, half).figures().maxAbsoluteError).toBe(0);
    expect(compare(half, Tensor.fromNumbers('float16', [1], [1])).figures().maxAbsoluteError).toBe(0.5);
  });
});
