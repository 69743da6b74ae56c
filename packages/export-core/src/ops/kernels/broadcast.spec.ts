import fc from 'fast-check';
import { elementCount, stridesOf } from '../../tensor/shape';
import { broadcastIndices, broadcastOf, broadcastRuns, expand, stridedRuns } from './broadcast';

/** A shape, and one that broadcasts to it. */
const pair = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean()), { maxLength: 5 })
  .chain((dims) => fc.tuple(fc.constant(dims), fc.integer({ min: 0, max: dims.length })))
  .map(([dims, cut]) => ({
    to: dims.map(([n]) => n),
    from: dims.slice(cut).map(([n, one]) => (one ? 1 : n)),
  }));

/** The same by division, element by element. */
function naive(from: readonly number[], to: readonly number[]): number[] {
  const [own, other] = [stridesOf(from), stridesOf(to)];
  return Array.from({ length: elementCount(to) }, (_, i) =>
    from.reduce((sum, n, d) => {
      const axis = d + to.length - from.length;
      const at = Math.floor(i / other[axis]) % to[axis];
      return sum + (n === 1 ? 0 : at * own[d]);
    }, 0),
  );
}

test('broadcast indices are those found by division', () => {
  fc.assert(
    fc.property(pair, ({ from, to }) => {
      expect([...broadcastIndices(from, to)]).toEqual(naive(from, to));
    }),
  );
});

test('runs visit every element once, in order, with all operands in step', () => {
  fc.assert(
    fc.property(pair, ({ from, to }) => {
      const seen: number[] = [];
      broadcastRuns([to, from], to, (at, length, [own, other], [p, q]) => {
        expect(at).toBe(seen.length / 2);
        for (let i = 0; i < length; i++) seen.push(own + i * p, other + i * q);
      });
      const want = naive(from, to);
      expect(seen).toEqual(want.flatMap((index, i) => [i, index]));
    }),
  );
});

test('same shapes are one run', () => {
  const visit = jest.fn();
  broadcastRuns(
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    [2, 3, 4],
    visit,
  );
  expect(visit).toHaveBeenCalledTimes(1);
});

test('strides need not be those of a broadcast', () => {
  const seen: number[] = [];
  stridedRuns([3, 2], [[1, 3]], (_, length, [offset], [step]) => {
    for (let i = 0; i < length; i++) seen.push(offset + i * step);
  });
  expect(seen).toEqual([0, 3, 1, 4, 2, 5]);
});

test('expanding copies elements of one or two entries', () => {
  expect([...expand(Int32Array.of(1, 2), [2, 1], [2, 3])]).toEqual([1, 1, 1, 2, 2, 2]);
  expect([...expand(Float32Array.of(1, 2), [], [2], 2)]).toEqual([1, 2, 1, 2]);
  const whole = Int32Array.of(1, 2);
  expect(expand(whole, [2], [1, 2])).toBe(whole);
});

test('the common shape', () => {
  expect(broadcastOf([2, 1], [3], [])).toEqual([2, 3]);
  expect(broadcastOf([0], [1])).toEqual([0]);
  expect(() => broadcastOf([2], [3])).toThrow(RangeError);
});
