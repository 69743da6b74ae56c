import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  EXPECTED,
  evaluate,
  expectOutputs,
  FIXTURES,
  freezeSource,
  problemsOf,
} from './testing/freeze-source';
import type { Graph } from '../graph/graph';

const temporary = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'floe-')));
afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }));

const ops = (graph: Graph): Set<string> => new Set([...graph.nodes.values()].map((node) => node.op));
const words = (graph: Graph, node: string): string[] =>
  graph.node(node)!.constant!.strings.map((s) => Buffer.from(s).toString());

describe('a SavedModel of functions within functions', () => {
  it('gives what TensorFlow gives, with its arguments as the function takes them', () => {
    const frozen = freezeSource('source: { savedModel: net/saved_model }');
    expect(frozen.contract.signatures).toMatchObject([
      {
        key: 'serving_default',
        inputs: [{ name: 'x' }, { name: 'gain' }],
        outputs: [{ name: 'a' }, { name: 'b' }],
      },
    ]);
    expect(frozen.graph.functions.size).toBe(0);
    expect([...ops(frozen.graph)].filter((op) => /Call|Variable|VarHandle|Restore|Save/.test(op))).toEqual(
      [],
    );
    expectOutputs(evaluate(frozen, 'net'), 'net');
  });

  it('keeps the tensor names of the signature, and calls the rest by scope and node', () => {
    const { graph, contract } = freezeSource('source: { savedModel: net/saved_model }');
    for (const { tensor } of contract.signatures[0].outputs)
      expect(tensor).toMatch(/^StatefulPartitionedCall(_1)?:\d$/);
    expect(graph.node('MatMul')).toBeDefined();
    expect([...graph.nodes.keys()].filter((name) => name.includes('PartitionedCall/'))).toEqual([]);
  });

  it('takes one output of several without computing the others', () => {
    const all = freezeSource('source: { savedModel: net/saved_model }');
    const frozen = freezeSource('source: { savedModel: net/saved_model }\noutputs: [{ name: a }]');
    expect(frozen.contract.signatures[0].outputs).toMatchObject([{ name: 'a', tensor: 'a:0' }]);
    expect(frozen.graph.nodes.size).toBeLessThan(all.graph.nodes.size - 3);
    expect(evaluate(frozen, 'net').a).toHaveLength(EXPECTED.net.outputs.a.values.length);
  });

  it('takes several signatures, each variable once', () => {
    const { graph, contract } = freezeSource(
      'source: { savedModel: net/saved_model, signatures: [embed, serving_default] }',
    );
    expect(contract.signatures.map((s) => s.key)).toEqual(['embed', 'serving_default']);
    const weights = [...graph.nodes.values()].filter(
      (node) => node.op === 'Const' && node.constant!.shape.length === 2,
    );
    expect(weights).toHaveLength(4);
  });

  it('refines the shape of an input', () => {
    const yaml =
      'source: { savedModel: net/saved_model }\ninputs: [{ name: gain }, { name: x, shape: [3, 4] }]';
    expect(freezeSource(yaml).contract.signatures[0].inputs).toMatchObject([
      { name: 'gain' },
      { name: 'x', shape: [3, 4] },
    ]);
  });
});

describe('a checkpoint written later', () => {
  it('gives its values to the same objects, lists and dictionaries included', () => {
    const frozen = freezeSource('source: { savedModel: net/saved_model, checkpoint: net/trained }');
    expectOutputs(evaluate(frozen, 'net/trained'), 'net/trained');
  });

  it('names every variable that is not in it', () => {
    const problems = problemsOf('source: { savedModel: net/saved_model, checkpoint: net/other }');
    expect(new Set(problems.map((p) => p.code))).toEqual(new Set(['S008']));
    expect(problems).toHaveLength(8);
    expect(problems.map((p) => p.message).join()).toContain('layers/0/');
  });
});

