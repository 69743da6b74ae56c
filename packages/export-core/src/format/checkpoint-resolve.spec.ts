import * as fs from 'node:fs';
import * as path from 'node:path';
import { resolveCheckpoint } from './checkpoint';
import { readCheckpointState } from './checkpoint-state';
import { codesOf, copied, fixture, messageOf, removeTempFolders, tempFolder } from './testing/fixtures';

afterEach(removeTempFolders);

/** A folder with files of the V2 fixture under other prefixes. */
function folderOf(...prefixes: string[]): string {
  const folder = tempFolder();
  for (const prefix of prefixes) {
    const target = path.join(folder, prefix);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(fixture('tf2/ckpt-1.index'), `${target}.index`);
    fs.copyFileSync(fixture('tf2/ckpt-1.data-00000-of-00001'), `${target}.data-00000-of-00001`);
  }
  return folder;
}

function state(folder: string, latest: string, ...all: string[]): string {
  const file = path.join(folder, 'checkpoint');
  const lines = all.map((p) => `all_model_checkpoint_paths: ${JSON.stringify(p)}\n`);
  fs.writeFileSync(file, `model_checkpoint_path: ${JSON.stringify(latest)}\n${lines.join('')}`);
  return file;
}

describe('resolveCheckpoint, V2', () => {
  it.each(['', '.index', '.data-00000-of-00001'])('takes the prefix%s', (suffix) => {
    expect(resolveCheckpoint(fixture(`tf2/ckpt-1${suffix}`))).toEqual({
      prefix: fixture('tf2/ckpt-1'),
      format: 'V2',
    });
  });

  it('takes the graph beside a checkpoint, there or not', () => {
    const prefix = fixture('v2/sharded.ckpt');
    expect(resolveCheckpoint(`${prefix}.meta`).prefix).toBe(prefix);
    expect(resolveCheckpoint(fixture('v2/dtypes.ckpt.meta')).prefix).toBe(fixture('v2/dtypes.ckpt'));
    const folder = copied('v2/sharded.ckpt.meta');
    expect(codesOf(() => resolveCheckpoint(path.join(folder, 'sharded.ckpt.meta')))).toEqual(['S001']);
  });

  it('takes a folder with one checkpoint', () => {
    const folder = folderOf('model.ckpt');
    expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'model.ckpt'));
    expect(resolveCheckpoint(folder + path.sep).prefix).toBe(path.join(folder, 'model.ckpt'));
  });

  it('takes a prefix that is also a folder', () => {
    const folder = folderOf('model');
    fs.mkdirSync(path.join(folder, 'model'));
    expect(resolveCheckpoint(path.join(folder, 'model')).prefix).toBe(path.join(folder, 'model'));
  });

  it('asks which, where a folder has several', () => {
    const folder = folderOf('a-1', 'a-2');
    expect(messageOf(() => resolveCheckpoint(folder))).toMatch(/2 checkpoints \(a-1, a-2\).*such as .*a-2/);
  });

  it('says what is missing', () => {
    const folder = folderOf('model.ckpt-100');
    expect(messageOf(() => resolveCheckpoint(path.join(folder, 'model.ckpt-10')))).toMatch(
      /there is no checkpoint .*model.ckpt-10 .*did you mean .*model.ckpt-100\?/,
    );
    fs.rmSync(path.join(folder, 'model.ckpt-100.index'));
    for (const name of ['model.ckpt-100', 'model.ckpt-100.data-00000-of-00001']) {
      expect(messageOf(() => resolveCheckpoint(path.join(folder, name)))).toContain(
        'model.ckpt-100.index does not exist',
      );
    }
    expect(codesOf(() => resolveCheckpoint(path.join(folder, 'no', 'folder')))).toEqual(['S001']);
    expect(codesOf(() => resolveCheckpoint(tempFolder()))).toEqual(['S001']);
  });

  it('tells a SavedModel and other files apart', () => {
    const folder = tempFolder();
    fs.writeFileSync(path.join(folder, 'saved_model.pb'), '');
    expect(messageOf(() => resolveCheckpoint(folder))).toMatch(/is a SavedModel.*variables/);
    expect(codesOf(() => resolveCheckpoint(fixture('v2/graph.pb')))).toEqual(['S003']);
    expect(codesOf(() => resolveCheckpoint(fixture('expected.json')))).toEqual(['S003']);
  });
});

