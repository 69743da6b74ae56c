import fc from 'fast-check';
import { canonicalJson } from './canonical';

/** The same value with its keys in reverse order, and undefined members added. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries([...entries.map(([k, v]) => [k, shuffled(v)]), ['\u0000absent', undefined]]);
}

describe('canonicalJson', () => {
  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order of keys or on undefined members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => canonicalJson(shuffled(value)) === canonicalJson(value)),
    );
  });

  it('is different for different values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalJson(a) === canonicalJson(b);
        expect(same).toBe(
          canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(JSON.parse(JSON.stringify(b))),
        );
        if (same) expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)));
      }),
    );
  });

  it('writes the odd ones in one way', () => {
    expect(canonicalJson({ b: -0, a: [null, '\u2028', 1e21, 0.1], c: undefined })).toBe(
      '{"a":[null,"\u2028",1e+21,0.1],"b":0}',
    );
  });

  it('refuses what JSON cannot say', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const odd = [
      NaN,
      Infinity,
      undefined,
      [undefined],
      new Array(2),
      1n,
      () => 0,
      Symbol('x'),
      new Date(0),
      new Map(),
      cycle,
    ];
    for (const value of odd) expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
