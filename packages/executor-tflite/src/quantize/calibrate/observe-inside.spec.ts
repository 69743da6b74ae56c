import { Diagnostics, Tensor } from '@floe/export-core';
import { TfliteOp, TfliteSubgraph, TfliteTensor } from '../../tflite/model';
import { Builder, bytesOf } from '../testing/models';
import { calibrateModel } from './calibrate-model';

const tensor = (name: string, type: string, shape: number[]) => new TfliteTensor(name, type, shape);

function constant(name: string, value: number): TfliteTensor {
  const result = tensor(name, 'INT32', []);
  result.buffer = { bytes: Tensor.scalar('int32', value).bytes };
  return result;
}

/** Ranges by name after calibrating with the given samples of `x`. */
async function measured(b: Builder, outputs: TfliteTensor[], ...samples: Tensor[]) {
  const model = b.finish(...outputs);
  const lists = new Map([['serving_default', samples.map((x) => new Map([['x', x]]))]]);
  const file = await calibrateModel(bytesOf(model), lists, { method: 'minmax' }, new Diagnostics());
  return Object.fromEntries(file.tensors.map((t) => [`${t.subgraph} ${t.name}`, [t.min, t.max]]));
}

it('sees every turn of a loop', async () => {
  // for (i = 0; i < 3; i++) { doubled = value * 2; value = doubled + 1 }
  const b = new Builder();
  const x = b.input('x', [2]);
  const condition = new TfliteSubgraph('condition');
  const [i1, v1, less] = [tensor('i', 'INT32', []), tensor('v', 'FLOAT32', [2]), tensor('less', 'BOOL', [])];
  condition.inputs = [i1, v1];
  condition.outputs = [less];
  condition.ops.push(new TfliteOp('LESS', [i1, constant('three', 3)], [less]));
  const body = new TfliteSubgraph('body');
  const [i2, v2, next] = [
    tensor('i', 'INT32', []),
    tensor('value', 'FLOAT32', [2]),
    tensor('next', 'INT32', []),
  ];
  const [doubled, plus] = [tensor('doubled', 'FLOAT32', [2]), tensor('plus', 'FLOAT32', [2])];
  body.inputs = [i2, v2];
  body.outputs = [next, plus];
  body.ops.push(
    new TfliteOp('ADD', [i2, constant('one', 1)], [next], { type: 'AddOptions' }),
    new TfliteOp('MUL', [v2, b.floats('two', [], [2])], [doubled], { type: 'MulOptions' }),
    new TfliteOp('ADD', [doubled, b.floats('1', [], [1])], [plus], { type: 'AddOptions' }),
  );
  b.model.subgraphs.push(condition, body);
  const [count, result] = [tensor('count', 'INT32', []), tensor('result', 'FLOAT32', [2])];
  const loop = new TfliteOp('WHILE', [constant('zero', 0), x], [count, result], { type: 'WhileOptions' });
  loop.subgraphs = { cond_subgraph_index: condition, body_subgraph_index: body };
  b.graph.ops.push(loop);
  const ranges = await measured(b, [result], Tensor.fromNumbers('float32', [2], [-1, 1]));
  expect(ranges).toEqual({
    '0 x': [-1, 1],
    '0 result': [-1, 15],
    '2 value': [-1, 7],
    '2 doubled': [-2, 14],
    '2 plus': [-1, 15],
  });
});

it('sees the branch that is taken, and knows nothing of the other', async () => {
  const b = new Builder();
  const x = b.input('x', [2]);
  const branch = (name: string, code: string): TfliteSubgraph => {
    const graph = new TfliteSubgraph(name);
    const [value, result] = [tensor(`${name} in`, 'FLOAT32', [2]), tensor(`${name} out`, 'FLOAT32', [2])];
    graph.inputs = [value];
    graph.outputs = [result];
    graph.ops.push(new TfliteOp(code, [value], [result]));
    b.model.subgraphs.push(graph);
    return graph;
  };
  const largest = b.op('REDUCE_MAX', [x, b.ints('axis', [0])], 'largest', [], { type: 'ReducerOptions' });
  const positive = tensor('positive', 'BOOL', []);
  b.graph.ops.push(new TfliteOp('GREATER', [largest, b.floats('0', [], [0])], [positive]));
  const result = tensor('result', 'FLOAT32', [2]);
  const choice = new TfliteOp('IF', [positive, x], [result], { type: 'IfOptions' });
  choice.subgraphs = { then_subgraph_index: branch('yes', 'NEG'), else_subgraph_index: branch('no', 'ABS') };
  b.graph.ops.push(choice);
  const vector = (...v: number[]) => Tensor.fromNumbers('float32', [2], v);
  expect(await measured(b, [result], vector(-1, 2), vector(3, 4))).toMatchObject({
    '0 result': [-4, 1],
    '1 yes in': [-1, 4],
    '1 yes out': [-4, 1],
  });
  expect(await measured(b, [result], vector(-1, -2))).not.toHaveProperty('1 yes in');
});

it('sees values of which only a run can tell how many there are', async () => {
  const b = new Builder();
  const x = b.input('x', [4]);
  const [isPositive, places] = [tensor('is', 'BOOL', [4]), tensor('places', 'INT64', [-1, 1])];
  b.graph.ops.push(new TfliteOp('GREATER', [x, b.floats('0', [], [0])], [isPositive]));
  b.graph.ops.push(new TfliteOp('WHERE', [isPositive], [places]));
  const positive = b.op('GATHER_ND', [x, places], 'positive', [-1]);
  const sum = b.op('SUM', [positive, b.ints('axis', [0])], 'sum', [], { type: 'ReducerOptions' });
  const vector = (...v: number[]) => Tensor.fromNumbers('float32', [4], v);
  expect(await measured(b, [sum], vector(-1, 2, 3, -4), vector(-1, -1, -1, 5))).toEqual({
    '0 x': [-4, 5],
    '0 positive': [2, 5],
    '0 sum': [5, 5],
  });
});
