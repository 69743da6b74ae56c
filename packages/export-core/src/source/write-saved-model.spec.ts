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

function written(name: string, { graph, contract, context }: Frozen): string {
  contract.initializers = context.initializers.map((node) => node.name);
  fs.mkdirSync(path.join(temporary, name));
  writeFileAtomic(path.join(temporary, name, 'saved_model.pb'), writeSavedModel(graph, contract));
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
