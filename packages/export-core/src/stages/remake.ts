/**
 * Making again what a cache gave back damaged. A scheduler's cache restores a file that was changed or cut short in it
 * as a hit; the manifest beside it tells. Then the stages that wrote it run once more, here, on the same inputs.
 */
import { join } from 'node:path';
import type { Descriptor } from '../descriptor/schema';
import type { Diagnostic } from '../diagnostics/diagnostic';
import { isIntact, readManifest } from '../keys/manifest';
import type { Memo } from '../keys/memo';
import type { RunResult } from './run-stage';
import { outputsOf, stageOf } from './table';
import type { TargetRef } from './target-key';

/** Runs one target of the model, or finds it up to date. */
export type RunOne = (target: TargetRef) => Promise<RunResult>;

/** Whether a target's outputs are, byte for byte, what its manifest says of them. */
export function isWhole(dist: string, { stage, variant }: TargetRef, memo?: Memo): boolean {
  const path = stage.manifest(variant);
  const manifest = readManifest(join(dist, path));
  if (!manifest || !isIntact(join(dist, path), manifest, memo)) return false;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const isListed = (output: string): boolean => Object.hasOwn(manifest.outputs, output.slice(folder.length));
  return outputsOf(stage, variant, isListed).every(isListed);
}

/** Brings what a target reads up to date, from the source on; returns what failed, if anything did. */
export async function remakeUpstream(
  descriptor: Descriptor,
  { stage, variant }: TargetRef,
  run: RunOne,
): Promise<RunResult | undefined> {
  for (const { stage: name } of stage.upstream(descriptor, variant)) {
    const from = stageOf(name);
    const failed = await remake(
      descriptor,
      { stage: from, variant: from.perVariant ? variant : undefined },
      run,
    );
    if (failed) return failed;
  }
  return undefined;
}

/** The same for a target and what it reads. */
export async function remake(
  descriptor: Descriptor,
  target: TargetRef,
  run: RunOne,
): Promise<RunResult | undefined> {
  const failed = await remakeUpstream(descriptor, target, run);
  if (failed) return failed;
  const result = await run(target);
  return result.outcome === 'failed' ? result : undefined;
}

/** Whether all that a target failed of are artefacts that are not what their manifests say. */
export function isDamage({ outcome, diagnostics, internalError }: RunResult): boolean {
  if (outcome !== 'failed' || internalError || diagnostics.length === 0) return false;
  return diagnostics.every(({ code }) => code === 'K003');
}

/** What is said of damage that was repaired. */
export function repaired(found: readonly Diagnostic[]): Diagnostic[] {
  return found.map(({ code, message }) => ({
    code,
    severity: 'warning',
    message: `${message}; it was made again`,
    hint: 'it came so from a cache: `nx reset` empties that of this machine, a remote one has to drop the entry',
  }));
}
