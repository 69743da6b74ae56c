/**
 * Names of files that are being written, and removing those that a killed process has left: nobody reads them, but
 * on a build machine they would add up.
 */
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `.model.tflite.4711.staged`: hidden, beside the file it becomes, and it says whose it is. */
export function temporaryName(name: string, ending: string): string {
  return `.${name}.${process.pid}.${ending}`;
}

/**
 * Removes what dead processes have left of these files. What a living process has is its own, also a worker's of
 * this one: they share its number.
 */
export function removeLeftovers(files: readonly string[]): void {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const folder = dirname(file);
    folders.set(folder, [...(folders.get(folder) ?? []), basename(file)]);
  }
  for (const [folder, names] of folders) {
    for (const entry of namesIn(folder)) {
      const match = /^\.(.+?)\.(\d+)\.(?:staged\d*(?:\.\d+\.[0-9a-f]+\.tmp)?|[0-9a-f]+\.tmp)$/.exec(
        unstaged(entry),
      );
      if (match && names.includes(match[1]) && !isAlive(Number(match[2]))) {
        rmSync(join(folder, entry), { force: true });
      }
    }
  }
}

/** A staged file is itself written under a temporary name: `..name.1.staged.1.abc.tmp`. */
function unstaged(entry: string): string {
  return entry.startsWith('..') ? entry.slice(1) : entry;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: another user's process.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
