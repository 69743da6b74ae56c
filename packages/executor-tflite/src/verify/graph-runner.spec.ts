import {
  attr,
  FunctionGraph,
  Graph,
  joinPieces,
  Tensor,
  writeGraphDef,
  type Attr,
  type DType,
  type Signature,
  type Value,
} from '@floe/export-core';
import { CannotRun } from './cannot-run';
import { floeEngine } from './floe-engine';
import type { GraphEngine } from './graph-engine';
import { runGraph, type GraphRun } from './graph-runner';
import { tfjsEngine } from './tfjs-engine';

const f32 = { T: attr.type('float32') };
const numbers = (shape: number[], ...values: number[]) => Tensor.fromNumbers('float32', shape, values);

/** A graph with placeholders `x`, `y`, … and a signature of what is given back. */
function model(
  inputs: Record<string, { dtype: DType; shape: number[] }>,
  build: (graph: Graph, inputs: Record<string, Value>) => Value[],
  dtype: DType = 'float32',
) {
  const graph = new Graph();
  const values: Record<string, Value> = {};
  for (const [name, { dtype, shape }] of Object.entries(inputs)) {
    const attrs = { dtype: attr.type(dtype), shape: attr.shape(shape) };
    values[name] = graph.add(name, 'Placeholder', [], attrs).output();
  }
  const outputs = build(graph, values);
  const signature: Signature = {
    key: 'serve',
    inputs: Object.entries(inputs).map(([name, spec]) => ({ name, tensor: `${name}:0`, ...spec })),
    outputs: outputs.map((v, i) => ({ name: `out${i}`, tensor: v.name, dtype, shape: null })),
  };
  return { frozen: { bytes: () => joinPieces(writeGraphDef(graph)), graph, initializers: [] }, signature };
}

type Model = ReturnType<typeof model>;

async function run({ frozen, signature }: Model, sample: Record<string, Tensor>, engines: GraphEngine[]) {
  const runner = runGraph(frozen, signature, [new Map(Object.entries(sample))], engines);
  return { run: await runner.next(), refusals: runner.refusals };
}

const results = ({ outputs }: GraphRun) => [...outputs[0].values()].map((t) => t.toNumbers());

const both: [string, GraphEngine][] = [
  ['tfjs', tfjsEngine],
  ['floe', floeEngine],
];

describe.each(both)('%s', (name, engine) => {
  it('runs a graph with constants, several outputs, and an input that is one', async () => {
    const linear = model({ x: { dtype: 'float32', shape: [1, 2] } }, (graph, { x }) => {
      const w = graph.addConst('w', numbers([2, 2], 1, 2, 3, 4)).output();
      const y = graph.add('y', 'MatMul', [x, w], f32).output();
      return [graph.add('z', 'Relu', [graph.add('n', 'Neg', [y], f32).output()], f32).output(), y, x];
    });
    const { run: done } = await run(linear, { x: numbers([1, 2], 1, -1) }, [engine]);
    expect(done!.engine.name).toBe(name);
    expect(results(done!)).toEqual([
      [2, 2],
      [-2, -2],
      [1, -1],
    ]);
  });

  it('reads a tensor inside the graph as an input', async () => {
    const cut = model({ x: { dtype: 'float32', shape: [2] } }, (graph, { x }) => {
      const inner = graph.add('inner', 'Neg', [x], f32).output();
      return [graph.add('out', 'Abs', [inner], f32).output()];
    });
    cut.signature.inputs = [{ name: 'x', tensor: 'inner:0', dtype: 'float32', shape: [2] }];
    const { run: done } = await run(cut, { x: numbers([2], -5, 6) }, [engine]);
    expect(results(done!)).toEqual([[5, 6]]);
  });

  it('runs functions: a loop and a branch', async () => {
    const { run: done } = await run(loop(), { x: numbers([], 3), n: Tensor.scalar('int32', 4) }, [engine]);
    // Doubled four times, then negated because it is more than 40.
    expect(results(done!)).toEqual([[-48]]);
    const { run: small } = await run(loop(), { x: numbers([], 3), n: Tensor.scalar('int32', 1) }, [engine]);
    expect(results(small!)).toEqual([[6]]);
  });

  it('takes the live branch of a Switch', async () => {
    const branches = model(
      { x: { dtype: 'float32', shape: [] }, p: { dtype: 'bool', shape: [] } },
      (graph, { x, p }) => {
        const fork = graph.add('fork', 'Switch', [x, p], f32);
        const no = graph.add('no', 'Neg', [fork.output(0)], f32).output();
        const yes = graph.add('yes', 'Square', [fork.output(1)], f32).output();
        return [graph.add('join', 'Merge', [no, yes], { ...f32, N: attr.int(2) }).output()];
      },
    );
    for (const [p, expected] of [
      [1, 9],
      [0, -3],
    ]) {
      const sample = { x: numbers([], 3), p: Tensor.fromNumbers('bool', [], [p]) };
      const { run: done } = await run(branches, sample, [engine]);
      expect(results(done!)).toEqual([[expected]]);
    }
  });
});

