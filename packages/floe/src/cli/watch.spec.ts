import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fakeModel, MODEL_YAML, temporaryFolder } from '../../../export-core/src/stages/testing/fake-model';
import { findModels } from './find-models';
import { watch } from './watch';

interface Watching {
  cwd: string;
  /** What was exported, one list a time, by the models' folders. */
  exports: string[][];
  said: () => string;
  /** Resolves when so many exports have been made. */
  until(count: number): Promise<void>;
  end(): Promise<void>;
}

function start(cwd: string, during: () => void = () => undefined): Watching {
  const exports: string[][] = [];
  let said = '';
  const stop = new AbortController();
  const waiting: [number, () => void][] = [];
  const done = watch({
    find: () => findModels(['.'], cwd),
    exportModels: async (models) => {
      during();
      exports.push(models.map((file) => relative(cwd, join(file, '..'))));
      await Promise.resolve();
      for (const [count, resolve] of waiting) if (exports.length >= count) resolve();
    },
    io: { out: () => undefined, err: (text) => void (said += text), color: false, cwd },
    signal: stop.signal,
    pause: 5,
  });
  return {
    cwd,
    exports,
    said: () => said,
    until: (count) =>
      exports.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push([count, resolve])),
    end: () => (stop.abort(), done),
  };
}

it('exports everything once, then each model whose files change, and says which', async () => {
  const cwd = temporaryFolder();
  fakeModel(cwd, 'a');
  fakeModel(cwd, 'b');
  const watching = start(cwd);
  await watching.until(1);
  writeFileSync(join(cwd, 'a/graph.pb'), 'another graph');
  await watching.until(2);
  writeFileSync(join(cwd, 'b/model.yaml'), `# comment\n${MODEL_YAML}`);
  await watching.until(3);
  // Replaced, as editors do.
  writeFileSync(join(cwd, 'b/new'), 'graph by another name');
  renameSync(join(cwd, 'b/new'), join(cwd, 'b/graph.pb'));
  await watching.until(4);
  await watching.end();
  expect(watching.exports).toEqual([['a', 'b'], ['a'], ['b'], ['b']]);
  expect(watching.said()).toMatch(
    /^watching 2 models\na\/graph\.pb has changed\nwatching 2 models\nb\/model\.yaml has changed\n/,
  );
});

it('sees files of a folder, files that come and go, and new models', async () => {
  const cwd = temporaryFolder();
  const yaml = MODEL_YAML.replace('frozenGraph: graph.pb', 'savedModel: saved');
  fakeModel(cwd, 'a', yaml);
  const watching = start(cwd);
  await watching.until(1);
  mkdirSync(join(cwd, 'a/saved/variables'), { recursive: true });
  writeFileSync(join(cwd, 'a/saved/saved_model.pb'), 'x');
  await watching.until(2);
  rmSync(join(cwd, 'a/saved'), { recursive: true });
  await watching.until(3);
  fakeModel(cwd, 'b');
  await watching.until(4);
  await watching.end();
  expect(watching.exports.slice(-1)).toEqual([['b']]);
  expect(watching.said()).toContain('watching 1 model\na/saved/saved_model.pb is new\n');
  expect(watching.said()).toContain('a/saved/saved_model.pb is gone\n');
  expect(watching.said()).toContain('watching 1 model\nb/model.yaml is new\n');
});

it('does not miss what changes while it exports', async () => {
  const cwd = temporaryFolder();
  fakeModel(cwd, 'a');
  let first = true;
  const watching = start(cwd, () => {
    if (first) writeFileSync(join(cwd, 'a/graph.pb'), 'changed meanwhile');
    first = false;
  });
  await watching.until(2);
  await watching.end();
  expect(watching.exports).toEqual([['a'], ['a']]);
});

it('ends at once, also while nothing happens', async () => {
  const cwd = temporaryFolder();
  fakeModel(cwd, 'a');
  const watching = start(cwd);
  await watching.until(1);
  await watching.end();
  expect(watching.exports).toHaveLength(1);
});
