import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import { openModel, type ModelProject } from './model-project';
import { printInternalError, printResult } from './print-result';
import { processMemo, runStage, type RunOptions, type RunResult } from './run-stage';
import { keyOf } from './target-key';
import type { StageFunction, StageResult } from './stage';
import { stageOf, type StageName } from './table';
import {
  FAKE_CODE,
  fakeModel,
  fakeStages,
  MODEL_YAML,
  temporaryFolder,
  withSideEffect,
  writeFiles,
} from './testing/fake-model';

const folder = temporaryFolder();
let count = 0;

function model(yaml?: string): ModelProject {
  return openModel(fakeModel(folder, `model${count++}`, yaml));
}

function run(
  project: ModelProject,
  name: StageName,
  more: Partial<RunOptions> & { fn?: StageFunction; variant?: string } = {},
): Promise<RunResult> {
  const { fn, variant, ...options } = more;
  const { root, dist, loaded } = project;
  return runStage(
    fn ?? fakeStages()[name]!,
    { stage: stageOf(name), variant },
    {
      root,
      dist,
      descriptor: loaded.descriptor!,
      place: loaded.place,
      variant,
      log: () => undefined,
      progress: () => undefined,
    },
    { ...FAKE_CODE, ...options },
  );
}

const codes = ({ diagnostics }: RunResult): string[] => diagnostics.map(({ code }) => code);
const keyOfFreeze = ({ loaded, root }: ModelProject): string =>
  keyOf({ stage: stageOf('freeze') }, loaded.descriptor!, root, FAKE_CODE);

describe('a stage that succeeds', () => {
  it('publishes its artefacts and a manifest, and then has nothing to do', async () => {
    const project = model();
    expect(await run(project, 'freeze')).toMatchObject({ outcome: 'done', summary: 'fake freeze' });
    expect(readdirSync(join(project.dist, 'frozen')).sort()).toEqual([
      'contract.json',
      'graph.pb',
      'manifest.json',
    ]);
    expect(await run(project, 'freeze')).toMatchObject({ outcome: 'up to date', summary: 'fake freeze' });
    expect(await run(project, 'freeze', { force: true })).toMatchObject({ outcome: 'done' });
  });

  it('is up to date without its source, when somebody knows the key', async () => {
    const project = model();
    const key = keyOfFreeze(project);
    await run(project, 'freeze', { key });
    rmSync(join(project.root, 'graph.pb'));
    expect(await run(project, 'freeze', { key })).toMatchObject({ outcome: 'up to date' });
  });

  it('works again when an artefact was changed or the manifest lists too little', async () => {
    const project = model();
    const graph = join(project.dist, 'frozen/graph.pb');
    const manifest = join(project.dist, 'frozen/manifest.json');
    await run(project, 'freeze');
    writeFileSync(graph, 'something else');
    expect(await run(project, 'freeze')).toMatchObject({ outcome: 'done' });
    const listed = JSON.parse(readFileSync(manifest, 'utf8')) as { outputs: Record<string, unknown> };
    writeFileSync(manifest, JSON.stringify({ ...listed, outputs: {} }));
    expect(await run(project, 'freeze')).toMatchObject({ outcome: 'done' });
  });

  it('says its warnings again when it is up to date, without places that may have moved', async () => {
    const project = model();
    const warning = { code: 'G005', severity: 'warning', message: 'not needed' } as const;
    const fn: StageFunction = async (context) => ({
      ...(await fakeStages().freeze!(context)),
      diagnostics: [{ ...warning, where: { file: 'model.yaml', line: 3 } }],
    });
    expect(codes(await run(project, 'freeze', { fn }))).toEqual(['G005']);
    expect(await run(project, 'freeze')).toEqual({
      outcome: 'up to date',
      diagnostics: [warning],
      summary: 'fake freeze',
    });
  });

  it('writes the same manifest for a comment in model.yaml', async () => {
    const project = model();
    await run(project, 'freeze');
    const manifest = readFileSync(join(project.dist, 'frozen/manifest.json'), 'utf8');
    writeFiles(project.root, { 'model.yaml': `# a comment\n${MODEL_YAML}` });
    const again = openModel(project.file);
    expect(await run(again, 'freeze')).toMatchObject({ outcome: 'up to date' });
    expect(readFileSync(join(project.dist, 'frozen/manifest.json'), 'utf8')).toBe(manifest);
  });
});