/** while i < n: x = 2x; then -x if x > 40 else x, as functions. */
function loop(): Model {
  const made = model(
    { x: { dtype: 'float32', shape: [] }, n: { dtype: 'int32', shape: [] } },
    (graph, { x, n }) => {
      const types = attr.types(['int32', 'float32', 'int32']);
      const shapes: Attr = { kind: 'list', value: [] };
      const zero = graph.addConst('zero', Tensor.scalar('int32', 0)).output();
      const loops = graph.add('loop', 'StatelessWhile', [zero, x, n], {
        T: types,
        cond: attr.func('cond'),
        body: attr.func('body'),
        output_shapes: shapes,
        parallel_iterations: attr.int(10),
      });
      const limit = graph.addConst('limit', numbers([], 40)).output();
      const large = graph.add('large', 'Greater', [loops.output(1), limit], f32).output();
      const branch = graph.add('branch', 'StatelessIf', [large, loops.output(1)], {
        Tcond: attr.type('bool'),
        Tin: attr.types(['float32']),
        Tout: attr.types(['float32']),
        then_branch: attr.func('negate'),
        else_branch: attr.func('keep'),
        output_shapes: shapes,
      });
      graph.functions.set(
        'cond',
        body(
          'cond',
          ['int32', 'float32', 'int32'],
          (f, [i, , n]) => [f.add('less', 'Less', [i, n], { T: attr.type('int32') }).output()],
          ['bool'],
        ),
      );
      graph.functions.set(
        'body',
        body(
          'body',
          ['int32', 'float32', 'int32'],
          (f, [i, x, n]) => {
            const one = f.addConst('one', Tensor.scalar('int32', 1)).output();
            return [
              f.add('next', 'AddV2', [i, one], { T: attr.type('int32') }).output(),
              f.add('twice', 'AddV2', [x, x], f32).output(),
              f.add('same', 'Identity', [n], { T: attr.type('int32') }).output(),
            ];
          },
          ['int32', 'float32', 'int32'],
        ),
      );
      graph.functions.set(
        'negate',
        body('negate', ['float32'], (f, [x]) => [f.add('neg', 'Neg', [x], f32).output()], ['float32']),
      );
      graph.functions.set(
        'keep',
        body('keep', ['float32'], (f, [x]) => [f.add('id', 'Identity', [x], f32).output()], ['float32']),
      );
      return [branch.output()];
    },
  );
  return made;
}

function body(
  name: string,
  args: DType[],
  build: (graph: FunctionGraph, args: Value[]) => Value[],
  results: DType[],
): FunctionGraph {
  const graph = new FunctionGraph(name);
  args.forEach((dtype, i) => {
    const arg = graph.add(`arg${i}`, '_Arg', [], { T: attr.type(dtype), index: attr.int(i) });
    arg.output().dtype = dtype;
    graph.args.push(arg);
  });
  graph.results = build(
    graph,
    graph.args.map((a) => a.output()),
  );
  graph.results.forEach((value, i) => (value.dtype = results[i]));
  graph.resultNames = graph.results.map((_, i) => `r${i}`);
  return graph;
}

