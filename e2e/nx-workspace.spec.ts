/** Floe in a real Nx workspace, on a real model: what is made again, what is not, and what may never be a hit. */
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changeWeight, flipBit } from './testing/checkpoint';
import { Workspace, type Result } from './testing/workspace';

const EXAMPLE = join(__dirname, '..', 'examples', 'mobilenet-v1');
const WEIGHTS = 'MobilenetV1/Conv2d_3_pointwise/weights';
const CHAIN = ['freeze', 'validate', 'convert', 'export-tflite:float'];
const TFLITE = 'models/shapes/dist/float/model.tflite';

const workspace = new Workspace();
const yaml = readFileSync(join(EXAMPLE, 'model.yaml'), 'utf8').replace(/^name: .*$/m, 'name: shapes');

beforeAll(() => {
  workspace.install();
  expect(workspace.nx('g', 'floe:init').code).toBe(0);
  workspace.copy(EXAMPLE, 'models/shapes');
  workspace.write('models/shapes/model.yaml', yaml);
}, 180_000);
afterAll(() => workspace.remove());

/** Exports a model and says which targets did work, as the last line has it. */
function exported(model = 'shapes'): Result & { made: string[] } {
  const result = workspace.nx('run', `${model}:export-tflite`);
  expect(result).toMatchObject({ code: 0 });
  const [, made = ''] = /^ {2}run: ([^;\n]*)/m.exec(result.output) ?? [];
  expect(result.output).toContain(`${model} float: models/${model}/dist/float/model.tflite, `);
  return { ...result, made: made === '' ? [] : made.split(', ') };
}

/** The prefix of a model's checkpoint. */
const prefix = (folder = workspace.path('models/shapes/ckpt')): string => join(folder, 'model.ckpt-2000');

describe('a workspace after floe:init', () => {
  it('has the plugin, and knows the model and its targets', () => {
    expect(JSON.parse(workspace.read('nx.json').toString())).toMatchObject({ plugins: ['floe'] });
    expect(workspace.read('.gitignore').toString()).toContain('dist');
    expect(workspace.nx('show', 'projects').stdout.split('\n')).toContain('shapes');
    const shown = JSON.parse(workspace.nx('show', 'project', 'shapes', '--json').stdout) as {
      targets: Record<string, { metadata: { description: string } }>;
    };
    expect(Object.keys(shown.targets)).toEqual(
      expect.arrayContaining([...CHAIN, 'export-tflite', 'verify:float']),
    );
    expect(shown.targets.freeze.metadata.description).toContain('constants');
  });

  it('exports the model, and takes everything from the cache the second time', () => {
    expect(exported().made).toEqual(CHAIN);
    expect(workspace.read(TFLITE).toString('latin1', 4, 8)).toBe('TFL3');
    expect(exported().made).toEqual([]);
  });

  it('verifies what it exported', () => {
    const { code, output } = workspace.nx('run', 'shapes:verify');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(existsSync(workspace.path('models/shapes/dist/float/verification.json'))).toBe(true);
  });
});

describe('what changes nothing', () => {
  it('is a touched file, a comment, another npm package', () => {
    const now = new Date();
    for (const file of readdirSync(workspace.path('models/shapes/ckpt'))) {
      utimesSync(workspace.path('models/shapes/ckpt', file), now, now);
    }
    workspace.write('models/shapes/model.yaml', `# a comment\n${yaml}`);
    workspace.write('unrelated/package.json', { name: 'unrelated', version: '1.0.0' });
    workspace.npm(
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      'file:./unrelated',
    );
    const { made, output } = exported();
    expect(made).toEqual([]);
    expect(output).toContain('[local cache]');
  });

  it('is a lost dist folder: the cache has it', () => {
    const before = workspace.read(TFLITE);
    rmSync(workspace.path('models/shapes/dist'), { recursive: true });
    expect(exported().made).toEqual([]);
    expect(workspace.read(TFLITE)).toEqual(before);
  });
});

describe('what changes everything', () => {
  const saved = join(workspace.outside, 'saved');
  beforeAll(() => cpSync(workspace.path('models/shapes/ckpt'), saved, { recursive: true }));
  const restore = (): void => cpSync(saved, workspace.path('models/shapes/ckpt'), { recursive: true });

  it('is another weight', () => {
    const before = workspace.read(TFLITE);
    changeWeight(prefix(), WEIGHTS, 0.5);
    expect(exported().made).toEqual(CHAIN);
    expect(workspace.read(TFLITE)).not.toEqual(before);
    restore();
    expect(exported().made).toEqual([]);
    expect(workspace.read(TFLITE)).toEqual(before);
  });

  it('is not a damaged one: that fails, each time', () => {
    flipBit(prefix(), WEIGHTS);
    for (let i = 0; i < 2; i++) {
      const { code, output } = workspace.nx('run', 'shapes:export-tflite');
      expect(code).not.toBe(0);
      expect(output).toContain('S005');
      expect(output).toContain(WEIGHTS);
      expect(output).toContain('model.ckpt-2000.data-00000-of-00001');
      expect(output).not.toMatch(/^\s+at .*\.js:\d+/m);
    }
    restore();
    expect(exported().made).toEqual([]);
  });

  it('is a weight of a checkpoint that git ignores', () => {
    writeFileSync(workspace.path('.gitignore'), `${workspace.read('.gitignore').toString()}ckpt\n`);
    // The file is an input of everything to Nx; the artefacts know better.
    expect(exported().made).toEqual([]);
    changeWeight(prefix(), WEIGHTS, 0.25);
    expect(exported().made).toEqual(CHAIN);
    restore();
    expect(exported().made).toEqual([]);
  });

  it('is a weight of a checkpoint outside the workspace', () => {
    const elsewhere = join(workspace.outside, 'elsewhere');
    cpSync(saved, elsewhere, { recursive: true });
    const moved = yaml
      .replace(/^name: .*$/m, 'name: outside')
      .replace(/checkpoint: ckpt/, `checkpoint: ${elsewhere}`);
    workspace.write('models/outside/model.yaml', moved.replace(/^verify: .*$/m, ''));
    expect(exported('outside').made).toEqual(CHAIN);
    expect(exported('outside').made).toEqual([]);
    expect(workspace.read('models/outside/dist/float/model.tflite')).toEqual(workspace.read(TFLITE));
    changeWeight(prefix(elsewhere), WEIGHTS, 0.125);
    expect(exported('outside').made).toEqual(CHAIN);
  });
});

