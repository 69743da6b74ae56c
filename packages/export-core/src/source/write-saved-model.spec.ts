/** TensorFlow itself loads what is written here; what these tests say is that Floe does, and gets the same. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { writeFileAtomic } from '../keys/atomic';
import { evaluate, expectOutputs, freezeSource, type Frozen } from './testing/freeze-source';
import { readSavedModel } from './saved-model';
import { writeSavedModel } from './write-saved-model';

const temporary = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'floe-')));
afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }));

function written(name: string, { graph, contract, context }: Frozen, limit?: number): string {
  contract.initializers = context.initializers.map((node) => node.name);
  for (const [file, pieces] of Object.entries(writeSavedModel(name, graph, contract, limit)))
    writeFileAtomic(path.join(temporary, file), pieces);
  return `source: { savedModel: ${name} }`;
}

it('is a SavedModel with the contract as its signature, names and shapes kept', () => {
  const original = freezeSource('source: { savedModel: net/saved_model }');
  const yaml = written('net', original);
  const again = freezeSource(yaml, temporary);
  expect(again.contract.signatures).toMatchObject(
    original.contract.signatures.map(({ key, outputs }) => ({ key, outputs })),
  );
  expectOutputs(evaluate(again, 'net'), 'net');
});

it('initialises tables and kept variables in its main op', () => {
  const yaml = written('lookup', freezeSource('source: { savedModel: lookup/saved_model }'));
  const { meta } = readSavedModel(path.join(temporary, 'lookup'));
  expect(meta.collection_def.saved_model_main_op.node_list?.value).toEqual(['init']);
  expect(meta.signature_def.__saved_model_init_op.outputs.__saved_model_init_op.name).toBe('init');
  expect(freezeSource(yaml, temporary).context.initializers).toHaveLength(3);
});

it('takes functions along', () => {
  const yaml = written('flow', freezeSource('source: { savedModel: flow/saved_model }'));
  const { graph } = freezeSource(yaml, temporary);
  const loop = [...graph.nodes.values()].find((node) => node.op === 'While')!;
  const body = graph.functions.get(loop.func('body').name)!;
  expect(body.args.map((arg) => arg.type('T'))).toEqual(loop.types('T'));
});

describe('with a graph that is too large for one message', () => {
  const LIMIT = 4000;

  it('keeps the weights beside it, read once each and with their checksums', () => {
    const whole = freezeSource('source: { savedModel: wide/saved_model }');
    const { signatures } = whole.contract;
    const yaml = written('wide', whole, LIMIT);
    const variables = path.join(temporary, 'wide/variables');
    expect(fs.readdirSync(variables).sort()).toEqual(['variables.data-00000-of-00001', 'variables.index']);
    expect(fs.statSync(path.join(temporary, 'wide/saved_model.pb')).size).toBeLessThanOrEqual(LIMIT);
    const again = freezeSource(yaml, temporary);
    expect(again.contract.signatures).toMatchObject(signatures.map(({ key, outputs }) => ({ key, outputs })));
    expectOutputs(evaluate(again, 'wide'), 'wide');
  });

  it('is told when the rest is too large all the same', () => {
    const { graph, contract } = freezeSource('source: { savedModel: wide/saved_model }');
    expect(() => writeSavedModel('m', graph, contract, 1000)).toThrow(/bytes without its weights/);
  });
});
