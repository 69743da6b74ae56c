/** Identities and tabulated values that the fixtures' points do not cover. */
import fc from 'fast-check';
import { digamma, erf, erfc, erfinv, lgamma, ndtri } from './special';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

test('erf and erfc add up to 1, on both sides of where their formulas change', () => {
  fc.assert(
    fc.property(number(-6, 6), (x) => {
      expect(erf(x) + erfc(x)).toBeCloseTo(1, 14);
      expect(erf(-x)).toBe(-erf(x));
    }),
  );
});

test('erfc keeps its relative precision far out', () => {
  expect(erfc(5) / 1.5374597944280349e-12).toBeCloseTo(1, 13);
  expect(erfc(20) / 5.395865611607901e-176).toBeCloseTo(1, 12);
});

test('erfinv undoes erf', () => {
  fc.assert(fc.property(number(-3, 3), (x) => expect(erfinv(erf(x))).toBeCloseTo(x, 9)));
  expect([erfinv(1), erfinv(-1), erfinv(1.1)]).toEqual([Infinity, -Infinity, NaN]);
});

test('ndtri of small probabilities', () => {
  expect(ndtri(1e-10)).toBeCloseTo(-6.361340902404056, 10);
  expect(ndtri(0.5)).toBeCloseTo(0, 15);
});

test('the gamma function: recurrence and reflection', () => {
  fc.assert(
    fc.property(number(0.01, 60), (x) => {
      expect(lgamma(x + 1) - lgamma(x)).toBeCloseTo(Math.log(x), 11);
      expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 10);
    }),
  );
  expect(lgamma(-0.5)).toBeCloseTo(1.2655121234846454, 13);
  expect(lgamma(10)).toBeCloseTo(Math.log(362880), 12);
});
