import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LOCK_FILE, lockText, readLock, writeLock, type ModelLock } from '../keys/lock';
import { openModel } from './model-project';
import { runStage, type RunOptions, type RunResult } from './run-stage';
import { stageOf } from './table';
import { keyOf, sourcesOf, type Sources } from './target-key';
import {
  FAKE_CODE,
  fakeModel,
  fakeStages,
  MODEL_YAML,
  temporaryFolder,
  writeFiles,
} from './testing/fake-model';

const FREEZE = { stage: stageOf('freeze') };
const folder = temporaryFolder();
let count = 0;

/** A model whose lock is as its source was. */
function lockedModel(): { root: string; yaml: string; key: string } {
  const yaml = fakeModel(folder, `m${count++}`);
  const root = dirname(yaml);
  writeLock(root, { source: sources(root).entry! });
  return { root, yaml, key: keyIn(root) };
}

function sources(root: string): Sources {
  const { loaded } = openModel(join(root, 'model.yaml'));
  return sourcesOf(FREEZE, loaded.descriptor!, root, undefined, readLock(root));
}

function keyIn(root: string): string {
  const { loaded } = openModel(join(root, 'model.yaml'));
  return keyOf(FREEZE, loaded.descriptor!, root, FAKE_CODE, undefined, readLock(root));
}

function freeze(root: string, options: Partial<RunOptions> = {}): Promise<RunResult> {
  const { loaded, dist } = openModel(join(root, 'model.yaml'));
  const context = {
    root,
    dist,
    descriptor: loaded.descriptor!,
    place: loaded.place,
    log: () => undefined,
    progress: () => undefined,
  };
  return runStage(fakeStages().freeze!, FREEZE, context, { ...FAKE_CODE, lock: readLock(root), ...options });
}

it('says what the files are, as model.yaml names them', () => {
  const { root } = lockedModel();
  const text = readFileSync(join(root, LOCK_FILE), 'utf8');
  expect(JSON.parse(text)).toEqual({
    version: 1,
    sections: {
      source: {
        from: { frozenGraph: 'graph.pb' },
        files: { graph: { path: 'graph.pb', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), size: 11 } },
      },
    },
  });
  expect(text).toBe(lockText(readLock(root)));
  expect(sources(root)).toMatchObject({ absent: [], mismatch: [], entry: readLock(root).source });
});

it('decides where the source is absent, and says so when nobody has the artefact', async () => {
  const { root, key } = lockedModel();
  rmSync(join(root, 'graph.pb'));
  expect(keyIn(root)).toBe(key);
  const { outcome, diagnostics } = await freeze(root, { key });
  expect({ outcome, codes: diagnostics.map(({ code }) => code) }).toEqual({
    outcome: 'failed',
    codes: ['K004'],
  });
  expect(diagnostics[0].message).toContain('graph.pb is not on this machine');
});

it('needs no source for what is there already', async () => {
  const { root } = lockedModel();
  expect((await freeze(root)).outcome).toBe('done');
  rmSync(join(root, 'graph.pb'));
  expect((await freeze(root)).outcome).toBe('up to date');
});

it('does not decide where the source is there: its bytes do', async () => {
  const { root, key } = lockedModel();
  writeFiles(root, { 'graph.pb': 'another' });
  expect(keyIn(root)).not.toBe(key);
  expect((await freeze(root)).outcome).toBe('done');
});

it('fails other bytes where it is binding, with both digests', async () => {
  const { root } = lockedModel();
  const before = readLock(root).source.files.graph.sha256;
  writeFiles(root, { 'graph.pb': 'another' });
  const { outcome, diagnostics } = await freeze(root, { frozenLock: true });
  expect(outcome).toBe('failed');
  expect(diagnostics[0]).toMatchObject({ code: 'K006', hint: expect.stringContaining(LOCK_FILE) });
  expect(diagnostics[0].message).toContain(before);
  expect(diagnostics[0].message).toContain(sources(root).digests[0].sha256);
  expect(existsSync(join(root, 'dist'))).toBe(false);
});

it('is not taken for another file that model.yaml names now', () => {
  const { root } = lockedModel();
  rmSync(join(root, 'graph.pb'));
  writeFiles(root, { 'model.yaml': MODEL_YAML.replace('graph.pb', 'other.pb') });
  expect(() => sources(root)).toThrow(/S001.*other\.pb/);
});

it('stands in for the part of a checkpoint that is absent, and for none when a part is another', () => {
  const root = join(folder, `m${count++}`);
  const yaml = MODEL_YAML.replace('frozenGraph: graph.pb', 'checkpoint: ckpt');
  const files = ['index', 'data-00000-of-00001', 'meta'].map((part) => `ckpt/model-1.${part}`);
  writeFiles(root, {
    'model.yaml': yaml,
    'ckpt/checkpoint': 'model_checkpoint_path: "model-1"\n',
    ...Object.fromEntries(files.map((file) => [file, file])),
  });
  writeLock(root, { source: sources(root).entry! });
  const whole = keyIn(root);
  rmSync(join(root, files[1]));
  expect(sources(root).absent).toEqual([files[1]]);
  expect(keyIn(root)).toBe(whole);
  writeFiles(root, { [files[0]]: 'another index' });
  const { absent, mismatch } = sources(root);
  expect({ absent, mismatch: mismatch.join() }).toEqual({
    absent: [],
    mismatch: expect.stringContaining(files[0]),
  });
  writeFiles(root, { [files[0]]: files[0] });
  // The state file, which is in git, names another checkpoint than the lock.
  writeFiles(root, { 'ckpt/checkpoint': 'model_checkpoint_path: "model-2"\n' });
  expect(() => keyIn(root)).toThrow(/S001/);
  rmSync(join(root, 'ckpt'), { recursive: true });
  expect(keyIn(root)).toBe(whole);
});

it.each([
  '',
  '{',
  '[]',
  '{"version":2,"sections":{}}',
  '{"version":1,"sections":{"source":{"from":1,"files":{}}}}',
])('means nothing when it is %j', (text) => {
  const { root } = lockedModel();
  writeFileSync(join(root, LOCK_FILE), text);
  expect(readLock(root)).toEqual({});
});

it('is written only when that changes it, and leaves nothing beside it', () => {
  const { root } = lockedModel();
  const lock: ModelLock = readLock(root);
  const file = join(root, LOCK_FILE);
  renameSync(file, `${file}.kept`);
  writeLock(root, {});
  expect(existsSync(file)).toBe(false);
  mkdirSync(file);
  expect(() => writeLock(root, lock)).toThrow();
  expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
