/** Control flow and recurrent layers as TensorFlow froze them: converted, run in LiteRT, compared. */
import { attr, type Graph } from '@floe/export-core';
import { CannotRun } from '../../verify/cannot-run';
import { convertCase, faultsOf, loadCases, operatorCounts } from '../testing/cases';

const cases = loadCases('control-flow/fixtures/control-flow.json.gz');
const keras2 = loadCases('control-flow/fixtures/keras2.json.gz');
const byName = (name: string) => [...cases, ...keras2].find((c) => c.name === name)!;

describe.each([
  ['TensorFlow 2.21', cases],
  ['Keras 2', keras2],
])('%s', (_, list) => {
  test.each(list.map((c) => [c.name, c] as const))('%s', async (name, test) => {
    const run = faultsOf(test, convertCase(test));
    // The wasm runtime takes no strings.
    if (test.outputs.some((o) => o.dtype === 'string')) await expect(run).rejects.toThrow(CannotRun);
    else expect(await run).toEqual([]);
    expect(name).toBe(test.name);
  });
});

/** Freezing leaves this mark on the loops of Keras layers. */
function mark(graph: Graph): void {
  for (const node of graph.nodes.values()) {
    if (/While$/.test(node.op)) node.set('_api_implements', attr.string('lstm_0d3c'));
  }
}

describe('LSTM layers of Keras 2 become one operator', () => {
  const layers = [
    'lstm',
    'lstm_backwards',
    'lstm_no_bias',
    'lstm_time_major',
    'lstm_any_time',
    'bidirectional',
  ];
  test.each(layers)('%s', async (name) => {
    const found = keras2.find((c) => c.name === `keras_${name}_one`)!;
    const model = convertCase(found, mark);
    const {
      UNIDIRECTIONAL_SEQUENCE_LSTM: lstms,
      WHILE: loops,
      RESHAPE: reshapes = 0,
    } = operatorCounts(model);
    // The operator takes layers whose batch stands first as they are.
    expect(reshapes).toBe(0);
    expect([lstms, loops]).toEqual([name === 'bidirectional' ? 2 : 1, undefined]);
    // The wasm runtime has no variable tensors, which such an operator keeps its state in.
    await expect(faultsOf(found, model)).rejects.toThrow(CannotRun);
  });

  test.each([
    ['the cell state is read', 'keras_lstm_sequences_one'],
    ['another activation', 'keras_lstm_relu_one'],
    ['masked', 'keras_lstm_masked_one'],
    ['unknown batch', 'keras_lstm_batch'],
    ['a GRU', 'keras_gru_one'],
  ])('not with %s', async (_, name) => {
    const found = keras2.find((c) => c.name === name)!;
    const model = convertCase(found, mark);
    expect(operatorCounts(model).UNIDIRECTIONAL_SEQUENCE_LSTM).toBeUndefined();
    expect(await faultsOf(found, model)).toEqual([]);
  });
});

test('what never changes in a loop is no operand of it', () => {
  const model = convertCase(byName('tf1_rnn'));
  const loop = model.subgraphs[0].ops.find((op) => op.code === 'WHILE')!;
  // Time, results, state, inputs and lengths: weights and the number of steps are constants inside.
  expect(loop.inputs).toHaveLength(5);
});

test('a constant choice leaves its branch only', () => {
  expect(operatorCounts(convertCase(byName('tf2_case_constant')))).toEqual({ MUL: 1 });
});

test('several results of one predicate are one IF', () => {
  const { IF } = operatorCounts(convertCase(byName('tf1_cond_many_true')));
  expect(IF).toBe(1);
});
