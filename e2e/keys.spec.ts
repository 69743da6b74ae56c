/**
 * What a key covers, in a real workspace, without and with Nx's daemon: no wrong hit, and nothing made again in vain.
 * Models whose sources lie where Nx itself does not look: ignored by git, outside the workspace, behind a link.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { keyName, keyVariable } from '@floe/export-core';
import { changeWeight } from './testing/checkpoint';
import { IN_PROCESS, Workspace, type Result } from './testing/workspace';

/** A small trained model with a float and an int8 variant. */
const MODEL = resolve(__dirname, '../packages/generators/src/generators/preset/files');
const WEIGHT = 'weights/1/.ATTRIBUTES/VARIABLE_VALUE';
const VARIABLES = 'saved_model/variables/variables';
const DATA = `${VARIABLES}.data-00000-of-00001`;
const ALL = [
  'freeze',
  'validate',
  'convert',
  'calibrate:int8',
  'quantize:int8',
  'export-tflite:float',
  'export-tflite:int8',
];
const MODELS = ['ignored', 'linked', 'outside'] as const;
type Model = (typeof MODELS)[number];

const workspace = new Workspace(IN_PROCESS);
const yaml = readFileSync(join(MODEL, 'model.yaml'), 'utf8').replace(/^#.*\n/gm, '');
const file = (model: Model): string => `models/${model}/model.yaml`;
/** Where a model's source really is. */
const sources: Record<Model, string> = {
  ignored: workspace.path('models/ignored'),
  linked: join(workspace.outside, 'elsewhere'),
  outside: join(workspace.outside, 'shared'),
};
const source = (model: Model, path = ''): string => join(sources[model], path);

/** Models as they are first. */
function makeModels(): void {
  for (const model of MODELS) {
    rmSync(workspace.path('models', model), { recursive: true, force: true });
    rmSync(source(model), { recursive: true, force: true });
    cpSync(join(MODEL, 'saved_model'), source(model, 'saved_model'), { recursive: true });
    workspace.write(file(model), yaml.replace('name: sine', `name: ${model}`));
    cpSync(join(MODEL, 'samples.npz'), workspace.path('models', model, 'samples.npz'));
  }
  symlinkSync(source('linked', 'saved_model'), workspace.path('models/linked/saved_model'));
  edit('outside', 'savedModel: saved_model', `savedModel: ${source('outside', 'saved_model')}`);
}

function edit(model: Model, from: string, to: string): void {
  const before = workspace.read(file(model)).toString();
  expect(before).toContain(from);
  workspace.write(file(model), before.replace(from, to));
}

beforeAll(() => {
  workspace.install();
  workspace.nx('g', 'floe:init');
  workspace.write('.gitignore', 'node_modules\ndist\n.nx\nsaved_model\n');
}, 240_000);
afterAll(() => {
  workspace.nxIn({ NX_DAEMON: 'true' }, 'daemon', '--stop');
  workspace.remove();
});

describe.each<[string, NodeJS.ProcessEnv]>([
  ['without the daemon', {}],
  ['with the daemon', { NX_DAEMON: 'true', CI: 'false' }],
])('%s', (_, daemon) => {
  const exportAll = (env: NodeJS.ProcessEnv = {}): Result =>
    workspace.nxIn({ ...daemon, ...env }, 'run-many', '-t', 'export-tflite', '--output-style=static');

  /** Exports every model, and says what did work, by model. */
  function made(env: NodeJS.ProcessEnv = {}): Record<Model, string[]> {
    const { code, output } = exportAll(env);
    expect({ code, output }).toMatchObject({ code: 0 });
    const of = (model: Model): string[] => {
      const [, summary = ''] =
        new RegExp(`^${model} int8: .*\\n(?:${model} .*\\n)* {2}(.*)$`, 'm').exec(output) ?? [];
      const [, list = ''] = /^run: ([^;\n]*)/.exec(summary) ?? [];
      expect(summary).toMatch(/^run: |^from the cache: everything$/);
      return list === '' ? [] : list.split(', ');
    };
    return Object.fromEntries(MODELS.map((model) => [model, of(model)])) as Record<Model, string[]>;
  }
  const nothing = { ignored: [], linked: [], outside: [] };
  const everything = { ignored: ALL, linked: ALL, outside: ALL };

  beforeAll(() => {
    workspace.nxIn(daemon, 'reset');
    makeModels();
    expect(made()).toEqual(everything);
    expect(made()).toEqual(nothing);
  });

  it('touched files, a comment, another environment and another workspace file change nothing', () => {
    const now = new Date();
    for (const model of MODELS) {
      for (const path of readdirSync(source(model, 'saved_model'), { recursive: true, encoding: 'utf8' })) {
        utimesSync(source(model, join('saved_model', path)), now, now);
      }
      edit(model, 'verify:', '# reviewed\nverify:');
    }
    workspace.write('README.md', `${Math.random()}`);
    // Also a key of another run in the environment is none: the hook makes its own.
    const stale = keyVariable(keyName('models/ignored', 'freeze'));
    const others = { [stale]: 'x'.repeat(22), FLOE_KEYS_FILE: 'keys of another run' };
    expect(made({ TF_CPP_MIN_LOG_LEVEL: '3', LANG: 'de_DE', ...others })).toEqual(nothing);
  });

  it('a weight of another value is seen wherever it lies', () => {
    const sizes = MODELS.map((model) => statSync(source(model, DATA)).size);
    MODELS.forEach((model, i) => changeWeight(source(model, VARIABLES), WEIGHT, 0.25 + i / 8));
    expect(MODELS.map((model) => statSync(source(model, DATA)).size)).toEqual(sizes);
    expect(made()).toEqual(everything);
    const models = MODELS.map((model) => workspace.read(`models/${model}/dist/float/model.tflite`));
    expect(models[0]).not.toEqual(models[1]);
    expect(models[1]).not.toEqual(models[2]);
  });

  it('so is a file that was swapped for one of its size and times, and only its own model runs', () => {
    const kept = [DATA, `${VARIABLES}.index`].map((path) => ({
      path: source('outside', path),
      stat: statSync(source('outside', path)),
    }));
    changeWeight(source('outside', VARIABLES), WEIGHT, 0.5);
    for (const { path, stat } of kept) {
      writeFileSync(`${path}.new`, readFileSync(path));
      renameSync(`${path}.new`, path);
      utimesSync(path, stat.atime, stat.mtime);
      expect(statSync(path).size).toBe(stat.size);
    }
    expect(made()).toEqual({ ...nothing, outside: ALL });
  });

  it('what does not change the frozen graph ends behind freeze', () => {
    // A folder is its files: one more is another source.
    for (const model of MODELS) writeFileSync(source(model, 'saved_model/notes.txt'), 'trained on Monday');
    expect(made()).toEqual({ ignored: ['freeze'], linked: ['freeze'], outside: ['freeze'] });
  });

  it('settings of a variant run what reads them and what comes after, of that variant', () => {
    edit('linked', 'int8: { quantization: int8,', 'int8: { quantization: int8, io: uint8,');
    expect(made()).toEqual({ ...nothing, linked: ['export-tflite:int8'] });
    edit('linked', 'io: uint8,', 'io: uint8, rules: [{ match: "*", quantization: float16 }],');
    expect(made()).toEqual({ ...nothing, linked: ['quantize:int8', 'export-tflite:int8'] });
    edit('linked', 'data: samples.npz', 'data: samples.npz, samples: 10');
    expect(made()).toMatchObject({ ...nothing, linked: ['calibrate:int8', ...ALL.slice(4, 5)] });
  });

  it('a variant that is added is made, and nothing else', () => {
    const { code, output } = workspace.nxIn(daemon, 'g', 'floe:variant', 'ignored', '--quantization=float16');
    expect({ code, output }).toMatchObject({ code: 0 });
    // To Nx it is another project: it asks the executors, which find their work done.
    expect(made().ignored).toEqual(['quantize:float16', 'export-tflite:float16']);
  });

  it('a Git LFS pointer is the file that it points at, until someone has to read it', () => {
    const content = readFileSync(source('outside', DATA));
    const pointer = (oid: string): string =>
      `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
    writeFileSync(source('outside', DATA), pointer(createHash('sha256').update(content).digest('hex')));
    expect(made()).toEqual(nothing);
    writeFileSync(source('outside', DATA), pointer('0'.repeat(64)));
    const { code, output } = exportAll();
    expect(code).not.toBe(0);
    expect(output).toMatch(
      /outside freeze\n.*error K004: .*variables\.data-00000-of-00001 is a Git LFS pointer/,
    );
    expect(output).toContain('git lfs pull');
    writeFileSync(source('outside', DATA), content);
    expect(made()).toEqual(nothing);
  });

  it('an artefact that was changed or cut short in the cache is found and made again', () => {
    const files = [
      'frozen/graph.pb',
      'converted/model.tflite',
      'int8/quantized.tflite',
      'float/model.tflite',
    ];
    const right = files.map((path) => workspace.read(`models/ignored/dist/${path}`));
    const cache = workspace.path('.nx/cache');
    const entries = readdirSync(cache, { recursive: true, encoding: 'utf8' });
    files.forEach((path, i) => {
      const copies = entries.filter((entry) => entry.endsWith(`ignored/dist/${path}`));
      expect(copies.length).toBeGreaterThan(0);
      for (const copy of copies.map((entry) => join(cache, entry))) {
        if (i % 2) truncateSync(copy, statSync(copy).size >> 1);
        else {
          const bytes = readFileSync(copy);
          bytes[bytes.length >> 1] ^= 1;
          writeFileSync(copy, bytes);
        }
      }
    });
    // Everything is a hit: the hook looks at what came.
    rmSync(workspace.path('models/ignored/dist'), { recursive: true });
    const { code } = exportAll();
    expect(code).toBe(0);
    expect(files.map((path) => workspace.read(`models/ignored/dist/${path}`))).toEqual(right);
    // What comes after `convert` runs, and reads what came.
    rmSync(workspace.path('models/ignored/dist'), { recursive: true });
    edit('ignored', 'int8: { quantization: int8,', 'int8: { quantization: int8, io: uint8,');
    const { code: again, output } = exportAll();
    expect({ again, output }).toMatchObject({ again: 0 });
    expect(output).toMatch(
      /K003.*int8\/quantized\.tflite is not what quantize:int8 wrote.*it was made again/,
    );
    expect(files.map((path) => workspace.read(`models/ignored/dist/${path}`))).toEqual(right);
    workspace.nxIn(daemon, 'reset');
    expect(made().ignored).toEqual([]);
  });

  it('an upgrade of Floe makes everything again', () => {
    const fingerprint = workspace.path('node_modules/@floe/export-core/dist/fingerprint.json');
    const text = readFileSync(fingerprint, 'utf8');
    const lock = workspace.path('package-lock.json');
    try {
      const { sha256 } = JSON.parse(text) as { sha256: string };
      writeFileSync(fingerprint, text.replace(sha256, 'f'.repeat(64)));
      // Every upgrade changes the lock; the daemon ends when it does.
      appendFileSync(lock, '\n');
      const { ignored, ...others } = made();
      expect(others).toEqual({ linked: ALL, outside: ALL });
      expect(ignored).toEqual(expect.arrayContaining(ALL));
    } finally {
      writeFileSync(fingerprint, text);
      appendFileSync(lock, '\n');
    }
  });
});
