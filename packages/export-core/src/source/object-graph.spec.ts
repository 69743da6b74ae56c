import * as fc from 'fast-check';
import { matchObjectGraphs, type ObjectGraph } from './object-graph';

type Tree = { [name: string]: Tree | string };

/** `{ layers: { 0: { kernel: 'key' } } }`: texts are keys of variables. */
function graphOf(tree: Tree): ObjectGraph {
  const nodes: { children: Map<string, number>; keys: Map<string, string> }[] = [];
  const add = (part: Tree | string): number => {
    const node = { children: new Map<string, number>(), keys: new Map<string, string>() };
    const id = nodes.push(node) - 1;
    if (typeof part === 'string') node.keys.set('VARIABLE_VALUE', part);
    else for (const [name, child] of Object.entries(part)) node.children.set(name, add(child));
    return id;
  };
  add(tree);
  return { nodes, byName: new Map() };
}

const always = (): boolean => true;

it('walks both graphs by names of children', () => {
  const own = graphOf({ net: { layers: { 0: { kernel: 'a' }, 1: { kernel: 'b' } } }, unused: 'c' });
  const other = graphOf({
    net: { layers: { 1: { kernel: 'B' }, 0: { kernel: 'A' } } },
    optimizer: { m: 'X' },
  });
  expect([...matchObjectGraphs(own, other, always)]).toEqual([
    ['a', 'A'],
    ['b', 'B'],
  ]);
});

it.each([
  ['under a name', { model: { dense: { kernel: 'A' } }, optimizer: { dense: { kernel: 'X' } } }],
  ['two levels down', { trainer: { model: { dense: { kernel: 'A' } } } }],
])('finds the root of the one %s of the other', (_, tree) => {
  const fits = (_own: string, key: string): boolean => key === 'A';
  const own = graphOf({ dense: { kernel: 'a' } });
  const other = graphOf(tree as Tree);
  expect(matchObjectGraphs(own, other, fits).get('a')).toBe('A');
  expect(matchObjectGraphs(other, own, always).get('A')).toBe('a');
});

it('ends on graphs with cycles, of any form', () => {
  const graphs = fc
    .integer({ min: 1, max: 12 })
    .chain((n) =>
      fc.array(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'self'), fc.integer({ min: 0, max: n - 1 })), {
          maxLength: 4,
        }),
        { minLength: n, maxLength: n },
      ),
    )
    .map((lists): ObjectGraph => ({
      nodes: lists.map((children, i) => ({
        children: new Map(children),
        keys: new Map([['VARIABLE_VALUE', `key${i}`]]),
      })),
      byName: new Map(),
    }));
  fc.assert(
    fc.property(graphs, graphs, (own, other) => {
      const matched = matchObjectGraphs(own, other, always);
      expect(matched.size).toBeLessThanOrEqual(own.nodes.length);
    }),
  );
});

it('10,000 objects deep is no problem', () => {
  const chain = (prefix: string): ObjectGraph => ({
    nodes: Array.from({ length: 10_000 }, (_, i) => ({
      children: new Map<string, number>(i < 9_999 ? [['next', i + 1]] : []),
      keys: new Map([['VARIABLE_VALUE', `${prefix}${i}`]]),
    })),
    byName: new Map(),
  });
  expect(matchObjectGraphs(chain('a'), chain('b'), always).get('a9999')).toBe('b9999');
});
