import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attr, Graph, openModel, runTarget, targetsUpTo } from '@floe/export-core';
import { freeze } from './freeze';
import { provenanceOf } from './provenance';

const FIXTURES = join(__dirname, '../../../export-core/src/source/fixtures');

it('says what came when, and what TensorFlow has not at all', () => {
  const graph = new Graph();
  graph.versions = { producer: 1645, minConsumer: 12, badConsumers: [] };
  const x = graph.add('x', 'Placeholder', [], { dtype: attr.type('float32') }).output();
  const sum = graph.add('sum', 'AddV2', [x, x], { T: attr.type('float32') }).output();
  graph.add('ours', 'TimesTwo', [sum], {});
  graph.add('again', 'AddV2', [sum, sum], { T: attr.type('float32') });
  expect(provenanceOf({ tensorflow: '2.15.1' }, graph)).toEqual({
    tensorflow: '2.15.1',
    writtenByAbout: '2.15',
    ops: { AddV2: 2, Placeholder: 1, TimesTwo: 1 },
    customOps: ['TimesTwo'],
    needs: { tensorflow: '1.8', since: { AddV2: '1.8' } },
  });
});

it('stands in the manifest, with the digests of every source', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'floe-')));
  try {
    cpSync(join(FIXTURES, 'tf1_training'), root, { recursive: true });
    writeFileSync(
      join(root, 'model.yaml'),
      'version: 1\nsource: { checkpoint: model.ckpt }\ninputs: [{ name: image, tensor: "image:0" }]\noutputs: auto\n',
    );
    const project = openModel(join(root, 'model.yaml'));
    const [target] = targetsUpTo(project.loaded.descriptor!, 'freeze');
    const result = await runTarget(
      project,
      target,
      { freeze },
      { code: () => ({ fingerprint: 'test' }), log: () => undefined },
    );
    expect(result.outcome).toBe('done');
    const digest = (file: string): string =>
      createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest('hex');
    const manifest = JSON.parse(readFileSync(join(root, 'dist/frozen/manifest.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({
      sources: {
        'checkpoint/data-00000-of-00001': digest('model.ckpt.data-00000-of-00001'),
        'checkpoint/index': digest('model.ckpt.index'),
        graph: digest('model.ckpt.meta'),
      },
      provenance: {
        tensorflow: '2.21.0',
        checkpoint: { name: 'model.ckpt', format: 'V2' },
        outputs: ['predictions:0'],
        customOps: [],
      },
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
