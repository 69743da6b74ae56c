/**
 * A model whose freeze fails is validated all the same, as far as it could be frozen: what is wrong with the target
 * is told in the same run. Nothing of it is kept.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { GraphError } from '../graph/graph';
import { writeFileAtomic } from '../keys/atomic';
import type { StageContext, StageFunction } from './stage';

/** Runs `validate` on artefacts in a folder that is removed again. */
export function examiner(validate: StageFunction, context: StageContext): Required<StageContext>['examine'] {
  return async (artefacts): Promise<Diagnostic[]> => {
    const dist = mkdtempSync(join(tmpdir(), 'floe-examine-'));
    try {
      for (const [path, content] of Object.entries(artefacts)) writeFileAtomic(path, content, dist);
      return (await validate({ ...context, dist })).diagnostics;
    } catch (error) {
      // What is at hand is not whole: that it cannot be read says nothing.
      if (error instanceof FloeError || error instanceof GraphError) return [];
      throw error;
    } finally {
      rmSync(dist, { recursive: true, force: true });
    }
  };
}
