import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseDescriptor } from '@floe/export-core';
import { logger, readNxJson, type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { modelGenerator } from './generator';
import { modelYaml } from '../../model-yaml/model-yaml';

const CHECKPOINT = join(__dirname, '../../../../../examples/mobilenet-v1/ckpt');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'floe-')));
let said = '';
beforeEach(() => {
  said = '';
  for (const level of ['info', 'warn'] as const) {
    jest.spyOn(logger, level).mockImplementation((...text: unknown[]) => void (said += String(text[0])));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function workspace(): Tree {
  const tree = createTreeWithEmptyWorkspace({ formatter: 'none' });
  tree.write('nx.json', JSON.stringify({ plugins: ['floe'] }));
  return tree;
}

it('writes a model.yaml with the inputs and outputs found, which is right', async () => {
  const tree = workspace();
  await modelGenerator(tree, { name: 'shapes', source: CHECKPOINT, directory: 'models/shapes' });
  const text = tree.read('models/shapes/model.yaml', 'utf8')!;
  const { descriptor, diagnostics } = parseDescriptor('model.yaml', text);
  expect(diagnostics).toEqual([]);
  expect(descriptor).toMatchObject({
    name: 'shapes',
    inputs: [{ name: 'input', tensor: 'input:0', dtype: 'float32', shape: [1, 128, 128, 3] }],
    outputs: [{ name: 'Predictions', tensor: 'MobilenetV1/Predictions/Reshape_1:0' }],
    variants: { float: {} },
  });
  expect(descriptor!.source.checkpoint).toMatch(/examples\/mobilenet-v1\/ckpt$/);
  expect(said).toBe('shapes freezes and converts: no problems were found\n');
});

it('takes the .meta of a checkpoint for the checkpoint', async () => {
  const tree = workspace();
  await modelGenerator(tree, {
    name: 'a',
    source: join(CHECKPOINT, 'model.ckpt-2000.meta'),
    skipCheck: true,
  });
  expect(tree.read('a/model.yaml', 'utf8')).toMatch(/source: \{ checkpoint: \S+\/model\.ckpt-2000 \}/);
});

it('takes a graph that is not beside its checkpoint', async () => {
  const elsewhere = join(folder, 'elsewhere');
  cpSync(CHECKPOINT, elsewhere, { recursive: true });
  rmSync(join(elsewhere, 'model.ckpt-2000.meta'));
  const tree = workspace();
  const graph = join(CHECKPOINT, 'model.ckpt-2000.meta');
  await expect(modelGenerator(tree, { name: 'a', source: elsewhere })).rejects.toThrow(/S001[^]*--graph/);
  await modelGenerator(tree, { name: 'a', source: elsewhere, graph, skipCheck: true });
  expect(tree.read('a/model.yaml', 'utf8')).toMatch(/checkpoint: .*elsewhere, graph: .*\.meta \}/);
});

it('never overwrites', async () => {
  const tree = workspace();
  tree.write('a/model.yaml', 'mine');
  await expect(modelGenerator(tree, { name: 'a', source: CHECKPOINT })).rejects.toThrow('already exists');
  expect(tree.read('a/model.yaml', 'utf8')).toBe('mine');
});

it('writes nothing but says what is wrong', async () => {
  const tree = workspace();
  const notAModel = join(folder, 'notes.txt');
  writeFileSync(notAModel, 'hello');
  const values = join(CHECKPOINT, 'model.ckpt-2000.meta');
  const copied = join(folder, 'copied.meta');
  cpSync(values, copied);
  await expect(modelGenerator(tree, { name: 'a', source: join(folder, 'none') })).rejects.toThrow('S001');
  await expect(modelGenerator(tree, { name: 'a', source: notAModel })).rejects.toThrow('S003');
  await expect(modelGenerator(tree, { name: 'a', source: copied })).rejects.toThrow(/S007[^]*--graph/);
  await expect(modelGenerator(tree, { name: 'a:b', source: CHECKPOINT, directory: 'a' })).rejects.toThrow(
    'D003',
  );
  await expect(
    modelGenerator(tree, { name: 'a', source: CHECKPOINT, directory: '../outside' }),
  ).rejects.toThrow('not in the workspace');
  expect(tree.children('.')).not.toContain('a');
});

it('adds Floe to the workspace when it is not there yet', async () => {
  const tree = workspace();
  tree.write('nx.json', '{}');
  await modelGenerator(tree, { name: 'a', source: CHECKPOINT, skipCheck: true });
  expect(readNxJson(tree)?.plugins).toEqual(['floe']);
});

it('adds a quantised variant, and says which samples it needs', async () => {
  const tree = workspace();
  await modelGenerator(tree, { name: 'a', source: CHECKPOINT, quantization: 'int8', skipCheck: true });
  const text = tree.read('a/model.yaml', 'utf8')!;
  expect(text).toMatch(
    / {2}# {3}input: float32, shape \(N, 1, 128, 128, 3\)[^]* {2}int8: \{ quantization: int8 \}\n$/,
  );
  expect(parseDescriptor('model.yaml', text).descriptor!.variants.int8).toMatchObject({
    quantization: 'int8',
  });
  expect(said).toBe('');
});

it('writes text that cannot be misread', () => {
  const text = modelYaml(
    'no',
    {
      frozenGraph: '/ws/a b/#1: "x".pb',
      contract: {
        inputs: [
          { name: 'true', tensor: 'x:0', dtype: 'int32', shape: [null, null] },
          { name: 'any', tensor: 'any:0', dtype: 'float32', shape: null },
        ],
        outputs: [{ name: '1', tensor: 'y:0', dtype: 'float32', shape: null }],
      },
    },
    { folder: '/ws/model' },
  );
  const { descriptor, diagnostics } = parseDescriptor('model.yaml', text);
  expect(diagnostics).toEqual([]);
  expect(descriptor).toMatchObject({
    name: 'no',
    source: { frozenGraph: '../a b/#1: "x".pb' },
    inputs: [
      { name: 'true', shape: [1, null] },
      { name: 'any', tensor: 'any:0' },
    ],
    outputs: [{ name: '1' }],
  });
  expect(descriptor!.inputs![1].shape).toBeUndefined();
});

it('recognises a detector, and writes how its post-processing is made for the phone', async () => {
  const fixtures = join(__dirname, '../../../../executor-tflite/src/detection/fixtures');
  const source = join(folder, 'frozen_inference_graph.pb');
  writeFileSync(source, gunzipSync(readFileSync(join(fixtures, 'old.pb.gz'))));
  writeFileSync(join(folder, 'pipeline.config'), 'model { ssd { num_classes: 2 } }');
  const tree = workspace();
  await modelGenerator(tree, { name: 'detector', source, directory: 'models/detector' });
  const { descriptor, diagnostics } = parseDescriptor(
    'model.yaml',
    tree.read('models/detector/model.yaml', 'utf8')!,
  );
  expect(diagnostics).toEqual([]);
  expect(descriptor?.detection).toEqual({
    input: { size: [24, 24], normalized: true },
    boxEncodings: 'Squeeze:0',
    classPredictions: 'concat_1:0',
    anchors: 'anchors_const:0',
    scoreConverter: 'softmax',
    scales: { y: 8, x: 9, h: 4, w: 3 },
    nms: { scoreThreshold: 0.2, iouThreshold: 0.45 },
    pipelineConfig: expect.stringMatching(/\/pipeline\.config$/),
    postprocess: 'custom',
  });
  // The pipeline.config does not say what the graph does: the checks of freeze and validate see it.
  expect(said).toMatch(/detector cannot be exported as it is[^]*D008[^]*models\/detector\/model\.yaml:17/);
});
