import { attr, Graph, Tensor, type Contract } from '@floe/export-core';
import { cutContract } from './cut-contract';

/** y = found + 1, found in a table; z = counted in another, which the first one's contents come from. */
function lookups(): { graph: Graph; contract: Contract } {
  const graph = new Graph();
  const x = graph
    .add('x', 'Placeholder', [], { dtype: attr.type('string'), shape: attr.shape([2]) })
    .output();
  const keys = graph.addConst('keys', Tensor.fromStrings([1], [Buffer.from('a')])).output();
  const values = graph.addConst('values', Tensor.fromNumbers('int64', [1], [7])).output();
  const none = graph.addConst('none', Tensor.fromNumbers('int64', [], [-1])).output();
  const table = (name: string, contents = values) => {
    const handle = () =>
      graph
        .add(`${name}_${graph.nodes.size}`, 'HashTableV2', [], { shared_name: attr.string(name) })
        .output();
    graph.add(`fill_${name}`, 'LookupTableImportV2', [handle(), keys, contents]);
    return graph.add(`find_${name}`, 'LookupTableFindV2', [handle(), x, none]).output();
  };
  const inner = table('inner');
  const outer = table('outer', inner);
  graph.add('y', 'AddV2', [outer, none]);
  const spec = (name: string, tensor: string, dtype: 'string' | 'int64') => ({
    name,
    tensor,
    dtype,
    shape: [2],
  });
  const signatures = [
    { key: 'serving_default', inputs: [spec('x', 'x:0', 'string')], outputs: [spec('y', 'y:0', 'int64')] },
  ];
  return { graph, contract: { version: 1, signatures, initializers: ['fill_inner', 'fill_outer'] } };
}

test('initialisers of tables that outputs read stay, and what those need', () => {
  const { graph, contract } = lookups();
  cutContract(graph, contract);
  expect(contract.initializers).toEqual(['fill_inner', 'fill_outer']);
});

test('a cut behind the lookups needs none', () => {
  const { graph, contract } = lookups();
  contract.signatures[0].inputs = [{ name: 'found', tensor: 'find_outer:0', dtype: 'int64', shape: [2] }];
  cutContract(graph, contract);
  expect(contract.initializers).toEqual([]);
});
