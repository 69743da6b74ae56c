import { logger, type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { parseDescriptor } from '@floe/export-core';
import type { YAMLMap } from 'yaml';
import { migrateText } from './migrate-text';
import migrateModelYaml from './migration';
import { CURRENT, STEPS } from './steps';

const OLD = `# A model of the time before versions.
name: a
source: { savedModel: saved_model } # from training
`;

/** A later format: \`allowCustomOps\` has moved into \`target\`, and is called otherwise. */
const EXAMPLE = {
  current: 3,
  steps: [
    ...STEPS,
    {
      from: 1,
      change: 'allowCustomOps is target.customOps',
      apply: (document: Parameters<(typeof STEPS)[number]['apply']>[0]) => {
        const ops = document.get('allowCustomOps', true);
        if (ops === undefined) return;
        document.delete('allowCustomOps');
        if (!document.has('target')) document.set('target', document.createNode({}));
        (document.get('target') as YAMLMap).set('customOps', ops);
      },
    },
    { from: 2, change: 'nothing that a file says', apply: () => undefined },
  ],
};

it('leads from the oldest version to the current one without a gap', () => {
  expect(STEPS.map(({ from }) => from)).toEqual(Array.from({ length: CURRENT }, (_, i) => i));
  expect(
    parseDescriptor('model.yaml', `version: ${CURRENT}\nsource: { savedModel: m }\n`).diagnostics,
  ).toEqual([]);
});

it('runs every step that a file needs, in order, and keeps its comments', () => {
  const text = `version: 1 # first\nallowCustomOps: [Mine]\n\n# whatever runs it\ntarget: { runtime: "2.14" } # on the phone\n`;
  expect(migrateText(text, EXAMPLE)).toEqual({
    outcome: 'changed',
    text: `version: 3 # first\n\n# whatever runs it\ntarget: { runtime: "2.14", customOps: [ Mine ] } # on the phone\n`,
    changes: ['allowCustomOps is target.customOps', 'nothing that a file says'],
  });
  expect(migrateText('source: {}\n', EXAMPLE)).toMatchObject({ text: 'version: 3\nsource: {}\n' });
});

it('leaves every other character where only the number changes', () => {
  const number = {
    current: 3,
    steps: [...STEPS, { from: 1, change: 'a', apply: () => undefined }, EXAMPLE.steps.at(-1)!],
  };
  const text = 'inputs: # all\r\n  - { name: x, shape: [1,  2] }\r\n';
  expect(migrateText(`# a model\r\n${text}`, number)).toMatchObject({
    text: `# a model\r\nversion: 3\r\n${text}`,
  });
  expect(migrateText(`version:   1 # first\r\n${text}`, number)).toMatchObject({
    text: `version:   3 # first\r\n${text}`,
  });
  expect(migrateText('{ name: a }\n', number)).toMatchObject({ text: '{ version: 3, name: a }\n' });
});

it.each([
  ['a later version', 'version: 4\n'],
  ['a version that is none', 'version: one\n'],
  ['what is not YAML', 'version: 1\n  source: [\n'],
  ['what is no map', '- version: 1\n'],
])('refuses %s', (_, text) => {
  expect(migrateText(text, EXAMPLE)).toMatchObject({ outcome: 'refused' });
});

describe('the migration', () => {
  it('changes the files that need it, a second time none', async () => {
    const warn = jest.spyOn(logger, 'warn').mockImplementation(() => undefined);
    jest.spyOn(logger, 'info').mockImplementation(() => undefined);
    const tree: Tree = createTreeWithEmptyWorkspace({ formatter: 'none' });
    tree.write('models/a/model.yaml', OLD);
    tree.write('models/b/model.yaml', `version: ${CURRENT}\n   odd: layout\n`);
    tree.write('models/c/model.yaml', 'version: 99\n');
    await migrateModelYaml(tree);
    const after = tree.read('models/a/model.yaml', 'utf8')!;
    expect(after).toBe(OLD.replace('name: a', `version: ${CURRENT}\nname: a`));
    expect(parseDescriptor('model.yaml', after).diagnostics).toEqual([]);
    expect(tree.read('models/c/model.yaml', 'utf8')).toBe('version: 99\n');
    expect(warn.mock.calls.map(([text]) => String(text).split(' ', 1)[0])).toEqual([
      'models/b/model.yaml',
      'models/c/model.yaml',
    ]);
    await migrateModelYaml(tree);
    expect(tree.read('models/a/model.yaml', 'utf8')).toBe(after);
  });
});
