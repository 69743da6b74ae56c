import * as fc from 'fast-check';
import { Tensor } from '../tensor/tensor';
import { create } from './proto';
import { assembleSlices, isSliceKey, sliceOf, type Slice } from './slices';

function proto(...extents: [start: bigint, length?: bigint][]) {
  return create('TensorSliceProto', {
    extent: extents.map(([start, length]) => {
      const extent = create('TensorSliceExtent', { start });
      return length === undefined ? extent : Object.assign(extent, { length });
    }),
  });
}

describe('sliceOf', () => {
  it('codes keys as TensorFlow does', () => {
    // As in a checkpoint that TensorFlow wrote: 00, "layer/w" 00 01, rank 2, [0, 3) and [0, 4).
    expect(sliceOf('layer/w', [5, 4], proto([0n, 3n], [0n, 4n])).key.toString('hex')).toBe(
      '00' + Buffer.from('layer/w').toString('hex') + '0001' + '0102' + '8083' + '8084',
    );
    // No length: the whole dimension, coded as -1.
    const whole = sliceOf('v', [70000, 3], proto([64n, 65000n], [0n]));
    expect(whole.key.toString('hex')).toBe('00' + '76' + '0001' + '0102' + 'c040' + 'e0fde8' + '80' + '7f');
    expect(whole).toMatchObject({ start: [64, 0], shape: [65000, 3] });
    // A scalar has no extents; zero and ff bytes of a name are escaped.
    expect(sliceOf('a\0', [], proto()).key.toString('hex')).toBe('00' + '61' + '00ff' + '0001' + '00');
    expect(isSliceKey(whole.key)).toBe(true);
    expect(isSliceKey(Buffer.from('v'))).toBe(false);
  });

  it('codes numbers of all sizes in their order', () => {
    const size = 2n ** 53n - 1n;
    const key = (start: bigint) => sliceOf('v', [Number(size)], proto([start, 0n])).key;
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: size }), fc.bigInt({ min: 0n, max: size }), (a, b) => {
        expect(Math.sign(Buffer.compare(key(a), key(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
    for (const [n, hex] of [
      [63n, 'bf'],
      [64n, 'c040'],
      [8191n, 'dfff'],
      [8192n, 'e02000'],
      [2n ** 20n - 1n, 'efffff'],
      [2n ** 48n, 'ff01000000000000'],
    ] as const) {
      expect(key(n).toString('hex')).toBe('00' + '76' + '0001' + '0101' + hex + '80');
    }
  });

  it.each([
    ['beyond the end', [4], proto([2n, 3n])],
    ['before the start', [4], proto([-1n, 2n])],
    ['of another rank', [4, 4], proto([0n, 2n])],
    ['of negative length', [4], proto([3n, -2n])],
  ])('refuses a slice %s', (_, shape, slice) => {
    expect(() => sliceOf('v', shape, slice)).toThrow(RangeError);
  });
});

/** Cuts a tensor along every axis at the given places. */
function cut(tensor: Tensor, cuts: number[][]): { slice: Slice; tensor: Tensor }[] {
  const { shape } = tensor;
  let parts: { start: number[]; shape: number[] }[] = [{ start: [], shape: [] }];
  cuts.forEach((places, axis) => {
    const edges = [0, ...places, shape[axis]];
    parts = parts.flatMap((part) =>
      edges.slice(1).map((end, i) => ({
        start: [...part.start, edges[i]],
        shape: [...part.shape, end - edges[i]],
      })),
    );
  });
  return parts.map((part) => {
    const values: number[] = [];
    for (let i = 0; i < tensor.size; i++) {
      const at: number[] = [];
      for (let d = shape.length - 1, rest = i; d >= 0; d--) {
        at[d] = rest % shape[d];
        rest = Math.floor(rest / shape[d]);
      }
      if (at.every((x, d) => x >= part.start[d] && x < part.start[d] + part.shape[d]))
        values.push(tensor.at(i));
    }
    const slice = { ...part, key: Buffer.alloc(0) };
    return { slice, tensor: Tensor.fromNumbers('int32', part.shape, values) };
  });
}

describe('assembleSlices', () => {
  const cutTensor = fc
    .array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
    .chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.tuple(...shape.map((d) => fc.uniqueArray(fc.integer({ min: 1, max: d }), { maxLength: 2 }))),
      ),
    )
    .map(([shape, cuts]) => {
      const size = shape.reduce((n, d) => n * d, 1);
      const tensor = Tensor.fromNumbers(
        'int32',
        shape,
        Array.from({ length: size }, (_, i) => i),
      );
      const sorted = cuts.map((places, axis) => places.filter((p) => p < shape[axis]).sort((a, b) => a - b));
      return { tensor, parts: cut(tensor, sorted) };
    });

  it('puts any cut together again, in any order', () => {
    fc.assert(
      fc.property(cutTensor, fc.boolean(), ({ tensor, parts }, reverse) => {
        const list = reverse ? [...parts].reverse() : parts;
        expect(assembleSlices('int32', tensor.shape, list).toNumbers()).toEqual(tensor.toNumbers());
      }),
    );
  });

  it('refuses gaps and overlaps', () => {
    const one = (start: number, values: number[]) => ({
      slice: { start: [start], shape: [values.length], key: Buffer.alloc(0) },
      tensor: Tensor.fromNumbers('int32', [values.length], values),
    });
    expect(() => assembleSlices('int32', [4], [one(0, [1, 2])])).toThrow('2 of 4');
    expect(() => assembleSlices('int32', [4], [one(0, [1, 2, 3]), one(2, [4, 5])])).toThrow('overlap');
    expect(() => assembleSlices('int32', [4], [one(0, [1, 2]), one(0, [1, 2])])).toThrow('overlap');
    expect(assembleSlices('int32', [0, 3], []).size).toBe(0);
  });

  it('assembles strings', () => {
    const part = (start: number, texts: string[]) => ({
      slice: { start: [0, start], shape: [2, texts.length / 2], key: Buffer.alloc(0) },
      tensor: Tensor.fromStrings(
        [2, texts.length / 2],
        texts.map((t) => Buffer.from(t)),
      ),
    });
    const whole = assembleSlices('string', [2, 3], [part(2, ['c', 'f']), part(0, ['a', 'b', 'd', 'e'])]);
    expect(whole.strings.map((s) => Buffer.from(s).toString())).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
