/** What can be wrong with the files that a stage reads, as diagnostics. */
import { withPaths } from '../checks/places';
import { checkFiles } from '../descriptor/check-files';
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { LOCK_FILE } from '../keys/lock';
import type { StageContext } from './stage';
import type { Sources, TargetRef } from './target-key';

/** Keys of model.yaml under which a stage's files are named. */
const FILE_KEYS: Partial<Record<string, string>> = {
  freeze: 'source',
  validate: 'detection',
  convert: 'detection',
  calibrate: 'variants',
  verify: 'verify',
};

/** S001 for each file of model.yaml that this stage needs and that is not there, with its place and a suggestion. */
export function missingFiles(
  { stage, variant }: TargetRef,
  { descriptor, root, place }: Pick<StageContext, 'descriptor' | 'root' | 'place'>,
): Diagnostic[] {
  const variants = variant === undefined ? [] : [variant];
  const ofStage = new Set<Diagnostic['where']>();
  const all = checkFiles(
    descriptor,
    root,
    (path) => {
      const where = withPaths(place)([...path]);
      if (path[0] === FILE_KEYS[stage.name]) ofStage.add(where);
      return where;
    },
    variants,
  );
  return all.filter(({ where }) => ofStage.has(where));
}

/** K002: nothing may be published of files that were not at rest. */
export function changed(message: string): FloeError {
  const hint =
    'nothing was published; run it again once the files are at rest (after an upgrade of Floe: `nx reset`)';
  return new FloeError({ code: 'K002', severity: 'error', message, hint });
}

/** K006 for files that are not what model.lock.json says of them. */
export function lockMismatch(target: string, { mismatch }: Pick<Sources, 'mismatch'>): Diagnostic[] {
  if (mismatch.length === 0) return [];
  return [
    {
      code: 'K006',
      severity: 'error',
      message: `${target} does not read the files of ${LOCK_FILE}: ${mismatch.join('; ')}`,
      hint: `to accept them, run it without CI and --frozen-lock and commit ${LOCK_FILE}`,
    },
  ];
}

/** K004 for files that only the lock knows. */
export function absentError(target: string, files: string[]): FloeError {
  const several = files.length > 1 ? ` and ${files.length - 1} more` : '';
  return new FloeError({
    code: 'K004',
    severity: 'error',
    message:
      `${files[0]}${several} is not on this machine: ${LOCK_FILE} says which file it was, ` +
      `but neither this machine nor a cache has what ${target} made of it`,
    hint: 'fetch the file, or run it once on a machine that has it and shares its Nx cache',
  });
}

/** K004 for files whose content is elsewhere. */
export function pointerError(files: string[]): FloeError {
  return new FloeError(
    files.map((file) => ({
      code: 'K004',
      severity: 'error',
      message: `${file} is a Git LFS pointer: its content is not on this machine`,
      hint: 'git lfs pull',
      where: { file },
    })),
  );
}
