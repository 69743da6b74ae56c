/** A model project in a temporary folder, and stages that write what the table promises without any TensorFlow. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { StageFunction, StageFunctions } from '../stage';
import { outputsOf, STAGES } from '../table';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A temporary folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'floe-')));
  folders.push(folder);
  return folder;
}

/** Writes files, old enough that memos trust their time stamps. */
export function writeFiles(folder: string, files: Record<string, string>): void {
  const past = new Date(Date.now() - 60_000);
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, past, past);
  }
}

/** A valid model.yaml over `graph.pb` in the same folder. */
export const MODEL_YAML = `version: 1
source: { frozenGraph: graph.pb }
inputs:
  - { name: x, tensor: "x:0" }
outputs:
  - { name: y, tensor: "y:0" }
`;

/** A model folder below `parent`; returns its model.yaml. */
export function fakeModel(parent: string, name: string, yaml = MODEL_YAML): string {
  const folder = join(parent, name);
  writeFiles(folder, { 'model.yaml': yaml, 'graph.pb': `graph of ${name}` });
  return join(folder, 'model.yaml');
}

/** Stages that note their calls and write, into each output, what they read. */
export function fakeStages(calls: string[] = []): StageFunctions {
  const functions: StageFunctions = {};
  for (const stage of STAGES) {
    functions[stage.name] = async ({ descriptor, root, dist, variant }) => {
      calls.push(variant === undefined ? stage.name : `${stage.name}:${variant}`);
      const sources = stage.files(descriptor, root, variant).map(({ path }) => readFileSync(path, 'utf8'));
      const upstream = stage
        .upstream(descriptor, variant)
        .flatMap(({ files }) => files.filter((file) => existsSync(join(dist, file))))
        .map((file) => readFileSync(join(dist, file), 'utf8'));
      const outputs = outputsOf(stage, variant, () => false);
      const content = [stage.name, ...sources, ...upstream].join('\n');
      return {
        diagnostics: [],
        artefacts: Object.fromEntries(outputs.map((path) => [path, `${path}\n${content}`])),
        summary: `fake ${stage.name}`,
      };
    };
  }
  return functions;
}

/** A stage that does this before it does its usual work. */
export function withSideEffect(stage: StageFunction | undefined, effect: () => void): StageFunction {
  return (context) => {
    effect();
    return stage!(context);
  };
}

/** What keys cover of code that does not exist. */
export const FAKE_CODE = { fingerprint: 'fake', engine: 'none' };
