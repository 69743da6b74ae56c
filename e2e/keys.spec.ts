/** What a key covers, in a real workspace with several variants: no wrong hit, and nothing made again in vain. */
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { changeWeight } from './testing/checkpoint';
import { IN_PROCESS, Workspace } from './testing/workspace';

const EXAMPLE = resolve(__dirname, '../examples/mobilenet-v1');
const WEIGHTS = 'MobilenetV1/Conv2d_3_pointwise/weights';
const DATA = 'ckpt/model.ckpt-2000.data-00000-of-00001';
const UPSTREAM = ['freeze', 'validate', 'convert'];

const workspace = new Workspace(IN_PROCESS);
const at = (path: string): string => workspace.path('models/shapes', path);
const base = readFileSync(join(EXAMPLE, 'model.yaml'), 'utf8').replace(/^name: .*$/m, 'name: shapes');
const withInt8 = (settings: string): string =>
  base.replace(/^variants:[^]*?(?=^\S|$(?![^]))/m, '').trimEnd() +
  `\nvariants:\n  float: {}\n  int8: { quantization: int8, calibration: { data: samples.npz, samples: 8 }${settings} }\n`;

/** Exports, and says what did work. */
function made(env: NodeJS.ProcessEnv = {}): string[] {
  const { code, output } = workspace.nxIn(env, 'run', 'shapes:export-tflite');
  expect({ code, output }).toMatchObject({ code: 0 });
  const [, list = ''] = /^ {2}run: ([^;\n]*)/m.exec(output) ?? [];
  return list === '' ? [] : list.split(', ');
}

beforeAll(() => {
  workspace.install();
  workspace.nx('g', 'floe:init');
  workspace.copy(EXAMPLE, 'models/shapes');
  workspace.write('models/shapes/model.yaml', withInt8(''));
  expect(made()).toEqual([
    ...UPSTREAM,
    'calibrate:int8',
    'quantize:int8',
    'export-tflite:float',
    'export-tflite:int8',
  ]);
}, 240_000);
afterAll(() => {
  workspace.nxIn({ NX_DAEMON: 'true' }, 'daemon', '--stop');
  workspace.remove();
});

it('another variant’s settings rerun only that variant’s stages, from the one that reads them on', () => {
  workspace.write('models/shapes/model.yaml', withInt8(', io: uint8'));
  expect(made()).toEqual(['export-tflite:int8']);
  workspace.write('models/shapes/model.yaml', withInt8(', io: uint8, onUnsupported: error'));
  expect(made()[0]).toBe('quantize:int8');
  workspace.write('models/shapes/model.yaml', withInt8(''));
  expect(made()).toEqual([]);
});

it('a file swapped for another of its size and time is seen', () => {
  const before = readFileSync(at(DATA));
  const { atime, mtime } = statSync(at(DATA));
  const { atime: indexRead, mtime: indexTime } = statSync(at('ckpt/model.ckpt-2000.index'));
  changeWeight(at('ckpt/model.ckpt-2000'), WEIGHTS, 0.5);
  const changed = readFileSync(at(DATA));
  writeFileSync(at('swapped'), changed);
  renameSync(at('swapped'), at(DATA));
  utimesSync(at(DATA), atime, mtime);
  utimesSync(at('ckpt/model.ckpt-2000.index'), indexRead, indexTime);
  expect(changed).toHaveLength(before.length);
  expect(made().slice(0, 3)).toEqual(UPSTREAM);
  changeWeight(at('ckpt/model.ckpt-2000'), WEIGHTS, -0.5);
});

it('a link to the source is its content, and a Git LFS pointer its oid', () => {
  workspace.copy(join(EXAMPLE, 'ckpt'), 'models/shapes/ckpt');
  expect(made()).toEqual([]);
  const elsewhere = join(workspace.outside, 'elsewhere');
  renameSync(at('ckpt'), elsewhere);
  symlinkSync(elsewhere, at('ckpt'));
  expect(made()).toEqual([]);
  const content = readFileSync(at(DATA));
  const oid = createHash('sha256').update(content).digest('hex');
  writeFileSync(
    at(DATA),
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`,
  );
  expect(made()).toEqual([]);
  writeFileSync(at(DATA), content);
});

it('an artefact that was changed in the cache is found, and not used', () => {
  rmSync(at('dist'), { recursive: true });
  const cache = workspace.path('.nx/cache');
  const graphs = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('graph.pb'),
  );
  expect(graphs.length).toBeGreaterThan(0);
  for (const graph of graphs) {
    const bytes = readFileSync(join(cache, graph));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(join(cache, graph), bytes);
  }
  // Another contract for the .tflite: what comes after the frozen graph has to be made, from a graph that is not it.
  workspace.write('models/shapes/model.yaml', `${withInt8('')}target: { runtime: "2.14" }\n`);
  const { code, output } = workspace.nx('run', 'shapes:export-tflite');
  expect(code).not.toBe(0);
  expect(output).toMatch(/K003.*frozen\/graph\.pb is not what freeze wrote/);
  // The way out that the message names.
  expect(output).toContain('nx reset');
  expect(workspace.nx('reset').code).toBe(0);
  expect(made()).toEqual(expect.arrayContaining(['freeze', 'convert']));
  workspace.write('models/shapes/model.yaml', withInt8(''));
});

it('an upgrade of Floe makes everything again', () => {
  made();
  const file = workspace.path('node_modules/@floe/export-core/dist/fingerprint.json');
  const text = readFileSync(file, 'utf8');
  const { sha256 } = JSON.parse(text) as { sha256: string };
  writeFileSync(file, text.replace(sha256, 'f'.repeat(64)));
  expect(made().slice(0, 3)).toEqual(UPSTREAM);
  writeFileSync(file, text);
});

it('holds with the daemon too', () => {
  const daemon = { NX_DAEMON: 'true', CI: 'false' };
  made(daemon);
  expect(made(daemon)).toEqual([]);
  changeWeight(at('ckpt/model.ckpt-2000'), WEIGHTS, 0.25);
  expect(made(daemon).slice(0, 3)).toEqual(UPSTREAM);
  expect(made(daemon)).toEqual([]);
});
