/** Runs killed at any moment: what they leave is never taken for good, and goes at the next run. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { changeWeight } from './testing/checkpoint';
import { IN_PROCESS, Workspace } from './testing/workspace';

const EXAMPLE = resolve(__dirname, '../examples/mobilenet-v1');
const FLOE = resolve(__dirname, '../packages/floe/bin/floe.js');
const KILLS = 12;
const NX_KILLS = 3;
const WEIGHT = 'weights/1/.ATTRIBUTES/VARIABLE_VALUE';

const folder = mkdtempSync(join(tmpdir(), 'floe-killed-'));
const model = join(folder, 'model');
const clean = join(folder, 'clean');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Exports a model; killed after so many milliseconds, or left to its end. Returns the exit code and how long it took. */
async function floe(root: string, killAfter?: number): Promise<{ code: number | null; ms: number }> {
  const started = Date.now();
  const child = spawn(process.execPath, [FLOE, 'export', root], { stdio: 'ignore' });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const code = await new Promise<number | null>((done) => child.on('exit', done));
  clearTimeout(timer);
  return { code, ms: Date.now() - started };
}

function files(root: string): string[] {
  const all = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

it('leave nothing that a later run takes for good', async () => {
  for (const root of [model, clean]) {
    cpSync(EXAMPLE, root, { recursive: true, filter: (file) => !/[\\/](dist|train)$/.test(file) });
  }
  const { code, ms } = await floe(clean);
  expect(code).toBe(0);
  const expected = files(clean);
  for (let i = 0; i < KILLS; i++) {
    // Spread over the whole run, with chance within each part of it; some begin from nothing, some from a half.
    await floe(model, ((i + Math.random()) / KILLS) * ms);
    // What has its name is whole: a manifest's artefacts are those that it lists.
    for (const path of existsSync(join(model, 'dist')) ? files(model) : []) {
      if (/\/\./.test(path)) continue;
      expect({ i, path, same: readFileSync(model + path).equals(readFileSync(clean + path)) }).toMatchObject({
        same: true,
      });
    }
    if (i % 3 === 2) {
      expect((await floe(model)).code).toBe(0);
      expect(files(model)).toEqual(expected);
      for (const path of expected)
        expect(readFileSync(model + path).equals(readFileSync(clean + path))).toBe(true);
      rmSync(join(model, 'dist'), { recursive: true });
    }
  }
});

it('leave nothing in the cache of Nx either', async () => {
  const workspace = new Workspace(IN_PROCESS);
  try {
    workspace.install();
    workspace.nx('g', 'floe:preset');
    const root = workspace.path('models/sine');
    const dist = join(root, 'dist');
    const saved = join(workspace.outside, 'saved');
    cpSync(join(root, 'saved_model'), saved, { recursive: true });
    const command = ['run', 'sine:export-tflite'];
    const started = Date.now();
    expect(workspace.nx(...command).code).toBe(0);
    const ms = Date.now() - started;
    const expected = files(root).map((path) => ({ path, bytes: readFileSync(root + path) }));
    for (let i = 0; i < NX_KILLS; i++) {
      // Another weight each time, so that there is work to be killed in; in the end the first one again.
      changeWeight(join(root, 'saved_model/variables/variables'), WEIGHT, 2 ** -i);
      rmSync(dist, { recursive: true, force: true });
      await workspace.killed(((i + Math.random()) / NX_KILLS) * ms, ...command);
      expect(workspace.nx(...command).code).toBe(0);
      const once = files(root).map((path) => readFileSync(root + path));
      // As the same model is made where nothing was ever killed.
      rmSync(dist, { recursive: true });
      expect(workspace.floe('export', 'models/sine').code).toBe(0);
      expect(files(root).map((path) => readFileSync(root + path))).toEqual(once);
    }
    cpSync(saved, join(root, 'saved_model'), { recursive: true });
    rmSync(dist, { recursive: true });
    expect(workspace.nx(...command).output).toContain('from the cache: everything');
    for (const { path, bytes } of expected) expect(readFileSync(root + path)).toEqual(bytes);
  } finally {
    workspace.remove();
  }
});
