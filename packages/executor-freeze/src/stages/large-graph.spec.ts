/** Graphs that are too large for one message. The limit is given here: what is tested weighs kilobytes. */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openModel,
  readFrozen,
  runTarget,
  targetsUpTo,
  writeGraphDef,
  joinPieces,
  type RunResult,
  type StageFunction,
  type StageName,
} from '@floe/export-core';
import { exportSavedModel } from './export-saved-model';
import { freeze, freezing } from './freeze';

const FIXTURES = join(__dirname, '../../../export-core/src/source/fixtures');
const LIMIT = 6000;

let root: string;
let dist: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'floe-')));
  dist = join(root, 'dist');
  cpSync(join(FIXTURES, 'wide/saved_model'), join(root, 'saved_model'), { recursive: true });
  writeFileSync(
    join(root, 'model.yaml'),
    'version: 1\nsource: { savedModel: saved_model, signatures: [serving_default, count] }\n',
  );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs the stages up to one, with this in place of freeze. */
async function run(stage: StageFunction, until: StageName = 'freeze', force = true): Promise<RunResult[]> {
  const project = openModel(join(root, 'model.yaml'));
  const results: RunResult[] = [];
  for (const target of targetsUpTo(project.loaded.descriptor!, until)) {
    const result = await runTarget(
      project,
      target,
      { freeze: stage, 'export-saved-model': exportSavedModel },
      { code: () => ({ fingerprint: 'test' }), force, log: () => undefined },
    );
    if (result.internalError) throw result.internalError;
    results.push(result);
  }
  return results;
}

/** The frozen graph's bytes as a GraphDef, from whichever file it is in. */
function graphBytes(): Buffer {
  return joinPieces(writeGraphDef(readFrozen(dist).graph));
}

it('become a SavedModel, which reads as the same graph', async () => {
  await run(freeze);
  const whole = readFileSync(join(dist, 'frozen/graph.pb'));
  expect(graphBytes().equals(whole)).toBe(true);

  const [result] = await run(freezing(LIMIT));
  expect(result).toMatchObject({ outcome: 'done', diagnostics: [] });
  expect(existsSync(join(dist, 'frozen/graph.pb'))).toBe(false);
  const manifest = JSON.parse(readFileSync(join(dist, 'frozen/manifest.json'), 'utf8')) as {
    outputs: object;
  };
  expect(Object.keys(manifest.outputs)).toEqual([
    'contract.json',
    'saved_model/saved_model.pb',
    'saved_model/variables/variables.data-00000-of-00001',
    'saved_model/variables/variables.index',
  ]);
  expect(graphBytes().equals(whole)).toBe(true);
  expect((await run(freezing(LIMIT), 'freeze', false))[0].outcome).toBe('up to date');
});

it('that shrink leave nothing behind that could be read', async () => {
  await run(freezing(LIMIT));
  await run(freeze);
  expect(existsSync(join(dist, 'frozen/saved_model'))).toBe(false);
  expect(existsSync(join(dist, 'frozen/graph.pb'))).toBe(true);
});

it('are read as the contract says, whatever lies beside it', async () => {
  await run(freezing(LIMIT));
  const large = graphBytes();
  writeFileSync(join(dist, 'frozen/graph.pb'), 'stale');
  expect(graphBytes().equals(large)).toBe(true);
  // Nor does it come into the keys of later stages.
  const [first] = (await run(freezing(LIMIT), 'export-saved-model', false)).slice(-1);
  expect(first).toMatchObject({ outcome: 'done', diagnostics: [] });
  rmSync(join(dist, 'frozen/graph.pb'));
  expect((await run(freezing(LIMIT), 'export-saved-model', false)).at(-1)!.outcome).toBe('up to date');
});

it('without weights that could stand elsewhere are told', async () => {
  const [result] = await run(freezing(2000));
  expect(result.outcome).toBe('failed');
  expect(result.diagnostics).toMatchObject([{ code: 'S010' }]);
  expect(existsSync(join(dist, 'frozen'))).toBe(false);
});
