import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FloeError, type StageFunctions } from '@floe/export-core';
import {
  FAKE_CODE,
  fakeModel,
  fakeStages,
  MODEL_YAML,
  temporaryFolder,
} from '../../../export-core/src/stages/testing/fake-model';
import { parseArguments, UsageError, type Command } from './arguments';
import { command, run, type ExportResult } from './export';
import { findModels } from './find-models';
import { runCommand, type ExitCode } from './main';
import type { Terminal } from './terminal';

interface Said {
  exit: ExitCode;
  out: string;
  err: string;
  lines: ExportResult[];
}

async function floeExport(cwd: string, args: string[], stages: StageFunctions = fakeStages()): Promise<Said> {
  const said = { out: '', err: '' };
  const io: Terminal = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    color: false,
    cwd,
  };
  const exit = await run(parseArguments(args, command), io, { stages, code: () => FAKE_CODE });
  const json = args.includes('--json') ? said.out.trim().split('\n') : [];
  return { ...said, exit, lines: json.map((line) => JSON.parse(line) as ExportResult) };
}

const TWO_VARIANTS = `${MODEL_YAML}variants: { float: {}, other: {} }\n`;

describe('floe export', () => {
  it('runs the chain up to export-tflite and says where everything is', async () => {
    const cwd = temporaryFolder();
    const file = fakeModel(cwd, 'a');
    const calls: string[] = [];
    const { exit, lines, err } = await floeExport(cwd, ['a', '--json'], fakeStages(calls));
    expect(exit).toBe(0);
    expect(calls).toEqual(['freeze', 'validate', 'convert', 'export-tflite:float']);
    expect(lines).toEqual([
      {
        model: file,
        ok: true,
        frozen: join(cwd, 'a/dist/frozen/graph.pb'),
        tflite: { float: join(cwd, 'a/dist/float/model.tflite') },
        diagnostics: [],
        ms: expect.any(Number),
      },
    ]);
    expect(err).toBe('');
    expect(Object.values(lines[0].tflite).every(existsSync)).toBe(true);
  });

  it('makes nothing twice, unless it is told to', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a');
    const calls: string[] = [];
    await floeExport(cwd, ['a'], fakeStages());
    const again = await floeExport(cwd, ['a', '--json'], fakeStages(calls));
    expect(calls).toEqual([]);
    expect(again.lines[0].tflite.float).toBeTruthy();
    await floeExport(cwd, ['a', '--force'], fakeStages(calls));
    expect(calls).toHaveLength(4);
  });

  it('prints results on stdout and progress on stderr for people', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a');
    const { out, err } = await floeExport(cwd, ['.']);
    expect(out).toMatch(/^a\/dist\/float\/model\.tflite {2}\d+ B\n$/);
    expect(err).toContain('✔ a freeze  fake freeze\n');
    expect(err).toContain('✔ a export-tflite:float');
  });

  it('goes on after a failed model', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a', 'version: 1\nsauce: {}\n');
    fakeModel(cwd, 'b');
    rmSync(join(dirname(fakeModel(cwd, 'c')), 'graph.pb'));
    const { exit, lines } = await floeExport(cwd, ['.', '--json']);
    expect(exit).toBe(1);
    expect(lines.map(({ ok }) => ok)).toEqual([false, true, false]);
    expect(lines[0]).toMatchObject({ frozen: null, tflite: {} });
    expect(lines[0].diagnostics).toContainEqual(
      expect.objectContaining({ code: 'D002', severity: 'error', message: expect.any(String) }),
    );
    expect(lines[2].diagnostics).toEqual([expect.objectContaining({ code: 'S001' })]);
  });

  it('keeps the other variants of a variant that fails', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a', TWO_VARIANTS);
    const stages = fakeStages();
    const good = stages['export-tflite']!;
    stages['export-tflite'] = (context) => {
      if (context.variant === 'float') {
        throw new FloeError({ code: 'T003', severity: 'error', message: 'too old' });
      }
      return good(context);
    };
    const { exit, lines } = await floeExport(cwd, ['a', '--json'], stages);
    expect(exit).toBe(1);
    expect(lines[0]).toMatchObject({ ok: false, diagnostics: [{ code: 'T003' }] });
    expect(lines[0].frozen).toBeTruthy();
    expect(Object.keys(lines[0].tflite)).toEqual(['other']);
  });

  it('does not run what depends on a failed stage', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a');
    const calls: string[] = [];
    const stages = fakeStages(calls);
    stages.validate = async () => ({
      diagnostics: [{ code: 'T001', severity: 'error', message: 'no such op' }],
      artefacts: {},
    });
    const { lines } = await floeExport(cwd, ['a', '--json'], stages);
    expect(calls).toEqual(['freeze']);
    expect(lines[0]).toMatchObject({ ok: false, tflite: {}, diagnostics: [{ code: 'T001' }] });
    expect(lines[0].frozen).toBeTruthy();
  });

  it('shows a fault in Floe as one and goes on', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a');
    fakeModel(cwd, 'b');
    const stages = fakeStages();
    const freeze = stages.freeze!;
    stages.freeze = (context) => {
      if (context.root.endsWith('a')) throw new TypeError('cannot read properties of undefined');
      return freeze(context);
    };
    const { lines } = await floeExport(cwd, ['.', '--json'], stages);
    expect(lines.map(({ ok }) => ok)).toEqual([false, true]);
    expect(lines[0].diagnostics).toEqual([expect.objectContaining({ code: 'INTERNAL', severity: 'error' })]);
  });

  it('exports only the variants and stages asked for', async () => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a', TWO_VARIANTS);
    fakeModel(cwd, 'b');
    const calls: string[] = [];
    const { lines } = await floeExport(cwd, ['.', '--json', '--variant', 'other'], fakeStages(calls));
    expect(calls).toEqual(['freeze', 'validate', 'convert', 'export-tflite:other']);
    // As under Nx, a model without the variant is left out.
    expect(lines).toHaveLength(1);
    const until = await floeExport(cwd, ['b', '--json', '--until', 'freeze']);
    expect(until).toMatchObject({ exit: 0, lines: [{ ok: true, tflite: {} }] });
    const verified: string[] = [];
    await floeExport(cwd, ['b', '--until=verify'], fakeStages(verified));
    expect(verified.at(-1)).toBe('verify:float');
  });

  it.each([
    [[], /floe export PATH/],
    [['nowhere'], /nowhere does not exist/],
    [['empty'], /no model\.yaml/],
    [['a/graph.pb'], /is not a model\.yaml/],
    [['a', '--until', 'freez'], /did you mean `freeze`/],
    [['a', '--variant', 'flaot'], /no model has a variant `flaot`: did you mean `float`/],
  ])('refuses %j', async (args, message) => {
    const cwd = temporaryFolder();
    fakeModel(cwd, 'a');
    mkdirSync(join(cwd, 'empty'));
    await expect(floeExport(cwd, args)).rejects.toThrow(UsageError);
    await expect(floeExport(cwd, args)).rejects.toThrow(message);
  });
});

