import fc from 'fast-check';
import {
  activationParams,
  biasParams,
  dequantizeValues,
  fitBias,
  INTEGER_TYPES,
  perTensor,
  quantizeValues,
  rangeOf,
  weightParams,
} from './affine';

const finite = (limit = 1e6) => fc.double({ min: -limit, max: limit, noNaN: true }).map(Math.fround);
const range = fc.tuple(finite(), finite()).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const activationType = fc.constantFrom('INT8', 'INT16', 'UINT8');

const elementsOf = (bytes: Uint8Array, type: string): number[] => {
  switch (type) {
    case 'INT8':
      return [...new Int8Array(bytes.buffer)];
    case 'INT16':
      return [...new Int16Array(bytes.buffer)];
    case 'INT32':
      return [...new Int32Array(bytes.buffer)];
    case 'INT64':
      return [...new BigInt64Array(bytes.buffer)].map(Number);
    default:
      return [...bytes];
  }
};

describe('activations', () => {
  it('have a positive float32 scale and a zero point that the type holds', () => {
    fc.assert(
      fc.property(range, activationType, (r, type) => {
        const { scale, zeroPoint } = activationParams(r, type);
        const { min, max } = INTEGER_TYPES[type];
        expect(scale[0]).toBeGreaterThan(0);
        expect(Math.fround(scale[0])).toBe(scale[0]);
        expect(Number.isInteger(zeroPoint[0]) && zeroPoint[0] >= min && zeroPoint[0] <= max).toBe(true);
        if (type === 'INT16') expect(zeroPoint[0]).toBe(0);
      }),
    );
  });

  it('represent zero exactly', () => {
    fc.assert(
      fc.property(range, activationType, (r, type) => {
        const params = activationParams(r, type);
        const q = elementsOf(quantizeValues([0], [1], params, type), type);
        expect(Math.abs(dequantizeValues(q, [1], params)[0])).toBe(0);
      }),
    );
  });

  it('come back within half a step when they are in range', () => {
    fc.assert(
      fc.property(
        range,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        activationType,
        (r, at, type) => {
          const params = activationParams(r, type);
          const values = at.map((t) => Math.fround(r.min + t * (r.max - r.min)));
          const back = dequantizeValues(
            elementsOf(quantizeValues(values, [values.length], params, type), type),
            [values.length],
            params,
          );
          // The zero point is rounded too, which moves the ends by up to half a step.
          const held = rangeOf(params, type);
          values.forEach((v, i) => {
            const cut = Math.max(held.min, Math.min(held.max, v));
            expect(Math.abs(v - cut)).toBeLessThanOrEqual(params.scale[0] * 0.5001);
            expect(Math.abs(back[i] - cut)).toBeLessThanOrEqual(
              params.scale[0] * 0.5001 + Math.abs(v) * 1e-6,
            );
          });
        },
      ),
    );
  });

  it('saturate beyond their range, and NaN becomes zero', () => {
    const params = perTensor(0.5, 3);
    const bytes = quantizeValues([1e9, -1e9, NaN, Infinity, -Infinity], [5], params, 'INT8');
    expect(elementsOf(bytes, 'INT8')).toEqual([127, -128, 3, 127, -128]);
  });

  it('round half away from zero', () => {
    // The largest number below a half is no half, though with a half added it gives 1.
    const values = [0.5, -0.5, 1.5, -1.5, 2.4, 0.49999999999999994, -0.49999999999999994];
    const bytes = quantizeValues(values, [values.length], perTensor(1, 0), 'INT8');
    expect(elementsOf(bytes, 'INT8')).toEqual([1, -1, 2, -2, 2, 0, 0]);
  });

  it('are the nearest whole number', () => {
    const round = (x: number) => Math.sign(x) * Math.round(Math.abs(x));
    const values = fc.array(
      fc.oneof(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.integer().map((n) => n / 2),
      ),
    );
    fc.assert(
      fc.property(values, (list) => {
        const clamped = list.map((v) => Math.min(2 ** 30, Math.max(-(2 ** 30), v)));
        const bytes = quantizeValues(clamped, [clamped.length], perTensor(1, 0), 'INT32');
        expect(elementsOf(bytes, 'INT32').map((v) => v + 0)).toEqual(clamped.map((v) => round(v) + 0));
      }),
    );
  });
});