describe('a target without those it depends on', () => {
  it('is refused: Nx would store its result whatever it was made of', () => {
    const { code, output } = workspace.nx(
      'run',
      'shapes:convert',
      '--exclude-task-dependencies',
      '--skip-nx-cache',
    );
    expect(code).not.toBe(0);
    expect(output).toContain('K001');
  });
});

describe('a broken model.yaml', () => {
  it('fails its own targets, and nothing else', () => {
    workspace.write('models/broken/model.yaml', 'version: 1\nsource: { checkpiont: ckpt }\n');
    workspace.write('models/worse/model.yaml', '{ not: [yaml');
    const projects = workspace.nx('show', 'projects').stdout.split('\n');
    expect(projects).toEqual(expect.arrayContaining(['shapes', 'broken', 'worse']));
    expect(workspace.nx('run', 'shapes:export-tflite').code).toBe(0);
    const { code, output } = workspace.nx('run', 'broken:export-tflite');
    expect(code).not.toBe(0);
    expect(output).toContain('models/broken/model.yaml:2:');
    expect(output).toContain('`checkpoint`');
    expect(workspace.nx('run', 'worse:freeze').output).toContain('D001');
    for (const name of ['broken', 'worse']) rmSync(workspace.path('models', name), { recursive: true });
  });
});

describe('outside of the targets', () => {
  it('the generator writes a model that runs', () => {
    const ckpt = 'models/shapes/ckpt';
    const { code, output } = workspace.nx(
      'g',
      'floe:model',
      'made',
      `--source=${ckpt}`,
      '--directory=models/made',
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(exported('made').made).toEqual(CHAIN);
  });

  it('generators write nothing in a dry run, nor over what is there, nor under a name that is none', () => {
    const before = workspace.read('models/made/model.yaml').toString();
    const dry = workspace.nx('g', 'floe:variant', 'made', '--quantization=float16', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.output).toMatch(/UPDATE models\/made\/model\.yaml[^]*"dryRun"/);
    const again = workspace.nx(
      'g',
      'floe:model',
      'made',
      `--source=models/shapes/ckpt`,
      '--directory=models/made',
    );
    expect(again.code).not.toBe(0);
    expect(again.output).toContain('models/made/model.yaml already exists');
    const named = workspace.nx(
      'g',
      'floe:model',
      'two words',
      '--source=models/shapes/ckpt',
      '--directory=models/two',
    );
    expect(named.code).not.toBe(0);
    expect(existsSync(workspace.path('models/two'))).toBe(false);
    expect(workspace.read('models/made/model.yaml').toString()).toBe(before);
  });

  it('nx migrate brings a model.yaml of an older version up to date', () => {
    const now = workspace.read('models/made/model.yaml').toString();
    workspace.write('models/made/model.yaml', now.replace(/^version: 1\n/m, ''));
    const migration = { package: 'floe', name: 'model-yaml', version: '0.1.0', cli: 'nx' };
    workspace.write('migrations.json', { migrations: [migration] });
    // With the Nx that is installed, not the latest one.
    const local = { NX_MIGRATE_USE_LOCAL: 'true', NX_MIGRATE_SKIP_INSTALL: 'true' };
    const { code, output } = workspace.nxIn(local, 'migrate', '--run-migrations');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('models/made/model.yaml: files say their version');
    const text = workspace.read('models/made/model.yaml').toString();
    expect(text.split('\n').sort()).toEqual(now.split('\n').sort());
    rmSync(workspace.path('migrations.json'));
  });

  it('the command line says what was made', () => {
    const { code, stdout } = workspace.floe('inspect', TFLITE, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'tflite',
      signatures: [
        { key: 'serving_default', inputs: [{ name: 'image' }], outputs: [{ name: 'probabilities' }] },
      ],
    });
  });

  it('the command line writes the same bytes in another folder', () => {
    const other = join(workspace.outside, 'other', 'place');
    cpSync(workspace.path('models/shapes'), other, { recursive: true });
    rmSync(join(other, 'dist'), { recursive: true });
    const { code, stdout } = workspace.floe('export', other, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, diagnostics: [] });
    exported();
    for (const file of [
      'frozen/graph.pb',
      'frozen/contract.json',
      'float/model.tflite',
      'float/manifest.json',
    ]) {
      expect(readFileSync(join(other, 'dist', file))).toEqual(workspace.read(`models/shapes/dist/${file}`));
    }
  });
});