describe('findModels', () => {
  it('searches folders, but not those with artefacts and packages, and takes each model once', () => {
    const cwd = temporaryFolder();
    const a = fakeModel(cwd, 'a');
    const nested = fakeModel(cwd, 'group/b');
    for (const skipped of ['node_modules/x', 'dist/x', '.nx/x', '.git/x']) fakeModel(cwd, skipped);
    expect(findModels(['.'], cwd)).toEqual([a, nested]);
    expect(findModels(['group', 'a/model.yaml', '.'], cwd)).toEqual([nested, a]);
  });

  it('takes the folder of a model for that model, not for those below it', () => {
    const cwd = temporaryFolder();
    const a = fakeModel(cwd, 'a');
    fakeModel(cwd, 'a/part');
    expect(findModels(['a'], cwd)).toEqual([a]);
  });
});

describe('floe', () => {
  async function floe(...args: string[]): Promise<{ exit: ExitCode; out: string; err: string }> {
    const said = { out: '', err: '' };
    const exit = await runCommand(args, {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      color: false,
      cwd: temporaryFolder0,
    });
    return { exit, ...said };
  }
  const temporaryFolder0 = temporaryFolder();

  it('helps', async () => {
    expect(await floe('--help')).toMatchObject({ exit: 0, out: expect.stringContaining('floe COMMAND') });
    expect(await floe('export', '--help')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('--until'),
    });
    expect(await floe('help', 'inspect')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('--digest'),
    });
    expect((await floe('--version')).out).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('shows examples of every command, which it takes, and its exit codes', async () => {
    const { out } = await floe('--help');
    const commands = [...out.matchAll(/^ {2}(\w+) {2,}[A-Z]/gm)].map(([, name]) => name);
    expect(commands).toEqual(expect.arrayContaining(['export', 'inspect', 'explain']));
    for (const name of commands) {
      const { out: help } = await floe(name, '--help');
      expect(help).toMatch(/^Exit code: 0/m);
      const examples = [...help.matchAll(/^ {2}floe (.+?)(?: {2,}.*)?$/gm)].map(([, line]) =>
        line.split(' '),
      );
      expect(examples.length).toBeGreaterThan(1);
      const { command: own } = require(`./${name}`) as { command: Command };
      for (const [called, ...args] of examples) {
        expect(called).toBe(name);
        expect(() => parseArguments(args, own)).not.toThrow();
      }
    }
  });

  it('says what was typed wrongly, with exit code 2', async () => {
    expect(await floe()).toMatchObject({ exit: 2, out: '' });
    expect(await floe('exprot')).toMatchObject({ exit: 2, err: expect.stringContaining('`export`') });
    expect(await floe('export', 'x', '--jsn')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('`--json`'),
    });
  });

  it('says what is wrong with a file, with exit code 1', async () => {
    writeFileSync(join(temporaryFolder0, 'empty.pb'), '');
    const { exit, err, out } = await floe('inspect', 'empty.pb', '--json');
    expect({ exit, out }).toEqual({ exit: 1, out: '' });
    expect(err).toContain('S003');
  });
});