describe('functional control flow', () => {
  it('stays, with the variables of its bodies as constants', () => {
    const { graph } = freezeSource('source: { savedModel: flow/saved_model }');
    expect(ops(graph)).toContain('While');
    expect([...graph.functions.values()].flatMap((f) => [...ops(f)])).not.toContain('ReadVariableOp');
    const loop = [...graph.nodes.values()].find((node) => node.op === 'While')!;
    expect(loop.types('T')).not.toContain('resource');
    const body = graph.functions.get(loop.func('body').name)!;
    expect(body.args.map((arg) => arg.type('T'))).toEqual(loop.types('T'));
    // The signature that is not asked for, the saver's functions and their bodies are gone.
    expect([...graph.functions.keys()].filter((name) => /save|restore|count/.test(name))).toEqual([]);
  });

  it('keeps a variable that a body writes, and freezes the one it only reads', () => {
    const { graph, context } = freezeSource('source: { savedModel: flow/saved_model, signature: count }');
    expect(
      [...graph.nodes.values()].filter((node) => node.op === 'VarHandleOp').map((node) => node.name),
    ).toEqual(['steps']);
    expect(context.initializers.map((node) => [node.op, node.inputs[0].node.name])).toEqual([
      ['AssignVariableOp', 'steps'],
    ]);
    expect(context.initializers[0].inputs[1].node.constant!.toNumbers()).toEqual([0]);
  });
});

describe('lookup tables', () => {
  it('keep their initialisers, with vocabularies and saved contents as constants', () => {
    const { graph, context } = freezeSource('source: { savedModel: lookup/saved_model }');
    expect(context.initializers.map((node) => node.op).sort()).toEqual([
      'InitializeTableV2',
      'InitializeTableV2',
      'LookupTableImportV2',
    ]);
    const byKeys = new Map(
      context.initializers.map((n) => [
        words(graph, n.inputs[1].node.name).join('|'),
        n.inputs[2].node.constant!,
      ]),
    );
    expect(byKeys.get('one|two|three')?.toNumbers()).toEqual([1.5, 2.5, -3]);
    expect(byKeys.get('one 1.5|two 2.5|three -3')?.toNumbers()).toEqual([0, 1, 2]);
    expect([...byKeys.keys()].some((keys) => keys.split('|').sort().join() === 'left,right')).toBe(true);
    expect([...graph.nodes.values()].filter((node) => /HashTable/.test(node.op))).toHaveLength(3);
  });

  it('of TF1 find their vocabulary in the collection of assets', () => {
    const { graph, context } = freezeSource('source: { savedModel: tf1_saved_model/saved_model }');
    expect(words(graph, context.initializers[0].inputs[1].node.name)).toEqual(['red', 'green', 'blue']);
    expect(ops(graph)).not.toContain('VarHandleOp');
    expect(context.diagnostics.list).toEqual([]);
  });
});

describe('a SavedModel that is not there', () => {
  const copy = (name: string): string => {
    const target = path.join(temporary, name);
    fs.cpSync(path.join(FIXTURES, name, 'saved_model'), target, { recursive: true });
    return target;
  };

  it.each([
    ['savedModel: net/saved_model, signature: embd', 'G011', 'embed'],
    ['savedModel: net/saved_model, tags: [serv]', 'S012', 'serve'],
    ['savedModel: tf1_saved_model/saved_model, tags: [gpu]', 'S012', 'gpu, serve'],
    ['savedModel: net/saved_model/saved_model.pb', 'S003', 'net/saved_model'],
    ['savedModel: net', 'S003', 'net/saved_model'],
    ['savedModel: nothing', 'S001', 'nothing'],
    ['savedModel: tf1_training', 'S003', 'checkpoint'],
  ])('%s is %s', (source, code, said) => {
    const [problem] = problemsOf(`source: { ${source} }`);
    expect(problem.code).toBe(code);
    expect(`${problem.message} ${problem.hint}`).toContain(said);
  });

  it('tells that the variables were not copied', () => {
    fs.rmSync(path.join(copy('net'), 'variables'), { recursive: true });
    expect(problemsOf('source: { savedModel: net }', temporary)).toMatchObject([{ code: 'S001' }]);
  });

  it('tells that an asset is missing', () => {
    fs.rmSync(path.join(copy('lookup'), 'assets'), { recursive: true });
    expect(problemsOf('source: { savedModel: lookup }', temporary)).toMatchObject([{ code: 'S001' }]);
  });

  it('finds the graph of tags among several', () => {
    expect(
      freezeSource('source: { savedModel: tf1_saved_model/saved_model, tags: [gpu, serve] }').graph.nodes
        .size,
    ).toBeGreaterThan(3);
  });
});
