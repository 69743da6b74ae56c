/** A model.yaml in a folder of its own, taken through freeze and validate as the command line does. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import {
  openModel,
  printForPeople,
  runTarget,
  targetsOf,
  type Diagnostic,
  type StageFunctions,
} from '@floe/export-core';
import { stages as freezeStages } from '@floe/executor-freeze';
import { stages as tfliteStages } from '../../stages';

const FIXTURES = join(__dirname, '..', 'fixtures');
const STAGES = { ...freezeStages, ...tfliteStages };

export interface ChainResult {
  ok: boolean;
  diagnostics: Diagnostic[];
  /** What people read. */
  text: string;
  /** `validation/report.json` and `.sarif`, where validate ran. */
  report?: { ok: boolean; counts: Record<string, number>; diagnostics: Diagnostic[] };
  sarif?: { runs: { tool: { driver: { rules: unknown[] } }; results: Record<string, unknown>[] }[] };
  /** The .tflite, where the chain got that far. */
  tflite?: Uint8Array;
}

export class Project {
  readonly root = mkdtempSync(join(tmpdir(), 'floe-validate-'));
  readonly model = join(this.root, 'models', 'model');

  /** @param stages in place of the usual ones of these names */
  constructor(private readonly stages: StageFunctions = {}) {
    mkdirSync(this.model, { recursive: true });
  }

  /** Runs the chain; `FIXTURES` in the text stands for the fixtures' folder. Stops at the first stage that fails. */
  async run(yaml: string, until: 'validate' | 'export-tflite' = 'validate'): Promise<ChainResult> {
    writeFileSync(join(this.root, 'nx.json'), '{}');
    const file = join(this.model, 'model.yaml');
    writeFileSync(file, `version: 1\n${yaml.replaceAll('FIXTURES', relative(this.model, FIXTURES))}\n`);
    const project = openModel(file);
    const diagnostics: Diagnostic[] = [];
    let ok = true;
    for (const target of project.loaded.descriptor ? targetsOf(project.loaded.descriptor) : []) {
      const result = await runTarget(
        project,
        target,
        { ...STAGES, ...this.stages },
        {
          code: () => ({ fingerprint: 'test' }),
          force: true,
          log: () => undefined,
          progress: () => undefined,
        },
      );
      if (result.internalError) throw result.internalError;
      diagnostics.push(...result.diagnostics);
      ok = result.outcome !== 'failed';
      if (!ok || target.stage.name === until) break;
    }
    if (!project.loaded.descriptor) {
      ok = false;
      diagnostics.push(...project.loaded.diagnostics);
    }
    const read = (path: string): string | undefined => {
      const artefact = join(this.model, 'dist', path);
      return existsSync(artefact) ? readFileSync(artefact, 'utf8') : undefined;
    };
    const json = <T>(text: string | undefined): T | undefined =>
      text === undefined ? undefined : (JSON.parse(text) as T);
    const tflite = join(this.model, 'dist', 'float', 'model.tflite');
    return {
      ok,
      diagnostics,
      text: printForPeople(diagnostics, { color: false, cwd: this.model }),
      report: json(read('validation/report.json')),
      sarif: json(read('validation/report.sarif')),
      tflite: existsSync(tflite) ? readFileSync(tflite) : undefined,
    };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The same in a folder that is removed again. */
export async function runChain(yaml: string, until?: 'validate' | 'export-tflite'): Promise<ChainResult> {
  const project = new Project();
  try {
    return await project.run(yaml, until);
  } finally {
    project.remove();
  }
}