describe('inputs that do not hold still', () => {
  it('refuses a key that the files do not have', async () => {
    const project = model();
    const result = await run(project, 'freeze', { key: 'another' });
    expect(codes(result)).toEqual(['K002']);
    expect(existsSync(project.dist)).toBe(false);
  });

  it('publishes nothing when a source changes while the stage runs', async () => {
    const project = model();
    const fn = withSideEffect(fakeStages().freeze, () =>
      writeFileSync(join(project.root, 'graph.pb'), 'changed meanwhile'),
    );
    expect(codes(await run(project, 'freeze', { fn, memo: processMemo() }))).toEqual(['K002']);
    expect(existsSync(project.dist)).toBe(false);
  });

  it('keeps the artefacts of the last good run when a later one is refused', async () => {
    const project = model();
    await run(project, 'freeze');
    const before = readFileSync(join(project.dist, 'frozen/graph.pb'), 'utf8');
    writeFileSync(join(project.root, 'graph.pb'), 'new');
    const fn = withSideEffect(fakeStages().freeze, () =>
      writeFileSync(join(project.root, 'graph.pb'), 'newer'),
    );
    expect(codes(await run(project, 'freeze', { fn }))).toEqual(['K002']);
    expect(readFileSync(join(project.dist, 'frozen/graph.pb'), 'utf8')).toBe(before);
  });

  it('publishes nothing when an upstream artefact changes while the stage runs', async () => {
    const project = model();
    await run(project, 'freeze');
    const fn = withSideEffect(fakeStages().convert, () =>
      writeFileSync(join(project.dist, 'frozen/graph.pb'), 'changed meanwhile'),
    );
    expect(codes(await run(project, 'convert', { fn }))).toEqual(['K002']);
    expect(existsSync(join(project.dist, 'converted/model.tflite'))).toBe(false);
  });

  it('refuses upstream artefacts that are damaged or missing, and says how to make them again', async () => {
    const project = model();
    const missing = await run(project, 'convert');
    expect(missing.diagnostics).toMatchObject([{ code: 'K003', hint: expect.stringContaining('freeze') }]);
    await run(project, 'freeze');
    writeFileSync(join(project.dist, 'frozen/contract.json'), 'damaged');
    expect(codes(await run(project, 'convert'))).toEqual(['K003']);
    await run(project, 'freeze');
    expect(await run(project, 'convert')).toMatchObject({ outcome: 'done' });
  });

  it('follows what upstream writes, and nothing else', async () => {
    const project = model();
    await run(project, 'freeze');
    await run(project, 'convert');
    // Other bytes in the source, the same artefacts: early cutoff.
    writeFileSync(join(project.root, 'graph.pb'), 'other');
    const same: StageFunction = async () => ({
      diagnostics: [],
      artefacts: Object.fromEntries(
        ['frozen/graph.pb', 'frozen/contract.json'].map((f) => [f, readFileSync(join(project.dist, f))]),
      ),
    });
    expect(await run(project, 'freeze', { fn: same })).toMatchObject({ outcome: 'done' });
    expect(await run(project, 'convert')).toMatchObject({ outcome: 'up to date' });
    expect(await run(project, 'freeze', { force: true })).toMatchObject({ outcome: 'done' });
    expect(await run(project, 'convert')).toMatchObject({ outcome: 'done' });
  });
});

describe('what goes wrong', () => {
  it('names a missing source with its place in model.yaml', async () => {
    const project = model();
    rmSync(join(project.root, 'graph.pb'));
    const { diagnostics } = await run(project, 'freeze');
    expect(diagnostics).toMatchObject([{ code: 'S001', where: { file: project.file, line: 2 } }]);
  });

  it('does not miss files that only another stage needs', async () => {
    const project = model(`${MODEL_YAML}verify: { data: missing.npz }\n`);
    expect(await run(project, 'freeze')).toMatchObject({ outcome: 'done' });
  });

  it('knows a Git LFS pointer', async () => {
    const project = model();
    const oid = 'a'.repeat(64);
    writeFiles(project.root, {
      'graph.pb': `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`,
    });
    expect((await run(project, 'freeze')).diagnostics).toMatchObject([
      { code: 'K004', hint: 'git lfs pull' },
    ]);
  });

  it('publishes reports but no manifest after errors', async () => {
    const project = model();
    await run(project, 'freeze');
    const fn = async (): Promise<StageResult> => ({
      diagnostics: [{ code: 'T001', severity: 'error', message: 'no such op' }],
      artefacts: { 'validation/report.json': '{}' },
    });
    expect(await run(project, 'validate', { fn })).toMatchObject({ outcome: 'failed' });
    expect(readdirSync(join(project.dist, 'validation'))).toEqual(['report.json']);
    // So that the next run does not take the report for a success.
    expect(await run(project, 'validate', { fn })).toMatchObject({ outcome: 'failed' });
  });

  it('passes on what a stage has to say when it gives up', async () => {
    const fn = (): never => {
      throw new FloeError({ code: 'S005', severity: 'error', message: 'checksum' });
    };
    expect(codes(await run(model(), 'freeze', { fn }))).toEqual(['S005']);
  });

  it('leaves no half artefact when reading fails while they are written', async () => {
    const project = model();
    const broken = {
      byteLength: 4,
      get bytes(): Uint8Array {
        throw new FloeError({ code: 'S005', severity: 'error', message: 'checksum' });
      },
    };
    let released = false;
    const fn = async (): Promise<StageResult> => ({
      diagnostics: [],
      artefacts: { 'frozen/contract.json': '{}', 'frozen/graph.pb': [broken] },
      release: () => (released = true),
    });
    expect(codes(await run(project, 'freeze', { fn }))).toEqual(['S005']);
    expect(existsSync(project.dist)).toBe(false);
    expect(released).toBe(true);
  });

  it.each([
    ['writes what it should not', { 'frozen/graph.pb': '', 'frozen/contract.json': '', '../stray': '' }],
    ['does not write what it should', { 'frozen/graph.pb': '' }],
  ])('takes a stage that %s for a fault in Floe', async (_, artefacts) => {
    const project = model();
    const fn = async (): Promise<StageResult> => ({ diagnostics: [], artefacts });
    const result = await run(project, 'freeze', { fn });
    expect(result.internalError).toBeInstanceOf(Error);
    expect(existsSync(project.dist)).toBe(false);
  });

  it('shows a fault in Floe without its stack, unless asked', async () => {
    const fn = (): never => {
      throw new TypeError('x is undefined\nRequire stack:\n- /somewhere');
    };
    const result = await run(model(), 'freeze', { fn });
    const text = printResult('m', 'freeze', result, { color: false, cwd: folder });
    expect(text).toContain('internal error: x is undefined\n');
    expect(text).toContain('please report it');
    expect(text).not.toContain('run-stage.spec.ts');
    expect(text).not.toContain('Require stack');
    process.env.FLOE_DEBUG = '1';
    expect(printInternalError(result.internalError!, false)).toContain('run-stage.spec.ts');
    delete process.env.FLOE_DEBUG;
  });
});
