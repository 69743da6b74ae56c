import { readJson, readNxJson, type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { initGenerator } from './generator';

const workspace = (): Tree => createTreeWithEmptyWorkspace({ formatter: 'none' });

it('registers the plugin, ignores artefacts and adds the package', async () => {
  const tree = workspace();
  tree.write('.gitignore', 'node_modules');
  await initGenerator(tree);
  expect(readNxJson(tree)?.plugins).toEqual(['floe']);
  expect(tree.read('.gitignore', 'utf8')).toBe('node_modules\ndist\n');
  expect(readJson(tree, 'package.json').devDependencies).toMatchObject({ floe: expect.any(String) });
});

it('changes nothing the second time, and leaves what a user chose', async () => {
  const tree = workspace();
  tree.write(
    'nx.json',
    JSON.stringify({ plugins: [{ plugin: 'floe', exclude: ['old/**'] }, '@nx/js/typescript'] }),
  );
  tree.write('.gitignore', '**/dist/\n');
  tree.write('package.json', JSON.stringify({ devDependencies: { floe: 'file:floe.tgz' } }));
  await initGenerator(tree);
  expect(readNxJson(tree)?.plugins).toEqual([{ plugin: 'floe', exclude: ['old/**'] }, '@nx/js/typescript']);
  expect(tree.read('.gitignore', 'utf8')).toBe('**/dist/\n');
  expect(readJson(tree, 'package.json').devDependencies.floe).toBe('file:floe.tgz');
});

it('does not take a `dist` at the top for those of the models', async () => {
  const tree = workspace();
  tree.write('.gitignore', '/dist\n');
  await initGenerator(tree, { skipPackageJson: true });
  expect(tree.read('.gitignore', 'utf8')).toBe('/dist\ndist\n');
  expect(readJson(tree, 'package.json').devDependencies?.floe).toBeUndefined();
});
