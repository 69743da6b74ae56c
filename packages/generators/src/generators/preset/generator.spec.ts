import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNxJson } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { checkModel } from '../../check-model';
import { presetGenerator } from './generator';

it('makes a workspace with a model', async () => {
  const tree = createTreeWithEmptyWorkspace({ formatter: 'none' });
  await presetGenerator(tree, { name: 'my-workspace' });
  expect(readNxJson(tree)?.plugins).toEqual(['floe']);
  expect(tree.read('models/sine/model.yaml', 'utf8')).toContain(
    '$schema=../../node_modules/@floe/export-core',
  );
  // Bytes that are no text.
  const file = 'saved_model/variables/variables.data-00000-of-00001';
  expect(tree.read(join('models/sine', file))).toEqual(readFileSync(join(__dirname, 'files', file)));
  await expect(presetGenerator(tree)).rejects.toThrow('models/sine/model.yaml already exists');
});

it('whose model has no problems', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'floe-'));
  try {
    cpSync(join(__dirname, 'files'), folder, { recursive: true });
    const yaml = readFileSync(join(folder, 'model.yaml'), 'utf8');
    expect(await checkModel(join(folder, 'model.yaml'), yaml)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
