import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceFiles } from '../keys/sources';
import { checkFiles } from './check-files';
import { parseDescriptor } from './load';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'floe-files-'))));
afterEach(() => rmSync(root, { recursive: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(
      join(root, path),
      path.endsWith('/checkpoint') ? 'model_checkpoint_path: "model.ckpt-20"\n' : '',
    );
  }
}

function load(source: string, more = '') {
  const text = `version: 1\nsource: ${source}\ninputs: []\noutputs: [{ name: y, tensor: y }]\n${more}`;
  const loaded = parseDescriptor(join(root, 'model.yaml'), text);
  return { descriptor: loaded.descriptor!, place: loaded.place };
}

/** `line:column CODE message (hint)` of every missing file. */
function missing(source: string, more?: string, variants?: string[]): string[] {
  const { descriptor, place } = load(source, more);
  return checkFiles(descriptor, root, place, variants).map((d) =>
    `${d.where?.line}:${d.where?.column} ${d.code} ${d.message}${d.hint ? ` (${d.hint})` : ''}`.replaceAll(
      root,
      '<root>',
    ),
  );
}

/** `role path` of every source file. */
function sources(source: string): string[] {
  return sourceFiles(load(source).descriptor, root).map(
    ({ role, path }) => `${role} ${path.slice(root.length + 1)}`,
  );
}

describe('sourceFiles', () => {
  beforeEach(() =>
    put(
      'ckpt/checkpoint',
      ...['ckpt/model.ckpt-2', 'ckpt/model.ckpt-20'].flatMap((p) => [
        `${p}.index`,
        `${p}.meta`,
        `${p}.data-00000-of-00002`,
      ]),
      'ckpt/model.ckpt-20.data-00001-of-00002',
      'v1/model.ckpt-00000-of-00002',
      'v1/model.ckpt-00001-of-00002',
    ),
  );
  const V2 = [
    'checkpoint/data-00000-of-00002 ckpt/model.ckpt-20.data-00000-of-00002',
    'checkpoint/data-00001-of-00002 ckpt/model.ckpt-20.data-00001-of-00002',
    'checkpoint/index ckpt/model.ckpt-20.index',
  ];

  it.each([
    'ckpt/model.ckpt-20',
    'ckpt/model.ckpt-20.index',
    'ckpt/model.ckpt-20.meta',
    'ckpt',
    'ckpt/checkpoint',
  ])('of a V2 checkpoint given as %s', (path) => {
    expect(sources(`{ checkpoint: ${path} }`)).toEqual([...V2, 'graph ckpt/model.ckpt-20.meta']);
    expect(sources(`{ checkpoint: ${path}, graph: other.pb }`)).toEqual([...V2, 'graph other.pb']);
  });

  it('of V1 shards, of a SavedModel, of a frozen graph', () => {
    expect(sources('{ checkpoint: "v1/model.ckpt-?????-of-00002" }')).toEqual([
      'checkpoint/00000-of-00002 v1/model.ckpt-00000-of-00002',
      'checkpoint/00001-of-00002 v1/model.ckpt-00001-of-00002',
      'graph v1/model.ckpt.meta',
    ]);
    expect(sources('{ savedModel: saved, checkpoint: ckpt }')).toEqual(['savedModel saved', ...V2]);
    expect(sources('{ frozenGraph: graph.pb }')).toEqual(['graph graph.pb']);
  });
});

describe('checkFiles', () => {
  it('is content when everything is there', () => {
    put('ckpt/model.ckpt-20.index', 'ckpt/model.ckpt-20.meta', 'graph.pb', 'samples.npz');
    expect(missing('{ checkpoint: ckpt/model.ckpt-20 }', 'verify: { data: samples.npz }')).toEqual([]);
    expect(missing('{ frozenGraph: graph.pb }')).toEqual([]);
  });

  it('names the nearest file there is', () => {
    put('models/graph.pb', 'models/graph2.pb', 'samples.npz', 'ckpt/m.index');
    expect(missing('{ frozenGraph: models/grpah.pb }', 'verify: { data: sample.npz }')).toEqual([
      '2:24 S001 models/grpah.pb does not exist (did you mean `models/graph.pb` or `models/graph2.pb`?)',
      '5:17 S001 sample.npz does not exist (did you mean `samples.npz`?)',
    ]);
    expect(missing('{ frozenGraph: model/graph.pb }')).toEqual([
      '2:24 S001 model/graph.pb does not exist (did you mean `models`?)',
    ]);
    expect(missing('{ savedModel: a/b/c }')).toEqual([
      '2:23 S001 a/b/c does not exist (there is no folder a)',
    ]);
    expect(missing('{ frozenGraph: ../nothing-like-it }')).toEqual([
      '2:24 S001 ../nothing-like-it does not exist',
    ]);
  });

  it('says why there is no checkpoint, at its place in model.yaml', () => {
    put('ckpt/model.ckpt-10.index', 'ckpt/checkpoint', 'bare/a.index', 'bare/b.index');
    expect(missing('{ checkpoint: ckpt/model.ckpt-11 }')[0]).toMatch(
      /^2:23 S001 there is no checkpoint .*\(did you mean .*model\.ckpt-10\?\)$/,
    );
    expect(missing('{ checkpoint: ckpt }')[0]).toMatch(/^2:23 S001 .*names model\.ckpt-20/);
    expect(missing('{ checkpoint: bare }')[0]).toMatch(/^2:23 S003 .*2 checkpoints/);
    expect(missing('{ checkpoint: ckpt/model.ckpt-10 }')).toEqual([
      "2:23 S001 the checkpoint's graph ckpt/model.ckpt-10.meta does not exist (name its graph: `graph: file.meta` (or .pb, .pbtxt))",
    ]);
  });

  it('looks at the data of the variants that are asked for', () => {
    put('graph.pb');
    const variants = 'variants: { float: {}, int8: { quantization: int8, calibration: { data: c.npz } } }\n';
    expect(missing('{ frozenGraph: graph.pb }', variants)).toEqual(['5:73 S001 c.npz does not exist']);
    expect(missing('{ frozenGraph: graph.pb }', variants, ['float'])).toEqual([]);
  });
});
