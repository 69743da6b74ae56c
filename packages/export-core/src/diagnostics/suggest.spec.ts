import fc from 'fast-check';
import { didYouMean, editDistance, nearest } from './suggest';

/** The whole table, without a band: slow and plain. */
function plainDistance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = table[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      table[i][j] = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.length][b.length];
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/'), maxLength: 12 });

describe('editDistance', () => {
  it('is the distance where that is within the limit, else undefined', () => {
    fc.assert(
      fc.property(word, word, fc.nat(6), (a, b, limit) => {
        const distance = plainDistance(a, b);
        expect(editDistance(a, b, limit)).toBe(distance <= limit ? distance : undefined);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('nearest', () => {
  const nodes = [
    'input',
    'resnet_v1_50/conv1/Relu',
    'resnet_v1_50/logits/BiasAdd',
    'resnet_v1_50/predictions/Softmax',
    'resnet_v1_50/predictions/Reshape',
    'resnet_v1_50/predictions/Reshape_1',
  ];

  it.each([
    ['Softmax', 'resnet_v1_50/predictions/Softmax'],
    ['softmax:0', 'resnet_v1_50/predictions/Softmax'],
    ['resnet_v1_50/Softmax', 'resnet_v1_50/predictions/Softmax'],
    ['resnet_v1_101/predictions/Softmax:0', 'resnet_v1_50/predictions/Softmax'],
    ['resnet_v1_50/predictions/Sofmtax', 'resnet_v1_50/predictions/Softmax'],
    ['Sotfmax', 'resnet_v1_50/predictions/Softmax'],
    ['model/input', 'input'],
    ['Input:0', 'input'],
    ['inptu', 'input'],
  ])('%s is %s', (wrong, right) => expect(nearest(wrong, nodes)[0]).toBe(right));

  it('prefers the name in the same scope, and the whole name before a part', () => {
    expect(nearest('b/conv/Relu', ['a/conv/Relu_2', 'b/conv1/Relu', 'x/y/z/Relu'])).toEqual([
      'b/conv1/Relu',
      'a/conv/Relu_2',
      'x/y/z/Relu',
    ]);
  });

  it('has nothing to say where nothing is near', () => {
    expect(nearest('encoder', nodes)).toEqual([]);
    expect(nearest('', nodes)).toEqual([]);
    expect(nearest('x', ['y', 'z'])).toEqual([]);
    expect(didYouMean('encoder', nodes)).toBeUndefined();
  });

  it('does not depend on the order of the candidates', () => {
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 20 }), (wrong, names) => {
        const result = nearest(wrong, names);
        expect(nearest(wrong, [...names].reverse())).toEqual(result);
        expect(new Set(result).size).toBe(result.length);
      }),
    );
  });

  it('finds a name that is one edit away', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 30, unit: fc.constantFrom('a', 'b', 'c', 'd') }),
        fc.nat(),
        (name, at) => {
          const i = at % name.length;
          expect(nearest(name.slice(0, i) + 'x' + name.slice(i + 1), ['zzzzzz', name])).toEqual([name]);
        },
      ),
    );
  });

  it('finds the scope among 50,000 names', () => {
    const many = Array.from(
      { length: 50_000 },
      (_, i) => `FeatureExtractor/block_${i % 17}/depthwise_${i}/gamma/read`,
    );
    expect(nearest('FeatureExtractor/block_3/depthwise_20/gama/read', many)[0]).toContain('depthwise_20/');
  });
});

describe('didYouMean', () => {
  it('is a sentence', () => {
    expect(didYouMean('flaot', ['float'])).toBe('did you mean `float`?');
    expect(didYouMean('int', ['int8', 'int4', 'uint'])).toBe('did you mean `int4`, `int8` or `uint`?');
  });
});
