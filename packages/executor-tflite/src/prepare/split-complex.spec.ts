/** Graphs that compute with complex numbers, against TensorFlow: fixtures/complex_fixtures.py. */
import { attr, Diagnostics, Graph, inferShapes } from '@floe/export-core';
import { convertGraph } from '../convert/convert-graph';
import { convertCase, faultsOf, loadCases, operatorCounts } from './testing/cases';

const cases = loadCases('fixtures/complex.json.gz');

test.each(cases.map((c) => [c.name, c] as const))('%s gives what TensorFlow gives', async (_, c) => {
  expect(await faultsOf(c, convertCase(c))).toEqual([]);
});

/** What a case is converted to, less what moves elements. */
function arithmetic(name: string): Record<string, number> {
  const counts = operatorCounts(convertCase(cases.find((c) => c.name === name)!));
  for (const op of ['RESHAPE', 'EXPAND_DIMS', 'SLICE', 'PAD', 'PADV2']) delete counts[op];
  return counts;
}

it('leaves to the kernels what they can do', () => {
  expect(arithmetic('abs_rfft_8_of_10')).toEqual({ RFFT2D: 1, COMPLEX_ABS: 1 });
  expect(arithmetic('rfft_8_of_8')).toEqual({ RFFT2D: 1, REAL: 1, IMAG: 1 });
  expect(arithmetic('filter_16')).toMatchObject({ RFFT2D: 2, MUL: 1, REAL: 1, IMAG: 1 });
});

it('computes nothing with the imaginary part of a real number', () => {
  expect(arithmetic('fft_of_real')).toMatchObject({ FULLY_CONNECTED: 2 });
  expect(arithmetic('dct_1')).toEqual(expect.not.objectContaining({ SUB: expect.anything() }));
});

it('takes no more products than a complex one has', () => {
  expect(arithmetic('binary_mul')).toEqual({ MUL: 4, SUB: 1, ADD: 1 });
  expect(arithmetic('binary_matmul')).toMatchObject({ FULLY_CONNECTED: 4, SUB: 1, ADD: 1 });
});

it('leaves a complex number that is an output to the diagnostics', () => {
  const graph = new Graph();
  const float = { dtype: attr.type('float32'), shape: attr.shape([4]) };
  const x = graph.add('x', 'Placeholder', [], float).output();
  const z = graph.add('z', 'Complex', [x, x], { T: attr.type('float32'), Tout: attr.type('complex64') });
  graph.add('spectrum', 'FFT', [z.output()], { Tcomplex: attr.type('complex64') });
  inferShapes(graph, new Diagnostics());
  const spec = { name: 'y', tensor: 'spectrum:0', dtype: 'complex64' as const, shape: [4] };
  const input = { name: 'x', tensor: 'x:0', dtype: 'float32' as const, shape: [4] };
  const diagnostics = new Diagnostics();
  convertGraph(graph, { signatures: [{ key: 's', inputs: [input], outputs: [spec] }] }, diagnostics);
  expect(diagnostics.list.map(({ code, node }) => [code, node])).toEqual(
    expect.arrayContaining([['T001', 'spectrum']]),
  );
});