describe('floe', () => {
  it('collects what a loop computes in a list', async () => {
    const made = model({ x: { dtype: 'float32', shape: [2] } }, (graph, { x }) => {
      const element = attr.type('float32');
      const shape = graph.addConst('shape', Tensor.fromNumbers('int32', [1], [2])).output();
      const index = (i: number) => graph.addConst(`i${i}`, Tensor.scalar('int32', i)).output();
      const types = { element_dtype: element, shape_type: attr.type('int32') };
      let list = graph.add('list', 'TensorListReserve', [shape, index(3)], types).output();
      list = graph.add('set', 'TensorListSetItem', [list, index(2), x], types).output();
      const all = graph.add('all', 'TensorListStack', [list, shape], {
        ...types,
        num_elements: attr.int(-1),
      });
      return [all.output()];
    });
    const { run: done } = await run(made, { x: numbers([2], 7, 8) }, [floeEngine]);
    expect(results(done!)).toEqual([[0, 0, 0, 0, 7, 8]]);
  });

  it('stops a loop that never ends', async () => {
    const endless = loop();
    const condition = endless.frozen.graph.functions.get('cond')!;
    condition.results = [condition.addConst('true', Tensor.fromNumbers('bool', [], [1])).output()];
    const { run: done, refusals } = await run(endless, { x: numbers([], 0), n: Tensor.scalar('int32', 1) }, [
      floeEngine,
    ]);
    expect(done).toBeUndefined();
    expect(refusals[0].reason).toMatch(/runs more than/);
  });

  it('names ops that it has no evaluation of', async () => {
    const made = model({ x: { dtype: 'float32', shape: [2] } }, (graph, { x }) => [
      graph.add('odd', 'Igamma', [x, x], f32).output(),
    ]);
    const { run: done, refusals } = await run(made, { x: numbers([2], 1, 2) }, [floeEngine]);
    expect(done).toBeUndefined();
    expect(refusals[0].reason).toBe('it has no evaluation of Igamma');
  });
});

describe('runGraph', () => {
  const wide = model(
    { x: { dtype: 'float64', shape: [1] } },
    (graph, { x }) => [graph.add('y', 'Neg', [x], { T: attr.type('float64') }).output()],
    'float64',
  );
  const sample = { x: Tensor.fromNumbers('float64', [1], [0.1]) };

  it('leaves a graph to the next engine, and says why', async () => {
    const { run: done, refusals } = await run(wide, sample, [tfjsEngine, floeEngine]);
    expect(done!.engine.name).toBe('floe');
    expect(done!.isExact).toBe(true);
    expect(results(done!)).toEqual([[-0.1]]);
    expect(refusals).toEqual([
      {
        engine: { name: 'tfjs', version: expect.stringMatching(/^\d/) },
        reason: 'it has no float64 ("x:0")',
      },
    ]);
  });

  it('passes over engines that are not installed', async () => {
    const absent: GraphEngine = { ...floeEngine, name: 'absent', version: () => undefined };
    const { run: done, refusals } = await run(wide, sample, [absent, floeEngine]);
    expect([done!.engine.name, refusals]).toEqual(['floe', []]);
  });

  it('gives each engine in turn', async () => {
    const made = model({ x: { dtype: 'float32', shape: [1] } }, (graph, { x }) => [
      graph.add('y', 'Neg', [x], f32).output(),
    ]);
    const runner = runGraph(
      made.frozen,
      made.signature,
      [new Map([['x', numbers([1], 2)]])],
      [tfjsEngine, floeEngine],
    );
    expect((await runner.next())!.engine.name).toBe('tfjs');
    expect((await runner.next())!.engine.name).toBe('floe');
    expect(await runner.next()).toBeUndefined();
  });

  it('compares nothing with random numbers', () => {
    const made = model({ x: { dtype: 'int32', shape: [1] } }, (graph, { x }) => [
      graph
        .add('noise', 'RandomUniform', [x], { dtype: attr.type('float32'), T: attr.type('int32') })
        .output(),
    ]);
    expect(() => runGraph(made.frozen, made.signature, [])).toThrow(CannotRun);
    expect(() => runGraph(made.frozen, made.signature, [])).toThrow(/RandomUniform \("noise"\)/);
  });
});
