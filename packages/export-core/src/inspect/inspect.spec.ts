import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { openCheckpoint } from '../format/checkpoint';
import { inspectArtefact } from './inspect';

const CHECKPOINT = join(__dirname, '../../../../examples/mobilenet-v1/ckpt');
const PREFIX = join(CHECKPOINT, 'model.ckpt-2000');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'floe-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([[CHECKPOINT], [PREFIX], [`${PREFIX}.index`], [`${PREFIX}.data-00000-of-00001`]])(
  'knows the checkpoint by %s',
  (path) => {
    const { kind, format, variables, inputs, outputs, ops } = inspectArtefact(path);
    expect({ kind, format }).toEqual({ kind: 'checkpoint', format: 'V2 checkpoint model.ckpt-2000' });
    expect(variables).toHaveLength(138);
    expect(variables.map(({ name }) => name)).toEqual(variables.map(({ name }) => name).sort());
    expect(variables.every(({ sha256 }) => sha256 === undefined)).toBe(true);
    expect(inputs).toMatchObject([{ tensor: 'input:0', dtype: 'float32', shape: [null, 128, 128, 3] }]);
    expect(outputs).toMatchObject([{ tensor: 'MobilenetV1/Predictions/Reshape_1:0', shape: [null, 10] }]);
    expect(ops.Conv2D).toBe(15);
  },
);

it('digests the elements of each variable', () => {
  const { variables } = inspectArtefact(PREFIX, { digest: true });
  const checkpoint = openCheckpoint(PREFIX);
  const { name, sha256 } = variables[7];
  expect(sha256).toBe(createHash('sha256').update(checkpoint.read(name).bytes).digest('hex'));
  checkpoint.close();
});

it('tells of a graph what is in it, without values', () => {
  const { kind, variables, ops, inputs } = inspectArtefact(`${PREFIX}.meta`, { digest: true });
  expect(kind).toBe('graph');
  expect(variables).toContainEqual({
    name: 'MobilenetV1/Conv2d_0/weights',
    dtype: 'float32',
    shape: [3, 3, 3, 8],
  });
  expect(ops.DepthwiseConv2dNative).toBe(13);
  expect(inputs).toHaveLength(1);
});

it('tells of the checkpoint although its .meta is damaged, with a warning', () => {
  const copy = join(folder, 'copy');
  cpSync(CHECKPOINT, copy, { recursive: true });
  const meta = join(copy, 'model.ckpt-2000.meta');
  writeFileSync(meta, readFileSync(meta).subarray(0, 1000));
  const { variables, diagnostics, ops } = inspectArtefact(copy);
  expect(variables).toHaveLength(138);
  expect(ops).toEqual({});
  expect(diagnostics).toMatchObject([{ severity: 'warning' }]);
});

it('refuses what is nothing of the kind', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'hello');
  expect(() => inspectArtefact(file)).toThrow('S003');
  expect(() => inspectArtefact(join(folder, 'nothing'))).toThrow('S001');
});