describe('resolveCheckpoint, V1', () => {
  it('takes a file, a folder with it, and its graph', () => {
    const prefix = fixture('v1/single.ckpt');
    expect(resolveCheckpoint(prefix)).toEqual({ prefix, format: 'V1', files: [prefix] });
    const folder = copied('v1/single.ckpt');
    fs.writeFileSync(path.join(folder, 'single.ckpt.meta'), '');
    expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'single.ckpt'));
    expect(resolveCheckpoint(path.join(folder, 'single.ckpt.meta')).prefix).toBe(
      path.join(folder, 'single.ckpt'),
    );
  });

  it('takes shards by common name, by bare prefix, by one of them, by folder, by graph', () => {
    const folder = copied('v1/sharded.ckpt-00000-of-00002', 'v1/sharded.ckpt-00001-of-00002');
    fs.writeFileSync(path.join(folder, 'sharded.ckpt.meta'), '');
    const wanted = {
      prefix: path.join(folder, 'sharded.ckpt-?????-of-00002'),
      format: 'V1',
      files: [0, 1].map((i) => path.join(folder, `sharded.ckpt-0000${i}-of-00002`)),
    };
    for (const name of [
      'sharded.ckpt-?????-of-00002',
      'sharded.ckpt',
      'sharded.ckpt-00001-of-00002',
      '',
      'sharded.ckpt.meta',
    ]) {
      expect(resolveCheckpoint(path.join(folder, name))).toEqual(wanted);
    }
    fs.copyFileSync(
      path.join(folder, 'sharded.ckpt-00000-of-00002'),
      path.join(folder, 'sharded.ckpt-00000-of-00003'),
    );
    expect(messageOf(() => resolveCheckpoint(path.join(folder, 'sharded.ckpt')))).toContain('of-00002 and');
  });
});

describe('state files', () => {
  it('are read', () => {
    expect(readCheckpointState(fixture('tf2/checkpoint'))).toEqual({
      latest: 'ckpt-2',
      all: ['ckpt-1', 'ckpt-2'],
    });
  });

  it('name the latest checkpoint, of a folder or by themselves', () => {
    const stateFile = fixture('tf2/checkpoint');
    const wanted = { prefix: fixture('tf2/ckpt-2'), format: 'V2', stateFile };
    expect(resolveCheckpoint(fixture('tf2'))).toEqual(wanted);
    expect(resolveCheckpoint(stateFile)).toEqual(wanted);
  });

  it('name V1 checkpoints', () => {
    const folder = copied(
      'v1/single.ckpt',
      'v1/sharded.ckpt-00000-of-00002',
      'v1/sharded.ckpt-00001-of-00002',
    );
    state(folder, 'sharded.ckpt-?????-of-00002');
    expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'sharded.ckpt-?????-of-00002'));
    state(folder, 'single.ckpt');
    expect(resolveCheckpoint(folder)).toMatchObject({
      prefix: path.join(folder, 'single.ckpt'),
      format: 'V1',
    });
  });

  it.each(['/somewhere/else/m-1', 'C:\\models\\m-1', 'gs://bucket/run/m-1'])(
    'of a moved folder find %s beside themselves',
    (written) => {
      const folder = folderOf('m-1');
      state(folder, written);
      expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'm-1'));
    },
  );

  it('prefer what lies beside them to an absolute path that still exists', () => {
    const elsewhere = folderOf('m-1');
    const folder = folderOf('m-1');
    state(folder, path.join(elsewhere, 'm-1'));
    expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'm-1'));
  });

  it('may name a folder within theirs, relative or absolute', () => {
    const folder = folderOf('run/m-1');
    for (const written of ['run/m-1', './run/m-1', path.join(folder, 'run', 'm-1')]) {
      state(folder, written);
      expect(resolveCheckpoint(folder).prefix).toBe(path.join(folder, 'run', 'm-1'));
    }
  });

  it('may not lead out of their folder', () => {
    const elsewhere = folderOf('m-1');
    const folder = folderOf('m-2');
    const relative = path.join(path.relative(folder, elsewhere), 'm-1');
    for (const written of [relative, `sub/../${relative}`, path.join(elsewhere, 'm-1'), '..', '/']) {
      state(folder, written);
      expect(codesOf(() => resolveCheckpoint(folder))).toEqual(['S006']);
    }
    expect(messageOf(() => resolveCheckpoint(folder))).toContain('name the checkpoint itself');
  });

  it('say when the latest is gone, and what is left', () => {
    const folder = folderOf('m-1');
    state(folder, 'm-2', 'm-1', 'm-2');
    expect(messageOf(() => resolveCheckpoint(folder))).toMatch(/names m-2 .*does not exist.*such as .*m-1/);
    state(folder, 'm-2');
    expect(codesOf(() => resolveCheckpoint(folder))).toEqual(['S001']);
    fs.writeFileSync(path.join(folder, 'checkpoint'), 'all_model_checkpoint_paths: "m-1"\n');
    expect(codesOf(() => resolveCheckpoint(folder))).toEqual(['S004']);
    fs.writeFileSync(path.join(folder, 'checkpoint'), 'model_checkpoint_path: m-1\n');
    expect(messageOf(() => resolveCheckpoint(folder))).toContain('checkpoint:1:24');
  });
});