describe('weights', () => {
  it('are symmetric, leave out the lowest value, and come back within half a step', () => {
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 }))
      .chain(([a, b, axis]) =>
        fc.tuple(
          fc.constant([a, b, 2]),
          fc.constant(axis),
          fc.array(finite(100), { minLength: 2 * a * b, maxLength: 2 * a * b }),
        ),
      );
    fc.assert(
      fc.property(matrix, ([shape, axis, list]) => {
        const values = Float32Array.from(list);
        const params = weightParams(values, shape, axis);
        expect(params.scale).toHaveLength(shape[axis]);
        expect(params.zeroPoint.every((z) => z === 0)).toBe(true);
        const q = elementsOf(quantizeValues(values, shape, params, 'INT8'), 'INT8');
        expect(q.every((v) => v >= -127)).toBe(true);
        const back = dequantizeValues(q, shape, params);
        const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
        values.forEach((v, i) => {
          const scale = params.scale[Math.floor(i / inner) % shape[axis]];
          expect(Math.abs(back[i] - v)).toBeLessThanOrEqual(scale * 0.5001);
        });
      }),
    );
  });

  it('that stand on steps keep them, whatever their largest value is', () => {
    const steps = fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 3, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.double({ min: 1e-4, max: 10, noNaN: true }), (list, step) => {
        const values = Float32Array.from(list, (q) => q * Math.fround(step));
        const params = weightParams(values, [values.length], undefined);
        const back = dequantizeValues(
          elementsOf(quantizeValues(values, [values.length], params, 'INT8'), 'INT8'),
          [values.length],
          params,
        );
        values.forEach((v, i) => expect(Math.abs(back[i] - v)).toBeLessThanOrEqual(1e-5 * step * 127));
      }),
    );
  });

  it('give a channel of zeros the scale of the others', () => {
    const { scale } = weightParams(Float32Array.of(0, 0, 127, -12.7), [2, 2], 0);
    expect(scale[0]).toBeCloseTo(1);
    expect(weightParams(new Float32Array(4), [2, 2], 0).scale.every((s) => s > 0)).toBe(true);
  });

  it('are packed two in a byte as int4', () => {
    expect([...quantizeValues([1, -1, 7], [3], perTensor(1, 0), 'INT4')]).toEqual([0xf1, 0x07]);
  });
});

describe('biases', () => {
  it('always fit their type: where they would not, the weights get a coarser scale', () => {
    fc.assert(
      fc.property(
        fc.array(finite(1e9), { minLength: 3, maxLength: 3 }),
        fc.double({ min: 1e-12, max: 10, noNaN: true }).map(Math.fround),
        fc.constantFrom('INT32', 'INT64'),
        (list, inputScale, type) => {
          fc.pre(inputScale > 0);
          const bias = Float32Array.from(list);
          const weights = weightParams(Float32Array.of(1e-9, 1, 5), [3, 1], 0);
          const fitted = fitBias(bias, inputScale, weights, type);
          const params = biasParams(inputScale, fitted);
          const q = elementsOf(quantizeValues(bias, [3], params, type), type);
          q.forEach((v, i) => {
            expect(Math.abs(v)).toBeLessThan(INTEGER_TYPES[type].max / 1.9);
            expect(Math.abs(v * params.scale[i] - bias[i])).toBeLessThanOrEqual(
              Math.max(params.scale[i] * 0.51, Math.abs(bias[i]) * 1e-5),
            );
          });
        },
      ),
    );
  });

  it('leave the weights alone where they fit', () => {
    const weights = weightParams(Float32Array.of(1, 2), [2, 1], 0);
    expect(fitBias(Float32Array.of(0.1, -0.1), 0.02, weights, 'INT32')).toEqual(weights);
  });
});
