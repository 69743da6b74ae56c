/** Stages whose sources are hashed by another thread while they run: the same results, and no wrong key. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { builtWorker } from '../scheduling/testing/built-worker';
import { hashBeside } from '../keys/hash-thread';
import { openModel, runTarget, type ModelProject } from './model-project';
import type { RunResult } from './run-stage';
import { stageOf } from './table';
import { keyOf } from './target-key';
import type { StageFunction } from './stage';
import { FAKE_CODE, fakeStages, temporaryFolder, withSideEffect, writeFiles } from './testing/fake-model';

const folder = temporaryFolder();
const worker = builtWorker(join(__dirname, '../keys/hash-worker.ts'), folder);

jest.mock('../keys/hash-thread', () => {
  const actual = jest.requireActual<typeof import('../keys/hash-thread')>('../keys/hash-thread');
  return {
    ...actual,
    LARGE_FILE_BYTES: 5000,
    hashBeside: jest.fn((path: string) => actual.hashBeside(path, worker)),
  };
});

const hashing = hashBeside as jest.MockedFunction<typeof hashBeside>;
const SOURCES = ['checkpoint', 'savedModel'] as const;
const YAML = {
  checkpoint: 'source: { checkpoint: model, graph: model.meta }',
  savedModel: 'source: { savedModel: saved }',
};
const CONTRACT = 'inputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "y:0" }]\n';
const LARGE = {
  checkpoint: 'model.data-00000-of-00001',
  savedModel: 'saved/variables/variables.data-00000-of-00001',
};
const SMALL = { checkpoint: 'model.index', savedModel: 'saved/variables/variables.index' };

let count = 0;
let now: jest.SpyInstance;
beforeEach(() => {
  hashing.mockClear();
  // Files are old enough to be trusted.
  const later = Date.now() + 60_000;
  now = jest.spyOn(Date, 'now').mockReturnValue(later);
});
afterEach(() => now.mockRestore());

function model(source: (typeof SOURCES)[number]): ModelProject {
  const root = join(folder, `model${count++}`);
  const weights = 'w'.repeat(10_000);
  writeFiles(root, {
    'model.yaml': `version: 1\n${YAML[source]}\n${CONTRACT}`,
    'model.meta': 'graph',
    'saved/saved_model.pb': 'graph',
    [LARGE[source]]: weights,
    [SMALL[source]]: 'index',
  });
  return openModel(join(root, 'model.yaml'));
}

const reading: StageFunction = () => {
  const artefacts = { 'frozen/graph.pb': 'graph', 'frozen/contract.json': '{}' };
  return Promise.resolve({ artefacts, diagnostics: [], summary: 'frozen' });
};

function freeze(project: ModelProject, fn: StageFunction = reading, key?: string): Promise<RunResult> {
  const stages = { ...fakeStages(), freeze: fn };
  return runTarget(project, { stage: stageOf('freeze') }, stages, {
    code: () => FAKE_CODE,
    key,
    log: () => undefined,
  });
}

const codes = ({ diagnostics }: RunResult): string[] => diagnostics.map(({ code }) => code);
const manifest = ({ dist }: ModelProject): string => readFileSync(join(dist, 'frozen/manifest.json'), 'utf8');

describe.each(SOURCES)('a %s', (source) => {
  it('is hashed while the stage runs, to the same key and manifest', async () => {
    const project = model(source);
    expect(await freeze(project)).toMatchObject({ outcome: 'done' });
    expect(hashing).toHaveBeenCalledTimes(1);
    expect(hashing).toHaveBeenCalledWith(join(project.root, LARGE[source]));
    const ahead = manifest(project);
    hashing.mockReturnValueOnce(undefined);
    const other = model(source);
    await freeze(other);
    expect(manifest(other)).toBe(ahead);
    expect(await freeze(project)).toMatchObject({ outcome: 'up to date' });
  });

  it('is hashed after a thread that failed', async () => {
    hashing.mockReturnValueOnce({ advance() {}, giveUp() {}, digest: () => undefined } as never);
    const project = model(source);
    expect(await freeze(project)).toMatchObject({ outcome: 'done' });
    const other = model(source);
    await freeze(other);
    expect(manifest(project)).toBe(manifest(other));
  });

  it.each<[string, (root: string) => void]>([
    ['large file', (root) => writeFileSync(join(root, LARGE[source]), 'v'.repeat(10_000))],
    [
      'large file, under its old time',
      (root) => {
        const file = join(root, LARGE[source]);
        const { atime, mtime } = statSync(file);
        appendFileSync(file, 'x');
        utimesSync(file, atime, mtime);
      },
    ],
    [
      'large file, by another in its place',
      (root) => {
        writeFileSync(join(root, 'new'), 'w'.repeat(10_000));
        renameSync(join(root, 'new'), join(root, LARGE[source]));
      },
    ],
    ['small file', (root) => writeFileSync(join(root, SMALL[source]), 'INDEX')],
  ])('that changes while the stage runs gives nothing: %s', async (_, change) => {
    const project = model(source);
    const fn = withSideEffect(reading, () => change(project.root));
    expect(codes(await freeze(project, fn))).toEqual(['K002']);
    expect(existsSync(project.dist)).toBe(false);
  });

  it('is let go when the stage breaks', async () => {
    const project = model(source);
    const result = await freeze(project, () => Promise.reject(new Error('broken')));
    expect(result).toMatchObject({ outcome: 'failed', internalError: { message: 'broken' } });
    expect(existsSync(project.dist)).toBe(false);
  });

  it('that is not what the key given says is refused', async () => {
    const project = model(source);
    const key = keyOf({ stage: stageOf('freeze') }, project.loaded.descriptor!, project.root, FAKE_CODE);
    expect(codes(await freeze(project, reading, 'another'))).toEqual(['K002']);
    expect(readdirSync(project.root)).not.toContain('dist');
    expect(await freeze(project, reading, key)).toMatchObject({ outcome: 'done' });
    // Another key is known to be out of date: nothing has to be hashed to say so.
    writeFiles(project.root, { [LARGE[source]]: 'u'.repeat(10_000) });
    const next = keyOf({ stage: stageOf('freeze') }, project.loaded.descriptor!, project.root, FAKE_CODE);
    hashing.mockClear();
    expect(await freeze(project, reading, next)).toMatchObject({ outcome: 'done' });
    expect(hashing).toHaveBeenCalledTimes(1);
  });

  it('that was written a moment ago is hashed first', async () => {
    now.mockRestore();
    expect(await freeze(model(source))).toMatchObject({ outcome: 'done' });
    expect(hashing).not.toHaveBeenCalled();
  });
});

it('a Git LFS pointer is told before anything reads it', async () => {
  const project = model('savedModel');
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`;
  mkdirSync(join(project.root, 'saved/assets'));
  writeFiles(project.root, { 'saved/assets/x': 'x'.repeat(50), [SMALL.savedModel]: pointer });
  const fn = jest.fn(reading);
  expect(codes(await freeze(project, fn))).toEqual(['K004']);
  expect(fn).not.toHaveBeenCalled();
});

it('a file added to a folder while the stage runs is a change', async () => {
  const project = model('savedModel');
  const fn = withSideEffect(reading, () => writeFileSync(join(project.root, 'saved/new'), ''));
  expect(codes(await freeze(project, fn))).toEqual(['K002']);
});
