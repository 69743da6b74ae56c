import { rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { keyName, keyVariable, Memo, type CodeIdentity, type Keys } from '@floe/export-core';
import type { ProjectConfiguration } from '@nx/devkit';
import {
  FAKE_CODE,
  fakeModel,
  MODEL_YAML,
  temporaryFolder,
  writeFiles,
} from '../../../export-core/src/stages/testing/fake-model';
import { createNodes } from '../index';
import { createModelNodes } from './create-nodes';
import { makeKeys } from './keys-hook';
import { projectOf } from './targets';
import { rememberedModels } from './workspace-data';

const ALL_VARIANTS = `${MODEL_YAML}variants:
  float: {}
  float16: { quantization: float16 }
  dynamic: { quantization: dynamic }
  int8: { quantization: int8 }
`;

function projects(workspaceRoot: string, ...files: string[]): Record<string, ProjectConfiguration> {
  const paths = files.map((file) => relative(workspaceRoot, file));
  const nodes = createModelNodes(paths, { workspaceRoot });
  return Object.assign({}, ...nodes.map(([, { projects: found }]) => found));
}

describe('createNodes', () => {
  it('asks for every model.yaml', () => {
    expect(createNodes[0]).toBe('**/model.yaml');
  });

  it('makes a target for each stage, and an aggregate for those that are per variant', () => {
    const workspace = temporaryFolder();
    const file = fakeModel(workspace, 'models/a', ALL_VARIANTS);
    const { targets, name, root } = projects(workspace, file)['models/a'];
    expect({ name, root }).toEqual({ name: 'a', root: 'models/a' });
    expect(Object.keys(targets!).sort()).toEqual(
      [
        'freeze validate convert calibrate:int8 export-tflite verify export-saved-model',
        ...['float16', 'dynamic', 'int8'].map((v) => `quantize:${v}`),
        ...['float', 'float16', 'dynamic', 'int8'].flatMap((v) => [`export-tflite:${v}`, `verify:${v}`]),
      ]
        .flatMap((names) => names.split(' '))
        .sort(),
    );
    expect(targets!['export-tflite']).toMatchObject({
      cache: false,
      dependsOn: ['float', 'float16', 'dynamic', 'int8'].map((v) => ({ target: `export-tflite:${v}` })),
    });
    for (const target of Object.values(targets!)) {
      expect(target.metadata).toMatchObject({ description: expect.any(String), help: expect.any(Object) });
    }
  });

  it('declares what a target reads and writes, file by file', () => {
    const workspace = temporaryFolder();
    const { targets } = projects(workspace, fakeModel(workspace, 'a', ALL_VARIANTS)).a;
    expect(targets!['quantize:int8']).toMatchObject({
      executor: 'floe:quantize',
      options: { variant: 'int8' },
      cache: true,
      dependsOn: [{ target: 'convert' }, { target: 'calibrate:int8' }],
      inputs: [
        {
          fileset: `{workspaceRoot}/.nx/workspace-data/floe-keys/${keyName('a', 'quantize:int8')}`,
          includeIgnored: true,
        },
        { dependentTasksOutputFiles: '**/dist/converted/model.tflite' },
        { dependentTasksOutputFiles: '**/dist/int8/ranges.json' },
        { externalDependencies: [] },
      ],
      outputs: [
        '{projectRoot}/dist/int8/quantized.tflite',
        '{projectRoot}/dist/int8/quantized.manifest.json',
      ],
    });
    expect(targets!['quantize:dynamic'].dependsOn).toEqual([{ target: 'convert' }]);
  });

  it('takes keys from the environment where Nx cannot hash files that git ignores', () => {
    const outline = { name: 'a', variants: ['float'], valid: true };
    const targets: Parameters<typeof projectOf>[0]['targets'] = [
      { stage: 'freeze', target: 'freeze', dependsOn: [], upstream: [] },
    ];
    const { freeze } = projectOf({ ...outline, targets }, 'a', 'a', false).targets!;
    expect(freeze.inputs![0]).toEqual({ env: keyVariable(keyName('a', 'freeze')) });
  });

  it('does not change with anything in model.yaml but names and variants', () => {
    const workspace = temporaryFolder();
    const before = projects(workspace, fakeModel(workspace, 'a', ALL_VARIANTS)).a;
    const after = ALL_VARIANTS.replace('x:0', 'other:0') + 'verify: { tolerance: 0.5 }\n';
    expect(projects(workspace, fakeModel(workspace, 'a', after)).a).toEqual(before);
  });

  it.each([
    ['version: 1\nsauce: {}\nvariants: { float: {}, int8: { quantization: int9 } }\n', ['float', 'int8']],
    ['{', ['float']],
    ['', ['float']],
    ['- a list', ['float']],
    ['name: "bad:name"\nvariants: [float]\n', ['float']],
  ])('still makes a project of %j', (yaml, variants) => {
    const workspace = temporaryFolder();
    const { name, targets, metadata } = projects(workspace, fakeModel(workspace, 'a', yaml)).a;
    expect(name).toBe('a');
    expect(Object.keys(targets!)).toEqual(
      expect.arrayContaining(['freeze', 'validate', 'convert', ...variants.map((v) => `export-tflite:${v}`)]),
    );
    expect(metadata!.description).toContain('errors');
  });

  it('gives every model its own name, so that Nx does not refuse all of them', () => {
    const workspace = temporaryFolder();
    const files = ['x/v1', 'y/v1', 'z/v1'].map((folder) => fakeModel(workspace, folder));
    const found = projects(workspace, ...files);
    expect(Object.values(found).map(({ name }) => name)).toEqual(['v1', 'y-v1', 'z-v1']);
  });

  it('survives a file that has gone', () => {
    const workspace = temporaryFolder();
    expect(Object.keys(projects(workspace, join(workspace, 'gone/model.yaml')))).toEqual(['gone']);
  });
});

describe('the keys hook', () => {
  function keys(workspaceRoot: string, code: () => CodeIdentity = () => FAKE_CODE): Keys {
    const memo = new Memo(join(workspaceRoot, '.memo'));
    const made = makeKeys({
      workspaceRoot,
      models: rememberedModels(workspaceRoot),
      memo,
      codeVersion: '1',
      code,
    });
    memo.save();
    return made;
  }
  const key = (made: Keys, target: string, root = 'a'): string | undefined => made.get(keyName(root, target));

  it('gives each target its key, and the same key again', () => {
    const workspace = temporaryFolder();
    projects(workspace, fakeModel(workspace, 'a'));
    const first = keys(workspace);
    expect(first.size).toBe(6);
    expect(key(first, 'freeze')).toMatch(/^[\w-]{22}$/);
    expect(keys(workspace)).toEqual(first);
  });

  it('follows the bytes of the source and the slice of each stage, and nothing else', () => {
    const workspace = temporaryFolder();
    projects(workspace, fakeModel(workspace, 'a'));
    const before = keys(workspace);
    writeFiles(workspace, { 'a/model.yaml': `# comment\n${MODEL_YAML}`, 'a/graph.pb': 'graph of a' });
    expect(keys(workspace)).toEqual(before);
    writeFiles(workspace, { 'a/model.yaml': `${MODEL_YAML}verify: { tolerance: 0.5 }\n` });
    const tolerant = keys(workspace);
    expect(key(tolerant, 'verify:float')).not.toBe(key(before, 'verify:float'));
    expect(key(tolerant, 'convert')).toBe(key(before, 'convert'));
    writeFiles(workspace, { 'a/graph.pb': 'graph of b' });
    const changed = keys(workspace);
    expect(key(changed, 'freeze')).not.toBe(key(before, 'freeze'));
    expect(key(changed, 'convert')).toBe(key(before, 'convert'));
    const upgraded = keys(workspace, () => ({ ...FAKE_CODE, fingerprint: 'newer' }));
    expect(key(upgraded, 'convert')).not.toBe(key(before, 'convert'));
  });

  it('gives empty keys where there can be none, and the others theirs', () => {
    const workspace = temporaryFolder();
    const files = [
      fakeModel(workspace, 'broken', 'version: 1\nsauce: {}\n'),
      fakeModel(workspace, 'sourceless'),
      fakeModel(
        workspace,
        'good',
        ALL_VARIANTS.replace('int8', 'int16x8').replace(/^ {2}(float16|dynamic).*\n/gm, ''),
      ),
    ];
    rmSync(join(workspace, 'sourceless/graph.pb'));
    projects(workspace, ...files);
    const made = keys(workspace);
    expect(key(made, 'freeze', 'broken')).toBe('');
    expect(key(made, 'freeze', 'sourceless')).toBe('');
    expect(key(made, 'convert', 'sourceless')).toHaveLength(22);
    expect(key(made, 'export-tflite:float', 'good')).toHaveLength(22);
  });

  it('does not throw when no key can be made at all, nor for a model that has gone', () => {
    const workspace = temporaryFolder();
    const file = fakeModel(workspace, 'a');
    projects(workspace, file, join(workspace, 'gone/model.yaml'));
    const made = keys(workspace, () => {
      throw new Error('not built');
    });
    expect(new Set(made.values())).toEqual(new Set(['']));
    rmSync(file);
    expect(() => keys(workspace)).not.toThrow();
  });

  it('gives 1,000 models with 4 variants names of their own; as variables they take less than 900 kB', () => {
    const workspace = temporaryFolder();
    const files = Array.from({ length: 1000 }, (_, i) =>
      fakeModel(workspace, `models/family-${i % 7}/model-${i}`, ALL_VARIANTS),
    );
    projects(workspace, ...files);
    const made = keys(workspace);
    // What the system counts: NAME=value, a zero byte, and a pointer.
    const size = [...made].reduce(
      (sum, [name, value]) => sum + keyVariable(name).length + value.length + 10,
      0,
    );
    expect(made.size).toBe(16_000);
    expect(size).toBeLessThan(900_000);
    expect(keys(workspace)).toEqual(made);
  });
});

it('finds the models again when only the hook runs', () => {
  const workspace = temporaryFolder();
  projects(workspace, fakeModel(workspace, 'a'));
  jest.isolateModules(() => {
    const fresh = require('./workspace-data') as typeof import('./workspace-data');
    expect(fresh.rememberedModels(workspace)).toEqual(['a/model.yaml']);
  });
  writeFileSync(join(workspace, '.nx/workspace-data/floe/models.json'), 'damaged');
  jest.isolateModules(() => {
    const fresh = require('./workspace-data') as typeof import('./workspace-data');
    expect(fresh.rememberedModels(workspace)).toEqual([]);
  });
});
