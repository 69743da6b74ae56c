import { SeededRandom } from './seeded-random';

describe('SeededRandom', () => {
  it('is the same everywhere', () => {
    const random = new SeededRandom(1);
    // Fixed: samples, and so reports, depend on them.
    expect([random.bits(), random.bits(), random.bits()]).toEqual([2527132011, 314344336, 2535364964]);
  });

  it('gives names streams of their own', () => {
    const draw = (name: string) => SeededRandom.named(name).bits();
    expect(draw('a')).toBe(draw('a'));
    expect(new Set(['a', 'b', 'a/b', 'b/a', ''].map(draw)).size).toBe(5);
  });

  it('stays inside its bounds and fills them evenly', () => {
    const random = new SeededRandom(7);
    const draws = Array.from({ length: 20000 }, () => random.between(-2, 3));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...draws)).toBeLessThan(3);
    expect(draws.reduce((a, b) => a + b) / draws.length).toBeCloseTo(0.5, 1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20000; i++) counts[random.integer(0, 3)]++;
    for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(300);
  });
});
