/** The model.yaml files that the arguments of a command mean. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from './arguments';

const MODEL_FILE = 'model.yaml';
/** Folders that hold no model projects but much else. */
const SKIPPED: readonly string[] = ['node_modules', 'dist', '.git', '.nx'];

/**
 * Absolute paths, each file once, in the order of the arguments.
 *
 * @param paths each a model.yaml, the folder of one, or a folder to search
 * @throws UsageError when an argument leads to no model
 */
export function findModels(paths: readonly string[], cwd: string): string[] {
  const byRealPath = new Map<string, string>();
  for (const path of paths) {
    const found = find(resolve(cwd, path), path);
    if (found.length === 0) throw new UsageError(`there is no ${MODEL_FILE} in ${path} or below it`);
    for (const file of found) {
      const real = realpathSync.native(file);
      if (!byRealPath.has(real)) byRealPath.set(real, file);
    }
  }
  return [...byRealPath.values()];
}

function find(path: string, given: string): string[] {
  if (!existsSync(path)) throw new UsageError(`${given} does not exist`);
  if (!statSync(path).isDirectory()) {
    if (basename(path) === MODEL_FILE) return [path];
    throw new UsageError(`${given} is not a ${MODEL_FILE}: name a model's ${MODEL_FILE} or its folder`);
  }
  const own = join(path, MODEL_FILE);
  return existsSync(own) ? [own] : search(path);
}

function search(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : search(path);
    return entry.name === MODEL_FILE ? [path] : [];
  });
}
