/** What the first run of a model would find, before its model.yaml is written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseDescriptor, runTarget, stageOf, type Diagnostic, type ModelProject } from '@floe/export-core';
import { stages as freezeStages } from '@floe/executor-freeze';
import { stages as tfliteStages } from '@floe/executor-tflite';

/**
 * Freezes and validates a model into a folder that is thrown away. Writes nothing beside the model, and nothing that
 * a cache could take.
 *
 * @param file where model.yaml will be, absolute
 * @returns what freeze and validate have to say; an internal error is thrown
 */
export async function checkModel(file: string, text: string): Promise<Diagnostic[]> {
  const dist = mkdtempSync(join(tmpdir(), 'floe-check-'));
  try {
    const project: ModelProject = { file, root: dirname(file), dist, loaded: parseDescriptor(file, text) };
    const found: Diagnostic[] = [];
    for (const stage of ['freeze', 'validate'] as const) {
      const result = await runTarget(
        project,
        { stage: stageOf(stage) },
        { ...freezeStages, ...tfliteStages },
        { code: () => ({ fingerprint: 'check' }), log: () => undefined },
      );
      if (result.internalError) throw result.internalError;
      found.push(...result.diagnostics);
      if (result.outcome === 'failed') break;
    }
    return found;
  } finally {
    rmSync(dist, { recursive: true, force: true });
  }
}
