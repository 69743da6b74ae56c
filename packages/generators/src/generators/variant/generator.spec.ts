import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import type { Tree } from '@nx/devkit';
import { parseDescriptor } from '@floe/export-core';
import { variantGenerator } from './generator';

const MODEL = `version: 1
name: resnet
source: { frozenGraph: graph.pb }
inputs:
  - { name: image, tensor: "x:0", dtype: float32, shape: [1, 8, 8, 3] }
outputs: [{ name: y, tensor: "y:0" }]
variants:
  float: {} # as trained
`;

function workspace(): Tree {
  const tree = createTreeWithEmptyWorkspace({ formatter: 'none' });
  tree.write('models/resnet/model.yaml', MODEL);
  return tree;
}

const text = (tree: Tree): string => tree.read('models/resnet/model.yaml', 'utf8')!;

it('adds a variant behind the others, with a note on the samples that it needs', async () => {
  const tree = workspace();
  await variantGenerator(tree, { project: 'resnet', quantization: 'int8' });
  expect(text(tree).startsWith(MODEL)).toBe(true);
  expect(text(tree).slice(MODEL.length)).toMatch(
    / {2}# int8 is calibrated with random inputs[^]*calibration\.npz/,
  );
  expect(text(tree)).toContain('savez("calibration.npz", **{"image": image})');
  expect(text(tree)).toContain('image: float32, shape (N, 1, 8, 8, 3)');
  const { descriptor, diagnostics } = parseDescriptor('model.yaml', text(tree));
  expect(diagnostics).toEqual([]);
  expect(descriptor!.variants.int8).toMatchObject({ quantization: 'int8', io: 'float32' });
});

it('writes every setting, and paths from the model’s folder', async () => {
  const tree = workspace();
  await variantGenerator(tree, {
    project: 'models/resnet',
    quantization: 'int8',
    name: 'phone',
    data: 'data/samples.npz',
    samples: 50,
    io: 'uint8',
    onUnsupported: 'error',
  });
  expect(text(tree).slice(MODEL.length)).toBe(
    '  phone: { quantization: int8, calibration: { data: ../../data/samples.npz, samples: 50 }, io: uint8, onUnsupported: error }\n',
  );
});

it('needs no note where nothing is calibrated', async () => {
  const tree = workspace();
  await variantGenerator(tree, { project: 'resnet', quantization: 'float16' });
  expect(text(tree)).toBe(`${MODEL}  float16: { quantization: float16 }\n`);
});

it.each<[string, Parameters<typeof variantGenerator>[1], RegExp]>([
  ['a variant that is there', { project: 'resnet', quantization: 'none' }, /already has a variant float/],
  ['a name that is none', { project: 'resnet', quantization: 'int8', name: 'Int 8' }, /D00\d[^]*Int 8/],
  [
    'a name of a folder of its own',
    { project: 'resnet', quantization: 'int8', name: 'frozen' },
    /D00\d[^]*frozen/,
  ],
  [
    'a model that is not there',
    { project: 'resmet', quantization: 'int8' },
    /no model resmet: did you mean resnet\?/,
  ],
  ['settings that do not go together', { project: 'resnet', quantization: 'float16', io: 'int8' }, /D00\d/],
])('refuses %s, and writes nothing', async (_, options, message) => {
  const tree = workspace();
  await expect(variantGenerator(tree, options)).rejects.toThrow(message);
  expect(text(tree)).toBe(MODEL);
});

it('refuses to guess between models of one name, or to edit one with errors', async () => {
  const tree = workspace();
  tree.write('other/model.yaml', MODEL);
  await expect(variantGenerator(tree, { project: 'resnet', quantization: 'int8' })).rejects.toThrow(
    /several models are called resnet: .*models\/resnet or other/,
  );
  tree.write('other/model.yaml', 'version: 1\nname: wrong\n');
  await expect(variantGenerator(tree, { project: 'wrong', quantization: 'int8' })).rejects.toThrow(
    /other\/model.yaml has errors/,
  );
});
